import { describe, expect, it } from 'vitest';
import { knownOriginsIn } from '../../../../src/daemon/attempts/known-origins.ts';
import { originOf } from '../../../../src/daemon/attempts/origin.ts';
import type { Mark, Note } from '../../../../src/daemon/ledger/ledger.ts';

describe('originOf', () => {
  it.each([
    ['192.0.2.1', undefined, 'rhost 192.0.2.1'],
    ['192.0.2.1', 'ssh', 'rhost 192.0.2.1'],
    ['::ffff:192.0.2.1', undefined, 'rhost 192.0.2.1'],
    ['Gate.Example.NET', undefined, 'rhost gate.example.net'],
    ['2001:db8:1:2:3:4:5:6', undefined, 'rhost 2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:ffff::1', undefined, 'rhost 2001:db8:1:2::/64'],
    ['2001:db8::1', undefined, 'rhost 2001:db8:0:0::/64'],
    ['::1', undefined, 'rhost 0:0:0:0::/64'],
    ['fe80::1%eth0', undefined, 'rhost fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', undefined, 'rhost 64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.1', undefined, 'rhost 1:2:3:4::/64'],
    ['', 'tty1', 'tty tty1'],
    [undefined, '/dev/pts/3', 'tty /dev/pts/3'],
    [undefined, undefined, 'none'],
    ['', '', 'none'],
  ])('of host %j and terminal %j is %j', (rhost, tty, expected) => {
    expect(originOf(rhost, tty)).toBe(expected);
  });

  it('is bounded', () => {
    expect(originOf('x'.repeat(10_000), undefined).length).toBeLessThan(300);
    expect(originOf(undefined, 'x'.repeat(10_000)).length).toBeLessThan(300);
  });
});

describe('knownOriginsIn', () => {
  it('knows an origin for thirty days after the last login from there', () => {
    const day = 86_400_000;
    let now = 1_700_000_000_000;
    const marks = new Map<string, Mark>();
    const notebook = {
      mark: (key: string) => marks.get(key),
      note: (key: string, value: number, note: Note) => {
        marks.set(key, { value, at: 0 });
        notes.push(note);
      },
    };
    const notes: Note[] = [];
    const origins = knownOriginsIn(notebook, () => now);
    expect(origins.knows('alice', 'a')).toBe(false);
    origins.note('alice', 'a', 1_000);
    expect(origins.knows('alice', 'a')).toBe(true);
    expect(origins.knows('bob', 'a')).toBe(false);
    expect(origins.knows('alice', 'b')).toBe(false);
    now += 30 * day;
    expect(origins.knows('alice', 'a')).toBe(true);
    now += day;
    expect(origins.knows('alice', 'a')).toBe(false);
    expect(notes, 'the ledger need not keep it longer').toEqual([
      { kind: 'origin', uid: 1_000, lasts: 31 * 86_400 },
    ]);
  });
});
