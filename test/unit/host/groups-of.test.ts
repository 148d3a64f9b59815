import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { groupsOf } from '../../../src/host/addon.ts';

describe('groupsOf', () => {
  it('says the groups that id(1) says', async () => {
    const { username, gid } = userInfo();
    const expected = execFileSync('id', ['-Gn', '--', username], { encoding: 'utf8' }).trim().split(' ');
    expect((await groupsOf(username, gid)).sort()).toEqual(expected.sort());
  });

  it('returns the own group of an unknown name', async () => {
    expect(await groupsOf('nobody-has-this-name', 0)).toEqual(['root']);
    expect(await groupsOf('nobody-has-this-name', 4_000_000_000)).toEqual([]);
  });

  it.each([
    ['a\0b', 0],
    ['a', -1],
    ['a', 2 ** 32],
    ['a', 0.5],
  ])('refuses %j and %d', (name, gid) => {
    expect(() => groupsOf(name, gid)).toThrow();
  });
});
