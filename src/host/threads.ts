import { timeLimit } from './time-limit.ts';

/** The request had no thread, or got no answer on it. */
export type NotServed =
  /** Too many others are served or hang; nothing was done. */
  | { readonly kind: 'busy' }
  /** This user's thread does not return. What was asked for may still happen, when it does. */
  | { readonly kind: 'hung' };

/** How many threads there are, and how long they are waited for. */
export interface ThreadLimits {
  /** Threads at one moment, those that hang among them. */
  readonly threads: number;
  /** A thread that has not returned by then hangs, in milliseconds. */
  readonly deadlineMs: number;
  /** How long a request waits for a thread, in milliseconds. */
  readonly waitMs: number;
}

/** For files of users. */
export const FILE_LIMITS: ThreadLimits = { threads: 8, deadlineMs: 5_000, waitMs: 2_000 };
/** Requests that wait, in all and of one user. */
const MAX_WAITING = 256;
const MAX_WAITING_PER_USER = 64;

/** What happens to threads that hang; each is told once. */
export interface ThreadReports<User = number> {
  /** A user's thread has not returned within the deadline. */
  hung(uid: User): void;
  /** It has returned after all. */
  returned(uid: User): void;
  /** All threads hang: from now on nobody is served. */
  exhausted(): void;
}

/** Work for a thread. */
export interface Work<T> {
  /** Begins it; the promise is settled when the thread returns, which may be never. */
  start(): Promise<T>;
  /** Whether anybody still wants it: asked when its turn comes. */
  wanted(): boolean;
  /** Takes a result that came after the deadline. */
  discard(late: T): void;
}

interface Waiting {
  begin(): void;
  refuse(why: NotServed): void;
}

/** One user's requests. A lane is there while it has any. */
interface Lane {
  running: boolean;
  hung: boolean;
  readonly waiting: Waiting[];
}

/**
 * Shares few threads out fairly, though each may hang for ever: one at a time for a user, users in turn. A thread that hangs stays
 * occupied, and its user is refused, until it returns; so threads do not pile up, and nobody waits for the file system of another.
 */
export class Threads<User extends string | number = number> {
  readonly #reports: ThreadReports<User>;
  readonly #limits: ThreadLimits;
  /** In the order of their turns. */
  readonly #lanes = new Map<User, Lane>();

  /**
   * @param reports - who is told
   * @param limits - how many threads, for how long
   */
  constructor(reports: ThreadReports<User>, limits: ThreadLimits = FILE_LIMITS) {
    this.#reports = reports;
    this.#limits = limits;
  }

  /**
   * Runs work for a user, as soon as a thread is free.
   *
   * @param uid - whose thread it is
   * @param work - what to do
   * @returns its result, or why there is none
   * @throws what `work.start()` throws or rejects with
   */
  run<T>(uid: User, work: Work<T>): Promise<T | NotServed> {
    const lane = this.#lanes.get(uid) ?? { running: false, hung: false, waiting: [] };
    if (lane.hung) {
      return Promise.resolve({ kind: 'hung' });
    }
    if (this.#allHang() || this.#isFull(lane)) {
      return Promise.resolve({ kind: 'busy' });
    }
    this.#lanes.set(uid, lane);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        begin: () => {
          stopWaiting();
          if (work.wanted()) {
            this.#begin(uid, lane, work).then(resolve, reject);
          } else {
            resolve({ kind: 'busy' });
            this.#leave(uid, lane);
          }
        },
        refuse: (why) => {
          stopWaiting();
          resolve(why);
        },
      };
      const stopWaiting = timeLimit(this.#limits.waitMs, () => {
        lane.waiting.splice(lane.waiting.indexOf(waiting), 1);
        waiting.refuse({ kind: 'busy' });
        if (!lane.running && lane.waiting.length === 0) {
          this.#lanes.delete(uid);
        }
      });
      lane.waiting.push(waiting);
      this.#fill();
    });
  }

  /** Gives free threads to those whose turn it is. */
  #fill(): void {
    let free = this.#limits.threads - this.#count(({ running }) => running);
    for (const lane of [...this.#lanes.values()]) {
      if (free > 0 && !lane.running) {
        const next = lane.waiting.shift();
        if (next !== undefined) {
          lane.running = true;
          free--;
          next.begin();
        }
      }
    }
  }

  async #begin<T>(uid: User, lane: Lane, work: Work<T>): Promise<T | NotServed> {
    let forget = (): void => undefined;
    const deadline = new Promise<NotServed>((resolve) => {
      forget = timeLimit(this.#limits.deadlineMs, () => {
        resolve({ kind: 'hung' });
        this.#hangs(uid, lane);
      });
    });
    const result = this.#untilReturned(uid, lane, work);
    try {
      return await Promise.race([result, deadline]);
    } finally {
      forget();
    }
  }

  async #untilReturned<T>(uid: User, lane: Lane, work: Work<T>): Promise<T> {
    try {
      const result = await work.start();
      if (lane.hung) {
        work.discard(result);
      }
      return result;
    } finally {
      this.#leave(uid, lane);
    }
  }

  #hangs(uid: User, lane: Lane): void {
    lane.hung = true;
    this.#reports.hung(uid);
    refuseAll(lane, { kind: 'hung' });
    if (this.#allHang()) {
      this.#reports.exhausted();
      for (const other of [...this.#lanes.values()]) {
        refuseAll(other, { kind: 'busy' });
      }
      for (const [other, { running }] of [...this.#lanes]) {
        if (!running) {
          this.#lanes.delete(other);
        }
      }
    }
  }

  /** The thread is free, and it is the next user's turn. */
  #leave(uid: User, lane: Lane): void {
    if (lane.hung) {
      this.#reports.returned(uid);
    }
    lane.running = false;
    lane.hung = false;
    this.#lanes.delete(uid);
    if (lane.waiting.length > 0) {
      this.#lanes.set(uid, lane);
    }
    this.#fill();
  }

  /** Whether a request would have to wait, and too many do already. */
  #isFull(lane: Lane): boolean {
    const waits = lane.running || this.#count(({ running }) => running) === this.#limits.threads;
    return waits && (lane.waiting.length >= MAX_WAITING_PER_USER || this.#waiting() >= MAX_WAITING);
  }

  #allHang(): boolean {
    return this.#count(({ hung }) => hung) === this.#limits.threads;
  }

  #waiting(): number {
    return [...this.#lanes.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  #count(what: (lane: Lane) => boolean): number {
    return [...this.#lanes.values()].filter(what).length;
  }
}

function refuseAll(lane: Lane, why: NotServed): void {
  for (const waiting of lane.waiting.splice(0)) {
    waiting.refuse(why);
  }
}
