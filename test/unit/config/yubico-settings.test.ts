import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { lineSettings, yubicoSettings, type LineSettings } from '../../../src/config/yubico-settings.ts';

const KEY = 'EHmo8FMxuhumBlTinC4uYL0Mgwg=';
const OTHER = 'bWluZSBpcyBhbm90aGVyIQ==';
const config = (toml = ''): Parameters<typeof lineSettings>[0] =>
  parseConfig(toml === '' ? '' : `[yubico]\n${toml}`, 'f').yubico;
const settings = (line: LineSettings, toml?: string): unknown => {
  const made = lineSettings(config(toml), line);
  return made.kind === 'on'
    ? {
        id: made.settings.clientId,
        key: made.settings.apiKey.toString('base64'),
        servers: made.settings.servers.map(({ host }) => host),
      }
    : made;
};

describe('a line in pam.d', () => {
  const onLine = { clientId: '16', key: KEY };
  const yubicloud = { id: '16', key: KEY, servers: ['api.yubico.com'] };

  it('says all that is needed; without addresses it is YubiCloud', () => {
    expect(settings(onLine)).toEqual(yubicloud);
    expect(settings({ ...onLine, urls: ['https://a.example/v'] })).toMatchObject({ servers: ['a.example'] });
  });

  it('takes what it leaves out from config.toml, but no key of another client', () => {
    const toml = `mode = "online"\nid = 16\nkey = "${KEY}"\nurls = ["https://own.example/v"]\n`;
    expect(settings({}, toml)).toEqual({ ...yubicloud, servers: ['own.example'] });
    expect(settings({ clientId: '16' }, toml)).toEqual({ ...yubicloud, servers: ['own.example'] });
    expect(settings({ clientId: '17' }, toml)).toMatchObject({ kind: 'unusable' });
    const inFile = 'mode = "online"\nid = 16\nkey_file = "/nowhere/key"\n';
    expect(settings({ clientId: '16' }, inFile)).toMatchObject({
      why: expect.stringContaining('/nowhere/key') as string,
    });
    expect(settings({ clientId: '17' }, inFile)).toMatchObject({
      why: expect.stringContaining('the key is missing') as string,
    });
    expect(settings({ clientId: '17', key: OTHER }, toml)).toMatchObject({ id: '17', key: OTHER });
    expect(settings({ key: OTHER }, toml)).toMatchObject({ id: '16', key: OTHER });
  });

  it('is useless without a key, because anybody could sign answers', () => {
    expect(settings({ clientId: '16' })).toMatchObject({
      kind: 'unusable',
      why: expect.stringContaining('key'),
    });
    expect(settings({ key: KEY })).toMatchObject({ kind: 'unusable', why: expect.stringContaining('id') });
  });

  it('sends nothing where config.toml says offline', () => {
    expect(settings(onLine, 'mode = "offline"')).toMatchObject({ kind: 'unusable' });
    expect(yubicoSettings(config('mode = "offline"'))).toEqual({ kind: 'off' });
    expect(yubicoSettings(config())).toEqual({ kind: 'off' });
  });

  it('is useless with a missing file of authorities', () => {
    const made = settings({ ...onLine, ca: '/nowhere/ca.pem' });
    expect(made).toMatchObject({ kind: 'unusable', why: expect.stringContaining('/nowhere/ca.pem') });
  });
});
