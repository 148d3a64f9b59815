import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import type { Changed, Limit, NewFactor, UserView } from '../../contracts/control-requests.ts';
import { encodeBase32 } from '../../factors/base32.ts';
import { LOOK_AHEAD, type Hotp } from '../../factors/hotp.ts';
import { newRecoveryCodes } from '../../factors/recovery-code.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW, type Totp } from '../../factors/totp.ts';
import { CommandError } from '../session/control-client.ts';
import { newSecret, phoneUri, stepOfCode } from '../secrets/otp.ts';
import { parseSecret } from '../secrets/own-secret.ts';
import { change, checkChange } from '../session/ask-with-proof.ts';
import { yesOrNo } from '../terminal/questions.ts';
import type { Session } from '../session/session.ts';
import { showSecret } from '../secrets/show-secret.ts';
import { whoseWords } from '../session/whose.ts';
import { confirmCode, type Confirmed } from './confirm.ts';
import type { SetupFlags } from './flags.ts';
import { assertWritable, secretFileText, writeSecretFile } from './secret-file.ts';
import { SETUP_TEXTS } from './texts.ts';

const USUAL_LIMIT: Limit = { attempts: 3, seconds: 30 };
const WIDE_WINDOW = 17;
/** In the store; in a file it is {@link WIDE_WINDOW}, as google-authenticator has it. */
const WIDE_LOOK_AHEAD = 21;
/** What google-authenticator writes for counters. */
const FILE_LOOK_AHEAD = 3;
const USUAL_CODES = { store: 10, file: 5 } as const;

/** The result of all answers, before anything is changed. */
interface Answers {
  readonly factor: Totp | Hotp;
  readonly confirmed: Confirmed;
  /** Recovery codes for the store, scratch codes for a file. */
  readonly codes: readonly string[];
  readonly disallowReuse: boolean;
  readonly window: number;
  readonly limit: Limit | undefined;
}

/**
 * Sets up a new TOTP or HOTP factor: asks about everything that the flags leave open, and makes all changes together at the end.
 * So the person can cancel at any point before.
 *
 * @param session - connection, questions and output
 * @param flags - what the command line says
 * @throws CommandError when it is refused
 * @throws NoAnswerError when the person cancels
 */
export async function setUp(session: Session, flags: SetupFlags): Promise<void> {
  const user = flags.user ?? session.self();
  if (flags.secretFile !== undefined) {
    assertWritable(flags.secretFile);
  }
  const view = flags.secretFile === undefined ? await viewOf(session, user, flags) : undefined;
  const answers = await ask(session, flags, user, view);
  if (answers === undefined) {
    session.output.note(SETUP_TEXTS.nothingChanged);
    return;
  }
  if (flags.secretFile === undefined) {
    await saveInStore(session, flags, user, answers);
  } else {
    saveInFile(session, flags, flags.secretFile, user, answers);
  }
}

/** Reports early what cannot work, and that a code will be needed. */
async function viewOf(session: Session, user: string, flags: SetupFlags): Promise<UserView> {
  const { name, algorithm, digits, period, window, limit } = flags;
  const token = {
    name,
    algorithm,
    digits,
    limit: limit === 'none' ? undefined : limit,
    window: typeof window === 'number' ? window : undefined,
  };
  const factor: NewFactor =
    flags.kind === 'hotp' ? { kind: 'hotp', ...token } : { kind: 'totp', ...token, period };
  const view = await checkChange(session, user, [{ do: 'add', factor }], flags.quiet);
  if (!flags.quiet && view.factors.length > 0) {
    const names = view.factors.map(({ name: called, kind }) => `${called} (${kind})`).join(', ');
    session.output.note(SETUP_TEXTS.another(user, names));
  }
  return view;
}

async function ask(
  session: Session,
  flags: SetupFlags,
  user: string,
  view: UserView | undefined,
): Promise<Answers | undefined> {
  const { output, questions } = session;
  const silent = flags.quiet && flags.force;
  const decide = async (known: boolean | undefined, question: string, usual: boolean): Promise<boolean> =>
    known ?? (silent ? usual : await yesOrNo(questions, question, usual));

  const timeBased = await decide(
    flags.kind === undefined ? undefined : flags.kind === 'totp',
    SETUP_TEXTS.timeBased,
    true,
  );
  let factor = await newFactor(session, flags, timeBased);
  const show = (): void => showSecret(output, factor, wishesOf(flags, user));
  let confirmed: Confirmed;
  if (!flags.quiet && !flags.json) {
    show();
    if (flags.confirm) {
      // The caller alone owns the file. For the store, the check of logins also checks the first code.
      const find = flags.secretFile === undefined ? undefined : stepOfCode;
      confirmed = await confirmCode(session, factor, show, find);
    }
  }
  if ('counter' in factor && confirmed !== undefined) {
    factor = { ...factor, counter: confirmed + 1 };
  }
  const codes = codesFor(flags, view);
  if (!flags.quiet && !flags.json) {
    showCodes(session, codes, view);
  }
  if (!flags.force && !(await yesOrNo(questions, SETUP_TEXTS.save(flags.secretFile, user), true))) {
    return undefined;
  }
  const inFile = flags.secretFile !== undefined;
  const disallowReuse = !timeBased
    ? true
    : inFile
      ? await decide(
          flags.reuse === undefined ? undefined : flags.reuse === 'disallow',
          SETUP_TEXTS.disallowReuse,
          true,
        )
      : singleUse(session, flags);
  const wide = flags.window === undefined && (await decide(undefined, windowText(timeBased, inFile), false));
  const limited = flags.limit === undefined && (await decide(undefined, SETUP_TEXTS.limit, true));
  return {
    factor,
    confirmed,
    codes,
    disallowReuse,
    window: windowOf(flags, timeBased, wide, inFile),
    limit: flags.limit === 'none' ? undefined : (flags.limit ?? (limited ? USUAL_LIMIT : undefined)),
  };
}

