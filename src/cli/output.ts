import { processTerminal, type Terminal } from './terminal.ts';

/** Where a command writes: results to standard output, everything else to standard error. */
export interface Output {
  /** A line of the result. */
  line(text: string): void;
  /** A line that is not part of the result. */
  note(text: string): void;
  /** What the result is shown on; undefined: a pipe or a file. */
  readonly terminal: Terminal | undefined;
}

/**
 * The output of this process.
 *
 * @returns the output
 */
export function processOutput(): Output {
  return {
    line: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
    terminal: processTerminal(),
  };
}
