import { existsSync } from 'node:fs';
import { PEERS } from './places.ts';
import {
  code,
  CODES_PER_SET,
  ENROLLED,
  FEW,
  recoveryCode,
  scratchCode,
  stepNow,
  userOf,
  usersOf,
  type Kind,
  type User,
} from './users.ts';

const PAM_SUCCESS = 0;
const PAM_AUTH_ERR = 7;
const PAM_USER_UNKNOWN = 10;
/** Not a code of anybody, but for three in a million. */
const WRONG = '000000';

/** Somebody who logs in again and again by one service. */
export interface Contender {
  readonly label: string;
  readonly service: string;
  /** What PAM shall return. */
  readonly rc: number;
  /** @returns the next user and what is typed */
  readonly next: () => { readonly user: string; readonly code: string };
}

/** What is measured side by side. */
export interface Group {
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** Processes that log in at the same time. */
  readonly processes: number;
  /** Logins of each contender in a round. */
  readonly logins: number;
  /** So many of one contender, then so many of the next. */
  readonly block: number;
}

const PROCESSES = 32;
const BLOCK = 10;

/**
 * Everything that is measured.
 *
 * @returns the groups, without contenders that are not there
 */
export function groups(): Group[] {
  const google = existsSync(`${PEERS}/pam_google_authenticator.so`);
  const oath = existsSync(`${PEERS}/pam_oath.so`);
  const there = ({ service }: Contender): boolean =>
    (google || !service.startsWith('google')) && (oath || !service.startsWith('oath'));
  const alone = (title: string, logins: number, ...contenders: Contender[]): Group => ({
    title,
    contenders: contenders.filter(there),
    processes: 1,
    logins,
    block: BLOCK,
  });
  const wrong = (label: string, service: string, users: readonly User[], rc = PAM_AUTH_ERR): Contender => ({
    label,
    service,
    rc,
    next: inTurn(users, (user) => ({ user: user.name, code: WRONG })),
  });
  const totp = { ours: timeSteps(), google: timeSteps() };
  return [
    alone(
      'nothing asked',
      200,
      contenderOf('permit', 'permit', () => ({ user: 'bench0', code: WRONG })),
    ),
    alone(
      'TOTP, once only',
      200,
      contenderOf('totp/ours', 'ours-many', totp.ours),
      contenderOf('totp/google', 'google', totp.google),
    ),
    alone(
      'HOTP',
      200,
      contenderOf('hotp/ours', 'ours-many', counters(ENROLLED)),
      contenderOf('hotp/ours-few', 'ours-few', counters(FEW)),
      contenderOf('hotp/google', 'google', counters(ENROLLED)),
      contenderOf('hotp/oath', 'oath-many', counters(ENROLLED)),
      contenderOf('hotp/oath-few', 'oath-few', counters(FEW)),
    ),
    alone(
      'recovery code, scratch code',
      100,
      contenderOf('recovery/ours', 'ours-many', sets(recoveryCode)),
      contenderOf('recovery/google', 'google', sets(scratchCode)),
    ),
    alone(
      'wrong code',
      40,
      wrong('wrong/ours', 'ours-many', usersOf('totp')),
      wrong('wrong/google', 'google', usersOf('totp')),
      wrong('wrong/google-noskewadj', 'google-noskewadj', usersOf('totp')),
    ),
    {
      title: 'TOTP, once only, different users',
      contenders: [
        contenderOf('crowd/ours', 'ours-many', totp.ours),
        contenderOf('crowd/google', 'google', totp.google),
      ].filter(there),
      processes: PROCESSES,
      logins: 30 * PROCESSES,
      block: Infinity,
    },
  ];
}

/**
 * Wrong logins of those who are enrolled, those who are not, and those who do not exist: they take turns, one each.
 *
 * @param logins - of each
 * @returns the group
 */
export function wrongLogins(logins: number): Group {
  const someone = (label: string, rc: number, name: (index: number) => string): Contender => {
    let index = 0;
    return {
      label,
      service: 'ours-many',
      rc,
      next: () => ({ user: name(index++ % ENROLLED), code: WRONG }),
    };
  };
  const named = (kind: Kind): ((index: number) => string) => {
    const users = usersOf(kind);
    return (index) => users[index % users.length]!.name;
  };
  return {
    title: 'wrong code, by user',
    contenders: [
      someone('wrong/unknown', PAM_USER_UNKNOWN, (index) => `nobody${index}`),
      someone('wrong/not-enrolled', PAM_AUTH_ERR, (index) => userOf(ENROLLED + index).name),
      someone('wrong/enrolled', PAM_AUTH_ERR, named('totp')),
      someone('wrong/enrolled-hotp', PAM_AUTH_ERR, named('hotp')),
    ],
    processes: 1,
    logins,
    block: 1,
  };
}

/**
 * Somebody who logs in with right codes.
 *
 * @param label - names what is measured
 * @param service - the service file
 * @param next - who types what
 * @returns the contender
 */
export function contenderOf(label: string, service: string, next: Contender['next']): Contender {
  return { label, service, rc: PAM_SUCCESS, next };
}

function inTurn(users: readonly User[], next: (user: User, turn: number) => ReturnType<Contender['next']>) {
  let count = 0;
  return (): ReturnType<Contender['next']> => {
    const user = users[count % users.length]!;
    return next(user, Math.floor(count++ / users.length));
  };
}

/** A code works once. Who comes again in the same time step types the next one, which the window takes, too. */
export function timeSteps(): Contender['next'] {
  const used = new Map<string, number>();
  return inTurn(usersOf('totp'), (user) => {
    const now = stepNow();
    const step = Math.max(now, (used.get(user.name) ?? 0) + 1);
    if (step > now + 1) {
      throw new Error('There are too few users for so many TOTP logins in 30 seconds');
    }
    used.set(user.name, step);
    return { user: user.name, code: code(user, step) };
  });
}

/** HOTP of so many users, in turns. */
export function counters(enrolled: number): Contender['next'] {
  const count = Math.min(enrolled, usersOf('hotp').length);
  return inTurn(usersOf('hotp', count), (user, turn) => ({ user: user.name, code: code(user, 1 + turn) }));
}

function sets(codeOf: (user: User, number: number) => string): Contender['next'] {
  return inTurn(usersOf('totp-and-recovery'), (user, turn) => {
    if (turn >= CODES_PER_SET) {
      throw new Error('There are too few recovery codes for so many logins');
    }
    return { user: user.name, code: codeOf(user, turn) };
  });
}
