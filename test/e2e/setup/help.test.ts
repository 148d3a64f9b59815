import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';

/* Each help has examples, and each example is a command line that the program takes. */

const NAME = 'pve-google-authenticator';
const EXIT_USAGE = 2;
let directory: string;
/** Thirty starts of the command. */
const HELPS_MS = 120_000;
/** Of each command line its help. */
let helps: Map<string, string>;

beforeAll(async () => {
  directory = mkdtempSync(`${tmpdir()}/pve-authenticator-help-`);
  const wrapper = `#!/bin/sh\nexec ${process.execPath} ${CHECKOUT}/dist/command/main.js "$@"\n`;
  writeFileSync(`${directory}/${NAME}`, wrapper, { mode: 0o755 });
  writeFileSync(`${directory}/keys.txt`, 'GEZDGNBVGY3TQOJQ\n', { mode: 0o600 });
  helps = await helpsBelow(NAME);
}, HELPS_MS);
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a line of a shell where no daemon is, and nothing of this machine's. */
function shell(line: string): ReturnType<typeof run> {
  return run(['bash', '-c', `cd "$HOME" && set -o pipefail; ${line}`], '', {
    PATH: `${directory}:/usr/bin:/bin`,
    HOME: directory,
    LC_ALL: 'C.UTF-8',
    PVE_AUTHENTICATOR_RUNTIME_DIR: `${directory}/nowhere`,
  });
}

/** The helps of a command and of all below it. */
async function helpsBelow(command: string): Promise<Map<string, string>> {
  const { status, stdout } = await shell(`${command} --help`);
  expect(status, command).toBe(0);
  const below = [...stdout.matchAll(/^([A-Z].*):\n((?: {2,}.*\n)*)/gm)]
    .filter(([, heading]) => !['Arguments', 'Options', 'Examples'].includes(heading!))
    .flatMap(([, , listed]) => [...listed!.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name!))
    .filter((name) => name !== 'help');
  const helps = new Map([[command, stdout]]);
  for (const name of below) {
    (await helpsBelow(`${command} ${name}`)).forEach((help, line) => helps.set(line, help));
  }
  return helps;
}

test('the help has a line for each command, on two screens of 80x24, and no line of any help is longer', () => {
  expect(helps.get(NAME)!.trimEnd().split('\n').length).toBeLessThanOrEqual(2 * 24 - 1);
  expect(helps.get(`${NAME} setup`)!.trimEnd().split('\n').length).toBeLessThanOrEqual(2 * 24 - 1);
  const [, ...groups] = helps.get(NAME)!.split(/^[A-Z].*:\n/m);
  expect(groups.slice(0, -1).every((group) => /^( {2}\S+ +\S.*\n)+\n$/.test(group))).toBe(true);
  for (const [command, help] of helps) {
    expect(
      help.split('\n').filter((line) => line.length > 80),
      command,
    ).toEqual([]);
  }
});

test('each help ends with examples, which are command lines that the program takes', async () => {
  expect(helps.size).toBeGreaterThan(20);
  const examples = new Set<string>();
  for (const [command, help] of helps) {
    const lines = /^Examples:\n((?: {2}.*\n)+)/m.exec(help)?.[1]?.trim().split('\n') ?? [];
    expect(lines.length, `${command} --help has no examples`).toBeGreaterThan(0);
    lines.forEach((line) => examples.add(line.trim()));
  }
  for (const example of examples) {
    // No sudo, and no printer.
    const { status, stderr } = await shell(example.replace(/^sudo /, '').replace(/\| lp$/, '| cat'));
    expect(status, `${example}\n${stderr}`).not.toBe(EXIT_USAGE);
    expect(stderr, example).not.toMatch(/^error: |unknown|See: pve-google-authenticator setup --help/m);
  }
});
