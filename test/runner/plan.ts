import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { filesOf, type Size } from './sizes.ts';

/** Tests that are run by one command. */
export type Suite =
  /** It ends with a line `N passed, N failed`. */
  | { readonly kind: 'program'; readonly name: string; readonly argv: readonly string[] }
  /** Short tests: two or more files at once. */
  | { readonly kind: 'unit'; readonly name: string; readonly argv: readonly string[] }
  /** Each file has the machine to itself. */
  | {
      readonly kind: 'alone';
      readonly name: string;
      readonly argv: readonly string[];
      readonly files: readonly string[];
    };

export interface Plan {
  readonly suites: readonly Suite[];
  /** The parts that this run leaves out, as a sentence. */
  readonly leftOut: string;
  /** How often races, kills and faults are repeated. */
  readonly rounds: 'reduced' | 'full';
  /** The same for the tests. */
  readonly environment: NodeJS.ProcessEnv;
  /** Tests that cannot run here, with the reason. */
  readonly notRun: readonly (readonly [what: string, why: string])[];
}

const E2E = 'test/e2e';
const NEWER_NODES = [22, 24];
const REDUCED = { rounds: 'reduced', environment: { ROUNDS: 'reduced' } } as const;
const FULL = {
  rounds: 'full',
  environment: { ROUNDS: 'full', SOAK_SECONDS: process.env['SOAK_SECONDS'] ?? '300' },
} as const;

/**
 * The suites of a run.
 *
 * @param size - which
 * @returns the suites in their order
 * @throws Error when an end-to-end test has no size
 */
export function planOf(size: Size): Plan {
  const there = readdirSync(E2E, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  const list = readFileSync(`${E2E}/sizes`, 'utf8');
  const files = filesOf(list, there, size).map((name) => `${E2E}/${name}`);
  const notRun: [string, string][] = [];
  const suites: Suite[] = [
    {
      kind: 'program',
      name: 'module',
      argv: make('-C', 'test/native', 'test', `BUILD=${process.cwd()}/build`),
    },
  ];
  if (size !== 'default') {
    suites.push({ kind: 'program', name: 'fuzz', argv: make('fuzz') });
  }
  suites.push(unit('unit', process.execPath));
  for (const version of size === 'default' ? [] : NEWER_NODES) {
    const node = `test/nodes/node_modules/node-${version}/bin/node`;
    if (existsSync(node)) {
      suites.push(unit(`unit-node-${version}`, node));
    } else {
      notRun.push([
        `unit tests on Node ${version}`,
        "it is not here ('make deps-nodes' fetches it for x86-64)",
      ]);
    }
  }
  suites.push({ kind: 'alone', name: 'end-to-end', argv: vitest(process.execPath, ...files), files });
  return {
    suites,
    ...(size === 'full' ? FULL : REDUCED),
    leftOut: LEFT_OUT[size](there.length - files.length),
    notRun,
  };
}

/**
 * The parts of a plan that are measured: each end-to-end file, and other suites as a whole.
 *
 * @param plan - which
 * @returns their names
 */
export function partsOf({ suites }: Pick<Plan, 'suites'>): string[] {
  return suites.flatMap((suite) => (suite.kind === 'alone' ? suite.files : [suite.name]));
}

const LEFT_OUT: Readonly<Record<Size, (files: number) => string>> = {
  default: (files) =>
    `left out: ${files} end-to-end files, the fuzzers, the unit tests on Node 22 and 24, full rounds`,
  all: (files) => `left out: ${files === 0 ? '' : `${files} long soaks, `}full rounds`,
  full: () => 'nothing is left out',
};

const make = (...argv: string[]): string[] => ['make', '--silent', '--no-print-directory', ...argv];

function unit(name: string, node: string): Suite {
  const workers = Math.max(2, availableParallelism());
  return {
    kind: 'unit',
    name,
    argv: vitest(node, '--fileParallelism', `--maxWorkers=${workers}`, 'test/unit'),
  };
}

function vitest(node: string, ...argv: string[]): string[] {
  return [node, 'node_modules/vitest/vitest.mjs', 'run', '--reporter=./test/runner/reporter.ts', ...argv];
}
