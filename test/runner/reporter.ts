import { relative } from 'node:path';
import type { UserConsoleLog } from 'vitest';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';
import type { Counts, Event } from './events.ts';

/** The fields of an error in vitest. */
type Trouble = Pick<SerializedError, 'message' | 'name' | 'stack'> & {
  readonly diff?: string;
  readonly stacks?: readonly { readonly file: string; readonly line: number; readonly column: number }[];
};

/** Reports vitest's events to the runner. Without a runner it does nothing. */
export default class RunnerReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestModuleQueued(module: TestModule): void {
    tell({ kind: 'begin', file: fileOf(module) });
  }

  onTestCaseResult(test: TestCase): void {
    const file = fileOf(test.module);
    const { state, errors } = test.result();
    tell({ kind: 'test', file, name: test.fullName, state: COUNTED_AS[state] });
    if (state === 'failed') {
      fail(file, test.fullName, errors);
    }
  }

  /** A hook that failed: vitest skips the tests below it, so nothing else would count it. */
  onTestSuiteResult(suite: TestSuite): void {
    const errors = suite.errors();
    if (errors.length > 0) {
      fail(fileOf(suite.module), `${suite.fullName}: a hook`, errors);
    }
  }

  onUserConsoleLog(log: UserConsoleLog): void {
    const module =
      log.taskId === undefined ? undefined : this.#vitest?.state.getReportedEntityById(log.taskId);
    const file = module === undefined ? '' : fileOf(module.type === 'module' ? module : module.module);
    tell({ kind: 'output', file, text: log.content });
  }

  onTestModuleEnd(module: TestModule): void {
    const file = fileOf(module);
    const errors = module.errors();
    if (errors.length > 0) {
      fail(file, 'the file itself', errors);
    }
    tell({ kind: 'end', file });
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    if (unhandled.length > 0) {
      fail('', 'an error outside of every test', unhandled);
    }
    tell({ kind: 'done' });
  }
}

const COUNTED_AS: Readonly<Record<ReturnType<TestCase['result']>['state'], keyof Counts>> = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  pending: 'failed', // it never ended
};

function fail(file: string, what: string, errors: readonly Trouble[] | undefined): void {
  const name = file === '' ? what : `${file}: ${what}`;
  tell({ kind: 'failure', file, failure: { name, reasons: (errors ?? []).map(textOf) } });
}

function textOf(error: Trouble): string {
  const [place] = error.stacks ?? [];
  const where =
    place === undefined
      ? (error.stack?.split('\n').slice(1, 6) ?? [])
      : [`at ${relative(process.cwd(), place.file)}:${place.line}:${place.column}`];
  return [
    `${error.name ?? 'Error'}: ${error.message}`,
    ...where,
    ...(error.diff === undefined ? [] : [error.diff]),
  ].join('\n');
}

function fileOf(module: TestModule): string {
  return relative(process.cwd(), module.moduleId);
}

function tell(event: Event): void {
  process.send?.(event);
}
