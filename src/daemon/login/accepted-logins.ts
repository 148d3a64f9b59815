import type { LoginContext } from './login-request.ts';

/** Services that are remembered; who is root can name more, and the oldest goes. */
const MOST_SERVICES = 256;

/** A login that the daemon let in by a code. */
export interface Accepted {
  readonly service: string;
  readonly user: string;
  /** By the clock that the constructor got. */
  readonly at: number;
}

/**
 * The last login of each service that was let in by a code, in memory. `confirm` asks for it: a service through which somebody came
 * in after the change is one through which one can come in.
 */
export class AcceptedLogins {
  readonly #last = new Map<string, Accepted>();
  readonly #clock: () => number;
  readonly #rehearsal: string;

  /**
   * @param clock - one that never jumps and that other programs read alike
   * @param rehearsal - what a rehearsal says in place of the user who asks (PAM_RUSER)
   */
  constructor(clock: () => number, rehearsal: string) {
    this.#clock = clock;
    this.#rehearsal = rehearsal;
  }

  /**
   * Remembers a login that was let in by a code.
   *
   * @param context - as root's program gave it; rehearsals are left out
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
