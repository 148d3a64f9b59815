import { MAX_NEW_PERIOD, MIN_NEW_PERIOD } from '../../contracts/control-requests.ts';
import { QR_MODES, type QrMode } from '../terminal/qr.ts';

/** The flags of the setup. The setup asks about undefined ones. */
export interface SetupFlags {
  readonly show?: 'help' | 'version';
  readonly kind?: 'totp' | 'hotp';
  readonly reuse?: 'disallow' | 'allow';
  readonly window?: number | 'minimal';
  readonly limit?: { readonly attempts: number; readonly seconds: number } | 'none';
  /** Whether a code of the phone is asked for. */
  readonly confirm: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
  readonly label?: string;
  readonly issuer?: string;
  readonly qrMode?: QrMode;
  /** The file to write, in place of the store. */
  readonly secretFile?: string;
  /** Length of a time step in seconds. */
  readonly period?: number;
  readonly emergencyCodes?: number;
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
  readonly digits?: 6 | 7 | 8;
  readonly name?: string;
  readonly user?: string;
  /** The secret is read from standard input. */
  readonly ownSecret: boolean;
  readonly json: boolean;
}

/** The command line cannot be used. */
export class FlagError extends Error {
  /** @param message - why */
  constructor(message: string) {
    super(message);
    this.name = 'FlagError';
  }
}

/** Name of a group of flags that exclude each other. */
type Group = 'kind' | 'reuse' | 'window' | 'step' | (string & {});

interface Flag {
  readonly short?: string;
  readonly long: string;
  readonly group: Group;
  /** It may be given more than once. */
  readonly repeats?: true;
  /** Whether google-authenticator lacks this flag. */
  readonly ours?: true;
  /** Reads the value; without it the flag has none. */
  readonly read?: (value: string) => unknown;
}

const number =
  (least: number, most: number) =>
  (value: string): number => {
    const read = /^\s*[+]?\d{1,6}$/.test(value) ? Number(value) : NaN;
    if (!(read >= least && read <= most)) {
      throw new RangeError(`must be a number from ${least} to ${most}`);
    }
    return read;
  };
const text = (value: string): string => value;
const notEmpty = (value: string): string => {
  if (value === '') {
    throw new RangeError('must not be empty');
  }
  return value;
};
const oneOf =
  <T extends string>(names: readonly T[]) =>
  (value: string): T => {
    const wanted = value.replaceAll('-', '_').toLowerCase();
    const found = names.find((name) => name.toLowerCase() === wanted);
    if (found === undefined) {
      throw new RangeError(`must be one of ${names.join(', ')}`);
    }
    return found;
  };

/** The flags of google-authenticator 1.11, with its ranges, then our own. */
const FLAGS: readonly Flag[] = [
  { short: 'h', long: 'help', group: 'help', repeats: true },
  { long: 'version', group: 'version', repeats: true },
  { short: 'c', long: 'counter-based', group: 'kind' },
  { short: 't', long: 'time-based', group: 'kind' },
  { short: 'C', long: 'no-confirm', group: 'no-confirm', repeats: true },
  { short: 'd', long: 'disallow-reuse', group: 'reuse' },
  { short: 'D', long: 'allow-reuse', group: 'reuse' },
  { short: 'f', long: 'force', group: 'force' },
  { short: 'l', long: 'label', group: 'label', read: text },
  { short: 'i', long: 'issuer', group: 'issuer', read: text },
  { short: 'q', long: 'quiet', group: 'quiet' },
  { short: 'Q', long: 'qr-mode', group: 'qr-mode', read: oneOf(QR_MODES) },
  { short: 'r', long: 'rate-limit', group: 'rate-limit', read: number(1, 10) },
  { short: 'R', long: 'rate-time', group: 'rate-time', read: number(15, 600) },
  { short: 'u', long: 'no-rate-limit', group: 'no-rate-limit' },
  { short: 's', long: 'secret', group: 'secret', read: notEmpty },
  { short: 'S', long: 'step-size', group: 'step', read: number(1, 60) },
  { short: 'w', long: 'window-size', group: 'window', read: number(1, 21) },
  { short: 'W', long: 'minimal-window', group: 'window' },
  { short: 'e', long: 'emergency-codes', group: 'emergency-codes', read: number(0, 10) },
  { ours: true, long: 'period', group: 'step', read: number(1, 120) },
  { ours: true, long: 'algorithm', group: 'algorithm', read: oneOf(['sha1', 'sha256', 'sha512']) },
  { ours: true, long: 'digits', group: 'digits', read: number(6, 8) },
  { ours: true, long: 'name', group: 'name', read: notEmpty },
  { ours: true, long: 'user', group: 'user', read: notEmpty },
  { ours: true, long: 'own-secret', group: 'own-secret' },
  { ours: true, long: 'json', group: 'json', repeats: true },
  { ours: true, long: 'plain', group: 'plain', repeats: true },
];

