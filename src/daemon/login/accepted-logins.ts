import type { LoginContext } from './login-request.ts';

/** The most services to remember. Root can use more names; then the oldest is dropped. */
const MOST_SERVICES = 256;

/** A login that the daemon accepted because of a code. */
export interface Accepted {
  readonly service: string;
  readonly user: string;
  /** Time of the clock that the constructor got. */
  readonly at: number;
}

/**
 * The last login with a code through each service, in memory. `confirm` asks for it: a login after the change proves that the
 * service still lets people in.
 */
export class AcceptedLogins {
  readonly #last = new Map<string, Accepted>();
  readonly #clock: () => number;
  readonly #rehearsal: string;

  /**
   * @param clock - a clock that never jumps, and that other programs can read, too
   * @param rehearsal - the PAM_RUSER of rehearsals
   */
  constructor(clock: () => number, rehearsal: string) {
    this.#clock = clock;
    this.#rehearsal = rehearsal;
  }

  /**
   * Remembers a login with a code.
   *
   * @param context - from a program of root; rehearsals are left out
   */
  note({ service, user, ruser }: LoginContext): void {
    if (service === undefined || user === undefined || text(ruser ?? '') === this.#rehearsal) {
      return;
    }
    const name = text(service);
    this.#last.delete(name);
    this.#last.set(name, { service: name, user: text(user), at: this.#clock() });
    const [oldest] = this.#last.keys();
    if (this.#last.size > MOST_SERVICES && oldest !== undefined) {
      this.#last.delete(oldest);
    }
  }

  /** @returns the last login of each service */
  all(): readonly Accepted[] {
    return [...this.#last.values()];
  }
}

function text(value: string | Uint8Array): string {
  return Buffer.from(value).toString('latin1');
}
