import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { lookUpUser, type PasswdEntry } from '../../host/addon.ts';
import { CommandError } from './control-client.ts';

const GETENT = '/usr/bin/getent';
/** A directory service of some hundred thousand accounts. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;
/** A line of passwd(5). */
const ENTRY = /^([^:]+):[^:]*:([0-9]{1,10}):([0-9]{1,10}):[^:]*:([^:]*):([^:]*)$/;

/**
 * A user of this machine.
 *
 * @param name - as typed
 * @returns the entry of the passwd database
 * @throws CommandError when there is none
 */
export async function userNamed(name: string): Promise<PasswdEntry> {
  const entry = name === '' ? undefined : await lookUpUser(name);
  if (entry === undefined) {
    throw new CommandError('ERR_NO_SUCH_USER', `There is no user ${JSON.stringify(name)} on this machine`);
  }
  return entry;
}

/**
 * All users that the passwd database lists. A directory service may know more than it lists.
 *
 * @returns each name once
 * @throws CommandError when the list cannot be had
 */
export async function listedUsers(): Promise<PasswdEntry[]> {
  let list: string;
  try {
    list = (await promisify(execFile)(GETENT, ['passwd'], { maxBuffer: MAX_LIST_BYTES })).stdout;
  } catch {
    throw new CommandError('ERR_USERS', `The users cannot be listed: does "${GETENT} passwd" work?`);
  }
  const entries = new Map<string, PasswdEntry>();
  for (const line of list.split('\n')) {
    const [, name, uid, gid, home, shell] = ENTRY.exec(line) ?? [];
    if (name !== undefined && !entries.has(name)) {
      entries.set(name, { name, uid: Number(uid), gid: Number(gid), home: home ?? '', shell: shell ?? '' });
    }
  }
  return [...entries.values()];
}
