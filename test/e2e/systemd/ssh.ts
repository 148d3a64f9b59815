import { writeFileSync } from 'node:fs';
import type { Ended } from '../harness/run.ts';
import type { Machine } from './machine.ts';

/** The client asks this program instead of a person. */
const ANSWER = '/usr/local/bin/answer';
const SETTINGS = '/etc/ssh/sshd_config.d/code.conf';
/** What {@link prepareSsh} puts into a machine. */
export const SSH_FILES = [ANSWER, SETTINGS];

/**
 * Makes the machine's sshd ask for password and code, without delays after failures, and adds a program that answers.
 *
 * @param machine - where
 * @param settings - further lines of sshd_config
 */
export async function prepareSsh(machine: Machine, ...settings: readonly string[]): Promise<void> {
  const usual = ['KbdInteractiveAuthentication yes', 'PasswordAuthentication no', 'PerSourcePenalties no'];
  writeFileSync(machine.path(SETTINGS), [...usual, ...settings, ''].join('\n'));
  const answer = ['#!/bin/sh', 'case $1 in *Password*) cat /tmp/password ;; *) cat /tmp/code ;; esac', ''];
  writeFileSync(machine.path(ANSWER), answer.join('\n'), { mode: 0o755 });
  await machine.shell('systemctl restart ssh.service');
}

/** Who logs in, what is answered, and what is run. */
export interface SshLogin {
  readonly user?: string;
  readonly password: string;
  /** The answer to every question but the password. */
  readonly code: string;
  /** Further options of the client. */
  readonly options?: readonly string[];
  /** The command to run there; by default `id -un`. */
  readonly command?: readonly string[];
}

/**
 * Logs in with the OpenSSH client, from the machine itself.
 *
 * @param machine - where {@link prepareSsh} was
 * @param login - who, and with what
 * @returns how the client ended: status 255 without a login
 */
export async function ssh(machine: Machine, login: SshLogin): Promise<Ended> {
  const { user = 'alice', password, code, options = [], command = ['id', '-un'] } = login;
  writeFileSync(machine.path('/tmp/code'), `${code}\n`);
  writeFileSync(machine.path('/tmp/password'), `${password}\n`);
  const all = [
    ...[
      'UserKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=no',
      'LogLevel=ERROR',
      'NumberOfPasswordPrompts=1',
    ],
    ...options,
  ];
  return machine.run([
    ...['env', 'DISPLAY=none', `SSH_ASKPASS=${ANSWER}`, 'SSH_ASKPASS_REQUIRE=force', 'setsid', '-w'],
    ...['ssh', '-F', '/dev/null', ...all.flatMap((option) => ['-o', option])],
    ...[`${user}@127.0.0.1`, ...command],
  ]);
}
