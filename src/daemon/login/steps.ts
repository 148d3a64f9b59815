import type { Advance, Claim, Claims } from '../ledger/ledger.ts';
import type { Prompt } from '../wire/prompt.ts';
import type { Reply } from './reply.ts';

/* The generator that a login is: what it waits for, and who runs it. */

/** The things that a login waits for. It runs without a stop in between. */
export type Wait =
  /** The person. Continues with a {@link Reply}. */
  | { readonly for: 'answer'; readonly prompt: Prompt }
  /** Something slow: a home, Proxmox, groups, a validation server. Continues with the promise's value. */
  | { readonly for: 'result'; readonly promise: Promise<unknown> }
  /** The disk. Continues with an {@link Advance}. */
  | { readonly for: 'commit'; readonly claim: Claim };

/** Work that runs without a stop from one {@link Wait} to the next. Its runner waits, and continues it with the result. */
export type Steps<T> = Generator<Wait, T, unknown>;

/**
 * Asks the person.
 *
 * @param prompt - the question
 * @returns the answer, whose bytes the caller wipes
 */
export function* ask(prompt: Prompt): Steps<Reply> {
  return (yield { for: 'answer', prompt }) as Reply;
}

/**
 * The value of an answer that may be a promise.
 *
 * @param answer - the value, or a promise of it
 * @returns the value
 */
export function* resultOf<T>(answer: T | Promise<T>): Steps<T> {
  return answer instanceof Promise ? ((yield { for: 'result', promise: answer }) as T) : answer;
}

/**
 * Makes a claim durable, together with the claims of other logins at this moment.
 *
 * @param claim - from the ledger
 * @returns how it ended
 */
export function* committed(claim: Claim): Steps<Advance> {
  return (yield { for: 'commit', claim }) as Advance;
}

/**
 * Runs work that asks nobody, and waits for each thing in turn.
 *
 * @param steps - the work
 * @param ledger - where its claims are committed
 * @returns what it ends with
 * @throws what the work throws; Error when it asks somebody
 */
export async function run<T>(steps: Steps<T>, ledger: Claims): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    switch (step.value.for) {
      case 'result':
        step = await step.value.promise.then(
          (value) => steps.next(value),
          (error: unknown) => steps.throw(error),
        );
        break;
      case 'commit':
        step = steps.next((await ledger.commit([step.value.claim]))[0]);
        break;
      case 'answer':
        throw new Error('There is nobody to ask');
    }
  }
  return step.value;
}
