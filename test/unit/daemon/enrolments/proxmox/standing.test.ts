import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseDomainsConfig } from '../../../../../src/daemon/enrolments/proxmox/domains-config.ts';
import { parseTfaConfig } from '../../../../../src/daemon/enrolments/proxmox/parse-tfa.ts';
import { standingOf, type Standing } from '../../../../../src/daemon/enrolments/proxmox/standing.ts';
import { parseUserConfig } from '../../../../../src/daemon/enrolments/proxmox/user-config.ts';
import { webProduct, webVerdict } from '../../../../../src/daemon/enrolments/proxmox/web-login.ts';

const NOW = 1_800_000_000;
const fixture = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/proxmox/${name}`, import.meta.url), 'utf8');

const realm = (tfa: string): string => (tfa === '' ? 'pam: pam\n' : `pam: pam\n\ttfa ${tfa}\n`);
const OATH = 'type=oath,digits=6,step=30';
const YUBICO = 'type=yubico,id=1,key=AAAA';
const URI = 'otpauth://totp/a?secret=JBSWY3DPEHPK3PXP';
const entry = (of: unknown, more: object = {}): object => ({ id: '1', created: 1, entry: of, ...more });
const totp = entry(URI);
const PASSKEY = { cred_id: 'AAEC', cred: {}, counter: 7 };
const U2F = { key: { keyHandle: 'AAEC', version: 'U2F_V2' }, 'public-key': 'BAUG' };
const off = { enable: false };
const RECOVERY = { secret: '00', entries: [null, 'ab'], created: 1 };
const USED_UP = { secret: '00', entries: [null, null], created: 1 };

/** A row of the table: ana's entries, the realm's requirement, and the result. */
type Row = readonly [
  what: string,
  tfa: object | undefined,
  keys: string | undefined,
  realm: string,
  Standing['kind'],
  RegExp?,
];

const ROWS: readonly Row[] = [
  ['nothing', undefined, '', '', 'unprotected'],
  ['nobody whom Proxmox knows', undefined, undefined, '', 'unknown'],
  ['nobody whom Proxmox knows, in a realm that wants a code', undefined, undefined, OATH, 'unknown'],
  ['a code', { totp: [totp] }, 'x', '', 'usable'],
  ['a code, and no line in user.cfg', { totp: [totp] }, undefined, '', 'usable'],
  ['a code, whatever the marker says', { totp: [totp] }, 'x!u2f', '', 'usable'],
  ['a marker, and no entry', undefined, 'x!oath', '', 'unprotected'],
  ['a code that is switched off', { totp: [entry(URI, off)] }, 'x', '', 'unprotected'],
  [
    'all switched off, in a realm that wants a code',
    { totp: [entry(URI, off)] },
    'x',
    OATH,
    'unusable',
    /realm requires codes/,
  ],
  ['only WebAuthn', { webauthn: [entry(PASSKEY)] }, 'x', '', 'unusable', /WebAuthn/],
  ['WebAuthn that is switched off', { webauthn: [entry(PASSKEY, off)] }, 'x', '', 'unprotected'],
  [
    'only WebAuthn, in a realm that wants a code',
    { webauthn: [entry(PASSKEY)] },
    'x',
    OATH,
    'unusable',
    /realm requires codes/,
  ],
  ['only U2F', { u2f: [entry(U2F)] }, 'x', '', 'unusable', /U2F/],
  ['WebAuthn and a code', { webauthn: [entry(PASSKEY)], totp: [totp] }, 'x', '', 'usable'],
  [
    'a YubiKey in a realm without a server',
    { yubico: [entry('cccccccccccb')] },
    'x',
    '',
    'unusable',
    /YubiKeys/,
  ],
  ['only recovery keys', { recovery: RECOVERY }, 'x', '', 'unusable', /recovery keys/],
  ['only recovery keys, all used up', { recovery: USED_UP }, 'x', '', 'unusable', /recovery keys/],
  [
    'a code switched off, and recovery keys',
    { totp: [entry(URI, off)], recovery: RECOVERY },
    'x',
    '',
    'unusable',
  ],
  ['a locked code', { totp: [totp], 'totp-locked': true }, 'x', '', 'unusable', /tfa unlock/],
  ['a code, all locked', { totp: [totp], 'tfa-locked-until': NOW + 1 }, 'x', '', 'unusable', /locked all/],
  ['a code, all locked until now', { totp: [totp], 'tfa-locked-until': NOW }, 'x', '', 'usable'],
  ['an old key, in a realm that wants nothing', undefined, 'JBSWY3DPEHPK3PXP', '', 'unprotected'],
  ['an old key, in a realm that wants a code', undefined, 'JBSWY3DPEHPK3PXP', OATH, 'usable'],
  ['an old key of no known form', undefined, 'jbswy3dpehpk3pxp', OATH, 'unusable', /realm requires codes/],
  ['no key, in a realm that wants a code', undefined, '', OATH, 'unusable', /realm requires codes/],
  ['a code, in a realm that wants a code', { totp: [totp] }, 'x', OATH, 'usable'],
  [
    'a locked code, in a realm that wants a code',
    { totp: [totp], 'totp-locked': true },
    'x',
    OATH,
    'unusable',
    /unlock/,
  ],
  ['a YubiKey, in a realm that wants a code', { yubico: [entry('cccccccccccb')] }, 'x', OATH, 'unusable'],
  ['a YubiKey, in a realm that wants one', { yubico: [entry('cccccccccccb')] }, 'x', YUBICO, 'usable'],
  [
    'a YubiKey switched off, in a realm that wants one',
    { yubico: [entry('cccccccccccb', off)] },
    'x',
    YUBICO,
    'unusable',
    /realm requires a YubiKey/,
  ],
  ['an old YubiKey, in a realm that wants one', undefined, 'cccccccccccb', YUBICO, 'usable'],
  [
    'a code, in a realm that wants a YubiKey',
    { totp: [totp] },
    'x',
    YUBICO,
    'unusable',
    /realm requires a YubiKey/,
  ],
  [
    'a locked code and a YubiKey, in a realm that wants one',
    { totp: [totp], yubico: [entry('cccccccccccb')], 'totp-locked': true },
    'x',
    YUBICO,
    'usable',
  ],
  ['codes of ten digits', { totp: [entry(`${URI}&digits=10`)] }, 'x', '', 'unusable', /out of range/],
  [
    'a secret of one byte',
    { totp: [entry('otpauth://totp/a?secret=ME')] },
    'x',
    '',
    'unusable',
    /out of range/,
  ],
  ['a period of no seconds', { totp: [entry(`${URI}&period=0`)] }, 'x', '', 'unusable', /out of range/],
];

function standing(tfa: object | undefined, keys: string | undefined, realmTfa: string): Standing {
  return standingOf(
    {
      tfa: parseTfaConfig(JSON.stringify(tfa === undefined ? {} : { users: { 'ana@pam': tfa } })),
      users: parseUserConfig(keys === undefined ? '' : `user:ana@pam:1:0:::::${keys}:\n`),
      domains: parseDomainsConfig(realm(realmTfa)),
    },
    'ana@pam',
    NOW,
  );
}

describe("Proxmox's requirement for a user with", () => {
  for (const [what, tfa, keys, realmTfa, kind, why = /^/] of ROWS) {
    it(what, () => {
      const found = standing(tfa, keys, realmTfa);
      expect(found.kind).toBe(kind);
      expect(found.kind === 'unusable' ? found.why : '').toMatch(why);
    });
  }
});

describe('all four files as Proxmox wrote them', () => {
  const config = {
    tfa: parseTfaConfig(fixture('tfa.cfg')),
    users: parseUserConfig(fixture('user.cfg')),
    domains: parseDomainsConfig(fixture('domains.cfg')),
  };

  it.each([
    ['alice@pam', 'usable'],
    ['bob@pam', 'unusable'],
    ['carol@pve', 'unusable'],
    ['dave@pam', 'unusable'],
    ['eve@pam', 'unusable'],
    ['frank@pam', 'usable'],
    ['gina@pam', 'unusable'],
    ['root@pam', 'unusable'],
    ['nobody@pam', 'unknown'],
  ])('%s: %s', (userId, kind) => {
    expect(standingOf(config, userId, NOW).kind).toBe(kind);
  });
});

it('twins of an old key share the step that was used last', () => {
  const used = (lastCount: number): object => entry({ totp: URI, 'last-count': lastCount });
  const found = standing({ totp: [totp, used(7), used(5)] }, 'x', '');
  expect(found.kind === 'usable' && found.totp.map(({ lastCount }) => lastCount)).toEqual([7]);
});

describe('domains.cfg', () => {
  const wanted = (text: string) => parseDomainsConfig(text).get('pam')?.tfa;

  it.each([
    ...[
      'type=u2f',
      'oath',
      'type=oath,digits=9',
      'type=oath,digits=|',
      'type=oath,step=5',
      'type=oath,colour=red',
    ],
    ...[`type=oath,id=${'x'.repeat(128)}`, '', 'digits=6', 'type=oath, digits=6', ',type=oath'],
  ])("a realm's requirement is never ignored: %j", (value) => {
    expect(wanted(`pam: pam\n\ttfa ${value}\n`)).toEqual({ type: 'unreadable' });
  });

  const oath = { type: 'oath', digits: 6, step: 30 };
  it.each([
    ['a line of blanks in the section', 'pam: pam\n \t \n\ttfa type=oath\n', oath],
    ['an empty line', 'pam: pam\n\n\ttfa type=oath\n', undefined],
    ['a line that Perl takes for false', 'pam: pam\n0\n\ttfa type=oath\n', undefined],
    ['a comment', 'pam: pam\n # x\n\ttfa type=oath\n', oath],
    ['CR LF', 'pam: pam\r\n\tcomment x\r\n\r\npve: pve\r\n\ttfa type=oath\r\n', oath],
    ['another section without an empty line', 'pam: pam\npve: pve\n\ttfa type=oath\n', oath],
    ['the setting twice', 'pam: pam\n\ttfa type=oath\n\ttfa type=yubico\n', oath],
    ['the setting twice, the first unreadable', 'pam: pam\n\ttfa x\n\ttfa type=oath\n', oath],
    ['a part twice', 'pam: pam\n\ttfa type=yubico,type=oath,\n', oath],
    ['the realm twice', 'pam: pam\n\ttfa type=oath\n\npam: pam\n', undefined],
    ['the realm once more, of no known type', 'pam: pam\n\ttfa type=oath\n\nx: pam\n', oath],
    ['the type in capitals', 'PAM:pam\n\ttfa type=oath\n', oath],
    ['a long step', 'pam: pam\n\ttfa type=oath,step=600,digits=8\n', { type: 'oath', digits: 8, step: 600 }],
    ['a mark at the beginning', '\ufeffpam: pam\n\ttfa type=oath\n', undefined],
    ['no section', '\ttfa type=oath\n', undefined],
  ])('%s', (_, text, tfa) => {
    expect(wanted(text)).toEqual(tfa);
  });

  it('has defaults, and ignores irrelevant settings', () => {
    const realms = parseDomainsConfig(
      'ad: corp\n\tdomain corp.example\n\tcase-sensitive 0\n\ttfa type=oath\n',
    );
    expect(realms.get('corp')).toEqual({ tfa: { type: 'oath', digits: 6, step: 30 }, caseSensitive: false });
  });
});

describe('the login of the web interface', () => {
  const usable: Standing = { kind: 'usable', totp: [], yubico: [], realm: undefined };
  it.each([
    ['gate', usable, 'stand-aside'],
    ['gate', { kind: 'unusable', why: '' }, 'stand-aside'],
    ['gate', { kind: 'unclear', why: '' }, 'refuse'],
    ['concat', { kind: 'unclear', why: '' }, 'refuse'],
    ['gate', { kind: 'unprotected' }, 'refuse'],
    ['gate', { kind: 'unknown' }, 'refuse'],
    ['concat', usable, 'stand-aside'],
    ['concat', { kind: 'unusable', why: '' }, 'stand-aside'],
    ['concat', { kind: 'unprotected' }, 'ask'],
    ['concat', { kind: 'unknown' }, 'ask'],
  ] as const)('%s, %j: %s', (mode, found, kind) => {
    expect(webVerdict(mode, found).kind).toBe(kind);
  });

  it('is known by its service', () => {
    expect(['proxmox-ve-auth', 'proxmox-backup-auth', 'sshd', 'toString'].map(webProduct)).toEqual([
      'pve',
      'pbs',
      undefined,
      undefined,
    ]);
  });
});
