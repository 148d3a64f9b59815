import type { Advance, Ledger } from '../../ledger/ledger.ts';
import { markKey } from '../../ledger/mark-key.ts';
import type { HomeAttempt } from './attempt.ts';
import { withCounter } from './counter-based.ts';
import { modeOf, stepSizeOf, windowSizeOf } from './settings.ts';
import { optionValue, scratchCodes, withoutScratchCode } from './state-file.ts';

type Accepted = Extract<HomeAttempt['result'], { kind: 'accepted' }>;

/*
 * What the ledger knows of a file's codes. The file itself is what counts; but it forgets which steps were used long ago, and it may
 * not be writable.
 */

/** Whose codes: the keys of the marks come from these. */
export interface CodeOwner {
  readonly user: string;
  /** The file's secret. */
  readonly secret: Uint8Array;
}

/**
 * The file as it would be if everything had been written that could not be: without the scratch codes that were used meanwhile, and
 * with the counter behind the last that was right.
 *
 * @param ledger - where it was remembered
 * @param owner - whose codes
 * @param text - of the file
 * @returns the text; equal when nothing is missing in it
 */
export function asIfWritten(ledger: Pick<Ledger, 'mark'>, owner: CodeOwner, text: string): string {
  const known = (key: string): number | undefined => ledger.mark(key)?.value;
  let written = text;
  for (const code of scratchCodes(text)) {
    if (known(scratchKey(owner, code)) !== undefined) {
      written = withoutScratchCode(written, code) ?? written;
    }
  }
  const mode = modeOf(written);
  const used = known(counterKey(owner)) ?? -1;
  return mode.kind === 'hotp' && used >= mode.counter ? withCounter(written, used + 1) : written;
}

/**
 * Whether a code is a scratch code that was used while the file could not be written.
 *
 * @param ledger - where that was remembered
 * @param owner - whose codes
 * @param code - what was typed
 * @returns whether it is
 */
export function wasUsedUnwritten(ledger: Ledger, owner: CodeOwner, code: Buffer): boolean {
  return ledger.mark(scratchKey(owner, Number(code.toString('latin1')))) !== undefined;
}

/**
 * The largest steps that were accepted: ever, and while the file could not be written.
 *
 * @param ledger - where they are kept
 * @param owner - whose codes
 * @param text - of the file
 * @returns the steps, -1 for none
 */
export function lastSteps(
  ledger: Ledger,
  owner: CodeOwner,
  text: string,
): { readonly lastStep: number; readonly unwrittenStep: number } {
  const of = (key: string): number => ledger.mark(key)?.value ?? -1;
  return { lastStep: of(stepKey(owner, text)), unwrittenStep: of(unwrittenStepKey(owner, text)) };
}

/**
 * Remembers the step of an accepted code, so that a clock that is learnt later does not make old codes good.
 *
 * @param ledger - where
 * @param owner - whose code
 * @param text - of the file
 * @param accepted - the code
 * @returns `spent` when a later one was accepted before
 */
export async function rememberStep(
  ledger: Ledger,
  owner: CodeOwner,
  text: string,
  accepted: Accepted,
): Promise<Advance> {
  return accepted.steps.length === 0
    ? 'advanced'
    : ledger.advance(stepKey(owner, text), Math.max(...accepted.steps), timeStep(text));
}

/**
 * Uses a code up in the ledger, because the file cannot be written.
 *
 * @param ledger - where
 * @param owner - whose code
 * @param text - of the file before
 * @param attempt - the accepted code, and the file's text that could not be written
 * @param code - what was typed, in the right reading
 * @returns how it ended; only `advanced` lets anybody in
 */
export async function useUnwritten(
  ledger: Ledger,
  owner: CodeOwner,
  text: string,
  attempt: { readonly text: string; readonly accepted: Accepted },
  code: Buffer,
): Promise<Advance> {
  const { accepted } = attempt;
  switch (accepted.factor) {
    case 'scratch':
      return ledger.advance(scratchKey(owner, Number(code.toString('latin1'))), 1, { kind: 'counter' });
    case 'hotp': {
      const mode = modeOf(attempt.text);
      return mode.kind === 'hotp'
        ? ledger.advance(counterKey(owner), mode.counter - 1, { kind: 'counter' })
        : 'unavailable';
    }
    case 'totp':
      // Where codes may be used again, it is something else that could not be written. A clock that was learnt is learnt once.
      if (optionValue(text, 'DISALLOW_REUSE') === undefined && accepted.steps.length === 1) {
        return 'advanced';
      }
      return ledger.advance(unwrittenStepKey(owner, text), Math.max(...accepted.steps), timeStep(text));
  }
}

/** The store's own key: a secret that is moved there takes its marks along. */
function stepKey({ user, secret }: CodeOwner, text: string): string {
  return markKey(user, `totp/${seconds(text)}`, secret);
}

function unwrittenStepKey({ user, secret }: CodeOwner, text: string): string {
  return markKey(user, `home/unwritten/${seconds(text)}`, secret);
}

function counterKey({ user, secret }: CodeOwner): string {
  return markKey(user, 'home/counter', secret);
}

function scratchKey({ user, secret }: CodeOwner, code: number): string {
  const known = Buffer.concat([secret, Buffer.from(` ${code}`)]);
  const key = markKey(user, 'home/scratch', known);
  known.fill(0);
  return key;
}

function seconds(text: string): number {
  const size = stepSizeOf(text);
  return typeof size === 'number' ? size : 0;
}

/** How long a code can be replayed: the window, to both sides. */
function timeStep(text: string): { kind: 'time-step'; validFor: number } {
  const window = windowSizeOf(text);
  return { kind: 'time-step', validFor: seconds(text) * (typeof window === 'number' ? window + 1 : 1) };
}
