import type { Log } from './log.ts';

/** Events that one uid may cause in a minute. */
const EVENTS_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** Uids of which counts are kept; the one that was counted first is forgotten for a new one. */
const MAX_UIDS = 1_024;

interface Budget {
  begun: number;
  events: number;
}

/**
 * Bounds what unprivileged programs can write into the log: the journal has a limit of its own for a service, and whoever fills it
 * keeps the events of others out.
 */
export class BudgetedLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #budgets = new Map<number, Budget>();

  /**
   * @param log - where events go
   * @param now - a clock in milliseconds that never jumps
   */
  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /**
   * The log for what one uid causes.
   *
   * @param uid - as the kernel says it
   * @returns a log that says once in a minute that the rest of it is left out
   */
  of(uid: number): Log {
    const within = (write: () => void): void => {
      const events = this.#count(uid);
      if (events < EVENTS_PER_MINUTE) {
        write();
      } else if (events === EVENTS_PER_MINUTE) {
        this.#log.event('warning', 'A user causes many events: the rest of this minute is not logged', {
          uid,
        });
      }
    };
    return {
      event: (priority, message, fields) => within(() => this.#log.event(priority, message, fields)),
      audit: (priority, message, fields) => within(() => this.#log.audit(priority, message, fields)),
    };
  }

  /** Counts an event; says how many there were before it in the running minute. */
  #count(uid: number): number {
    const known = this.#budgets.get(uid);
    if (known !== undefined && this.#now() - known.begun < MINUTE_MS) {
      return known.events++;
    }
    this.#budgets.delete(uid);
    this.#budgets.set(uid, { begun: this.#now(), events: 1 });
    for (const [first] of this.#budgets) {
      if (this.#budgets.size <= MAX_UIDS) {
        break;
      }
      this.#budgets.delete(first);
    }
    return 0;
  }
}
