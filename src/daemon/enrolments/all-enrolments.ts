import type { PasswdEntry } from '../../host/addon.ts';
import type { Notebook } from '../ledger/ledger.ts';
import { withAnswer } from './at-hand.ts';
import type { EnrolmentSource, Enrolments, Lookup, LookupRequest } from './enrolment.ts';
import { withGracePeriod } from './grace-period.ts';
import type { Owner } from './home/fitness.ts';
import type { HomeSource } from './home/home-source.ts';
import type { LineSource } from './yubico/line-source.ts';

/* Asks the sources in order: home, store, Proxmox and yubico, depending on the line in pam.d. */

/** The sources there are. */
export interface Sources {
  /** Sources that need only the account, in the order in which they are asked. */
  readonly own: EnrolmentSource;
  /** Undefined if it is switched off. */
  readonly home: HomeSource | undefined;
  /** For lines with pam_yubico's options, which ask no other source. */
  readonly yubico: LineSource;
  /** Notes logins for `grace_period=`. */
  readonly notebook: Notebook;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Finds the account that `user=` names. */
  readonly findUser: (nameOrNumber: string) => Promise<PasswdEntry | undefined>;
}

const MIXED = "the options secret and user do not go with pam_yubico's options";

/**
 * Looks users up in all sources. Only the answer `absent` leads to the next source. With `secret=`, the named file is asked
 * first, and the store only if the file does not exist. So neither can replace the other.
 *
 * @param sources - the sources
 * @returns all of them
 */
export function allEnrolments(sources: Sources): Enrolments {
  return {
    lookUp(request) {
      const { yubico, secret, user } = request.options;
      if (yubico === undefined) {
        return withAnswer(fixedUser(sources, request), (fixed) => besideHome(sources, request, fixed));
      }
      return secret === undefined && user === undefined
        ? withAnswer(sources.yubico.lookUp(request, yubico), (lookup) =>
            withGracePeriod(lookup, request, sources.notebook, sources.now),
          )
        : { kind: 'refused', reason: 'bad-option', why: MIXED };
    },
  };
}

type Answer = Lookup | Promise<Lookup>;

function besideHome(sources: Sources, request: LookupRequest, fixed: Owner | 'unknown' | undefined): Answer {
  if (fixed === 'unknown') {
    return { kind: 'refused', reason: 'bad-option', why: 'user=: there is no such account' };
  }
  const own = (): Answer => ownLookup(sources, request);
  const { home } = sources;
  if (home === undefined) {
    return request.options.secret === undefined
      ? own()
      : { kind: 'refused', reason: 'bad-option', why: 'secret=: the source home is switched off' };
  }
  const inHome = (): Answer => home.lookUp(request, fixed);
  return request.options.secret === undefined ? firstOf(own, inHome) : firstOf(inHome, own);
}

function firstOf(first: () => Answer, second: () => Answer): Answer {
  return withAnswer(first(), (lookup) => (lookup.kind === 'absent' ? second() : lookup));
}

function ownLookup({ own, notebook, now }: Sources, request: LookupRequest): Answer {
  const { account } = request;
  return account === undefined
    ? withAnswer(own.lookUpNobody?.(), (): Lookup => ({ kind: 'absent' }))
    : withAnswer(own.lookUp(account), (lookup: Lookup) => withGracePeriod(lookup, request, notebook, now));
}

function fixedUser(
  { findUser }: Sources,
  { options: { user } }: LookupRequest,
): undefined | Promise<Owner | 'unknown'> {
  return user === undefined
    ? undefined
    : findUser(user).then(
        (found) => found ?? 'unknown',
        () => 'unknown',
      );
}
