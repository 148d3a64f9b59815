import { describe, expect, it } from 'vitest';
import { markKey } from '../../../../src/daemon/ledger/mark-key.ts';
import { RecordedBuffers } from '../../fixtures/recorded-buffers.ts';

const SECRET = Buffer.from('12345678901234567890');

describe('markKey', () => {
  it.each([
    ['jürgen', 'totp/30', SECRET, '6c36274720c3df4007ea6f4b03cd4153'],
    ['', 'hotp', Buffer.alloc(0), '648b925c2ac8ed4a734418fb9052bd49'],
  ])('of %j and %s equals the key in existing ledgers', (user, purpose, secret, key) => {
    expect(markKey(user, purpose, secret)).toBe(key);
  });

  it('leaves the secret nowhere', () => {
    const made = new RecordedBuffers();
    markKey('alice', 'totp/30', SECRET);
    expect(made.holding(SECRET.toString().slice(0, 10))).toBe(0);
  });

  it('depends on the boundaries between its parts', () => {
    const keys = [
      markKey('ab', 'c', SECRET),
      markKey('a', 'bc', SECRET),
      markKey('ab', 'c1', SECRET.subarray(1)),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('leaves the secret as it is', () => {
    const secret = Buffer.from(SECRET);
    markKey('alice', 'hotp', secret);
    expect(secret).toEqual(SECRET);
  });
});
