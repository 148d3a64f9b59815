/** Waiting for more file descriptors, when there are none, in milliseconds. */
const DESCRIPTOR_PAUSE_MS = 100;
/** After so many that were turned away the socket rests, so that a caller who comes again at once takes little of our time. */
const TURNED_AWAY_AT_ONCE = 8;
const REST_MS = 1;

/** What accepts connections until it is paused; they wait in the kernel's queue meanwhile. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** A listening socket that rests when it must. A rest never opens what its owner has paused. */
export class Door {
  readonly #socket: Pausable;
  #paused = false;
  #resting: NodeJS.Timeout | undefined;
  #turnedAway = 0;

  /** @param socket - accepts connections now */
  constructor(socket: Pausable) {
    this.#socket = socket;
  }

  /** Accepts nobody until {@link resume}. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  /** Accepts connections again, after a rest that is under way. */
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

  /** Accepts nobody any more. */
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
