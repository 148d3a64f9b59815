import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { timeLimit } from '../../../src/host/time-limit.ts';
import { pausedWhile } from '../fixtures/paused.ts';

const LIMIT_MS = 1_000;
let passed: number;
const pass = (): number => ++passed;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  passed = 0;
});
afterEach(() => vi.useRealTimers());

describe('timeLimit', () => {
  it('passes once, when its time is up', async () => {
    timeLimit(LIMIT_MS, pass);
    vi.advanceTimersByTime(LIMIT_MS - 1);
    await setImmediate();
    expect(passed).toBe(0);
    vi.advanceTimersByTime(LIMIT_MS);
    await setImmediate();
    expect(passed).toBe(1);
  });

  it.each([
    ['before', 0],
    ['when', LIMIT_MS],
  ])('can be taken away %s its time is up', async (_when, milliseconds) => {
    const forget = timeLimit(LIMIT_MS, pass);
    vi.advanceTimersByTime(milliseconds);
    forget();
    vi.advanceTimersByTime(LIMIT_MS);
    await setImmediate();
    expect(passed).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('hears first what came while the process was paused', async () => {
    const forget = timeLimit(LIMIT_MS, pass);
    let heard = false;
    await pausedWhile(2 * LIMIT_MS, () => {
      heard = true;
      forget();
    });
    await setImmediate();
    expect(heard).toBe(true);
    expect(passed).toBe(0);
  });
});
