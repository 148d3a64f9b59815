import { existsSync } from 'node:fs';
import { readerIsRoot } from './who.ts';

const SUDO = ['/usr/bin/sudo', '/usr/local/bin/sudo'];
/** What only a shell understands. */
const FOR_A_SHELL = /[|&;<>()$`*?[\]{}'"\\~#\n]/;

/** Who reads a command, and what they have to become root with. */
export interface Reader {
  readonly isRoot: boolean;
  readonly hasSudo: boolean;
}

let known: Reader | undefined;

/**
 * A command of root as whoever reads it can run it: with sudo, unless their shell is root's.
 *
 * @param command - one line for root's shell
 * @param reader - who reads it; the person at this terminal when left out
 * @returns one line for the reader's shell
 */
export function asRoot(command: string, reader: Reader = thisReader()): string {
  if (reader.isRoot) {
    return command;
  }
  if (!reader.hasSudo) {
    return `su -c ${inQuotes(command)}`;
  }
  return FOR_A_SHELL.test(command) ? `sudo sh -c ${inQuotes(command)}` : `sudo ${command}`;
}

function thisReader(): Reader {
  known ??= { isRoot: readerIsRoot(), hasSudo: SUDO.some((path) => existsSync(path)) };
  return known;
}

function inQuotes(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
