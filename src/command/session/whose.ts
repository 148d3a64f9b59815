import { Option } from 'commander';
import { userWord } from './login-words.ts';
import type { Session } from './session.ts';

/** What every command has that is about one user's factors. */
export interface ForUser {
  /** Undefined: the account that runs the command. */
  readonly user?: string;
}

/**
 * The option that says whose factors a command is about.
 *
 * @param meaning - for the help
 * @returns the option
 */
export function userOption(meaning = 'act on the factors of this user, as root (default: you)'): Option {
  return new Option('--user <user>', meaning).argParser(userWord);
}

/**
 * The --user option of a command that a message suggests.
 *
 * @param session - knows who reads the message
 * @param user - whose
 * @returns the option; empty for the reader's own factors
 */
export function whoseWords(session: Pick<Session, 'self'>, user: string): string {
  return user === session.self() ? '' : ` --user ${user}`;
}
