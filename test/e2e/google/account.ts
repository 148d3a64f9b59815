import { appendFileSync, chownSync, mkdirSync, readFileSync } from 'node:fs';

/** An account of the box. */
export interface BoxAccount {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

const FIRST_UID = 70_000;
let lastUid: number | undefined;

/**
 * Makes an account in the box, with a home of its own and no password. Much quicker than useradd.
 *
 * @returns the account; no other in the box has its uid
 */
export function newAccount(): BoxAccount {
  lastUid ??= largestUid();
  const uid = ++lastUid;
  const name = `g${process.pid}-${uid}`;
  const home = `/home/${name}`;
  appendFileSync('/etc/group', `${name}:x:${uid}:\n`);
  appendFileSync('/etc/passwd', `${name}:x:${uid}:${uid}::${home}:/bin/sh\n`);
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, uid, uid);
  return { name, uid, home };
}

/** Other test files have made accounts, too, and the daemon takes a new name of an enrolled uid for a renamed user. */
function largestUid(): number {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return Math.max(FIRST_UID, ...lines.map((line) => Number(line.split(':')[2] ?? 0)));
}
