import { existsSync } from 'node:fs';
import { readerIsRoot } from './who.ts';

const SUDO = ['/usr/bin/sudo', '/usr/local/bin/sudo'];
/** Characters that need a shell. */
const FOR_A_SHELL = /[|&;<>()$`*?[\]{}'"\\~#\n]/;

/** The reader of a command, and the program with which they become root. */
export interface Reader {
  readonly isRoot: boolean;
  readonly hasSudo: boolean;
}

let known: Reader | undefined;

/**
 * A command for root in the form that the reader can run: with sudo, unless their shell is root's.
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
