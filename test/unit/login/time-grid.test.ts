import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GRID_MS, TimeGrid } from '../../../src/login/time-grid.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** When somebody leaves who has worked for so long, in milliseconds after the beginning of the grid. */
async function leaves(worked: number): Promise<number> {
  const begun = Date.now();
  const grid = new TimeGrid(Date.now);
  vi.advanceTimersByTime(worked);
  let left = NaN;
  void grid.next().then(() => {
    left = Date.now() - begun;
  });
  for (let passed = 0; passed < 2 * GRID_MS; passed++) {
    await vi.advanceTimersByTimeAsync(1);
  }
  return left;
}

describe('TimeGrid', () => {
  it.each([
    [0, 5],
    [1, 5],
    [4, 5],
    [6, 10],
    [9, 10],
    [11, 15],
  ])('lets leave who has worked for %d ms after %d ms', async (worked, line) => {
    expect(await leaves(worked)).toBe(line);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('counts from before the work: what it took of a millisecond does not come on top', () => {
    let clock = 1_000;
    const set = vi.spyOn(globalThis, 'setTimeout');
    const grid = new TimeGrid(() => clock);
    expect(set).toHaveBeenCalledTimes(1);
    clock += 0.8;
    void grid.next();
    expect(set).toHaveBeenCalledTimes(1);
    grid.end();
  });

  it('leaves no timer behind when nobody waits', () => {
    new TimeGrid(Date.now).end();
    expect(vi.getTimerCount()).toBe(0);
  });
});
