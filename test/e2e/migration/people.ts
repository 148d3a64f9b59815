import { chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { stateFile } from '../../unit/fixtures/state-files.ts';
import { newAccount, type BoxAccount } from '../google/account.ts';
import { runWell } from '../harness/run.ts';

/** The usual file of pam_google_authenticator. */
export const FILE_NAME = '.google_authenticator';
const SEED = 20_191_231;

/** Somebody with a file of pam_google_authenticator. */
export interface GoogleUser extends BoxAccount {
  readonly file: string;
  /** The original contents. */
  readonly text: Buffer;
}

/**
 * Makes an account with a file.
 *
 * @param text - of the file
 * @returns the account
 */
export function userWith(text: string): GoogleUser {
  const account = newAccount();
  const file = `${account.home}/${FILE_NAME}`;
  writeFileSync(file, text, { encoding: 'latin1', mode: 0o400 });
  chownSync(file, account.uid, account.uid);
  return { ...account, file, text: Buffer.from(text, 'latin1') };
}

/**
 * Files as people have them: always the same.
 *
 * @param count - how many
 * @returns the texts of the files
 */
export function sampleFiles(count: number): string[] {
  return fc.sample(stateFile, { numRuns: count, seed: SEED });
}

/**
 * Makes an account whose file the command of pam_google_authenticator wrote.
 *
 * @param options - of google-authenticator
 * @returns the account
 */
export async function enrolledUser(...options: readonly string[]): Promise<GoogleUser> {
  const account = newAccount();
  const file = `${account.home}/${FILE_NAME}`;
  const identity = [`--reuid=${account.uid}`, `--regid=${account.uid}`, '--clear-groups'];
  const argv = ['google-authenticator', '-f', '-q', '-Q', 'none', ...options];
  await runWell(['setpriv', ...identity, 'env', `HOME=${account.home}`, ...argv]);
  return { ...account, file, text: readFileSync(file) };
}

/** The names in a user's home, each with contents, mode and owner. */
export function homeOf({ home }: BoxAccount): Record<string, string> {
  return Object.fromEntries(
    readdirSync(home)
      .sort()
      .map((name) => {
        const { mode, uid, gid } = statSync(`${home}/${name}`);
        const text = readFileSync(`${home}/${name}`, 'latin1');
        return [name, `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${text}`];
      }),
  );
}

/** The entry of {@link homeOf} for an unchanged file, under a name. */
export function asItWas({ uid, text }: GoogleUser, name = FILE_NAME): Record<string, string> {
  return { [name]: `400 ${uid}:${uid} ${text.toString('latin1')}` };
}