/**
 * The flags of the setup as they are written, for completion.
 *
 * @returns each with its dashes
 */
export function flagWords(): string[] {
  return FLAGS.flatMap(({ short, long }) => [...(short === undefined ? [] : [`-${short}`]), `--${long}`]);
}

/** The given flags: long name to value, or true without a value. */
type Given = Map<string, unknown>;

/**
 * Reads the command line of the setup as getopt_long does: short flags may be combined, long ones may be abbreviated while they
 * stay unambiguous, and a value may follow with or without a blank or `=`.
 *
 * @param words - after the name of the program
 * @returns the flags
 * @throws FlagError when a flag is unknown, doubled, out of its range, or does not go with another
 */
export function parseFlags(words: readonly string[]): SetupFlags {
  const given = collect(words);
  if (given.has('help') || given.has('version')) {
    return { ...toFlags(given), show: given.has('help') ? 'help' : 'version' };
  }
  assertCombination(given);
  return toFlags(given);
}

function collect(words: readonly string[]): Given {
  const given: Given = new Map();
  const groups = new Set<string>();
  const rest = [...words];
  const put = (flag: Flag, shown: string, value: string | undefined): void => {
    if (groups.has(flag.group) && flag.repeats !== true) {
      throw new FlagError(`Duplicate ${shown} option detected`);
    }
    groups.add(flag.group);
    given.set(flag.long, valueOf(flag, shown, value ?? (flag.read === undefined ? undefined : rest.shift())));
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith('--') && word !== '--') {
      const [name = '', ...parts] = word.slice(2).split('=');
      const flag = longFlag(name);
      if (flag.read === undefined && parts.length > 0) {
        throw new FlagError(`--${flag.long} takes no value`);
      }
      put(flag, `--${flag.long}`, parts.length > 0 ? parts.join('=') : undefined);
    } else if (/^-[^-]/.test(word)) {
      for (let letters = word.slice(1); letters !== '';) {
        const flag = FLAGS.find(({ short }) => short === letters.charAt(0));
        if (flag === undefined) {
          throw new FlagError(`unknown option -${letters.charAt(0)}`);
        }
        const tail = letters.slice(1);
        letters = flag.read === undefined ? tail : '';
        put(flag, `-${flag.short ?? ''}`, flag.read === undefined || tail === '' ? undefined : tail);
      }
    } else {
      throw new FlagError(
        `unexpected argument ${JSON.stringify(word)}; to set up somebody else: --user=NAME`,
      );
    }
  }
  return given;
}

function longFlag(name: string): Flag {
  const exact = FLAGS.find(({ long }) => long === name);
  const begins = FLAGS.filter(({ long }) => long.startsWith(name));
  // Abbreviations that are unambiguous in google-authenticator stay valid, despite our own flags.
  const known = begins.filter(({ ours }) => ours !== true);
  const matching = exact !== undefined ? [exact] : known.length > 0 ? known : begins;
  const [flag, another] = matching;
  if (flag === undefined || name === '') {
    throw new FlagError(`unknown option --${name}`);
  }
  if (another !== undefined) {
    throw new FlagError(`--${name} may be ${matching.map(({ long }) => `--${long}`).join(' or ')}`);
  }
  return flag;
}

