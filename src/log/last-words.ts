import type { JournalLog } from './log.ts';

/** Frames of a stack that are told: without the message, since nobody knows what that quotes. */
const FRAMES = 6;

/**
 * Has what Node would write to standard error, and wait there until somebody reads it, go through the log: warnings, and the error that
 * ends the program. What still waits in the log at the end gets its last chance.
 *
 * @param log - the log
 */
export function tellLastWords(log: JournalLog): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name }) => log.event('warning', 'Node.js warns', { name }));
  process.on('uncaughtException', (error: unknown) => {
    log.audit('alert', 'The program ends: an error that nobody expected', {
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
