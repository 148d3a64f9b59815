import { existsSync } from 'node:fs';
import { anything, codeSets, counters, PROCESSES, timeSteps, type Codes } from './typed-codes.ts';
import { PEERS } from './places.ts';
import { ENROLLED, FEW, recoveryCode, scratchCode, userOf, usersOf, type Kind } from './users.ts';
import type { World } from './world.ts';

const PAM_SUCCESS = 0;
const PAM_AUTH_ERR = 7;
const PAM_USER_UNKNOWN = 10;
/** A code that is wrong for everybody, except in three cases of a million. */
const WRONG = '000000';

/** A contender: logs in again and again through one service. */
export interface Contender extends Codes {
  readonly label: string;
  readonly service: string;
  /** The result that PAM must return. */
  readonly rc: number;
  /** @returns the processor time of its daemon, in microseconds; left out if it has no daemon */
  readonly cpu?: (() => number) | undefined;
}

/** Contenders that are measured side by side. */
export interface Group {
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** Processes that log in at the same time. */
  readonly processes: number;
  /** Logins of each contender in a round. */
  readonly logins: number;
  /** How many logins of one contender come before the next one's turn. */
  readonly block: number;
  /** Prepares a round. */
  readonly before?: () => void;
}

const BLOCK = 10;
const PER_PROCESS = 200;

/** The services that TOTP is measured with, and the lower bound for them. */
const TOTP_SERVICES = ['permit', 'nothing', 'base', 'ours', 'ours-limited', 'google', 'google-limited'];
/** The services that all other codes are measured with. */
const SERVICES = ['base', 'ours', 'google'];

/**
 * Everything that is measured in rounds.
 *
 * @param world - what there is
 * @returns the groups, without contenders that are not there
 */
export function groups(world: World): Group[] {
  const contender = (label: string, service: string, codes: Codes): Contender => ({
    ...contenderOf(label, service, codes),
    cpu: world.daemons.get(service)?.cpu,
  });
  const named = (what: string, services: readonly string[], codes: (service: string) => Codes): Contender[] =>
    services.map((service) => contender(`${what}/${service}`, service, codes(service)));
  const alone = (title: string, logins: number, contenders: readonly Contender[]): Group => ({
    title,
    contenders: contenders.filter(({ service }) => world.has(service)),
    processes: 1,
    logins,
    block: BLOCK,
  });
  const crowd = (title: string, contenders: readonly Contender[]): Group => ({
    ...alone(title, PER_PROCESS * PROCESSES, contenders),
    processes: PROCESSES,
    block: Infinity,
  });

  const totp = perService(TOTP_SERVICES, (service) =>
    service === 'permit' || service === 'nothing' ? anything() : timeSteps(),
  );
  const hotp = perService(SERVICES, () => counters(ENROLLED));
  const sets = perService(SERVICES, (service) =>
    codeSets(service === 'google' ? scratchCode : recoveryCode, (users, first) =>
      world.enrol(service, users, first),
    ),
  );
  const renewed = { before: () => SERVICES.filter(world.has).forEach((service) => sets(service).renew()) };
  const hotpOfOthers = [
    contender('hotp/ours-few', 'ours-few', counters(FEW)),
    contender('hotp/oath', 'oath', counters(ENROLLED)),
    contender('hotp/oath-few', 'oath-few', counters(FEW)),
  ];
  return [
    alone('TOTP', 200, named('totp', TOTP_SERVICES, totp)),
    alone('HOTP', 200, [...named('hotp', SERVICES, hotp), ...hotpOfOthers]),
    { ...alone('recovery code, scratch code', 100, named('recovery', SERVICES, sets)), ...renewed },
    alone('wrong code', 40, wrongCodes()),
    crowd('TOTP, 32 processes', named('crowd', TOTP_SERVICES, totp)),
    crowd('HOTP, 32 processes', named('crowd-hotp', SERVICES, hotp)),
    { ...crowd('recovery code, 32 processes', named('crowd-recovery', SERVICES, sets)), ...renewed },
  ];
}

function perService<T>(services: readonly string[], make: (service: string) => T): (service: string) => T {
  const made = new Map(services.map((service) => [service, make(service)]));
  return (service) => made.get(service)!;
}

function wrongCodes(): Contender[] {
  return ['ours', 'google', 'google-noskewadj'].map((service) => ({
    label: `wrong/${service}`,
    service,
    rc: PAM_AUTH_ERR,
    next: wrongOf('totp'),
  }));
}

function wrongOf(kind: Kind): Contender['next'] {
  const users = usersOf(kind);
  let index = 0;
  return () => ({ user: users[index++ % users.length]!.name, code: WRONG });
}

/**
 * Wrong logins of enrolled users, of others, and of unknown users, in turns of one each.
 *
 * @param logins - of each
 * @returns the group
 */
export function wrongLogins(logins: number): Group {
  const someone = (label: string, next: Contender['next'], rc = PAM_AUTH_ERR): Contender => ({
    label,
    service: 'ours',
    rc,
    next,
  });
  const nobody = (name: (index: number) => string): Contender['next'] => {
    let index = 0;
    return () => ({ user: name(index++ % ENROLLED), code: WRONG });
  };
  return {
    title: 'wrong code, by user',
    contenders: [
      someone(
        'wrong/unknown',
        nobody((index) => `nobody${index}`),
        PAM_USER_UNKNOWN,
      ),
      someone(
        'wrong/not-enrolled',
        nobody((index) => userOf(ENROLLED + index).name),
      ),
      someone('wrong/enrolled', wrongOf('totp')),
      someone('wrong/enrolled-hotp', wrongOf('hotp')),
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
 * @param codes - the users with their codes
 * @returns the contender
 */
export function contenderOf(label: string, service: string, codes: Codes): Contender {
  return { label, service, rc: PAM_SUCCESS, ...codes };
}

/** @returns whether the peer's module is installed, for a service that needs one */
export function hasPeer(service: string): boolean {
  const peer = /^(google|oath)/.exec(service)?.[1];
  const file = peer === 'google' ? 'pam_google_authenticator.so' : 'pam_oath.so';
  return peer === undefined || existsSync(`${PEERS}/${file}`);
}
