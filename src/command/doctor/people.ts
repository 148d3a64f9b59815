import type { UserView } from '../../contracts/control-requests.ts';
import type { Machine } from './machine.ts';

/** The most accounts that are examined. */
const MOST_PEOPLE = 500;
/** Debian's, for accounts of people (Debian policy, section 9.2.2). */
const FIRST_PERSON = 1000;
const LAST_PERSON = 59_999;
const NO_SHELL = /\/(nologin|false|sync)$/;
/** Password fields that match no password: the marks of shadow(5) for "locked". */
const LOCKED = /^[!*]/;

/** Somebody who can log in, and their enrolment. */
export interface Resident {
  readonly name: string;
  readonly home: string;
  readonly enrolled: UserView['enrolled'];
  /** Why the enrolment cannot be used. */
  readonly problem: string | undefined;
}

/**
 * Who can log in to a machine: root and people with an account of their own, a shell, and a password or an SSH key.
 *
 * @param machine - its passwd and shadow files, and the daemon
 * @returns the people; undefined if the daemon does not answer
 */
export async function peopleOf(machine: Machine): Promise<readonly Resident[] | undefined> {
  const passwords = passwordsOf(machine);
  const people: Resident[] = [];
  for (const [name = '', , uid, , , home = '', shell = ''] of rowsOf(machine, '/etc/passwd')) {
    if (!isPerson(uid, shell) && !(uid === '0' && !NO_SHELL.test(shell))) {
      continue;
    }
    // Checked last, and only if needed: a home may be on a file server that does not answer.
    if (
      LOCKED.test(passwords.get(name) ?? '') &&
      machine.stat(`${home}/.ssh/authorized_keys`) === undefined
    ) {
      continue;
    }
    const found = await enrolledOf(machine, name);
    if (found === undefined) {
      return undefined;
    }
    people.push({ name, home, ...found });
    if (people.length === MOST_PEOPLE) {
      break;
    }
  }
  return people;
}

/**
 * Whether an account belongs to a person who can log in, not to the system.
 *
 * @param uid - from passwd(5)
 * @param shell - the same
 * @returns whether it does; root counts as the system
 */
export function isPerson(uid: string | undefined, shell: string): boolean {
  return Number(uid) >= FIRST_PERSON && Number(uid) <= LAST_PERSON && !NO_SHELL.test(shell);
}

async function enrolledOf(
  machine: Machine,
  name: string,
): Promise<Pick<Resident, 'enrolled' | 'problem'> | undefined> {
  try {
    const { enrolled, problem } = await machine.ask<UserView>('users', name);
    return { enrolled, problem };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code === 'ERR_DAEMON') {
      return undefined;
    }
    // Problems of the whole store are reported by the check `state`.
    const ofUser = error.code === 'ERR_RECORD';
    return { enrolled: ofUser ? 'unusable' : 'unknown', problem: error.message };
  }
}

function passwordsOf(machine: Machine): ReadonlyMap<string, string> {
  return new Map(rowsOf(machine, '/etc/shadow').map(([name = '', password = '']) => [name, password]));
}

function rowsOf(machine: Machine, path: string): readonly (readonly string[])[] {
  return (machine.read(path)?.toString('latin1') ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}
