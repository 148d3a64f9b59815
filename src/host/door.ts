/** How long to wait if there are no free file descriptors, in milliseconds. */
const DESCRIPTOR_PAUSE_MS = 100;
/** After this number of rejected connections the socket rests, so that a caller who keeps coming takes little of our time. */
const TURNED_AWAY_AT_ONCE = 8;
const REST_MS = 1;

/** Accepts connections until it is paused; meanwhile they wait in the kernel's queue. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** A listening socket that can rest. The end of a rest does not reopen a socket that its owner has paused. */
export class Door {
  readonly #socket: Pausable;
  #paused = false;
  #resting: NodeJS.Timeout | undefined;
  #turnedAway = 0;

  /** @param socket - accepts connections now */
  constructor(socket: Pausable) {
    this.#socket = socket;
  }

  /** Accepts no connections until {@link resume}. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  /** Accepts connections again; if a rest is running, after it. */
  resume(): void {
    this.#paused = false;
    if (this.#resting === undefined) {
      this.#socket.resume();
    }
  }

  /** Somebody came too often. */
  turnedAway(): void {
    this.#turnedAway += 1;
    if (this.#turnedAway % TURNED_AWAY_AT_ONCE === 0) {
      this.#rest(REST_MS);
    }
  }

  /** A connection could not be accepted. The kernel would offer it again at once. */
  notAccepted(): void {
    this.#rest(DESCRIPTOR_PAUSE_MS);
  }

  /** Accepts no more connections. */
  close(): void {
    this.pause();
    clearTimeout(this.#resting);
  }

  #rest(milliseconds: number): void {
    this.#socket.pause();
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      if (!this.#paused) {
        this.#socket.resume();
      }
    }, milliseconds);
  }
}