/** In the store, each code works only once. If the flags say otherwise, the setup says so. */
function singleUse({ output }: Session, flags: SetupFlags): true {
  if (flags.reuse === 'allow' || (!flags.quiet && !flags.json)) {
    output.note(flags.reuse === 'allow' ? SETUP_TEXTS.reuseRefused : SETUP_TEXTS.singleUse);
  }
  return true;
}

async function newFactor(session: Session, flags: SetupFlags, timeBased: boolean): Promise<Totp | Hotp> {
  const algorithm = flags.algorithm ?? 'sha1';
  const secret = flags.ownSecret ? await ownSecret(session) : newSecret(algorithm);
  const generator = { secret, algorithm, digits: flags.digits ?? 6 } as const;
  return timeBased
    ? { ...generator, period: flags.period ?? DEFAULT_PERIOD, window: DEFAULT_WINDOW }
    : // A counter of 0 means "no counter" to pam_google_authenticator.
      { ...generator, counter: flags.secretFile === undefined ? 0 : 1 };
}

async function ownSecret({ questions }: Session): Promise<Buffer> {
  const secret = parseSecret(await questions.ask(SETUP_TEXTS.ownSecret));
  if (secret === undefined) {
    throw new CommandError('ERR_SECRET', SETUP_TEXTS.badSecret);
  }
  return secret;
}

function codesFor(flags: SetupFlags, view: UserView | undefined): string[] {
  if (view === undefined) {
    const count = flags.emergencyCodes ?? USUAL_CODES.file;
    return Array.from({ length: count }, () => String(randomInt(10_000_000, 100_000_000)));
  }
  // Recovery codes that were not shown are useless.
  const useless = flags.quiet && !flags.json;
  const count = flags.emergencyCodes ?? USUAL_CODES.store;
  return useless || hasCodes(view) ? [] : newRecoveryCodes().slice(0, count);
}

function hasCodes(view: UserView | undefined): boolean {
  return view?.factors.some(({ kind }) => kind === 'recovery') === true;
}

function showCodes({ output }: Session, codes: readonly string[], view: UserView | undefined): void {
  if (codes.length > 0) {
    output.line(SETUP_TEXTS.codes);
    codes.forEach((code) => output.line(`  ${code}`));
  } else if (hasCodes(view)) {
    output.note(SETUP_TEXTS.codesKept);
  }
}

function windowText(timeBased: boolean, inFile: boolean): string {
  return timeBased
    ? SETUP_TEXTS.timeWindow
    : SETUP_TEXTS.counterWindow(usualLookAhead(inFile), wideWindow(timeBased, inFile));
}

function wideWindow(timeBased: boolean, inFile: boolean): number {
  return timeBased || inFile ? WIDE_WINDOW : WIDE_LOOK_AHEAD;
}

function usualLookAhead(inFile: boolean): number {
  return inFile ? FILE_LOOK_AHEAD : LOOK_AHEAD;
}

/** `-W` is 3 for time steps and 1 for counters, as google-authenticator has it. */
function windowOf({ window }: SetupFlags, timeBased: boolean, wide: boolean, inFile: boolean): number {
  if (typeof window === 'number') {
    return window;
  }
  if (window === 'minimal') {
    return timeBased ? 3 : 1;
  }
  return wide ? wideWindow(timeBased, inFile) : timeBased ? DEFAULT_WINDOW : usualLookAhead(inFile);
}

function wishesOf(flags: SetupFlags, user: string): Parameters<typeof showSecret>[2] {
  return { issuer: flags.issuer ?? hostname(), label: flags.label ?? user, mode: flags.qrMode };
}

async function saveInStore(
  session: Session,
  flags: SetupFlags,
  user: string,
  { factor, confirmed, codes, window, limit }: Answers,
): Promise<void> {
  const { algorithm, digits } = factor;
  const token = { name: flags.name, algorithm, digits, window, limit, secret: encodeBase32(factor.secret) };
  const wanted: NewFactor =
    'period' in factor
      ? { kind: 'totp', ...token, period: factor.period, usedStep: confirmed }
      : { kind: 'hotp', ...token, counter: factor.counter };
  const changed = await change(session, user, [
    { do: 'add', factor: wanted },
    ...(codes.length === 0 ? [] : [{ do: 'add', factor: { kind: 'recovery', codes } } as const]),
  ]);
  report(session, flags, user, factor, changed, codes);
}

function report(
  session: Session,
  flags: SetupFlags,
  user: string,
  factor: Totp | Hotp,
  { added }: Changed,
  codes: readonly string[],
): void {
  const { output } = session;
  const [token] = added;
  if (flags.json) {
    const { issuer, label } = wishesOf(flags, user);
    output.line(JSON.stringify({ ...token, uri: phoneUri(factor, issuer, label), codes }));
  } else if (!flags.quiet && token !== undefined) {
    output.line(
      SETUP_TEXTS.saved(token.user, token.factor.name, token.factor.id, whoseWords(session, token.user)),
    );
  }
}

function saveInFile(
  { output }: Session,
  flags: SetupFlags,
  file: string,
  user: string,
  { factor, codes, ...settings }: Answers,
): void {
  writeSecretFile(file, secretFileText(factor, { ...settings, scratchCodes: codes }));
  if (flags.json) {
    const { issuer, label } = wishesOf(flags, user);
    const uri = phoneUri(factor, issuer, label);
    output.line(JSON.stringify({ file, secret: encodeBase32(factor.secret), uri, codes }));
  } else if (!flags.quiet) {
    output.line(SETUP_TEXTS.written(file));
  }
}
