import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseTfaConfig } from '../../../../../src/daemon/enrolments/proxmox/parse-tfa.ts';
import { ODD_FILES } from './odd-tfa-files.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/proxmox/${name}`, import.meta.url), 'utf8');

describe('tfa.cfg', () => {
  const users = parseTfaConfig(fixture('tfa.cfg'));

  it('has TOTP entries of both forms, with what Proxmox used last', () => {
    const [phone, tablet] = users.get('alice@pam')!.totp;
    expect(phone).toMatchObject({
      id: '11111111-2222-4333-8444-555555555555',
      description: 'phone',
      enabled: true,
      algorithm: 'sha1',
      digits: 6,
      period: 30,
      lastCount: 56666666,
    });
    expect(phone!.secret.toString('latin1')).toBe('Hello!\xde\xad\xbe\xefHello!\xde\xad\xbe\xef');
    expect(tablet).toMatchObject({
      description: 'old tablet',
      enabled: false,
      algorithm: 'sha256',
      digits: 8,
      period: 60,
      lastCount: undefined,
    });
  });

  it('has keys of browsers, YubiKeys, recovery keys and locks', () => {
    expect(users.get('alice@pam')!.recovery).toEqual({ created: 1700000001, left: 1 });
    expect(users.get('bob@pam')!.yubico).toMatchObject([{ publicId: 'cccccccccccb', enabled: true }]);
    expect(users.get('carol@pve')!.webauthn).toMatchObject([{ description: 'passkey' }]);
    expect(users.get('eve@pam')!.u2f).toMatchObject([{ description: 'legacy u2f' }]);
    expect(users.get('dave@pam')).toMatchObject({ totpLocked: true, lockedUntil: 4102444800 });
  });
});

it('the old tfa.cfg', () => {
  const users = parseTfaConfig(fixture('tfa-legacy.cfg'));
  expect(users.get('joe@pve')!.totp.map(({ secret }) => secret.toString('hex'))).toEqual([
    '48656c6c6f21deadbeef',
    '48656c6c6f21deadbeef',
  ]);
  expect(users.get('joe@pve')!.totp[0]).toMatchObject({ digits: 6, period: 30, algorithm: 'sha1' });
  expect(users.get('bob@pam')!.yubico.map(({ publicId }) => publicId)).toEqual([
    'cccccccccccb',
    'cccccccccccd',
  ]);
  expect(users.get('eve@pam')!.u2f).toHaveLength(1);
});

describe('malformed and odd files', () => {
  it('are 40 at least', () => {
    expect(ODD_FILES.length).toBeGreaterThanOrEqual(40);
  });

  it.each(ODD_FILES)('$name', ({ text, users, place }) => {
    if (place === undefined) {
      expect([...parseTfaConfig(text).keys()]).toEqual(users);
      return;
    }
    expect(() => parseTfaConfig(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_FORMAT',
        message: expect.stringContaining(`${place}: `) as string,
      }),
    );
  });

  it('no message holds a secret', () => {
    for (const { text, place } of ODD_FILES.filter((file) => file.place !== undefined)) {
      let message = '';
      try {
        parseTfaConfig(text);
      } catch (error) {
        message = String(error);
      }
      expect(message, place).not.toMatch(/JBSW|0011223344/);
    }
  });
});
