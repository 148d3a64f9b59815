/** A file that is not as usual. */
export interface OddFile {
  readonly name: string;
  readonly text: string;
  /** The users in it, where Proxmox can read it. */
  readonly users?: readonly string[];
  /** What the message begins with, where Proxmox cannot. */
  readonly place?: string;
}

const SECRET = 'JBSWY3DPEHPK3PXP';
const URI = `otpauth://totp/a?secret=${SECRET}`;
const ana = (user: object): string => JSON.stringify({ users: { 'ana@pam': user } });
const totp = (entry: unknown, more: object = {}): string =>
  ana({ totp: [{ id: '1', created: 1, entry, ...more }] });
const legacy = (type: string, data: unknown): string =>
  `ana@pam:${type}:${Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64')}\n`;
const AT = 'users.ana@pam';
const ENTRY = `${AT}.totp[0].entry`;

/** What the parsers of Proxmox make of each was taken from their sources. */
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
  { name: 'a user whose name nobody can have', text: '{"users":{"nobody":{}}}', users: [] },
  { name: 'a realm that begins with a digit', text: '{"users":{"ana@1pam":{}}}', users: [] },
  { name: 'a name of 65 characters', text: `{"users":{"${'a'.repeat(61)}@pam":{}}}`, users: [] },
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
  { name: 'an old registration that was not finished', text: legacy('u2f', { challenge: 'x' }), users: [] },
  {
    name: 'an old key of no known form',
    text: legacy('oath', { keys: 'jbswy3dpehpk3pxp' }),
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
  { name: 'a name twice', text: '{"users":{"ana@pam":{"totp":[],"totp":[]}}}', place: 'line 1, column 38' },
  { name: 'deep nesting', text: `{"users":${'['.repeat(100)}`, place: 'line 1, column 74' },
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
  { name: 'an escape that is none', text: totp(`${URI}&issuer=%zz`), place: ENTRY },
  { name: 'a used entry without its step', text: totp({ totp: URI }), place: `${ENTRY}.last-count` },
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
