import { processTerminal, type Terminal } from './terminal.ts';

/** The output of a command: results go to standard output, everything else to standard error. */
export interface Output {
  /** A line of the result. */
  line(text: string): void;
  /** A line that is not part of the result. */
  note(text: string): void;
  /** What the result is shown on; undefined: a pipe or a file. */
  readonly terminal: Terminal | undefined;
}

/** The output of a process, which may fail at any time: a full disk, a reader that went away. */
export interface ProcessOutput extends Output {
  /**
   * Waits until everything is written.
   *
   * @returns why the result is incomplete, for example ENOSPC; undefined if it is complete
   */
  written(): Promise<string | undefined>;
}

/**
 * The output of this process. From now on, an error of standard output does not end the process; {@link ProcessOutput.written}
 * reports it.
 *
 * @returns the output
 */
export function processOutput(): ProcessOutput {
  let failure: string | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (failure ??= error.code ?? error.name));
  // Nobody could read a report about this.
  process.stderr.on('error', () => undefined);
  return {
    written: () =>
      new Promise((resolve) => {
        // An error event comes after the callback.
        process.stdout.write('', () => setImmediate(() => resolve(failure)));
      }),
    line: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
    terminal: processTerminal(),
  };
}
