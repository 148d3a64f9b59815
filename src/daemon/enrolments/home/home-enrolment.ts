import { LARGEST_FILE } from '../../../host/user-files.ts';
import type { CodeShape, TypedCode } from '../../../factors/code-shape.ts';
import type { Ledger, WholeLedger } from '../../ledger/ledger.ts';
import type { Enrolment, Verification } from '../enrolment.ts';
import type { LookupOptions } from '../../../config/lookup-options.ts';
import { attempt, type HomeAttempt } from './attempt.ts';
import type { HomeFiles, ReplaceResult } from './file-access.ts';
import { troubleWith, unfitness, type Owner } from './fitness.ts';
import { withLogin } from './grace-period.ts';
import type { OneAtATime } from '../one-at-a-time.ts';
import type { UnwrittenAttempts } from './rate-limit.ts';
import { secretOf } from './settings.ts';
import {
  asIfWritten,
  lastSteps,
  rememberStep,
  useUnwritten,
  wasUsedUnwritten,
  type CodeOwner,
} from './used-codes.ts';
import { writeErrorNotice } from './write-errors.ts';

/* An enrolment in a file: checks an answer, then writes the file back. */

/** Codes from the phone, then scratch codes. An answer that could be both is read in this order. */
const SHAPES: readonly CodeShape[] = [
  { class: 'digits', length: 6 },
  { class: 'digits', length: 8 },
];

/** The most attempts to write, if another program keeps changing the same file. */
const MAX_TRIES = 8;
const FACTOR = 'home';

/** What files are checked with. */
export interface HomePorts {
  readonly files: HomeFiles;
  readonly ledger: WholeLedger;
  readonly unwritten: UnwrittenAttempts;
  /** Attempts on one file wait for each other. */
  readonly oneAtATime: OneAtATime;
  /** Whether the daemon also counts guesses for these users; if not, only the file's own limit applies. */
  readonly throttle: boolean;
}

/** One user's file, and what a login says about it. */
export interface HomeFile {
  /** The name that marks are kept under. */
  readonly user: string;
  /** Uid of that name; undefined if there is no such account and the file belongs to another one. */
  readonly uid: number | undefined;
  readonly owner: Owner;
  readonly path: string;
  /** Whether the owner can always replace the file. Then nobody tells the daemon when its secret is no longer in use. */
  readonly ownersOwn: boolean;
  readonly rhost: string | undefined;
  readonly options: LookupOptions;
}

type Rejected = Extract<Verification, { kind: 'rejected' }>;

/**
 * An enrolment in a file of pam_google_authenticator. Every change is written before the verdict, and only if the file is still
 * as it was read. If it changed, the whole check is repeated.
 *
 * @param ports - files and ledger
 * @param file - whose, where
 * @returns the enrolment, for one login
 */
export function homeEnrolment(ports: HomePorts, file: HomeFile): Enrolment {
  let counted = false;
  return {
    shapes: SHAPES,
    quiet: true,
    countsItself: !ports.throttle,
    guessedAt: `${file.owner.uid} ${file.path}`,
    verify: (readings, now, more = false) =>
      ports.oneAtATime.run(`${file.owner.uid} ${file.path}`, async () => {
        const tried: Tried = { readings, now: Math.floor(now / 1000), more, counted };
        counted = true;
        return untilUnchanged(ports, file, tried);
      }),
  };
}

interface Tried {
  readonly readings: readonly TypedCode[];
  /** Seconds since 1970. */
  readonly now: number;
  readonly more: boolean;
  /** Whether the file has counted this login already. */
  readonly counted: boolean;
}

async function untilUnchanged(ports: HomePorts, file: HomeFile, tried: Tried): Promise<Verification> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const outcome = await once(ports, file, tried);
    if (outcome !== 'changed') {
      return outcome;
    }
  }
  return {
    kind: 'rejected',
    reason: 'not-recorded',
    factor: FACTOR,
    why: `Secret file ${file.path} is changed by other programs all the time`,
  };
}

async function once(
  { files, ledger: all, unwritten: attempts }: HomePorts,
  file: HomeFile,
  tried: Tried,
): Promise<Verification | 'changed'> {
  const { user, uid, gid } = { user: file.owner.name, uid: file.owner.uid, gid: file.owner.gid };
  const who = { user, uid, gid, path: file.path };
  const ledger = all.of({ uid: file.uid, keep: file.ownersOwn ? 'while-room' : 'always' });
  const read = await files.read({ ...who, maxBytes: LARGEST_FILE });
  if (read.kind !== 'read') {
    return unreadable(file, read);
  }
  try {
    const unfit = unfitness(file.path, read, file.owner, file.options);
    if (unfit !== undefined) {
      return unusable(unfit);
    }
    const text = read.contents.toString('latin1');
    const secret = secretOf(text);
    const owner: CodeOwner = { user: file.user, secret: secret ?? Buffer.alloc(0) };
    try {
      const before = attempts.applied(file.path, asIfWritten(ledger, owner, text));
      const tries = judge(ledger, owner, before, file, tried);
      if (tries.text === before) {
        return await settle(ledger, owner, before, tries);
      }
      const contents = Buffer.from(tries.text, 'latin1');
      const written = await files.replace({ ...who, expected: read.contents, contents });
      contents.fill(0);
      if (written.kind === 'replaced') {
        attempts.forget(file.path);
        return await settle(ledger, owner, before, tries);
      }
      if (written.kind === 'failed' && WRITING.has(written.step) && !tried.counted) {
        attempts.add(file.path, tried.now);
      }
      return await unwritten(ledger, owner, before, tries, { file, tried, written });
    } finally {
      secret?.fill(0);
    }
  } finally {
    read.contents.fill(0);
  }
}

