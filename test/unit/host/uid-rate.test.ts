import { expect, it } from 'vitest';
import { UidRate } from '../../../src/host/uid-rate.ts';

it('lets each uid come so many times at once, and so many times a second from then on', () => {
  let now = 0;
  const rate = new UidRate(() => now, 3, 2);
  const visits = (uid: number, count: number): number =>
    Array.from({ length: count }, () => rate.spend(uid)).filter(Boolean).length;
  expect(visits(1_000, 10)).toBe(3);
  expect(visits(1_001, 10)).toBe(3);
  now += 500;
  expect(visits(1_000, 10)).toBe(1);
  // A rejected visit does not prolong the wait.
  now += 1_000;
  expect(visits(1_000, 10)).toBe(2);
  now += 3_600_000;
  expect(visits(1_000, 10)).toBe(3);
});

it('keeps few uids', () => {
  const rate = new UidRate(() => 0, 1, 1);
  for (let uid = 0; uid < 1_024; uid++) {
    expect(rate.spend(uid)).toBe(true);
  }
  expect(rate.spend(0)).toBe(false);
  expect(rate.spend(5_000)).toBe(true);
  expect(rate.spend(0)).toBe(true);
});
