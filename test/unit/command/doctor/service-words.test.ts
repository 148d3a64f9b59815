import { describe, expect, it } from 'vitest';
import { serviceWords, type Whose } from '../../../../src/command/doctor/service-words.ts';
import { describedMachine, type Described } from '../../fixtures/described-machine.ts';

const UNIX = 'auth required pam_unix.so\n';
const OURS = 'auth required pam_pve_authenticator.so\n';
const ALICE: Whose = { user: 'alice', uid: 1000, enrolled: 'store' };
const ROOT: Whose = { user: 'root', uid: 0, enrolled: 'store' };
/** sshd -T with these settings, else as Debian has them with a code. */
const sshd = (
  user: string,
  settings: Readonly<Record<string, string>> = {},
): NonNullable<Described['programs']> => ({
  [`sshd -T -C user=${user},host=localhost,addr=127.0.0.1`]: Object.entries({
    usepam: 'yes',
    kbdinteractiveauthentication: 'yes',
    passwordauthentication: 'no',
    pubkeyauthentication: 'yes',
    authenticationmethods: 'any',
    permitrootlogin: 'prohibit-password',
    ...settings,
  })
    .map(([name, value]) => `${name} ${value}\n`)
    .join(''),
});

/** The words, by service. */
async function said(described: Described, whose = ALICE): Promise<Record<string, string>> {
  const lines = await serviceWords(describedMachine(described), whose);
  return Object.fromEntries(lines.map(({ service, says }) => [service, says]));
}

describe('what a service does at a login', () => {
  it('does not ask, before services are switched on and after they are switched off', async () => {
    const files = { '/etc/pam.d/login': UNIX, '/etc/pam.d/sshd': UNIX, '/etc/pam.d/sudo': UNIX };
    expect(await said({ files, programs: sshd('alice') })).toEqual({
      'sshd, with a password': 'does not ask for a code',
      'sshd, with a key': 'does not ask for a code: the key is enough',
      login: 'does not ask for a code',
      sudo: 'does not ask for a code',
    });
  });

  it.each<[string, string, Whose, string]>([
    ['asks', UNIX + OURS, ALICE, 'asks for a code'],
    ['has no factor', UNIX + OURS, { ...ALICE, enrolled: 'none' }, 'refuses alice, who has no factor'],
    [
      'nullok',
      UNIX + OURS.replace('\n', ' nullok\n'),
      { ...ALICE, enrolled: 'none' },
      'asks for a code, but not alice, who has no factor (nullok)',
    ],
    [
      'unusable',
      UNIX + OURS,
      { ...ALICE, enrolled: 'unusable' },
      'refuses alice, whose factor cannot be used now',
    ],
    [
      'goes past it',
      `auth sufficient pam_unix.so\n${OURS}`,
      ALICE,
      'does not ask everybody for a code: /etc/pam.d/login, line 1 can let people in before',
    ],
    ['lets nobody in', `${UNIX}${OURS}auth requisite pam_deny.so\n`, ALICE, 'lets nobody in'],
    [
      'root is exempt',
      `${UNIX}auth [success=1 default=ignore] pam_succeed_if.so quiet uid = 0\n${OURS}auth [default=ignore] pam_permit.so\n`,
      ROOT,
      'does not ask root for a code',
    ],
    [
      'another module',
      `${UNIX}auth required pam_google_authenticator.so\n`,
      ALICE,
      'does not ask this program for a code: /etc/pam.d/login has pam_google_authenticator.so',
    ],
  ])('%s', async (_what, text, whose, says) => {
    expect((await said({ files: { '/etc/pam.d/login': text } }, whose))['login']).toContain(says);
  });

  it('follows the rules of config.toml', async () => {
    const files = { '/etc/pam.d/su': UNIX + OURS };
    const rule = { number: 2, action: 'skip', applies: true, because: 'the user is alice' };
    const daemon = { 'rules/su/alice': { userExists: true, rules: [rule], holds: 2 } };
    expect(await said({ files, daemon })).toEqual({
      su: 'does not ask for a code: rule 2 of config.toml exempts alice',
    });
  });

  it("tells Proxmox's web interface from the others", async () => {
    const files = { '/usr/bin/pveproxy': '', '/etc/pam.d/proxmox-ve-auth': UNIX };
    expect((await said({ files }))['proxmox-ve-auth (web interface)']).toContain('does not ask this module');
  });
});

describe('sshd', () => {
  const files = { '/etc/pam.d/sshd': UNIX + OURS };
  const METHODS = { authenticationmethods: 'publickey,keyboard-interactive keyboard-interactive' };

  it.each<[string, Readonly<Record<string, string>>, Whose, password: string, key: string]>([
    ['as it is', {}, ALICE, 'asks for a code', 'does not ask for a code: the key is enough'],
    ['key and code', METHODS, ALICE, 'asks for a code', 'asks for a code, after the key'],
    [
      'no questions',
      { kbdinteractiveauthentication: 'no', passwordauthentication: 'yes' },
      ALICE,
      'refuses: it cannot ask for a code (KbdInteractiveAuthentication no)',
      'the key is enough',
    ],
    ['no PAM', { usepam: 'no' }, ALICE, 'does not ask PAM at all', 'the key is enough'],
    ['no keys', { pubkeyauthentication: 'no' }, ALICE, 'asks for a code', 'it takes no keys'],
    ['root', {}, ROOT, 'refuses root (PermitRootLogin)', 'the key is enough'],
    ['root, key and code', METHODS, ROOT, 'refuses root', 'refuses root, who may use only a key'],
    [
      'root with a password',
      { ...METHODS, permitrootlogin: 'yes' },
      ROOT,
      'asks for a code',
      'asks for a code, after the key',
    ],
  ])('%s', async (_what, settings, whose, password, key) => {
    const words = await said({ files, programs: sshd(whose.user, settings) }, whose);
    expect(words['sshd, with a password']).toContain(password);
    expect(words['sshd, with a key']).toContain(key);
  });

  it('says that it does not know what only root can read', async () => {
    expect(await said({ files })).toEqual({
      'sshd, with a password': "asks for a code, unless sshd's settings differ: only root can read them",
      'sshd, with a key': 'not known: only root can read its settings',
    });
  });
});
