/** A file that is not as usual. */
export interface OddFile {
  readonly name: string;
  readonly text: string;
  /** The users in it, where Proxmox can read it. */
  readonly users?: readonly string[];
  /** The beginning of the message, if Proxmox cannot read the file. */
  readonly place?: string;
}

const SECRET = 'JBSWY3DPEHPK3PXP';
const URI = `otpauth://totp/a?secret=${SECRET}`;
const ana = (user: object): string => JSON.stringify({ users: { 'ana@pam': user } });
const totp = (entry: unknown, more: object = {}): string =>
  ana({ totp: [{ id: '1', created: 1, entry, ...more }] });
const legacy = (type: string, data: unknown): string =>
  `ana@pam:${type}:${Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64')}\n`;
const nested = (levels: number): string => `{"later":${'['.repeat(levels)}${']'.repeat(levels)}}`;
const AT = 'users.ana@pam';
const ENTRY = `${AT}.totp[0].entry`;

/** The expected results come from the sources of Proxmox's parsers. */
export const ODD_FILES: readonly OddFile[] = [
  // What Proxmox can read.
  { name: 'an empty file', text: '', users: [] },
  { name: 'an empty object', text: '{}', users: [] },
  { name: 'only blank lines and comments', text: '\n# comment\n\n', users: [] },
  { name: 'no users', text: '{"users":{}}', users: [] },
  {
    name: 'null for what comes from datacenter.cfg',
    text: '{"u2f":null,"webauthn":null,"users":{}}',
    users: [],
  },
  { name: 'an unknown name at the top', text: '{"later":1,"users":{}}', users: [] },
  { name: 'a user with nothing', text: ana({}), users: ['ana@pam'] },
  { name: 'a user whose name nobody can have', text: '{"users":{"nobody":{}}}', users: ['nobody'] },
  { name: 'a user twice', text: '{"users":{"ana@pam":{"totp":[]},"ana@pam":{}}}', users: ['ana@pam'] },
  { name: 'unknown names that come twice', text: '{"later":1,"later":2}', users: [] },
  { name: 'a used entry without its step', text: totp({ totp: URI }), users: ['ana@pam'] },
  { name: 'an escape that is none', text: totp(`${URI}&issuer=%zz`), users: ['ana@pam'] },
  { name: 'a percent sign alone', text: totp(`${URI}&issuer=100%`), users: ['ana@pam'] },
  { name: 'an escape that is no UTF-8', text: totp(`${URI}&issuer=%FF`), users: ['ana@pam'] },
  {
    name: 'a secret with a sign in the middle',
    text: totp('otpauth://totp/a?secret=JBSW=3DP'),
    users: ['ana@pam'],
  },
  { name: 'a large period', text: totp(`${URI}&period=18446744073709551615`), users: ['ana@pam'] },
  {
    name: 'a step beyond 2^53',
    text: totp({ totp: URI, 'last-count': 0 }).replace(':0}', ':9223372036854775807}'),
    users: ['ana@pam'],
  },
  {
    name: 'an unknown name in recovery keys',
    text: ana({ recovery: { secret: '00', entries: [], created: 1, later: 1 } }),
    users: ['ana@pam'],
  },
  { name: 'null for recovery keys', text: ana({ recovery: null }), users: ['ana@pam'] },
  {
    name: 'unknown names in the keys of browsers',
    text: ana({
      webauthn: [{ id: '1', created: 1, entry: { cred_id: 'AA', cred: {}, counter: 0, later: 1 } }],
      u2f: [
        {
          id: '1',
          created: 1,
          entry: { key: { keyHandle: 'AA', version: 'U2F_V2', later: 1 }, 'public-key': 'AA' },
        },
      ],
    }),
    users: ['ana@pam'],
  },
  {
    name: 'the settings of a Backup Server',
    text: '{"webauthn":{"rp":"x","origin":"https://x","id":"x"},"u2f":{"appid":"x"}}',
    users: [],
  },
  { name: 'what is nested as deeply as Proxmox reads', text: nested(126), users: [] },
  { name: 'a bare URI', text: totp(URI), users: ['ana@pam'] },
  { name: 'an algorithm in small letters', text: totp(`${URI}&algorithm=sha512`), users: ['ana@pam'] },
  {
    name: 'a secret in small letters',
    text: totp(URI.replace(SECRET, SECRET.toLowerCase())),
    users: ['ana@pam'],
  },
  { name: 'an encoded parameter', text: totp(`${URI}&issuer=Proxmox%20VE%20%2D%20x`), users: ['ana@pam'] },
  { name: 'a secret of one byte', text: totp('otpauth://totp/a?secret=ME'), users: ['ana@pam'] },
  { name: 'ten digits', text: totp(`${URI}&digits=10`), users: ['ana@pam'] },
  {
    name: 'a used-up set of recovery keys',
    text: ana({ recovery: { secret: '00', entries: [null], created: 1 } }),
    users: ['ana@pam'],
  },
  { name: 'a lock in the past', text: ana({ 'tfa-locked-until': 1 }), users: ['ana@pam'] },
  {
    name: 'space around everything',
    text: ` {\n"users" : { "ana@pam" : { "totp" : [ ] } } }\n`,
    users: ['ana@pam'],
  },
  {
    name: 'an old registration that was not finished',
    text: legacy('u2f', { challenge: 'x' }),
    users: ['ana@pam'],
  },
  {
    name: 'old keys in small letters, with blanks around them',
    text: legacy('oath', { keys: 'jbswy3dpehpk3pxp,\tv2-jbswy3dpehpk3pxp\n, v2-0xABcd', config: {} }),
    users: ['ana@pam'],
  },
  { name: 'an old line without a key', text: legacy('oath', { keys: '', config: {} }), users: ['ana@pam'] },
  {
    name: 'old settings as numbers, and a name twice',
    text: legacy('oath', '{"keys":"x","keys":"JBSWY3DPEHPK3PXP","config":{"step":30,"digits":"8"}}'),
    users: ['ana@pam'],
  },
  // What it cannot.
  { name: 'no JSON', text: '{"users":', place: 'line 1, column 10' },
  { name: 'more after the end', text: '{}{}', place: 'line 1, column 3' },
  { name: 'a comma too many', text: '{"users":{},}', place: 'line 1, column 13' },
  {
    name: 'a text without an end',
    text: `{"users":{"ana@pam":{"totp":"${SECRET}`,
    place: 'line 1, column 29',
  },
  { name: 'a torn file', text: totp(URI).slice(0, 80), place: 'line 1, column 60' },
  { name: 'a name twice', text: '{"users":{"ana@pam":{"totp":[],"totp":[]}}}', place: AT },
  { name: 'users twice', text: '{"users":{},"users":{}}', place: 'the file' },
  { name: 'deep nesting', text: nested(127), place: 'line 1, column 136' },
  { name: 'a user twice, the first of whom is odd', text: '{"users":{"ana@pam":1,"ana@pam":{}}}', place: AT },
  { name: 'half a pair of surrogates', text: '{"users":{"ana\\ud800@pam":{}}}', place: 'line 1, column 11' },
  { name: 'a mark at the beginning', text: '\ufeff{"users":{}}', place: 'line 1, column 1' },
  { name: 'a NUL', text: '{"users":{"ana\0@pam":{}}}', place: 'line 1, column 11' },
  { name: 'a NUL at the end', text: '{}\0', place: 'line 1, column 3' },
  { name: 'null for entries', text: ana({ totp: null }), place: `${AT}.totp` },
  { name: 'null for a lock', text: ana({ 'totp-locked': null }), place: `${AT}.totp-locked` },
  { name: 'null for enable', text: totp(URI, { enable: null }), place: `${AT}.totp[0].enable` },
  { name: 'enable as a text', text: totp(URI, { enable: 'false' }), place: `${AT}.totp[0].enable` },
  {
    name: 'a step of 65 bits',
    text: totp({ totp: URI, 'last-count': 0 }).replace(':0}', ':9223372036854775808}'),
    place: `${ENTRY}.last-count`,
  },
  {
    name: 'a step with an exponent',
    text: totp({ totp: URI, 'last-count': 0 }).replace(':0}', ':1e3}'),
    place: `${ENTRY}.last-count`,
  },
  {
    name: 'a step of minus zero',
    text: totp({ totp: URI, 'last-count': 0 }).replace(':0}', ':-0}'),
    place: `${ENTRY}.last-count`,
  },
  { name: 'a period of 65 bits', text: totp(`${URI}&period=18446744073709551616`), place: ENTRY },
  { name: 'digits of nine bits', text: totp(`${URI}&digits=256`), place: ENTRY },
  { name: 'a secret that is no UTF-8', text: totp('otpauth://totp/a?secret=JBSW%FF'), place: ENTRY },
  { name: 'a parameter whose name is no UTF-8', text: totp(`${URI}&%FF=x`), place: ENTRY },
  {
    name: 'a YubiKey that is a number',
    text: ana({ yubico: [{ id: '1', created: 1, entry: 1 }] }),
    place: `${AT}.yubico[0].entry`,
  },
  {
    name: 'a key of a browser without its parts',
    text: ana({ u2f: [{ id: '1', created: 1, entry: {} }] }),
    place: `${AT}.u2f[0].entry.key`,
  },
  {
    name: 'a passkey with a large counter',
    text: ana({ webauthn: [{ id: '1', created: 1, entry: { cred_id: '', cred: {}, counter: 2 ** 32 } }] }),
    place: `${AT}.webauthn[0].entry.counter`,
  },
  { name: 'settings of no known form', text: '{"u2f":{}}', place: 'u2f.appid' },
  {
    name: 'an old key of no known form',
    text: legacy('oath', { keys: 'JBSWY3DP', config: {} }),
    place: 'line 1',
  },
  {
    name: 'an old key with half a byte',
    text: legacy('oath', { keys: 'v2-0xabc', config: {} }),
    place: 'line 1',
  },
  { name: 'old keys without settings', text: legacy('oath', { keys: 'JBSWY3DPEHPK3PXP' }), place: 'line 1' },
  {
    name: 'old digits of nine bits',
    text: legacy('oath', { keys: 'JBSWY3DPEHPK3PXP', config: { digits: 256 } }),
    place: 'line 1',
  },
  { name: 'an old key of a browser without its parts', text: legacy('u2f', {}), place: 'line 1' },
  {
    name: 'base64 that is cut short',
    text: legacy('yubico', { keys: 'xy' }).replace('=', ''),
    place: 'line 1',
  },
  { name: 'a mark before an old line', text: `\ufeff${legacy('u2f', {})}`, place: 'line 1' },
  { name: 'users as a list', text: '{"users":[]}', place: 'users' },
  { name: 'a user as null', text: '{"users":{"ana@pam":null}}', place: AT },
  { name: 'an unknown name in a user', text: ana({ hotp: [] }), place: AT },
  { name: 'an unknown name in an entry', text: totp(URI, { 'last-used': 1 }), place: `${AT}.totp[0]` },
  { name: 'an unknown name in a used entry', text: totp({ totp: URI, 'last-count': 1, x: 1 }), place: ENTRY },
  { name: 'an unknown parameter', text: totp(`${URI}&image=x`), place: ENTRY },
  { name: 'counter-based codes', text: totp(`otpauth://hotp/a?secret=${SECRET}&counter=1`), place: ENTRY },
  { name: 'a URI without parameters', text: totp('otpauth://totp/a'), place: ENTRY },
  { name: 'a URI without a secret', text: totp('otpauth://totp/a?digits=6'), place: ENTRY },
  { name: 'an empty secret', text: totp('otpauth://totp/a?secret='), place: ENTRY },
  { name: 'a secret that is not base32', text: totp('otpauth://totp/a?secret=JBSWY3DPEHPK1'), place: ENTRY },
  { name: 'an unknown algorithm', text: totp(`${URI}&algorithm=MD5`), place: ENTRY },
  { name: 'digits that are no number', text: totp(`${URI}&digits=six`), place: ENTRY },
  { name: 'a period that is no number', text: totp(`${URI}&period=-30`), place: ENTRY },
  { name: 'a parameter without a value', text: totp(`${URI}&digits`), place: ENTRY },
  {
    name: 'a step that is a text',
    text: totp({ totp: URI, 'last-count': '5' }),
    place: `${ENTRY}.last-count`,
  },
  {
    name: 'a step with a fraction',
    text: totp({ totp: URI, 'last-count': 1.5 }),
    place: `${ENTRY}.last-count`,
  },
  {
    name: 'an entry without an id',
    text: ana({ totp: [{ created: 1, entry: URI }] }),
    place: `${AT}.totp[0].id`,
  },
  {
    name: 'an entry without a time',
    text: ana({ totp: [{ id: '1', entry: URI }] }),
    place: `${AT}.totp[0].created`,
  },
  { name: 'an entry without an entry', text: ana({ totp: [{ id: '1', created: 1 }] }), place: ENTRY },
  { name: 'enable as a number', text: totp(URI, { enable: 0 }), place: `${AT}.totp[0].enable` },
  { name: 'entries that are no list', text: ana({ totp: {} }), place: `${AT}.totp` },
  { name: 'a lock that is a text', text: ana({ 'totp-locked': 'yes' }), place: `${AT}.totp-locked` },
  {
    name: 'recovery keys without a secret',
    text: ana({ recovery: { entries: [], created: 1 } }),
    place: `${AT}.recovery.secret`,
  },
  {
    name: 'a recovery key that is a number',
    text: ana({ recovery: { secret: '0011223344', entries: [1], created: 1 } }),
    place: `${AT}.recovery.entries[0]`,
  },
  { name: 'a line without a type', text: 'ana@pam:eyJrZXlzIjoiIn0=\n', place: 'line 1' },
  { name: 'a line of an unknown type', text: legacy('hotp', { keys: '' }), place: 'line 1' },
  { name: 'a line without keys', text: legacy('oath', {}), place: 'line 1' },
  { name: 'a line whose base64 holds no JSON', text: `\n${legacy('yubico', 'keys')}`, place: 'line 2' },
];
