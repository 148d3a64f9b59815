/** Where a command writes: results to standard output, everything else to standard error. */
export interface Output {
  /** A line of the result. */
  line(text: string): void;
  /** A line that is not part of the result. */
  note(text: string): void;
  /** Whether somebody looks at the result on a terminal. */
  readonly terminal: boolean;
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
    terminal: process.stdout.isTTY,
  };
}
