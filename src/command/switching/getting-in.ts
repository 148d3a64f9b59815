import { asRoot } from './as-root.ts';
import type { RuleTest, UserView } from '../../contracts/control-requests.ts';
import type { Machine } from '../doctor/machine.ts';
import { isPerson } from '../doctor/people.ts';
import { rootOverSsh } from '../doctor/root-over-ssh.ts';

/** The most accounts that are examined for the list of refused users. */
const MOST_ACCOUNTS = 500;

/** A service, and how it will be guarded. */
export interface Door {
  readonly service: string;
  readonly rootExempt: boolean;
}

/**
 * Why somebody could no longer log in.
 *
 * @param machine - knows the daemon, and runs sshd
 * @param user - who
 * @param doors - through which services
 * @param nullok - whether users without a factor log in as before
 * @returns a sentence; undefined: they get in
 */
export async function whyLockedOut(
  machine: Pick<Machine, 'ask' | 'run'>,
  user: string,
  doors: readonly Door[],
  nullok: boolean,
): Promise<string | undefined> {
  const { enrolled } = await machine.ask<UserView>('users', user);
  for (const { service, rootExempt } of doors) {
    if (user === 'root' && (rootExempt || (service === 'sshd' && (await rootOverSsh(machine)) !== 'asked'))) {
      continue;
    }
    const { rules, holds } = await machine.ask<RuleTest>('rules', service, user);
    const action = rules.find(({ number }) => number === holds)?.action;
    if (action === 'skip') {
      continue;
    }
    if (action === 'deny') {
      return `${user} could not get in through ${service} any more: rule ${holds ?? 0} of config.toml denies it. Change it first: docs/reference/config.md`;
    }
    const why = whyNotIn(enrolled, nullok);
    if (why !== undefined) {
      return (
        `${user} could not get in through ${service} any more: ${why}. Set up a factor: ${asRoot(`pve-google-authenticator --user=${user}`)}` +
        (enrolled === 'none' ? `. Or let users without a factor log in as before: say --nullok` : '')
      );
    }
  }
  return undefined;
}

function whyNotIn(enrolled: UserView['enrolled'], nullok: boolean): string | undefined {
  switch (enrolled) {
    case 'store':
    case 'elsewhere':
      return undefined;
    case 'none':
      return nullok ? undefined : 'there is no factor of this user';
    case 'unusable':
      return 'what is enrolled cannot be used';
    case 'unknown':
      return 'the daemon cannot read what is enrolled';
  }
}

/**
 * People with an account and without a factor: without `nullok` they are refused.
 *
 * @param machine - its passwd file, and the daemon
 * @returns their names
 */
export async function withoutFactor(machine: Pick<Machine, 'ask' | 'read'>): Promise<readonly string[]> {
  const names: string[] = [];
  const accounts = (machine.read('/etc/passwd')?.toString('utf8') ?? '').split('\n').filter((line) => {
    const [, , uid, , , , shell = ''] = line.split(':');
    return isPerson(uid, shell);
  });
  for (const account of accounts.slice(0, MOST_ACCOUNTS)) {
    const name = account.slice(0, account.indexOf(':'));
    const view = await machine.ask<UserView>('users', name).catch(() => undefined);
    if (view?.enrolled === 'none') {
      names.push(name);
    }
  }
  return names;
}
