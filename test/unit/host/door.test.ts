import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Door } from '../../../src/host/door.ts';

let course: string[];
let door: Door;

beforeEach(() => {
  vi.useFakeTimers();
  course = [];
  door = new Door({ pause: () => course.push('pause'), resume: () => course.push('resume') });
});
afterEach(() => void vi.useRealTimers());

describe('Door', () => {
  it('rests for a millisecond after each eighth that is turned away', () => {
    for (let i = 0; i < 7; i++) {
      door.turnedAway();
    }
    expect(course).toEqual([]);
    door.turnedAway();
    expect(course).toEqual(['pause']);
    vi.advanceTimersByTime(1);
    expect(course).toEqual(['pause', 'resume']);
  });

  it('rests while there are no descriptors', () => {
    door.notAccepted();
    vi.advanceTimersByTime(99);
    expect(course).toEqual(['pause']);
    vi.advanceTimersByTime(1);
    expect(course).toEqual(['pause', 'resume']);
  });

  it('stays paused after a rest if its owner paused it meanwhile', () => {
    door.notAccepted();
    door.pause();
    vi.advanceTimersByTime(1_000);
    expect(course).not.toContain('resume');
    door.resume();
    expect(course.at(-1)).toBe('resume');
  });

  it('is not opened by its owner before the rest is over', () => {
    door.notAccepted();
    door.resume();
    expect(course).toEqual(['pause']);
    vi.advanceTimersByTime(100);
    expect(course).toEqual(['pause', 'resume']);
  });

  it('never opens again once it is closed', () => {
    door.notAccepted();
    door.close();
    vi.advanceTimersByTime(1_000);
    expect(course).not.toContain('resume');
  });
});
