import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GRID_MS, untilNextLine } from '../../../../src/daemon/login/time-grid.ts';

describe('untilNextLine', () => {
  it.each([
    [0, 5_000],
    [0.2, 4_800],
    [4.999, 1],
    [5, 5_000],
    [7.5, 2_500],
    [12.25, 2_750],
  ])('after %d ms is %d us', (taken, wait) => {
    expect(untilNextLine(1_000.5, 1_000.5 + taken)).toBe(wait);
  });

  it('takes another step', () => {
    expect(untilNextLine(0, 7, 50)).toBe(43_000);
    expect(untilNextLine(0, 50, 50)).toBe(50_000);
  });

  it('ends exactly on the time grid, however long the work took', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e4, noNaN: true }),
        (begun, taken) => {
          const left = taken + untilNextLine(begun, begun + taken) / 1_000;
          expect(Math.abs(left - Math.round(left / GRID_MS) * GRID_MS)).toBeLessThan(0.002);
          expect(left).toBeGreaterThan(taken);
        },
      ),
    );
  });
});
