import type { PasswdEntry } from '../host/addon.ts';
import type { Notebook } from '../ledger/ledger.ts';
import type { EnrolmentSource, Enrolments, Lookup, Seeker } from './enrolment.ts';
import { withGracePeriod } from './grace-period.ts';
import type { Owner } from './home/fitness.ts';
import type { HomeSource } from './home/home-source.ts';
import type { LineSource } from './yubico/line-source.ts';

/** The sources there are. */
export interface Sources {
  /** Those that only need to know who it is, in the order of asking. */
  readonly own: EnrolmentSource;
  /** Undefined: it is switched off. */
  readonly home: HomeSource | undefined;
  /** For lines with pam_yubico's options: these ask neither of the others. */
  readonly yubico: LineSource;
  /** Where logins are noted for `grace_period=`. */
  readonly notebook: Notebook;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Finds the account that `user=` names. */
  readonly findUser: (nameOrNumber: string) => Promise<PasswdEntry | undefined>;
}

const MIXED = "secret and user cannot stand on one line with pam_yubico's options";

/**
 * Looks users up in all sources. Nothing but `absent` asks the next one. With `secret=` the named file is asked first, and the store
 * only if there is none: so neither can stand in for the other.
 *
 * @param sources - the sources
 * @returns all of them
 */
export function allEnrolments(sources: Sources): Enrolments {
  return {
    async lookUp(seeker) {
      const { yubico, secret, user } = seeker.options;
      if (yubico !== undefined) {
        return secret === undefined && user === undefined
          ? withGracePeriod(
              await sources.yubico.lookUp(seeker, yubico),
              seeker,
              sources.notebook,
              sources.now,
            )
          : { kind: 'refused', reason: 'bad-option', why: MIXED };
      }
      const fixed = await fixedUser(sources, seeker);
      if (fixed === 'unknown') {
        return { kind: 'refused', reason: 'bad-option', why: 'user=: there is no such account' };
      }
      const own = (): Promise<Lookup> => ownLookup(sources, seeker);
      const { home } = sources;
      if (home === undefined) {
        return seeker.options.secret === undefined
          ? own()
          : { kind: 'refused', reason: 'bad-option', why: 'secret=: the source home is switched off' };
      }
      const inHome = (): Promise<Lookup> => home.lookUp(seeker, fixed);
      return seeker.options.secret === undefined ? firstOf(own, inHome) : firstOf(inHome, own);
    },
  };
}

async function firstOf(first: () => Promise<Lookup>, second: () => Promise<Lookup>): Promise<Lookup> {
  const lookup = await first();
  return lookup.kind === 'absent' ? second() : lookup;
}

async function ownLookup({ own, notebook, now }: Sources, seeker: Seeker): Promise<Lookup> {
  const { account } = seeker;
  if (account === undefined) {
    await own.lookUpNobody?.();
    return { kind: 'absent' };
  }
  return withGracePeriod(await own.lookUp(account), seeker, notebook, now);
}

async function fixedUser(
  { findUser }: Sources,
  { options: { user } }: Seeker,
): Promise<Owner | 'unknown' | undefined> {
  if (user === undefined) {
    return undefined;
  }
  try {
    return (await findUser(user)) ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
