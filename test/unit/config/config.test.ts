import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { DEFAULT_CONFIG, parseConfig } from '../../../src/config/config.ts';
import { yubicoSettings, type YubicoSettings } from '../../../src/config/yubico-settings.ts';
import { digestOf, loadConfig } from '../../../src/config/load-config.ts';
import { withFilesUpTo } from '../fixtures/file-size-limit.ts';
import { makeCertificate } from '../fixtures/certificates.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

describe('parseConfig', () => {
  it('has defaults for everything', () => {
    expect(parseConfig('', 'f')).toEqual(DEFAULT_CONFIG);
    expect(parseConfig('# only a comment\n[throttle]\n', 'f')).toEqual(DEFAULT_CONFIG);
    expect(DEFAULT_CONFIG.throttle.enabled).toBe(true);
    expect(DEFAULT_CONFIG.throttle.home).toBe(true);
    expect(DEFAULT_CONFIG.sources.home).toBe(true);
  });

  it('takes the given settings', () => {
    expect(parseConfig('[throttle]\nenabled = false\n', 'f').throttle.enabled).toBe(false);
    expect(parseConfig('throttle.enabled = false\n', 'f').throttle.enabled).toBe(false);
    expect(parseConfig('[sources]\nhome = false\n', 'f').sources.home).toBe(false);
  });

  it('takes rules in their order', () => {
    const text = `
[[rule]]
service = "sshd"
network = ["192.0.2.0/24", "2001:db8::1"]
action = "skip"

[[rule]]
user = ["alice", "bob"]
group = "staff"
action = "deny"

[[rule]]
action = "both"
`;
    const { rules } = parseConfig(text, 'f');
    expect(rules.map(({ service, user, group, action }) => ({ service, user, group, action }))).toEqual([
      { service: ['sshd'], user: undefined, group: undefined, action: 'skip' },
      { service: undefined, user: ['alice', 'bob'], group: ['staff'], action: 'deny' },
      { service: undefined, user: undefined, group: undefined, action: 'both' },
    ]);
    expect(rules[0]?.network?.map((network) => network.text)).toEqual(['192.0.2.0/24', '2001:db8::1']);
  });

  it.each(['Domain Users', 'corp\\\\domain admins', 'people@corp', 'Bücherei', 'a'])(
    'takes %j for a name of a group and of a user',
    (name) => {
      const { rules } = parseConfig(`[[rule]]\ngroup = "${name}"\nuser = "${name}"\naction = "deny"\n`, 'f');
      expect(rules).toMatchObject([
        { group: [name.replace('\\\\', '\\')], user: [name.replace('\\\\', '\\')] },
      ]);
    },
  );

  it.each([
    '',
    ' users',
    'users ',
    'domain*',
    'domain?',
    '[a]',
    'a\\tb',
    'a\\u0000b',
    'a\\u2028b',
    'a\\u009fb',
  ])('takes %j for none', (name) => {
    expect(() => parseConfig(`[[rule]]\ngroup = "${name}"\naction = "deny"\n`, 'f')).toThrow(
      /must be a name/,
    );
    expect(() => parseConfig(`[[rule]]\nservice = "a b"\naction = "deny"\n`, 'f')).toThrow(/must be a name/);
  });

  it.each([
    ['[[rule]]\naction = "allow"\n', /^f:2: rule\.1\.action: .*skip/],
    ['[[rule]]\nservice = "sshd"\n', /^f:1: rule\.1\.action: /],
    [
      '[[rule]]\naction = "both"\n[[rule]]\naction="deny"\nusr = "x"\n',
      'f:5: rule.2.usr: there is no such setting',
    ],
    ['[[rule]]\naction = "skip"\n', /^f:1: rule\.1: .*without a condition/],
    ['[[rule]]\naction = "deny"\n', /^f:1: rule\.1: .*without a condition/],
    [
      '[[rule]]\naction = "skip"\nnetwork = "example.com"\n',
      /^f:3: rule\.1\.network\.1: "example.com" must be an address/,
    ],
    ['[[rule]]\naction = "skip"\nnetwork = ["10.0.0.0/8", "10.0.0.0/33"]\n', /^f:3: rule\.1\.network\.2: /],
    ['[[rule]]\naction = "skip"\nnetwork = "::ffff:10.0.0.0/104"\n', /^f:3: rule\.1\.network\.1: /],
    ['[[rule]]\naction = "deny"\nuser = []\n', /^f:3: rule\.1\.user: .*empty/],
    ['[[rule]]\naction = "deny"\nuser = "*"\n', /^f:3: rule\.1\.user\.1: .*no patterns/],
    ['[[rule]]\naction = "deny"\nuser = 0\n', /^f:3: rule\.1\.user\.1: /],
    ['[rule]\naction = "both"\n', /^f:1: rule: /],
  ])('refuses the rule %j and says where', (text, message) => {
    expect(() => parseConfig(text, 'f')).toThrow(message);
  });

  it('looks YubiKeys up only when told to', () => {
    expect(DEFAULT_CONFIG.yubico.mode).toBeUndefined();
    expect(yubicoSettings(DEFAULT_CONFIG.yubico)).toEqual({ kind: 'off' });
    const text = `[yubico]
mode = "online"
id = 42
key = "EHmo8FMxuhumBlTinC4uYL0Mgwg="
urls = ["https://a.example/verify", "https://b.example/verify"]
proxy = "http://proxy.example:3128"
sync_level = 50
deadline = 2.5
`;
    expect(yubicoSettings(parseConfig(text, 'f').yubico)).toEqual({
      kind: 'on',
      settings: {
        clientId: '42',
        apiKey: Buffer.from('EHmo8FMxuhumBlTinC4uYL0Mgwg=', 'base64'),
        servers: [new URL('https://a.example/verify'), new URL('https://b.example/verify')],
        ca: undefined,
        proxy: new URL('http://proxy.example:3128'),
        syncLevel: 50,
        deadlineMs: 2500,
      },
    });
    const short = parseConfig(
      '[yubico]\nmode="online"\nid="7"\nkey="EHmo8FMxuhumBlTinC4uYL0Mgwg="\n',
      'f',
    ).yubico;
    expect(short).toMatchObject({
      id: '7',
      urls: ['https://api.yubico.com/wsapi/2.0/verify'],
      deadlineMs: 10_000,
    });
  });

  it.each([
    ['[yubico]\nmode = "client"\n', /^f:2: yubico\.mode: /],
    ['[yubico]\nmode = "online"\nkey = "AAAAAAAA"\n', 'f:2: yubico.mode: online needs an id'],
    ['[yubico]\nid = 1\nmode = "online"\n', /^f:3: yubico\.mode: online needs a key/],
    ['[yubico]\nkey = "AAAAAAAA"\nkey_file = "/k"\n', /^f:3: yubico\.key_file: /],
    ['[yubico]\nkey_file = "k"\n', /^f:2: yubico\.key_file: .*absolute/],
    ['[yubico]\nid = 0\n', /^f:2: yubico\.id: /],
    ['[yubico]\nid = "1&otp=x"\n', /^f:2: yubico\.id: /],
    ['[yubico]\nurls = []\n', /^f:2: yubico\.urls: /],
    ['[yubico]\nurls = ["http://a.example/"]\n', /^f:2: yubico\.urls\.1: .*https/],
    ['[yubico]\nproxy = "socks5://a.example"\n', /^f:2: yubico\.proxy: .*http/],
    ['[yubico]\nsync_level = 0\n', /^f:2: yubico\.sync_level: /],
    ['[yubico]\nsync_level = "fast"\n', /^f:2: yubico\.sync_level: /],
    ['[yubico]\ndeadline = 11\n', /^f:2: yubico\.deadline: /],
    ['[yubico]\nurl = "https://a.example/"\n', 'f:2: yubico.url: there is no such setting'],
  ])('refuses %j and says where', (text, message) => {
    expect(() => parseConfig(text, 'f')).toThrow(message);
  });

  it('does not repeat an API key that is wrong', () => {
    expect(() => parseConfig('[yubico]\nkey = "secret-secret"\n', 'f')).toThrow(
      /^f:2: yubico\.key: (?!.*secret)/,
    );
  });

  it.each([
    ['[throttle]\n\nenabeld = true\n', 'f:3: throttle.enabeld: there is no such setting'],
    ['\n[throtle]\nenabled = true\n', 'f:2: throtle: there is no such setting'],
    ['x = 1\n', 'f:1: x: there is no such setting'],
    ['# a\n[throttle]\nenabled = "no"\n', /^f:3: throttle\.enabled: .*boolean/],
    ['[throttle]\nenabled = false\nenabled = true\n', /^f:\d: /],
    ['[throttle\n', /^f:1: /],
    ['throttle = 3\n', /^f:1: throttle: /],
  ])('refuses %j and says where', (text, message) => {
    expect(() => parseConfig(text, 'f')).toThrow(message);
  });
});

