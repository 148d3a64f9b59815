import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHECKOUT, startDaemon } from '../harness/daemon.ts';
import { run, type Ended } from '../harness/run.ts';

/* `--init-state` makes a store and ends: what an installation does, once. */

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/init-state-`);
});
afterEach(() => rmSync(directory, { recursive: true }));

const initState = (stateDir: string): Promise<Ended> =>
  run(['node', `${CHECKOUT}/dist/daemon/main.js`, '--state-dir', stateDir, '--init-state']);

test('a new store serves a daemon that makes none, and is left alone from then on', async () => {
  const stateDir = `${directory}/state`;
  expect(await initState(stateDir)).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('A new store') as string,
  });
  const marker = readFileSync(`${stateDir}/store.json`);

  const already = { status: 0, stderr: expect.stringContaining('already') as string };
  expect(await initState(stateDir)).toMatchObject(already);
  const daemon = await startDaemon({ runtimeDir: directory, stateDir, arguments: ['--require-state'] });
  try {
    expect(await initState(stateDir)).toMatchObject(already);
    expect(daemon.log.matching(/holds no store/)).toEqual([]);
  } finally {
    await daemon.stop();
  }
  expect(readFileSync(`${stateDir}/store.json`)).toEqual(marker);
});

test('makes no store beside foreign files, or over an unreadable marker', async () => {
  writeFileSync(`${directory}/store.json`, '{');
  expect(await initState(directory)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('No new store was made') as string,
  });
  expect(readFileSync(`${directory}/store.json`, 'utf8')).toBe('{');
  expect(readdirSync(directory)).toEqual(['store.json']);
});
