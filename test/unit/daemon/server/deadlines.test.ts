import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines, DEADLINE_GRAIN_MS } from '../../../../src/daemon/server/deadlines.ts';

const DEADLINE = 10 * DEADLINE_GRAIN_MS;

let deadlines: Deadlines<string>;
let passed: string[];
const give = (who: string, milliseconds = DEADLINE): void =>
  deadlines.set(who, milliseconds, () => passed.push(who));

/** Time goes by, and then one turn of the event loop: nobody is given up sooner. */
async function goesBy(milliseconds: number): Promise<void> {
  vi.advanceTimersByTime(milliseconds);
  await setImmediate();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  deadlines = new Deadlines(Date.now);
  passed = [];
});
afterEach(() => void vi.useRealTimers());

describe('Deadlines', () => {
  it('pass once, not before their time, and not long after it', async () => {
    give('alice');
    await goesBy(DEADLINE - 1);
    expect(passed).toEqual([]);
    await goesBy(DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['alice']);
    await goesBy(10 * DEADLINE);
    expect(passed).toEqual(['alice']);
  });

  it('pass for those alone whose time is up', async () => {
    give('alice');
    give('bob', 2 * DEADLINE);
    give('carol');
    deadlines.clear('carol');
    await goesBy(DEADLINE + DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['alice']);
    await goesBy(DEADLINE);
    expect(passed).toEqual(['alice', 'bob']);
  });

  it('start again when they are set again', async () => {
    give('alice');
    await goesBy(DEADLINE - 1);
    give('alice');
    await goesBy(DEADLINE - 1);
    expect(passed).toEqual([]);
    await goesBy(DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['alice']);
  });

  it('may be given and taken away while others pass', async () => {
    deadlines.set('alice', DEADLINE, () => {
      deadlines.clear('bob');
      give('carol');
    });
    give('bob');
    await goesBy(DEADLINE + DEADLINE_GRAIN_MS);
    expect(passed).toEqual([]);
    await goesBy(DEADLINE + DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['carol']);
  });

  it('can be cleared even if a timely event is handled late', async () => {
    give('alice');
    vi.advanceTimersByTime(2 * DEADLINE);
    deadlines.clear('alice');
    give('bob');
    vi.advanceTimersByTime(2 * DEADLINE);
    give('bob');
    await setImmediate();
    expect(passed).toEqual([]);
  });

  it('keep no timer when there are none', async () => {
    give('alice');
    deadlines.clear('alice');
    await goesBy(DEADLINE_GRAIN_MS);
    expect(vi.getTimerCount()).toBe(0);
    give('alice');
    expect(vi.getTimerCount()).toBe(1);
  });
});