describe('a message about invalid TOML', () => {
  it.each(['key = "hoNeyS3cret', 'key = hoNeyS3cret', 'key = "hoNeyS3cret" x', 'key "hoNeyS3cret"'])(
    'says the line and what is wrong, and quotes nothing: %s',
    (line) => {
      const parse = (): unknown => parseConfig(`[yubico]\nid = 1\n${line}\n`, 'f');
      expect(parse).toThrow(/^f:3: [-A-Za-z ,'`:]{10,}$/);
      expect(parse).not.toThrow('hoNey');
    },
  );
});

describe('loadConfig', () => {
  const makeDirectory = temporaryDirectories();
  let file: string;
  let lastGood: string;
  beforeEach(() => {
    const directory = makeDirectory();
    file = join(directory, 'config.toml');
    lastGood = join(directory, 'last-good.toml');
  });

  it('works without a file', () => {
    expect(loadConfig(file, lastGood)).toEqual({ config: DEFAULT_CONFIG, problem: undefined });
  });

  it('goes on with the last good copy when the file is wrong, and says so', () => {
    writeFileSync(file, '[throttle]\nenabled = false\n');
    expect(loadConfig(file, lastGood).problem).toBeUndefined();
    expect(readFileSync(lastGood, 'utf8')).toBe('[throttle]\nenabled = false\n');
    writeFileSync(file, '[throttle]\nenabled = maybe\n');
    const { config, problem, digest } = loadConfig(file, lastGood);
    expect(digest, 'of the file, not of the copy').toBe(digestOf(readFileSync(file)));
    expect(config.throttle.enabled).toBe(false);
    expect(problem).toMatch(/config\.toml:2: .*last good copy/);
  });

  it('keeps the copy before when the disk takes only a part of the next', async () => {
    const first = '[throttle]\nenabled = false\n';
    writeFileSync(file, first);
    loadConfig(file, lastGood);
    writeFileSync(file, `${first}#${'x'.repeat(300)}\n[[rule]]\nuser = "mallory"\naction = "deny"\n`);
    await withFilesUpTo(100, () =>
      expect(loadConfig(file, lastGood)).toMatchObject({ config: { rules: [{ action: 'deny' }] } }),
    );
    expect(readFileSync(lastGood, 'utf8')).toBe(first);
    loadConfig(file, lastGood);
    expect(readFileSync(lastGood, 'utf8')).toBe(readFileSync(file, 'utf8'));
  });

  it('refuses a wrong file when there is no good copy', () => {
    writeFileSync(file, 'x = 1\n');
    expect(() => loadConfig(file, lastGood)).toThrow(/config\.toml:1: x/);
    writeFileSync(lastGood, 'also = "wrong"\n');
    expect(() => loadConfig(file, lastGood)).toThrow(/config\.toml:1: x/);
  });

  it('does not treat an unreadable file as missing', () => {
    mkdirSync(file);
    expect(() => loadConfig(file, lastGood)).toThrow(/cannot be read \(EISDIR\)/);
    rmSync(file, { recursive: true });
    writeFileSync(file, ' '.repeat(300_000));
    expect(() => loadConfig(file, lastGood)).toThrow(/longer than/);
  });
});

describe('yubicoSettings', () => {
  const makeDirectory = temporaryDirectories();

  function settingsWith(more: string): YubicoSettings {
    return yubicoSettings(parseConfig(`[yubico]\nmode = "online"\nid = 1\n${more}\n`, 'f').yubico);
  }

  it('reads the key and the authorities from files', () => {
    const directory = makeDirectory();
    writeFileSync(join(directory, 'key'), 'EHmo8FMxuhumBlTinC4uYL0Mgwg=\n');
    const { cert } = makeCertificate('DNS:a.example');
    writeFileSync(join(directory, 'ca.pem'), cert);
    expect(settingsWith(`key_file = "${directory}/key"\nca = "${directory}/ca.pem"`)).toMatchObject({
      kind: 'on',
      settings: { apiKey: Buffer.from('EHmo8FMxuhumBlTinC4uYL0Mgwg=', 'base64'), ca: cert },
    });
  });

  it.each([
    ['', 'key_file: FILE cannot be read (ENOENT)'],
    ['not base64!', 'must hold the API key in base64'],
    ['AAAA AAAA', 'must hold the API key in base64'],
    [' \n', 'must not be empty'],
    ['A'.repeat(300_000), 'is longer than'],
  ])('with the key file %#: it cannot be used, and says why without its content', (content, why) => {
    const file = join(makeDirectory(), 'key');
    if (content !== '') {
      writeFileSync(file, content);
    }
    const settings = settingsWith(`key_file = "${file}"`);
    expect(settings).toMatchObject({
      kind: 'unusable',
      why: expect.stringContaining(why.replace('FILE', file)),
    });
    expect(JSON.stringify(settings)).not.toContain('AAAA');
  });

  it('with authorities that are none', () => {
    const file = join(makeDirectory(), 'ca');
    writeFileSync(file, 'hello');
    expect(settingsWith(`key = "AAAAAAAA"\nca = "${file}"`)).toMatchObject({ kind: 'unusable' });
  });
});

describe('parseCommandLine', () => {
  it('has defaults and takes options', () => {
    expect(parseCommandLine([])).toMatchObject({ runtimeDir: '/run/pve-authenticator', requireState: false });
    expect(parseCommandLine(['--state-dir', '/s', '--require-state'])).toMatchObject({
      stateDir: '/s',
      requireState: true,
    });
  });

  it.each([[['--stat-dir', '/s']], [['extra']], [['--config']]])('refuses %j', (argv) => {
    expect(() => parseCommandLine(argv)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