/** The result of the answer and the new text, with a note of this login if the option asks for it. */
function judge(
  ledger: Ledger,
  owner: CodeOwner,
  text: string,
  { options, rhost }: HomeFile,
  { readings, now, more, counted }: Tried,
): HomeAttempt {
  const tries = attempt(
    text,
    readings.map((reading) => ({ code: reading.text })),
    {
      ...lastSteps(ledger, owner, text),
      now,
      counted,
      adjustSkew: options.adjustSkew,
      // The person will be asked again, and the stacked text may be just a password.
      incrementCounter: options.incrementCounter && !more,
    },
  );
  if (
    tries.result.kind === 'rejected' &&
    readings.some((reading) => wasUsedUnwritten(ledger, owner, reading.text))
  ) {
    return { ...tries, result: { kind: 'rejected', reason: 'code-already-used' } };
  }
  return tries.result.kind === 'accepted' && options.gracePeriod > 0
    ? { ...tries, text: withLogin(tries.text, rhost, now) }
    : tries;
}

/** The file has been written. */
async function settle(
  ledger: Ledger,
  owner: CodeOwner,
  before: string,
  { result }: HomeAttempt,
): Promise<Verification> {
  if (result.kind === 'rejected') {
    return rejected(result);
  }
  const remembered = await rememberStep(ledger, owner, before, result);
  // A later step may have been accepted before. If that matters, the file has already refused it.
  return remembered === 'unavailable' && result.steps.length > 1
    ? { kind: 'unavailable', factor: factorOf(result), why: 'the use of the code cannot be recorded' }
    : { kind: 'accepted', factor: factorOf(result), reading: result.reading };
}

/** Nothing was written, or it is unknown whether it was. */
async function unwritten(
  ledger: Ledger,
  owner: CodeOwner,
  before: string,
  { text, result }: HomeAttempt,
  how: { readonly file: HomeFile; readonly tried: Tried; readonly written: ReplaceResult },
): Promise<Verification | 'changed'> {
  const { file, tried, written } = how;
  if (written.kind === 'changed' || written.kind === 'missing' || written.kind === 'unfit') {
    return 'changed';
  }
  if (written.kind !== 'failed' || !WRITING.has(written.step)) {
    return written.kind === 'failed' && written.code === 'EAGAIN'
      ? 'changed'
      : { kind: 'unavailable', factor: FACTOR, why: `Failed to update ${file.path}: ${said(written)}` };
  }
  const notice = writeErrorNotice(written.code);
  const told = notice === undefined ? {} : { notice };
  const why = `Failed to update secret file ${file.path}: ${written.code}`;
  if (result.kind === 'rejected') {
    return { ...rejected(result), ...told };
  }
  const factor = factorOf(result);
  if (!file.options.allowReadOnly) {
    return { kind: 'rejected', reason: 'not-recorded', factor, why, ...told };
  }
  const code = tried.readings[result.reading]?.text ?? Buffer.alloc(0);
  switch (await useUnwritten(ledger, owner, before, { text, accepted: result }, code)) {
    case 'advanced':
      await rememberStep(ledger, owner, before, result);
      return { kind: 'accepted', factor, reading: result.reading, ...told };
    case 'spent':
      return { kind: 'rejected', reason: 'code-already-used', factor, ...told };
    case 'unavailable':
      return { kind: 'rejected', reason: 'not-recorded', factor, why, ...told };
  }
}

/** The steps of replacing a file at which the file system can refuse. `allow_readonly` tolerates these failures. */
const WRITING: ReadonlySet<string> = new Set(['create', 'write', 'sync', 'rename']);

function said(result: ReplaceResult): string {
  return result.kind === 'failed' || result.kind === 'no-reader' ? result.code : result.kind;
}

function unreadable(
  file: HomeFile,
  read: Exclude<Parameters<typeof troubleWith>[1], undefined>,
): Verification {
  const trouble = read.kind === 'missing' ? `Secret file ${file.path} is gone` : troubleWith(file.path, read);
  return trouble === undefined
    ? { kind: 'unavailable', factor: FACTOR, why: `Failed to read ${file.path}: ${read.kind}` }
    : unusable(trouble);
}

function unusable(why: string): Rejected {
  return { kind: 'rejected', reason: 'record-unusable', factor: FACTOR, why };
}

function rejected({ reason, why }: Extract<HomeAttempt['result'], { kind: 'rejected' }>): Rejected {
  const because = why === undefined ? {} : { why };
  return reason === 'bad-file'
    ? { kind: 'rejected', reason: 'record-unusable', factor: FACTOR, ...because }
    : { kind: 'rejected', reason, factor: FACTOR, ...because };
}

function factorOf({ factor }: Extract<HomeAttempt['result'], { kind: 'accepted' }>): string {
  return `${FACTOR}:${factor}`;
}
