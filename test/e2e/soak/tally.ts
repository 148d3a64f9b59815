import { PAM } from '../daemon/pam-login.ts';
import { TEXTS } from '../../../src/daemon/login/texts.ts';
import type { House } from './house.ts';
import type { Visitor } from './visitors.ts';
import type { Came, Expected } from './worlds.ts';

/** A login that is over. */
export interface Login {
  readonly visitor: Visitor;
  readonly typed: string;
  /** What libpam returned, and the last message that was shown. */
  readonly rc: number;
  readonly shown: string;
  /** Milliseconds since 1970 on the machine's clock. */
  readonly begun: number;
  readonly ended: number;
}

/** The expected ends of logins. */
export type Sort =
  'let in' | 'refused' | 'cut off by a kill' | 'not to be checked: disk full' | 'no daemon for 5 s';

const SORTS: Readonly<Record<Came, Sort>> = {
  in: 'let in',
  refused: 'refused',
  unknown: 'cut off by a kill',
  untouched: 'not to be checked: disk full',
};

/** The wrong ends of logins. */
export type Fault = 'should have worked and did not' | 'should not have worked and did';

/** A login with a wrong end, as text. */
export interface Finding {
  readonly fault: Fault;
  readonly what: string;
}

/** Counts logins, and compares them with the truth. */
export class Tally {
  readonly counts = new Map<string, Map<Sort, number>>();
  readonly findings: Finding[] = [];
  /** Logins without a certain expectation: with a code of an interrupted login, or during a jump of the clock. */
  undecided = 0;
  /** The longest time that a login took, in milliseconds. */
  longest = 0;
  logins = 0;

  /** Counts a login, and updates its visitor's state. */
  add(house: House, login: Login): Came {
    const { visitor, typed, begun, ended } = login;
    const readings = house.clock.readings(begun, ended);
    const expected = visitor.expected(typed, readings);
    const came = cameOf(login);
    visitor.learn(typed, readings, came);
    this.logins += 1;
    this.longest = Math.max(this.longest, ended - begun);
    this.undecided += expected === 'either' ? 1 : 0;
    const fault = faultOf(house, login, came, expected);
    if (fault !== undefined) {
      this.findings.push({ fault, what: describe(house, login, expected) });
    }
    const killed = house.killedWithin(begun, ended);
    this.#count(visitor.kind, came === 'unknown' && !killed ? 'no daemon for 5 s' : SORTS[came]);
    return came;
  }

  /** How many have a certain fault. */
  faults(fault: Fault): number {
    return this.findings.filter((finding) => finding.fault === fault).length;
  }

  /** How many ended in a certain way. */
  of(sort: Sort): number {
    return [...this.counts.values()].reduce((sum, counts) => sum + (counts.get(sort) ?? 0), 0);
  }

  #count(kind: string, sort: Sort): void {
    const counts = this.counts.get(kind) ?? new Map<Sort, number>();
    counts.set(sort, (counts.get(sort) ?? 0) + 1);
    this.counts.set(kind, counts);
  }
}

function cameOf({ rc, shown }: Login): Came {
  switch (rc) {
    case PAM.success:
      return 'in';
    case PAM.denied:
      return 'refused';
    default:
      return shown === TEXTS.unavailable ? 'untouched' : 'unknown';
  }
}

function faultOf(house: House, login: Login, came: Came, expected: Expected): Fault | undefined {
  const { visitor, rc, begun, ended } = login;
  switch (came) {
    case 'in':
      return expected === 'refused' ? 'should not have worked and did' : undefined;
    case 'refused':
      return expected === 'in' ? 'should have worked and did not' : undefined;
    case 'untouched':
      return visitor.needsDisk && house.fullWithin(begun, ended)
        ? undefined
        : 'should have worked and did not';
    case 'unknown': {
      const explained = house.killedWithin(begun, ended) || house.nobodyWithin(begun, ended);
      return rc === PAM.systemError && explained ? undefined : 'should have worked and did not';
    }
  }
}

function describe(house: House, { visitor, rc, shown, begun, ended }: Login, expected: Expected): string {
  const around = house.happened(begun, ended).join(', ');
  const log = house
    .said(visitor.name)
    .map((line) => `\n      ${line}`)
    .join('');
  const time = new Date(begun).toISOString();
  return `${visitor.kind} of ${visitor.name} at ${time}: expected "${expected}", libpam returned ${rc} after ${
    ended - begun
  } ms, shown "${shown}"; around that time: ${around || 'nothing'}${log}`;
}
