import { describe, expect, it } from 'vitest';
import { readRequestOf, replaceRequestOf } from '../../../src/reader/request-schemas.ts';

const file = { user: 'ana', uid: 1000, gid: 1000, path: '/home/ana/.google_authenticator' };
const read = { ...file, maxBytes: 65_536 };
const bytes = (length: number): string => Buffer.alloc(length, 1).toString('base64');
const replace = { ...file, expected: bytes(1), contents: bytes(65_536) };

describe('requests to the reader', () => {
  it('are taken as they are', () => {
    expect(readRequestOf(read)).toEqual(read);
    expect(replaceRequestOf(replace)).toEqual(replace);
    expect(readRequestOf({ ...read, path: `/${'x'.repeat(4094)}` })).toBeDefined();
    expect(readRequestOf({ ...read, path: '/a..b/..c/...' })).toBeDefined();
    expect(
      readRequestOf({ ...read, user: 'DOM\\ana.b@example-1$', uid: 0, gid: 0, maxBytes: 1 }),
    ).toBeDefined();
  });

  it.each([
    ['', 'relative', '~/file', '/', '//', '/a/', '/a/.', '/..', '/a/../b', '../a', '/a/..', '/a\0b'].map(
      (path) => ({
        path,
      }),
    ),
    [`/${'x'.repeat(4095)}`, `/${'é'.repeat(2048)}`].map((path) => ({ path })),
    ['', 'a\nb', 'a/b', 'a:b', 'a\0', 'x'.repeat(257)].map((user) => ({ user })),
    [-1, 0.5, 0xffff_ffff, '0', null].flatMap((id) => [{ uid: id }, { gid: id }]),
    [0, 65_537, '1', undefined].map((maxBytes) => ({ maxBytes })),
    [{ more: 1 }],
  ])('must be as they should: %#', (...wrong) => {
    for (const part of wrong.flat()) {
      expect([part, readRequestOf({ ...read, ...part })]).toEqual([part, undefined]);
    }
  });

  it('have contents of 1 to 65536 bytes in base64', () => {
    for (const wrong of ['', bytes(65_537), bytes(70_000), '****', 'AA', 'A===', undefined, 7]) {
      expect(replaceRequestOf({ ...replace, contents: wrong })).toBeUndefined();
      expect(replaceRequestOf({ ...replace, expected: wrong })).toBeUndefined();
    }
    for (const wrong of [null, [], 'x', read]) {
      expect(replaceRequestOf(wrong)).toBeUndefined();
    }
  });
});
