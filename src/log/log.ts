import { loggable } from './escape.ts';
import { LogQueue, type LogOutlet } from './log-queue.ts';

/** Priorities of syslog (RFC 5424, section 6.2.1); journald reads them from the `<n>` in front of a line. */
const PRIORITY = { alert: 1, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;
export type Priority = keyof typeof PRIORITY;

/** Named values of an event; undefined ones are left out. */
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

  /**
   * Writes one event that fail2ban or an audit needs: who got in, who did not, and what became of factors. If the log's reader is
   * too slow, other lines are left out first.
   */
  audit(priority: Priority, message: string, fields?: LogFields): void;
}

/** A log that ends in a program's standard error. */
export interface JournalLog extends Log {
  /** Sends the waiting lines, as far as the reader takes them at once. For the end of the program. */
  flush(): void;
}

/**
 * A log for journald. It never waits for its reader, and never throws: a login does not hang or fail because nobody reads the log.
 *
 * @param outlet - where to write
 * @returns the log
 */
export function journalLog(outlet: LogOutlet): JournalLog {
  const queue = new LogQueue(outlet, ({ lines, kept }) =>
    log.audit('warning', 'Lines of this log are missing: its reader was too slow', { lines, audits: kept }),
  );
  const log: JournalLog = {
    event: (priority, message, fields) => queue.push(lineOf(priority, message, fields), false),
    audit: (priority, message, fields) => queue.push(lineOf(priority, message, fields), true),
    flush: () => queue.flush(),
  };
  return log;
}

function lineOf(priority: Priority, message: string, fields: LogFields = {}): string {
  return `<${PRIORITY[priority]}>${message}${formatted(fields)}\n`;
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
