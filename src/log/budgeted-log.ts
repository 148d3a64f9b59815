import type { Log } from './log.ts';

/** Events that one uid may cause in a minute. */
const EVENTS_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** The most uids that are counted. A new one replaces the one that was counted first. */
const MAX_UIDS = 1_024;

interface Budget {
  begun: number;
  events: number;
}

/**
 * Limits the lines that unprivileged programs can cause. The journal limits each service; without this, one program could use
 * that up and keep out the events of others.
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
   * The log for events that one uid causes.
   *
   * @param uid - as the kernel says it
   * @returns a log that reports once a minute that further lines are left out
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
