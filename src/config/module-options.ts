import { DEFAULT_LOOKUP, type LookupOptions } from './lookup-options.ts';
import { USUAL_ID_LENGTH } from './yubico-line.ts';
import { utf8Of } from './utf8.ts';
import { yubicoChangeOf, type YubicoChange } from './yubico-options.ts';

/** The module's arguments in pam.d. They mean the same as in pam_google_authenticator and pam_yubico. */
export interface ModuleOptions {
  /** The module lets users without a factor through. */
  readonly nullok: boolean;
  /** Password and code are typed in one string; the password goes on to the next module. */
  readonly forwardPass: boolean;
  /** `try`: look at the password that an earlier module asked for, then ask. `use`: only look, never ask. */
  readonly stacked: 'ignore' | 'try' | 'use';
  /** Whether the code can be seen while it is typed. */
  readonly echo: boolean;
  /** The question in place of ours. */
  readonly prompt: string | undefined;
  readonly debug: boolean;
  /** `nullok` spares nobody the question. */
  readonly alwaysPrompt: boolean;
  /** Where the factor is looked up, and how it is checked. */
  readonly lookup: LookupOptions;
}

/** The options, or the first argument that is unknown or has an invalid value. */
export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: ModuleOptions }
  | {
      readonly kind: 'bad';
      readonly argument: string;
      readonly wrong: 'option' | 'value';
      /** What is expected, if known, for the log. */
      readonly hint?: string;
    };

/** The defaults. */
export const DEFAULT_OPTIONS: ModuleOptions = {
  nullok: false,
  forwardPass: false,
  stacked: 'ignore',
  echo: false,
  prompt: undefined,
  debug: false,
  alwaysPrompt: false,
  lookup: DEFAULT_LOOKUP,
};

type Change = Partial<Omit<ModuleOptions, 'lookup'>> & { readonly lookup?: Partial<LookupOptions> };

const FLAGS: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['nullok', { nullok: true }],
  ['forward_pass', { forwardPass: true }],
  ['try_first_pass', { stacked: 'try' }],
  ['use_first_pass', { stacked: 'use' }],
  ['echo_verification_code', { echo: true }],
  ['echo-verification-code', { echo: true }],
  ['debug', { debug: true }],
  ['no_strict_owner', { lookup: { strictOwner: false } }],
  ['allow_readonly', { lookup: { allowReadOnly: true } }],
  ['no_increment_hotp', { lookup: { incrementCounter: false } }],
  ['noskewadj', { lookup: { adjustSkew: false } }],
]);

/** An account by name or number: no blanks, nothing that a path could be made of. */
const ACCOUNT = /^[^\p{C}\p{Z}:/]{1,256}$/u;
const PERMISSIONS = /^0*([1-7][0-7]{0,3})$/;
const SECONDS = /^[0-9]{0,9}$/;

/** Each function parses a value, and returns undefined if it is invalid. */
const VALUES: ReadonlyMap<string, (value: string) => Change | undefined> = new Map<
  string,
  (value: string) => Change | undefined
>([
  ['secret', (secret) => (secret === '' || secret.includes('\0') ? undefined : { lookup: { secret } })],
  ['user', (user) => (ACCOUNT.test(user) ? { lookup: { user } } : undefined)],
  ['allowed_perm', allowedPermissions],
  [
    'grace_period',
    (seconds) => (SECONDS.test(seconds) ? { lookup: { gracePeriod: Number(seconds) } } : undefined),
  ],
  ['authtok_prompt', (prompt) => ({ prompt })],
]);

function allowedPermissions(value: string): Change | undefined {
  const octal = PERMISSIONS.exec(value)?.[1];
  return octal === undefined ? undefined : { lookup: { allowedPermissions: parseInt(octal, 8) } };
}

/**
 * Reads the module's arguments. Their order does not matter, except that the last of several equal options counts.
 *
 * @param moduleArguments - as they stand in pam.d
 * @returns the options, or the first invalid argument; then nobody is let in
 */
export function parseModuleOptions(moduleArguments: readonly Buffer[]): ParsedOptions {
  let options = DEFAULT_OPTIONS;
  for (const bytes of moduleArguments) {
    const change = changeOf(bytes, options.lookup);
    if (typeof change === 'string') {
      return { kind: 'bad', argument: bytes.toString(), wrong: change };
    }
    if ('hint' in change) {
      return { kind: 'bad', argument: bytes.toString(), wrong: 'value', hint: change.hint };
    }
    options = { ...options, ...change, lookup: { ...options.lookup, ...change.lookup } };
  }
  return { kind: 'options', options: asLineOfYubico(options) };
}

/** pam_yubico always takes a password before the OTP, and hands it on. */
function asLineOfYubico(options: ModuleOptions): ModuleOptions {
  return options.lookup.yubico === undefined ? options : { ...options, forwardPass: true };
}

function changeOf(
  bytes: Buffer,
  before: LookupOptions,
): Change | { readonly hint: string } | 'option' | 'value' {
  const argument = utf8Of(bytes);
  if (argument === undefined) {
    return 'option';
  }
  const flag = FLAGS.get(argument);
  if (flag !== undefined) {
    return flag;
  }
  const yubico = yubicoChangeOf(argument);
  if (yubico !== undefined) {
    return 'hint' in yubico ? yubico : yubicoLine(yubico, before);
  }
  const equals = argument.indexOf('=');
  const read = equals < 0 ? undefined : VALUES.get(argument.slice(0, equals));
  return read === undefined ? 'option' : (read(argument.slice(equals + 1)) ?? 'value');
}

function yubicoLine(
  { line, echo, alwaysPrompt }: Exclude<YubicoChange, { readonly hint: string }>,
  { yubico }: LookupOptions,
): Change {
  return {
    ...(echo === undefined ? {} : { echo }),
    ...(alwaysPrompt === undefined ? {} : { alwaysPrompt }),
    lookup: { yubico: { idLength: USUAL_ID_LENGTH, ...yubico, ...line } },
  };
}

/**
 * Drops the options that a host that is not root may not set: whose file counts, and who is not asked.
 *
 * @param options - as its line in pam.d says
 * @returns the same without these
 */
export function untrusted(options: ModuleOptions): ModuleOptions {
  const { secret, user, strictOwner, allowedPermissions, gracePeriod } = DEFAULT_LOOKUP;
  // It also may not choose the mapping of YubiKeys, or the validation server.
  const yubico = options.lookup.yubico === undefined ? undefined : { idLength: USUAL_ID_LENGTH };
  const lookup = { ...options.lookup, secret, user, strictOwner, allowedPermissions, gracePeriod, yubico };
  return { ...options, nullok: false, lookup };
}
