import type { Command } from 'commander';
import type { Session } from './session.ts';

/**
 * Reads the words of a command whose user may be left out: `[user] <factor> …`.
 *
 * @param command - for the complaint, when there are too many or too few
 * @param session - knows who runs the command
 * @param words - as typed
 * @param names - of those that must be there
 * @returns the user, and the others in their order
 * @throws CommanderError when the number does not fit
 */
export function targetOf<const N extends readonly string[]>(
  command: Command,
  session: Session,
  words: readonly string[],
  names: N,
): readonly [user: string, ...others: { [K in keyof N]: string }] {
  if (words.length < names.length) {
    command.error(`error: missing required argument '${names[words.length] ?? ''}'`);
  }
  if (words.length > names.length + 1) {
    command.error(`error: too many arguments: expected ${names.length + 1} but got ${words.length}`);
  }
  const given = words.length > names.length;
  const others = words.slice(given ? 1 : 0) as { [K in keyof N]: string };
  return [given ? (words[0] ?? '') : session.self(), ...others];
}
