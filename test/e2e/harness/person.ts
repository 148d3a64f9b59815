import { randomBytes } from 'node:crypto';
import { codeOf, wrongCodeOf } from './code.ts';
import { enrolTotp, type Daemon } from './daemon.ts';
import { runWell } from './run.ts';

/** Somebody with an account in the box, a password and an authenticator app. */
export interface Person {
  readonly name: string;
  readonly password: string;
  /** The code that the app shows now. It opens one door once. */
  code(): string;
  /** A code that is wrong. */
  wrongCode(): string;
}

/** The login shell of persons: it prints the user, and ends. */
const SHELL = '/usr/local/bin/say-who';
let count = 0;

/**
 * Makes an account in the box and enrols it. Each test takes a person of its own, since a code works once.
 *
 * @param daemon - where to enrol
 * @returns the person
 */
export async function newPerson(daemon: Daemon): Promise<Person> {
  const account = await newAccount();
  const factor = await enrolTotp(daemon, account.name, '--name', 'phone');
  return { ...account, code: () => codeOf(factor), wrongCode: () => wrongCodeOf(factor) };
}

/**
 * Makes an account in the box, with a home directory and a password.
 *
 * @returns name and password
 */
export async function newAccount(): Promise<Pick<Person, 'name' | 'password'>> {
  count += 1;
  const name = `p${process.pid}-${count}`;
  // Its end must not look like a code.
  const password = `Pw-${randomBytes(12).toString('hex')}-end`;
  await runWell([
    'sh',
    '-c',
    `printf '#!/bin/sh\\necho "in as $(id -un)"\\n' >${SHELL} && chmod 755 ${SHELL}`,
  ]);
  await runWell(['useradd', '--create-home', '--shell', SHELL, name]);
  await runWell(['chpasswd'], `${name}:${password}\n`);
  return { name, password };
}

/**
 * Makes the account that the daemon runs as.
 *
 * @returns its name
 */
export async function daemonAccount(): Promise<string> {
  const name = 'pve-authenticator';
  await runWell([
    'sh',
    '-c',
    `id ${name} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${name}`,
  ]);
  return name;
}
