import type { JournalLog } from './log.ts';

/** The most stack frames to log. The message is left out, because it may quote a secret. */
const FRAMES = 6;

/**
 * Sends warnings, and the error that ends the program, through the log. Node itself would write them to standard error, and wait
 * there for a reader. At the end, lines that still wait in the log are tried once more.
 *
 * @param log - the log
 */
export function tellLastWords(log: JournalLog): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name }) => log.event('warning', 'Node.js warns', { name }));
  process.on('uncaughtException', (error: unknown) => {
    log.audit('alert', 'The program ends after an unexpected error', {
      error: error instanceof Error ? ('code' in error ? String(error.code) : error.name) : typeof error,
      at: error instanceof Error ? framesOf(error) : undefined,
    });
    process.exit(1);
  });
  process.on('exit', () => log.flush());
}

function framesOf({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, FRAMES)
    .map((line) => line.trim())
    .join(', ');
}
