import { writeSync } from 'node:fs';
import { loggable } from './escape.ts';

/** Priorities of syslog (RFC 5424, section 6.2.1); journald reads them from the `<n>` in front of a line. */
const PRIORITY = { alert: 1, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;
export type Priority = keyof typeof PRIORITY;

/** Named values of an event; those that are undefined are left out. */
export type LogFields = Readonly<Record<string, string | number | Uint8Array | undefined>>;

/** Where events go: one line each. */
export interface Log {
  /**
   * Writes one event.
   *
   * @param priority - how much it matters
   * @param message - what happened: our own words, with values from outside only through {@link loggable}
   * @param fields - values from outside or inside; they are escaped here
   */
  event(priority: Priority, message: string, fields?: LogFields): void;
}

/**
 * A log for journald on a file descriptor.
 *
 * @param fd - where to write, 2 for standard error
 * @returns the log. It never throws: a login does not fail because nobody reads the log.
 */
export function journalLog(fd: number): Log {
  return {
    event(priority, message, fields = {}) {
      const line = `<${PRIORITY[priority]}>${message}${formatted(fields)}\n`;
      try {
        writeSync(fd, line);
      } catch {
        // A full or closed log has nowhere else to be reported.
      }
    },
  };
}

function formatted(fields: LogFields): string {
  let text = '';
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value !== undefined) {
      text += ` ${name}=${typeof value === 'number' ? String(value) : loggable(value)}`;
    }
  }
  return text;
}
