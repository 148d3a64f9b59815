import { MAX_PUBLIC_ID_LENGTH, MAX_SERVERS, type YubicoLine } from './yubico-line.ts';

/** The effect of one of pam_yubico's options; or why it is refused, for the log. */
export type YubicoChange =
  | { readonly line: Partial<YubicoLine>; readonly echo?: true; readonly alwaysPrompt?: true }
  | { readonly hint: string };

const CLIENT_ID = /^[1-9][0-9]{0,9}$/;
const API_KEY = /^[A-Za-z0-9+/]{8,128}={0,2}$/;
const ID_LENGTH = /^[0-9]{1,2}$/;

const CHALLENGE_RESPONSE = 'challenge-response needs the key plugged into this machine, and is not supported';
const FILES_ONLY = 'keys are read from files only: write an authfile (docs/reference/module-arguments.md)';

/** Those without a value. */
const FLAGS: ReadonlyMap<string, YubicoChange> = new Map<string, YubicoChange>([
  ['verbose_otp', { line: {}, echo: true }],
  ['always_prompt', { line: {}, alwaysPrompt: true }],
  ['alwaysok', { hint: 'it would let everybody in: make the line "optional" instead' }],
  ['ldap_starttls', { hint: FILES_ONLY }],
  ['ldap_bind_as_user', { hint: FILES_ONLY }],
]);

const VALUES: ReadonlyMap<string, (value: string) => YubicoChange> = new Map<
  string,
  (value: string) => YubicoChange
>([
  [
    'id',
    (id) =>
      CLIENT_ID.test(id) ? { line: { clientId: id } } : { hint: 'it must be a number of 1 to 10 digits' },
  ],
  [
    'key',
    (key) =>
      API_KEY.test(key) && key.length % 4 === 0
        ? { line: { key } }
        : { hint: 'it must be base64, as Yubico or your server gave it' },
  ],
  ['urllist', urlList],
  ['url', () => ({ hint: 'say urllist with https://SERVER/wsapi/2.0/verify instead' })],
  ['cainfo', (ca) => absolute(ca, (path) => ({ ca: path }))],
  ['capath', () => ({ hint: 'say cainfo with one file in PEM instead' })],
  ['proxy', proxyOf],
  ['authfile', (file) => absolute(file, (path) => ({ authfile: path }))],
  ['mode', (mode) => (mode === 'client' ? { line: {} } : { hint: CHALLENGE_RESPONSE })],
  ['token_id_length', idLength],
  // Ours goes to the journal.
  ['debug_file', () => ({ line: {} })],
  ['chalresp_path', () => ({ hint: CHALLENGE_RESPONSE })],
  ...[
    ...['ldap_uri', 'ldapserver', 'ldapdn', 'ldap_filter', 'ldap_bind_user', 'ldap_bind_password'],
    ...['ldap_cacertfile', 'ldap_clientcertfile', 'ldap_clientkeyfile', 'ldap_connection_timeout'],
    ...['user_attr', 'yubi_attr', 'yubi_attr_prefix'],
    ...['mysql_server', 'mysql_port', 'mysql_user', 'mysql_password', 'mysql_database'],
  ].map((name) => [name, () => ({ hint: FILES_ONLY })] as const),
]);

/**
 * Reads an argument as pam_yubico would. The options that both models have (`nullok`, `debug`, `try_first_pass`, `use_first_pass`)
 * are not among these.
 *
 * @param argument - as it stands in pam.d
 * @returns its effect, or why it is refused; undefined if it is not one of pam_yubico's own options
 */
export function yubicoChangeOf(argument: string): YubicoChange | undefined {
  const equals = argument.indexOf('=');
  return equals < 0
    ? FLAGS.get(argument)
    : VALUES.get(argument.slice(0, equals))?.(argument.slice(equals + 1));
}

function urlList(value: string): YubicoChange {
  const urls = value.split(';').filter((url) => url !== '');
  const good = urls.every((url) => URL.canParse(url) && isPlainHttps(new URL(url)));
  return good && urls.length > 0 && urls.length <= MAX_SERVERS
    ? { line: { urls } }
    : {
        hint: `it must be 1 to ${MAX_SERVERS} addresses with ; between them, each with https:// and without a query`,
      };
}

function isPlainHttps({ protocol, search, hash, username, password }: URL): boolean {
  return protocol === 'https:' && search + hash + username + password === '';
}

/** Without a scheme it is HTTP, as libcurl has it. */
function proxyOf(value: string): YubicoChange {
  const proxy = value.includes('://') ? value : `http://${value}`;
  return URL.canParse(proxy) && new URL(proxy).protocol === 'http:'
    ? { line: { proxy } }
    : { hint: 'only HTTP proxies are supported: http://HOST:PORT' };
}

function absolute(path: string, change: (path: string) => Partial<YubicoLine>): YubicoChange {
  return path.startsWith('/') && !path.includes('\0')
    ? { line: change(path) }
    : { hint: 'it must be the absolute path of a file' };
}

function idLength(value: string): YubicoChange {
  const length = ID_LENGTH.test(value) ? Number(value) : 0;
  return length >= 1 && length <= MAX_PUBLIC_ID_LENGTH
    ? { line: { idLength: length } }
    : { hint: `it must be 1 to ${MAX_PUBLIC_ID_LENGTH}` };
}
