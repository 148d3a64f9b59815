import { LOCAL_RESERVE, MAX_LOGINS, MAX_USER_LOGINS, MAX_USER_LOGINS_PER_UID } from './limits.ts';

/* The limited places for logins. */

/** A login that has a place. */
export interface Occupant {
  /** When its person was asked; undefined if it is not waiting for a person. */
  readonly askedAt: number | undefined;
  /** Ends it, to make room. */
  giveUp(why: string): void;
}

/** The origin of a login, for the choice of a place. */
export type Origin = { readonly socket: 'root' } | { readonly socket: 'user'; readonly uid: number };

/**
 * The places for logins. Root's socket and the one for everybody have places of their own, so an unprivileged program can push
 * out only logins of its own user.
 */
export class LoginSlots {
  readonly #root = new Set<Occupant>();
  readonly #remote = new Set<Occupant>();
  readonly #user = new Map<Occupant, number>();

  /** @returns how many logins there are */
  get taken(): number {
    return this.#root.size + this.#user.size;
  }

  /** @returns all logins */
  all(): Occupant[] {
    return [...this.#root, ...this.#user.keys()];
  }

  /**
   * Takes a place. If none is free, the login that has waited longest for its person is ended.
   *
   * @param occupant - the new login
   * @param origin - where it comes from
   * @returns whether it got a place
   */
  take(occupant: Occupant, origin: Origin): boolean {
    if (origin.socket === 'user') {
      return this.#takeUser(occupant, origin.uid);
    }
    if (this.#root.size >= MAX_LOGINS && !makeRoom(this.#root)) {
      return false;
    }
    this.#root.add(occupant);
    return true;
  }

  /**
   * Notes that a login of root's socket comes from a remote host: these leave some places to local terminals.
   *
   * @param occupant - the login, which has a place
   * @returns whether it may go on
   */
  markRemote(occupant: Occupant): boolean {
    if (!this.#root.has(occupant)) {
      return true;
    }
    if (this.#remote.size >= MAX_LOGINS - LOCAL_RESERVE && !makeRoom(this.#remote)) {
      return false;
    }
    this.#remote.add(occupant);
    return true;
  }

  /** Frees a place. */
  leave(occupant: Occupant): void {
    this.#root.delete(occupant);
    this.#remote.delete(occupant);
    this.#user.delete(occupant);
  }

  #takeUser(occupant: Occupant, uid: number): boolean {
    const own = [...this.#user].filter(([, owner]) => owner === uid).map(([login]) => login);
    if (own.length >= MAX_USER_LOGINS_PER_UID || this.#user.size >= MAX_USER_LOGINS) {
      return false;
    }
    this.#user.set(occupant, uid);
    return true;
  }
}

/** Ends the login that has waited longest for its person, and says whether there was one. */
function makeRoom(logins: Set<Occupant>): boolean {
  let oldest: Occupant | undefined;
  for (const login of logins) {
    if (login.askedAt !== undefined && login.askedAt < (oldest?.askedAt ?? Infinity)) {
      oldest = login;
    }
  }
  if (oldest === undefined) {
    return false;
  }
  logins.delete(oldest);
  oldest.giveUp('too many logins wait at once, and this one has waited longest');
  return true;
}
