import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, copyFileSync, writeFileSync } from 'node:fs';
import { recordFileName } from '../../../src/contracts/record-file-name.ts';
import { formatRecord, type TotpFactor } from '../../../src/daemon/enrolments/store/record.ts';
import { encodeBase32 } from '../../../src/factors/base32.ts';
import { codeOf } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import type { Machine } from './machine.ts';

/** Somebody with an account in the machine and an authenticator app. */
export interface Person {
  readonly name: string;
  readonly code: () => string;
}

const STATE = '/var/lib/pve-authenticator';
const FIRST_UID = 20_000;
const CLIENT = '/usr/local/bin/pam-client';
/** A service that asks for nothing but the code, and not for that if there is none. */
export const SERVICE = 'code-only';

/**
 * Gives the machine a program that logs in through libpam, and a service for it.
 *
 * @param machine - where
 */
export function addPamClient(machine: Machine): void {
  copyFileSync(`${CHECKOUT}/build/native-test/pam-client`, machine.path(CLIENT));
  const stack = ['auth required pam_pve_authenticator.so nullok', 'auth required pam_permit.so', ''];
  writeFileSync(machine.path(`/etc/pam.d/${SERVICE}`), stack.join('\n'));
}

/**
 * Makes accounts, and their records in the store as the daemon writes them.
 *
 * @param machine - where
 * @param count - how many
 * @returns the people
 */
export async function enrol(machine: Machine, count: number): Promise<Person[]> {
  const owner = Number(await machine.runWell(['id', '-u', 'pve-authenticator']));
  const group = Number(await machine.runWell(['id', '-g', 'pve-authenticator']));
  const people = Array.from({ length: count }, (_, index) => {
    const uid = FIRST_UID + index;
    const name = `person-${uid}`;
    const secret = randomBytes(20);
    const factor: TotpFactor = {
      kind: 'totp',
      id: 'phone',
      name: 'phone',
      added: 1_750_000_000,
      secret,
      algorithm: 'sha1',
      digits: 6,
      period: 30,
      window: 3,
    };
    const file = machine.path(`${STATE}/enrolments/${recordFileName(name)}`);
    writeFileSync(file, formatRecord({ user: name, uid, factors: [factor] }), { mode: 0o600 });
    chownSync(file, owner, group);
    const app = { secret: encodeBase32(secret) };
    return { name, uid, code: () => codeOf(app) };
  });
  const lines = people.map(({ name, uid }) => `${name}:x:${uid}:${uid}::/:/bin/sh\n`);
  appendFileSync(machine.path('/etc/passwd'), lines.join(''));
  return people;
}

/** The result of a login. */
export interface Login {
  /** What libpam returned. */
  readonly rc: number;
  /** When the person was asked: CLOCK_MONOTONIC in milliseconds. */
  readonly askedAt: number;
}

/**
 * Logs in through the machine's libpam and the installed module.
 *
 * @param machine - where
 * @param person - who
 * @param thinkMs - how long they look for the code
 * @returns how it went
 */
export async function logIn(machine: Machine, person: Person, thinkMs = 0): Promise<Login> {
  const [program, ...argv] = machine.inside([CLIENT, SERVICE, person.name, 'auth']);
  const child = spawn(program!, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.stdin.on('error', () => undefined); // it may be gone
  const log = new Log('pam-client', child.stdout);
  let askedAt = NaN;
  try {
    await log.waitFor(/"ev":"prompt"/);
    askedAt = Number(process.hrtime.bigint()) / 1e6;
  } catch {
    // It ended without a question; its last line says how.
  }
  await new Promise((resolve) => setTimeout(resolve, thinkMs));
  child.stdin.end(`${person.code()}\n`);
  await ended;
  const end = log.lines.map((line) => JSON.parse(line) as { ev: string; rc?: number });
  return { rc: end.find(({ ev }) => ev === 'op')?.rc ?? -1, askedAt };
}

/**
 * Logs many people in, with parallel workers that each log in one after the other.
 *
 * @param machine - where
 * @param person - who comes next
 * @param count - how many logins
 * @param workers - how many at once
 * @param thinkMs - the longest time that each looks for the code
 * @returns the results
 */
export async function logInMany(
  machine: Machine,
  person: () => Person,
  count: number,
  workers: number,
  thinkMs = 0,
): Promise<Login[]> {
  const logins: Login[] = [];
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      logins.push(await logIn(machine, person(), thinkMs * Math.random()));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return logins;
}
