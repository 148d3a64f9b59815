import { setTimeout as sleep } from 'node:timers/promises';
import { code, CODES_PER_SET, stepNow, usersOf, type User } from './users.ts';

/** Who logs in next, and what they type. */
export interface Login {
  readonly user: string;
  readonly code: string;
}

/** Right codes, each once, for one daemon or one peer. */
export interface Codes {
  /** @returns the next user, with a code that was not used before */
  readonly next: () => Login;
  /**
   * Waits until there are codes for so many logins.
   *
   * @param logins - how many
   */
  readonly ready?: (logins: number) => Promise<void>;
}

/** In a crowd each process has users of its own: so nobody's logins overtake each other. */
export const PROCESSES = 32;
const POLL_MS = 50;

/** @returns how many of these users the processes of a crowd can share evenly */
function sharedBy({ length }: readonly User[]): number {
  return length < PROCESSES ? length : length - (length % PROCESSES);
}

function inTurn(users: readonly User[], next: (user: User, turn: number) => string): () => Login {
  const shared = sharedBy(users);
  let count = 0;
  return () => {
    const user = users[count % shared]!;
    return { user: user.name, code: next(user, Math.floor(count++ / shared)) };
  };
}

/** @returns the same code of the same user, for what looks at neither */
export function anything(): Codes {
  return { next: () => ({ user: 'bench0', code: '000000' }) };
}

/**
 * TOTP codes. A code works once; a user who comes again in the same time step types the next one, which the window takes, too.
 *
 * @returns codes of all users who have TOTP alone
 */
export function timeSteps(): Codes {
  const users = usersOf('totp');
  const shared = sharedBy(users);
  /** Of each login so far. */
  const steps: number[] = [];
  const lastOf = (login: number): number => steps[login - shared] ?? 0;
  return {
    next: inTurn(users, (user) => {
      const step = Math.max(stepNow(), lastOf(steps.length) + 1);
      if (step > stepNow() + 1) {
        throw new Error('There are too few users for so many TOTP logins in 30 seconds');
      }
      steps.push(step);
      return code(user, step);
    }),
    ready: async (logins) => {
      while (lastOf(steps.length + logins - 1) > stepNow()) {
        await sleep(POLL_MS);
      }
    },
  };
}

/**
 * HOTP codes.
 *
 * @param enrolled - of so many users who have HOTP, at most
 * @returns their codes in turns
 */
export function counters(enrolled: number): Codes {
  return { next: inTurn(usersOf('hotp', enrolled), (user, turn) => code(user, 1 + turn)) };
}

/** Recovery codes, of which new ones are enrolled when the old ones are used up. */
export interface CodeSets extends Codes {
  /** New sets, for those who have recovery codes: call it before each round. */
  readonly renew: () => void;
}

/**
 * Recovery codes or scratch codes.
 *
 * @param codeOf - a code by its number
 * @param enrol - enrols a user's set, which begins with this number
 * @returns their codes in turns
 */
export function codeSets(
  codeOf: (user: User, number: number) => string,
  enrol: (users: readonly User[], first: number) => void,
): CodeSets {
  const users = usersOf('totp-and-recovery');
  let first = 0;
  let next = (): Login => {
    throw new Error('No codes are enrolled yet');
  };
  return {
    next: () => next(),
    renew: () => {
      const begin = first;
      enrol(users, begin);
      next = inTurn(users, (user, turn) => {
        if (turn >= CODES_PER_SET) {
          throw new Error('There are too few recovery codes for so many logins');
        }
        return codeOf(user, begin + turn);
      });
      first += CODES_PER_SET;
    },
  };
}
