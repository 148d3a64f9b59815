import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines, DEADLINE_GRAIN_MS } from '../../../../src/daemon/server/deadlines.ts';

const DEADLINE = 10 * DEADLINE_GRAIN_MS;

let deadlines: Deadlines<string>;
let passed: string[];
const give = (who: string, milliseconds = DEADLINE): void =>
  deadlines.set(who, milliseconds, () => passed.push(who));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  deadlines = new Deadlines(Date.now);
  passed = [];
});
afterEach(() => void vi.useRealTimers());

describe('Deadlines', () => {
  it('pass once, not before their time, and not long after it', () => {
    give('alice');
    vi.advanceTimersByTime(DEADLINE - 1);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['alice']);
    vi.advanceTimersByTime(10 * DEADLINE);
    expect(passed).toEqual(['alice']);
  });

  it('pass for those alone whose time is up', () => {
    give('alice');
    give('bob', 2 * DEADLINE);
    give('carol');
    deadlines.clear('carol');
    vi.advanceTimersByTime(DEADLINE + DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['alice']);
    vi.advanceTimersByTime(DEADLINE);
    expect(passed).toEqual(['alice', 'bob']);
  });

  it('begin anew when they are given again', () => {
    give('alice');
    vi.advanceTimersByTime(DEADLINE - 1);
    give('alice');
    vi.advanceTimersByTime(DEADLINE - 1);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['alice']);
  });

  it('may be given and taken away while others pass', () => {
    deadlines.set('alice', DEADLINE, () => {
      deadlines.clear('bob');
      give('carol');
    });
    give('bob');
    vi.advanceTimersByTime(DEADLINE + DEADLINE_GRAIN_MS);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(DEADLINE + DEADLINE_GRAIN_MS);
    expect(passed).toEqual(['carol']);
  });

  it('keep no timer when there are none', () => {
    give('alice');
    deadlines.clear('alice');
    vi.advanceTimersByTime(DEADLINE_GRAIN_MS);
    expect(vi.getTimerCount()).toBe(0);
    give('alice');
    expect(vi.getTimerCount()).toBe(1);
  });
});
