import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSecret, OtpError, phoneUri, stepOfCode } from '../../../../src/command/secrets/otp.ts';
import { ALGORITHMS, CODE_LENGTHS, hotpValue, SECRET_BYTES } from '../../../../src/factors/hotp-value.ts';
import type { Hotp } from '../../../../src/factors/hotp.ts';
import type { Totp } from '../../../../src/factors/totp.ts';
import { otpauthUri } from '../../../../src/formats/otpauth-uri.ts';
import { readOtpauthUri } from '../../../../src/formats/read-otpauth-uri.ts';

const generator = {
  secret: fc.uint8Array({ minLength: 10, maxLength: 128 }).map((bytes) => Buffer.from(bytes)),
  algorithm: fc.constantFrom(...ALGORITHMS),
  digits: fc.constantFrom(...CODE_LENGTHS),
};
const totp = fc.record<Totp>({
  ...generator,
  period: fc.integer({ min: 1, max: 300 }),
  window: fc.constant(3),
});
const hotp = fc.record<Hotp>({ ...generator, counter: fc.integer({ min: 0, max: 2 ** 40 }) });
const name = fc.string({ unit: 'grapheme', maxLength: 12 });

describe('what otplib does for the command', () => {
  it.each(ALGORITHMS)('a secret for %s is as long as its hash, and another one each time', (algorithm) => {
    const secrets = Array.from({ length: 20 }, () => newSecret(algorithm));
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(20);
    expect(secrets.every((secret) => secret.length === SECRET_BYTES[algorithm])).toBe(true);
  });

  it('our parser reads a URI as the same factor, with any names', () => {
    fc.assert(
      fc.property(fc.oneof(totp, hotp), name, name, (factor, issuer, label) => {
        expect(readOtpauthUri(phoneUri(factor, issuer, label))).toEqual(factor);
      }),
    );
  });

  it("a URI equals the daemon's, except for a colon, which names must not contain", () => {
    const plain = fc.stringMatching(/^[A-Za-z0-9.@-]{0,12}$/);
    fc.assert(
      fc.property(fc.oneof(totp, hotp), plain, plain, (factor, issuer, label) => {
        const parameters = (uri: string): string[] => uri.split(/[?&]/).sort();
        expect(parameters(phoneUri(factor, issuer, label))).toEqual(
          parameters(otpauthUri(factor, issuer, label)),
        );
      }),
    );
    const factor = {
      secret: Buffer.alloc(20),
      algorithm: 'sha1' as const,
      digits: 6 as const,
      period: 30,
      window: 3,
    } as const;
    expect(phoneUri(factor, 'a:b', 'c:d')).toMatch(/^otpauth:\/\/totp\/a%20b:c%20d\?/);
  });

  it("accepts the daemon's codes, at its step and one beside, or at its counter and those ahead", () => {
    fc.assert(
      fc.property(
        totp,
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: -1, max: 1 }),
        (factor, step, off) => {
          const code = hotpValue(factor, step + off).toString();
          const found = stepOfCode(factor, code, step * factor.period * 1000);
          // Two steps may have one code.
          expect(hotpValue(factor, found!).toString()).toBe(code);
          expect(Math.abs(found! - step)).toBeLessThanOrEqual(1);
        },
      ),
    );
    fc.assert(
      fc.property(hotp, fc.integer({ min: 0, max: 9 }), (factor, ahead) => {
        const code = hotpValue(factor, factor.counter + ahead).toString();
        expect(hotpValue(factor, stepOfCode(factor, code, 0)!).toString()).toBe(code);
      }),
    );
  });

  it('refuses other codes and other texts, without an exception', () => {
    const factor = {
      secret: Buffer.from('12345678901234567890'),
      algorithm: 'sha1' as const,
      digits: 6 as const,
      counter: 0,
    } as const;
    for (const text of ['000000', '', '12345', '1234567', 'abcdef', '１２３４５６', ' 755224']) {
      expect(stepOfCode(factor, text, 0), text).toBeUndefined();
    }
    expect(stepOfCode(factor, '755224', 0)).toBe(0);
  });

  it('its errors contain a secret or a URI, and ours do not', () => {
    const secret = Buffer.from('a secret that is far too long '.repeat(9));
    const factor = {
      secret,
      algorithm: 'sha1' as const,
      digits: 6 as const,
      period: 30,
      window: 3,
    } as const;
    let thrown: unknown;
    try {
      stepOfCode(factor, '123456', 0);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(OtpError);
    expect((thrown as OtpError).cause).toBeUndefined();
    expect(`${String(thrown)} ${(thrown as Error).stack ?? ''}`).not.toContain('far too long');
  });
});

it('the command starts without loading otplib', () => {
  const root = resolve(import.meta.dirname, '../../../../src');
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) {
      return;
    }
    loaded.add(file);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)(?! type)[^;]*? from '(\.[^']+)';/gm,
    )) {
      load(resolve(dirname(file), target!));
    }
  };
  load(`${root}/command/main.ts`);
  expect(loaded.size).toBeGreaterThan(50);
  expect(existsSync(`${root}/command/secrets/otp.ts`)).toBe(true);
  expect([...loaded].filter((file) => readFileSync(file, 'utf8').includes('otplib'))).toEqual([]);
});
