import type { Advance, Ledger } from '../../ledger/ledger.ts';
import { markKey } from '../../ledger/mark-key.ts';
import type { HomeAttempt } from './attempt.ts';
import { withCounter } from './counter-based.ts';
import { modeOf, stepSizeOf, windowSizeOf } from './settings.ts';
import { optionValue, scratchCodes, withoutScratchCode } from './state-file.ts';

type Accepted = Extract<HomeAttempt['result'], { kind: 'accepted' }>;

/*
 * What the ledger knows about a file's codes. The file itself is authoritative. But it forgets old steps, and it may not be
 * writable.
 */

/** The owner of codes. The keys of the marks are made from these fields. */
export interface CodeOwner {
  readonly user: string;
  /** The file's secret. */
  readonly secret: Uint8Array;
}

/**
 * The file as it would be if it had always been writable: without the scratch codes that were used meanwhile, and with the
 * counter after the last right code.
 *
 * @param ledger - has the marks
 * @param owner - whose codes
 * @param text - of the file
 * @returns the text; unchanged if nothing is missing in it
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
 * @param ledger - has the marks
 * @param owner - whose codes
 * @param code - what was typed
 * @returns whether it is
 */
export function wasUsedUnwritten(ledger: Ledger, owner: CodeOwner, code: Buffer): boolean {
  return ledger.mark(scratchKey(owner, Number(code.toString('latin1')))) !== undefined;
}

/**
 * The largest accepted steps: of all time, and while the file could not be written.
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
 * Remembers the step of an accepted code, so that learning a clock later does not make old codes valid.
 *
 * @param ledger - where
 * @param owner - whose code
 * @param text - of the file
 * @param accepted - the code
 * @returns `spent` if a later step was accepted before
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
      // If codes may be used again, something else could not be written, such as a learnt clock, which also counts only once.
      if (optionValue(text, 'DISALLOW_REUSE') === undefined && accepted.steps.length === 1) {
        return 'advanced';
      }
      return ledger.advance(unwrittenStepKey(owner, text), Math.max(...accepted.steps), timeStep(text));
  }
}

/** The same key as in the store, so a secret that is moved there keeps its marks. */
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

/** How long a code could be replayed: the window, in both directions. */
function timeStep(text: string): { kind: 'time-step'; validFor: number } {
  const window = windowSizeOf(text);
  return { kind: 'time-step', validFor: seconds(text) * (typeof window === 'number' ? window + 1 : 1) };
}
