import { describe, expect, it } from 'vitest';
import { BoundedMap } from '../../../src/attempts/bounded-map.ts';

describe('a bounded map', () => {
  it('never has more entries than it may', () => {
    const map = new BoundedMap<number>(2);
    ['a', 'b', 'c', 'd'].forEach((key, value) => map.obtain(key, () => value));
    expect([...map.values()]).toEqual([2, 3]);
  });

  it('pushes out what was not used for longest; a look is no use', () => {
    const map = new BoundedMap<number>(2);
    map.obtain('a', () => 1);
    map.obtain('b', () => 2);
    map.obtain('a', () => 3);
    map.peek('b');
    map.obtain('c', () => 4);
    expect(['a', 'b', 'c'].map((key) => map.peek(key))).toEqual([1, undefined, 4]);
  });
});
