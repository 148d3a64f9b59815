/* The daemon has one thread for all logins, so a long text must not keep it busy. */
import { describe, expect, it } from 'vitest';
import { attempt } from '../../src/daemon/enrolments/home/attempt.ts';
import { isWithinGracePeriod, withLogin } from '../../src/daemon/enrolments/home/grace-period.ts';
import { parseDomainsConfig } from '../../src/daemon/enrolments/proxmox/domains-config.ts';
import { parseTfaConfig } from '../../src/daemon/enrolments/proxmox/parse-tfa.ts';
import { parseUserConfig } from '../../src/daemon/enrolments/proxmox/user-config.ts';
import { readImportedFile } from '../../src/daemon/enrolments/store/imported-file.ts';
import { decodeBase32 } from '../../src/factors/base32.ts';
import { parseMapping } from '../../src/formats/yubico-mapping.ts';
import { LONG, soon } from './fixtures/soon.ts';

const SECRET = 'A'.repeat(32);
const TERMS = { now: 1_000_000_000, incrementCounter: true, adjustSkew: true, lastStep: -1 };
const READINGS = [{ code: Buffer.from('000000') }, { code: Buffer.from('00000000') }];
const MODHEX = 'cbdefghijklnrtuv';

const blanks = ' '.repeat(LONG);
/** Lines of one user with as many different public ids as fit. */
const keys = Array.from({ length: LONG / 8 }, (_, number) =>
  [0, 4, 8, 12, 16].map((bits) => MODHEX[(number >> bits) & 15]).join(''),
);

/* Long texts are compared directly, because showing their difference would take minutes. */

describe('a text that its writer made long is read soon', () => {
  it('a file of pam_google_authenticator that somebody has imported', () => {
    for (const key of [
      'STEP_SIZE',
      'WINDOW_SIZE',
      'RATE_LIMIT',
      'TIME_SKEW',
      'HOTP_COUNTER',
      'DISALLOW_REUSE',
    ]) {
      expect(soon(() => readImportedFile(`${SECRET}\n" TOTP_AUTH\n" ${key} 1${blanks}x\n`))).toBeTypeOf(
        'object',
      );
    }
  });

  it('a file in a home', () => {
    for (const line of [
      `" STEP_SIZE 30${blanks}x`,
      `" RATE_LIMIT 3 30${blanks}x`,
      `" DISALLOW_REUSE ${'1 '.repeat(LONG)}x`,
    ]) {
      expect(soon(() => attempt(`${SECRET}\n" TOTP_AUTH\n${line}\n`, READINGS, TERMS)).result.kind).toBe(
        'rejected',
      );
    }
    const hosts = `${SECRET}\n" TOTP_AUTH\n" LAST0 h${blanks}x\n`;
    expect(soon(() => isWithinGracePeriod(hosts, 'h', 60, 1))).toBe(false);
    expect(soon(() => withLogin(hosts, 'h', 1).includes('" LAST1 h 1\n'))).toBe(true);
  });

  it("a mapping of pam_yubico's in a home", () => {
    const [user] = soon(() => parseMapping(keys.map((key) => `alice:${key}\n`).join(''))).users;
    expect(user?.publicIds.join() === keys.slice(0, 100_000).join()).toBe(true);
  });

  it('base32 in a request', () => {
    expect(soon(() => decodeBase32(`${'='.repeat(LONG)}A`)?.length)).toBe(undefined);
    expect(soon(() => decodeBase32(`${'A'.repeat(LONG)}${'='.repeat(LONG)}`)?.length)).toBe((LONG * 5) / 8);
  });

  it('files of Proxmox', () => {
    for (const line of [` a${blanks}x`, ` a${blanks}`, blanks, `${':'.repeat(LONG)} a b`, `a:${blanks}`]) {
      expect(
        soon(() => parseDomainsConfig(`pam: pam\n\ttfa type=oath\n${line}\n`)).get('pam')?.tfa,
      ).toMatchObject({
        type: 'oath',
      });
    }
    expect(() => soon(() => parseTfaConfig('['.repeat(LONG)))).toThrow('neither JSON nor');
    expect(() => soon(() => parseTfaConfig(`{"users":${'['.repeat(LONG)}`))).toThrow('nested too deeply');
    expect(
      soon(() => parseUserConfig(`user:${':'.repeat(LONG)}\nuser:a@pam:1:0:::::x:\n`)).has('a@pam'),
    ).toBe(true);
  });
});
