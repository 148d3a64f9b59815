import { describe, expect, it } from 'vitest';
import { countersOf } from '../../../../../src/daemon/enrolments/home/six-digits.ts';
import { hotpCode } from '../../../../e2e/harness/code.ts';
import vectors from '../../../../vectors/rfc4226-appendix-d.json' with { type: 'json' };

const SECRET = Buffer.from('12345678901234567890');

describe('countersOf', () => {
  it('knows the codes of RFC 4226, appendix D', () => {
    vectors.codes.forEach((code, counter) => {
      expect(countersOf(SECRET, Buffer.from(code), 0, 10)).toEqual([counter]);
    });
  });

  it('takes secrets of any length, as the model does', () => {
    for (const length of [1, 9, 64, 65, 200]) {
      const secret = Buffer.alloc(length, 7);
      expect(countersOf(secret, Buffer.from(hotpCode(secret, 41)), 40, 3)).toContain(41);
    }
  });

  it('finds nothing below zero', () => {
    const zero = Buffer.from(hotpCode(SECRET, 0));
    expect(countersOf(SECRET, zero, -5, 6)).toEqual([0]);
    expect(countersOf(SECRET, zero, -5, 5)).toEqual([]);
  });
});
