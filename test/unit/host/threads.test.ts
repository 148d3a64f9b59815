import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FILE_LIMITS, Threads } from '../../../src/host/threads.ts';

const DEADLINE_MS = 5_000;
const MAX_WAIT_MS = 2_000;

let threads: Threads;
let reports: string[];
/** The running work, by name; the test ends it. */
let running: Map<string, { return: (result: string) => void; fail: (error: Error) => void }>;
let answers: string[];
let discarded: string[];

function run(uid: number, name: string, wanted = true): void {
  const work = {
    start: () =>
      new Promise<string>((resolve, reject) => {
        running.set(name, { return: resolve, fail: reject });
      }),
    wanted: () => wanted,
    discard: (late: string) => discarded.push(late),
  };
  void threads.run(uid, work).then(
    (answer) => answers.push(`${name} ${typeof answer === 'string' ? answer : answer.kind}`),
    (error: unknown) => answers.push(`${name} ${String(error)}`),
  );
}

/** Time goes by, and then one turn of the event loop: no thread is given up sooner. */
async function passed(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await setImmediate();
}

async function returned(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    running.get(name)!.return('done');
    running.delete(name);
    await passed(0);
  }
}

const started = (): string[] => [...running.keys()];

describe('Threads', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    reports = [];
    running = new Map();
    answers = [];
    discarded = [];
    threads = new Threads({
      hung: (uid) => reports.push(`hung ${uid}`),
      returned: (uid) => reports.push(`returned ${uid}`),
      exhausted: () => reports.push('exhausted'),
    });
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('gives a user one thread at a time, others their own', async () => {
    run(1, 'a');
    run(1, 'b');
    run(2, 'c');
    expect(started()).toEqual(['a', 'c']);
    await returned('a');
    expect(started()).toEqual(['c', 'b']);
    await returned('b', 'c');
    expect(answers).toEqual(['a done', 'b done', 'c done']);
    expect(reports).toEqual([]);
  });

  it('has eight of them, and then users take turns', async () => {
    for (let uid = 1; uid <= 8; uid++) {
      run(uid, `first ${uid}`);
      run(uid, `second ${uid}`);
    }
    run(9, 'ninth');
    expect(started()).toHaveLength(8);
    await returned('first 1');
    // User 1 has to wait for user 9, who came later but had none yet.
    expect(started()).toContain('ninth');
    expect(started()).not.toContain('second 1');
    await returned(...started());
    expect(answers.slice(0, 2)).toEqual(['first 1 done', 'first 2 done']);
    await returned(...started());
    await returned(...started());
    expect(answers).toHaveLength(17);
  });

  it('refuses requests that wait too long', async () => {
    run(1, 'a');
    run(1, 'b');
    await passed(MAX_WAIT_MS - 1);
    expect(answers).toEqual([]);
    await passed(1);
    expect(answers).toEqual(['b busy']);
    await returned('a');
    run(1, 'c');
    await returned('c');
    expect(answers).toEqual(['b busy', 'a done', 'c done']);
  });

  it('answers for a thread that hangs, and keeps it occupied until it returns', async () => {
    run(1, 'a');
    await passed(DEADLINE_MS - 1);
    run(1, 'b');
    expect(answers).toEqual([]);
    await passed(1);
    expect(answers.sort()).toEqual(['a hung', 'b hung']);
    run(1, 'c');
    await passed(0);
    expect(answers).toEqual(['a hung', 'b hung', 'c hung']);
    expect(started()).toEqual(['a']);
    expect(discarded).toEqual([]);

    await returned('a');
    expect(discarded).toEqual(['done']);
    expect(reports).toEqual(['hung 1', 'returned 1']);
    run(1, 'd');
    await returned('d');
    expect(answers.at(-1)).toBe('d done');
  });

  it('refuses everybody at once when all hang, those who wait too', async () => {
    for (let uid = 1; uid <= 8; uid++) {
      run(uid, `first ${uid}`);
    }
    await passed(DEADLINE_MS - 1_000);
    run(9, 'waits');
    expect(answers).toEqual([]);
    await passed(1_000);
    expect(answers).toContain('waits busy');
    expect(reports.filter((report) => report === 'exhausted')).toHaveLength(1);
    run(10, 'late');
    run(1, 'own');
    await passed(0);
    expect(answers.slice(-2)).toEqual(['late busy', 'own hung']);

    await returned('first 5');
    run(10, 'served');
    await returned('served');
    expect(answers.at(-1)).toBe('served done');
    expect(started()).toHaveLength(7);
  });

  it('serves seven users while seven others hang, one after the other', async () => {
    for (let uid = 1; uid <= 7; uid++) {
      run(uid, `hangs ${uid}`);
    }
    await passed(DEADLINE_MS);
    for (let uid = 11; uid <= 17; uid++) {
      run(uid, `of ${uid}`);
    }
    for (let uid = 11; uid <= 17; uid++) {
      expect(started().at(-1)).toBe(`of ${uid}`);
      await returned(`of ${uid}`);
    }
    expect(answers.filter((answer) => answer.endsWith('done'))).toHaveLength(7);
  });

  it('bounds how many wait, of one user and in all', async () => {
    for (let i = 0; i <= 65; i++) {
      run(1, `a${i}`);
    }
    await passed(0);
    expect(answers).toEqual(['a65 busy']);
    for (let uid = 2; uid <= 5; uid++) {
      for (let i = 0; i <= 64; i++) {
        run(uid, `${uid}.${i}`);
      }
    }
    await passed(0);
    // 64 of each of four wait; the fifth user has a thread, and nobody behind.
    expect(answers.filter((answer) => answer.endsWith('busy'))).toHaveLength(1 + 64);
    await passed(MAX_WAIT_MS);
    await returned(...started());
  });

  it('skips work that nobody waits for any more', async () => {
    run(1, 'a');
    run(1, 'b', false);
    run(1, 'c');
    await returned('a');
    expect(started()).toEqual(['c']);
    await returned('c');
    expect(answers.sort()).toEqual(['a done', 'b busy', 'c done']);
  });

  it('passes an error on, and has the thread back', async () => {
    run(1, 'a');
    run(1, 'b');
    running.get('a')!.fail(new Error('no thread'));
    await passed(0);
    await returned('b');
    expect(answers).toEqual(['a Error: no thread', 'b done']);
  });
});

it('hears a thread that returned in time, though the process was paused until after the deadline', async () => {
  const told: string[] = [];
  const deadlineMs = 20;
  const real = new Threads(
    { hung: (uid) => told.push(`hung ${uid}`), returned: () => undefined, exhausted: () => undefined },
    { ...FILE_LIMITS, deadlineMs },
  );
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     parentPort.once('message', () => {
       parentPort.postMessage('done');
       Atomics.store(workerData, 0, 1);
       Atomics.notify(workerData, 0);
     });
     parentPort.postMessage('ready');`,
    { eval: true, workerData: flag },
  );
  await new Promise((resolve) => worker.once('message', resolve));
  // From here on timers come first.
  await setImmediate();
  const answer = real.run(1, {
    start: () => {
      worker.postMessage('go');
      return new Promise<string>((resolve) => worker.once('message', resolve));
    },
    wanted: () => true,
    discard: () => undefined,
  });
  const begun = performance.now();
  Atomics.wait(flag, 0, 0);
  while (performance.now() - begun <= 2 * deadlineMs);
  expect(await answer).toBe('done');
  expect(told).toEqual([]);
  await worker.terminate();
});
