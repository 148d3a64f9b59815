import { describe, expect, it } from 'vitest';
import { DEFAULT_OPTIONS, parseModuleOptions, untrusted } from '../../../src/config/module-options.ts';
import { logOptionError } from '../../../src/daemon/login/login-log.ts';
import { RecordedLog } from '../fixtures/recorded-log.ts';

const parse = (...texts: string[]): ReturnType<typeof parseModuleOptions> =>
  parseModuleOptions(texts.map((text) => Buffer.from(text)));
const KEY = 'EHmo8FMxuhumBlTinC4uYL0Mgwg=';

/** The options of a line with pam_yubico's words. */
function line(yubico: object, changes: object = {}): object {
  const { lookup } = DEFAULT_OPTIONS;
  return {
    kind: 'options',
    options: {
      ...DEFAULT_OPTIONS,
      forwardPass: true,
      ...changes,
      lookup: { ...lookup, yubico: { idLength: 12, ...yubico } },
    },
  };
}

describe("pam_yubico's options", () => {
  it.each([
    ['id=16', { clientId: '16' }],
    [`key=${KEY}`, { key: KEY }],
    ['urllist=https://a.example/verify', { urls: ['https://a.example/verify'] }],
    [
      'urllist=https://a.example/v;https://b.example/v;',
      { urls: ['https://a.example/v', 'https://b.example/v'] },
    ],
    ['cainfo=/etc/ssl/own.pem', { ca: '/etc/ssl/own.pem' }],
    ['proxy=http://p.example:3128', { proxy: 'http://p.example:3128' }],
    ['proxy=p.example', { proxy: 'http://p.example' }],
    ['authfile=/etc/yubikey_mappings', { authfile: '/etc/yubikey_mappings' }],
    ['token_id_length=8', { idLength: 8 }],
    ['mode=client', {}],
    ['debug_file=/var/log/pam_yubico', {}],
  ])('%s is known', (text, change) => {
    expect(parse(text)).toEqual(line(change));
  });

  it('verbose_otp shows what is typed, always_prompt asks in spite of nullok', () => {
    expect(parse('verbose_otp')).toEqual(line({}, { echo: true }));
    expect(parse('always_prompt', 'nullok')).toEqual(line({}, { alwaysPrompt: true, nullok: true }));
  });

  it('can be combined with those that both modules have; the last one of a kind counts', () => {
    const text = `mode=client try_first_pass id=1 id=16 key=${KEY} authfile=/a debug`;
    expect(parse(...text.split(' '))).toEqual(
      line({ clientId: '16', key: KEY, authfile: '/a' }, { stacked: 'try', debug: true }),
    );
  });

  it.each([
    ...[
      'id=0',
      'id=-1',
      'id=',
      'id=12345678901',
      'key=',
      'key=abc',
      'key=a b',
      'authfile=',
      'authfile=mappings',
    ],
    ...[
      'urllist=',
      'urllist=http://a.example/',
      'urllist=https://a.example/?id=1',
      'urllist=https://u@a.example/',
    ],
    `urllist=${Array.from({ length: 11 }, () => 'https://a.example/').join(';')}`,
    ...['url=https://a.example/?id=%d&otp=%s', 'capath=/etc/ssl/certs', 'proxy=socks5://p.example'],
    ...['token_id_length=0', 'token_id_length=17', 'token_id_length=x', 'token_id_length=-2'],
    ...[
      'mode=challenge-response',
      'chalresp_path=/var/yubico',
      'alwaysok',
      'ldap_uri=ldap://x',
      'yubi_attr=y',
    ],
    ...['mysql_server=db', 'mysql_password=geheim', 'user_attr=uid', 'ldap_starttls'],
  ])('%s lets nobody in, and the log says what is expected but not the value', (text) => {
    const parsed = parse('id=16', text);
    expect(parsed).toMatchObject({ kind: 'bad', argument: text, wrong: 'value', hint: expect.any(String) });
    const log = new RecordedLog();
    const nothing = { service: 'sshd', user: 'a', tty: undefined, rhost: undefined, ruser: undefined };
    logOptionError(log, nothing, parsed as Extract<typeof parsed, { kind: 'bad' }>);
    expect(log.text).toContain(`option ${text.split('=')[0]!} in pam.d: nobody is let in`);
    expect(log.text).toContain((parsed as { hint: string }).hint.replaceAll('=', '\\u003d'));
    expect(log.text).not.toContain('geheim');
  });

  it('do not apply for a program that is not root: neither servers nor files', () => {
    const parsed = parse(
      'id=16',
      `key=${KEY}`,
      'urllist=https://evil.example/',
      'authfile=/tmp/mine',
      'nullok',
    );
    const { options } = parsed as Extract<typeof parsed, { kind: 'options' }>;
    expect(untrusted(options)).toMatchObject({ nullok: false, lookup: { yubico: { idLength: 12 } } });
    expect(Object.keys(untrusted(options).lookup.yubico!)).toEqual(['idLength']);
  });
});
