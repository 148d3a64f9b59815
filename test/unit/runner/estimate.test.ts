import { describe, expect, it } from 'vitest';
import { Estimate } from '../../runner/estimate.ts';

const DURATIONS = { all: { a: 100, b: 200, c: 300 }, default: { a: 50 } };

describe('how long a run still takes', () => {
  it('is the measurement for its size, or for another', () => {
    expect(new Estimate(['a', 'b'], DURATIONS, 'all').left()).toBe(300);
    expect(new Estimate(['a', 'b'], DURATIONS, 'default').left()).toBe(250);
  });

  it('uses the usual duration for unmeasured parts', () => {
    expect(new Estimate(['new'], DURATIONS, 'all').left()).toBe(200);
    expect(new Estimate(['new'], {}, 'all').left()).toBeGreaterThan(0);
  });

  it('grows with what this machine needed until now', () => {
    const estimate = new Estimate(['a', 'b'], DURATIONS, 'all');
    estimate.ended('a', 260);
    expect(estimate.left()).toBe(400);
  });

  it('shrinks while something runs, and never below nothing', () => {
    const estimate = new Estimate(['a', 'b'], DURATIONS, 'all');
    expect(estimate.left(40, 'a')).toBe(260);
    expect(estimate.left(4000, 'a')).toBe(200);
  });
});
