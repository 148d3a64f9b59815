import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_OPTIONS, parseModuleOptions, untrusted } from '../../../src/config/module-options.ts';

const parse = (...texts: string[]): ReturnType<typeof parseModuleOptions> =>
  parseModuleOptions(texts.map((text) => Buffer.from(text)));
const { lookup } = DEFAULT_OPTIONS;

describe('parseModuleOptions', () => {
  it('asks everybody by default', () => {
    expect(parse()).toEqual({ kind: 'options', options: DEFAULT_OPTIONS });
    expect(DEFAULT_OPTIONS).toMatchObject({ nullok: false, stacked: 'ignore', prompt: undefined });
    expect(lookup).toEqual({
      secret: undefined,
      user: undefined,
      strictOwner: true,
      allowedPermissions: 0o600,
      gracePeriod: 0,
      allowReadOnly: false,
      incrementCounter: true,
      adjustSkew: true,
      yubico: undefined,
    });
  });

  it.each([
    ['nullok', { nullok: true }],
    ['forward_pass', { forwardPass: true }],
    ['try_first_pass', { stacked: 'try' }],
    ['use_first_pass', { stacked: 'use' }],
    ['echo_verification_code', { echo: true }],
    ['echo-verification-code', { echo: true }],
    ['authtok_prompt=Code for $HOME, please: ', { prompt: 'Code for $HOME, please: ' }],
    ['authtok_prompt=', { prompt: '' }],
    ['authtok_prompt=a=b', { prompt: 'a=b' }],
    ['debug', { debug: true }],
  ])('knows %s, and it changes nothing else', (text, change) => {
    expect(parse(text)).toEqual({ kind: 'options', options: { ...DEFAULT_OPTIONS, ...change } });
    expect(parse(text, text)).toEqual(parse(text));
  });

  it.each([
    ['no_strict_owner', { strictOwner: false }],
    ['allow_readonly', { allowReadOnly: true }],
    ['no_increment_hotp', { incrementCounter: false }],
    ['noskewadj', { adjustSkew: false }],
    ['secret=/var/lib/ga/${USER}', { secret: '/var/lib/ga/${USER}' }],
    ['secret=~/.a=b', { secret: '~/.a=b' }],
    ['user=www-data', { user: 'www-data' }],
    ['user=0', { user: '0' }],
    ['user=0day', { user: '0day' }],
    ['allowed_perm=0640', { allowedPermissions: 0o640 }],
    ['allowed_perm=400', { allowedPermissions: 0o400 }],
    ['allowed_perm=07777', { allowedPermissions: 0o7777 }],
    ['grace_period=86400', { gracePeriod: 86_400 }],
    ['grace_period=', { gracePeriod: 0 }],
  ])('knows %s', (text, change) => {
    expect(parse(text)).toEqual({
      kind: 'options',
      options: { ...DEFAULT_OPTIONS, lookup: { ...lookup, ...change } },
    });
  });

  it.each([
    ...['allowed_perm=', 'allowed_perm=0', 'allowed_perm=-1', 'allowed_perm=0888', 'allowed_perm=600x'],
    ...['allowed_perm=017777', 'allowed_perm= 600', 'allowed_perm=+600'],
    ...[
      'grace_period=5m',
      'grace_period=-1',
      'grace_period= 5',
      'grace_period=1e3',
      'grace_period=9999999999',
    ],
    ...['secret=', 'user=', 'user=../x', 'user=a b', 'user=a\nb', 'user=a:b'],
  ])('takes no %j for a value', (text) => {
    expect(parse('nullok', text)).toEqual({ kind: 'bad', argument: text, wrong: 'value' });
  });

  it('takes the last of several', () => {
    expect(parse('try_first_pass', 'nullok', 'use_first_pass')).toMatchObject({
      options: { stacked: 'use' },
    });
    expect(parse('use_first_pass', 'try_first_pass')).toMatchObject({ options: { stacked: 'try' } });
    expect(parse('secret=/a', 'noskewadj', 'secret=/b')).toMatchObject({
      options: { lookup: { secret: '/b', adjustSkew: false } },
    });
  });

  it.each([
    ...['', 'NULLOK', ' nullok', 'nullok ', 'nullok=1', 'null_ok', 'secret', 'user', 'noskewadj=1'],
    ...['toString', '__proto__', 'constructor', 'hasOwnProperty', '__proto__=1', 'toString=1', '=', '=1'],
  ])('does not know %j', (text) => {
    expect(parse('nullok', text, 'debug')).toEqual({ kind: 'bad', argument: text, wrong: 'option' });
  });

  it('does not know what is not UTF-8', () => {
    expect(parseModuleOptions([Buffer.from([0x75, 0x73, 0x65, 0x72, 0x3d, 0xff])]).kind).toBe('bad');
  });

  it('lets nobody in if an argument is unknown', () => {
    const flags =
      /^(nullok|forward_pass|try_first_pass|use_first_pass|debug|echo[-_]verification[-_]code|no_strict_owner|allow_readonly|no_increment_hotp|noskewadj)$/;
    const value = /^(secret|user|allowed_perm|grace_period|authtok_prompt)=/;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parse(text).kind === 'options' && !flags.test(text) && !value.test(text)).toBe(false);
      }),
    );
  });
});

describe('a host that is not root', () => {
  it('cannot choose whose file counts, or who is not asked', () => {
    const parsed = parse(
      ...['nullok', 'secret=/tmp/x', 'user=root', 'no_strict_owner', 'allowed_perm=0777', 'grace_period=9'],
      ...['debug', 'noskewadj', 'use_first_pass'],
    );
    expect(parsed.kind === 'options' && untrusted(parsed.options)).toEqual({
      ...DEFAULT_OPTIONS,
      debug: true,
      stacked: 'use',
      lookup: { ...lookup, adjustSkew: false },
    });
  });
});