function valueOf({ read }: Flag, shown: string, value: string | undefined): unknown {
  if (read === undefined) {
    return true;
  }
  if (value === undefined) {
    throw new FlagError(`${shown} needs a value`);
  }
  try {
    return read(value);
  } catch (error) {
    throw new FlagError(`${shown} ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}

function assertCombination(given: Given): void {
  const has = (...names: readonly string[]): boolean => names.some((name) => given.has(name));
  const rules: readonly [boolean, string][] = [
    [
      has('disallow-reuse', 'allow-reuse') && has('counter-based'),
      'Reuse of tokens is not a meaningful parameter in counter-based mode',
    ],
    [
      has('disallow-reuse', 'allow-reuse') && !has('time-based'),
      'Must select time-based mode, when using -d or -D',
    ],
    [has('no-rate-limit') && has('rate-limit', 'rate-time'), '-u does not go with -r or -R'],
    [has('rate-limit') !== has('rate-time'), '-r and -R go together: give both, or none'],
    [
      has('secret') && (given.get('algorithm') ?? 'sha1') !== 'sha1',
      'A file of --secret knows SHA-1 only: leave --algorithm or --secret out',
    ],
    [
      has('secret') && (given.get('digits') ?? 6) !== 6,
      'A file of --secret knows codes of 6 digits only: leave --digits or --secret out',
    ],
    [
      has('secret') && Number(given.get('period') ?? 30) > 60,
      'A file of --secret knows time steps of 1 to 60 seconds',
    ],
    [
      !has('secret') && Number(given.get('step-size') ?? MIN_NEW_PERIOD) < MIN_NEW_PERIOD,
      `-S must be a number from ${MIN_NEW_PERIOD} to 60: shorter codes run out while they are typed. A file of --secret takes 1 to 60`,
    ],
    [
      !has('secret') && Number(given.get('period') ?? MIN_NEW_PERIOD) < MIN_NEW_PERIOD,
      `--period must be a number from ${MIN_NEW_PERIOD} to ${MAX_NEW_PERIOD}: shorter codes run out while they are typed`,
    ],
    [has('secret') && has('name', 'user'), '--name and --user are for the store: leave them or --secret out'],
  ];
  const broken = rules.find(([is]) => is);
  if (broken !== undefined) {
    throw new FlagError(broken[1]);
  }
}

function toFlags(given: Given): SetupFlags {
  const value = (name: string): unknown => given.get(name);
  const choice = <T>(choices: readonly (readonly [string, T])[]): T | undefined =>
    choices.find(([name]) => given.has(name))?.[1];
  const attempts = value('rate-limit') as number | undefined;
  const seconds = value('rate-time') as number | undefined;
  const limit =
    attempts === undefined || seconds === undefined
      ? choice([['no-rate-limit', 'none' as const]])
      : { attempts, seconds };
  const flags = {
    kind: choice([
      ['time-based', 'totp'],
      ['counter-based', 'hotp'],
    ] as const),
    reuse: choice([
      ['disallow-reuse', 'disallow'],
      ['allow-reuse', 'allow'],
    ] as const),
    window: (value('window-size') as number | undefined) ?? choice([['minimal-window', 'minimal' as const]]),
    limit,
    label: value('label') as string | undefined,
    issuer: value('issuer') as string | undefined,
    qrMode: (value('qr-mode') as QrMode | undefined) ?? choice([['plain', 'NONE' as const]]),
    secretFile: value('secret') as string | undefined,
    period: (value('step-size') as number | undefined) ?? (value('period') as number | undefined),
    emergencyCodes: value('emergency-codes') as number | undefined,
    algorithm: value('algorithm') as 'sha1' | 'sha256' | 'sha512' | undefined,
    digits: value('digits') as 6 | 7 | 8 | undefined,
    name: value('name') as string | undefined,
    user: value('user') as string | undefined,
  };
  return {
    ...(Object.fromEntries(
      Object.entries(flags).filter(([, said]) => said !== undefined),
    ) as Partial<SetupFlags>),
    confirm: !given.has('no-confirm'),
    force: given.has('force'),
    quiet: given.has('quiet'),
    ownSecret: given.has('own-secret'),
    json: given.has('json'),
  };
}
