/** Accepts bytes without ever waiting. */
export interface LogOutlet {
  /** @returns how many bytes were taken; 0: none for now; -1: there is no reader */
  write(bytes: Uint8Array): number;
}

/** The most bytes that wait for a slow reader. Half of them is reserved for lines that are lost last. */
const MAX_BYTES = 256 * 1024;
const MAX_BYTES_OF_OTHERS = MAX_BYTES / 2;
/** The most bytes of one write: a pipe accepts this many at once. */
const BATCH_BYTES = 4_096;
/** The pauses between two tries, in milliseconds: short at first. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

interface Line {
  readonly bytes: Buffer;
  readonly kept: boolean;
}

/** How many lines are missing. */
export interface Missing {
  readonly lines: number;
  /** How many of these were lines that are lost last. */
  readonly kept: number;
}

/**
 * Lines for a reader that may be slow, or missing. Nothing here waits: lines that do not fit are left out and counted. When there
 * is room again, a line reports the count.
 */
export class LogQueue {
  readonly #outlet: LogOutlet;
  readonly #tell: (missing: Missing) => void;
  #waiting: Line[] = [];
  #bytes = 0;
  #bytesOfOthers = 0;
  #missing = { lines: 0, kept: 0 };
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param outlet - where lines go
   * @param tell - adds the line that reports missing lines
   */
  constructor(outlet: LogOutlet, tell: (missing: Missing) => void) {
    this.#outlet = outlet;
    this.#tell = tell;
  }

  /**
   * Sends a line, now or as soon as it is taken.
   *
   * @param text - with its end
   * @param kept - whether other lines are left out before this one
   */
  push(text: string, kept: boolean): void {
    const line = { bytes: Buffer.from(text), kept };
    if (this.#waiting.length > 0) {
      this.#wait(line);
      return;
    }
    const taken = this.#outlet.write(line.bytes);
    if (taken >= 0 && taken < line.bytes.length) {
      // A line that was partly sent is finished first.
      this.#wait({ bytes: line.bytes.subarray(taken), kept: kept || taken > 0 });
    }
  }

  /** Sends what can be sent now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#batch();
      const taken = this.#outlet.write(batch);
      if (taken < 0) {
        this.#forget();
        return;
      }
      this.#took(taken);
      if (taken < batch.length) {
        this.#pauseMs = taken > 0 ? FIRST_PAUSE_MS : Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
        this.#tryLater();
        return;
      }
    }
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#missing.lines > 0) {
      const missing = this.#missing;
      this.#missing = { lines: 0, kept: 0 };
      this.#tell(missing);
    }
  }

  #wait(line: Line): void {
    if (line.kept && this.#bytes + line.bytes.length > MAX_BYTES) {
      this.#dropOthers();
    }
    const { length } = line.bytes;
    const fits = line.kept
      ? this.#bytes + length <= MAX_BYTES
      : this.#bytes + length <= MAX_BYTES && this.#bytesOfOthers + length <= MAX_BYTES_OF_OTHERS;
    if (!fits) {
      this.#count(line);
      return;
    }
    this.#waiting.push(line);
    this.#bytes += length;
    this.#bytesOfOthers += line.kept ? 0 : length;
    this.#tryLater();
  }

  #dropOthers(): void {
    const kept = this.#waiting.filter((line) => line.kept);
    this.#waiting.filter((line) => !line.kept).forEach((line) => this.#count(line));
    this.#waiting = kept;
    this.#bytes -= this.#bytesOfOthers;
    this.#bytesOfOthers = 0;
  }

  #count({ kept }: Line): void {
    this.#missing.lines += 1;
    this.#missing.kept += kept ? 1 : 0;
  }

  #batch(): Buffer {
    let length = 0;
    const fitting = this.#waiting.findIndex(({ bytes }) => (length += bytes.length) > BATCH_BYTES);
    const count = fitting === -1 ? this.#waiting.length : Math.max(1, fitting);
    return Buffer.concat(this.#waiting.slice(0, count).map(({ bytes }) => bytes));
  }

  #took(bytes: number): void {
    let left = bytes;
    let whole = 0;
    for (const line of this.#waiting) {
      const { length } = line.bytes;
      this.#bytes -= Math.min(left, length);
      this.#bytesOfOthers -= line.kept ? 0 : Math.min(left, length);
      if (left < length) {
        break;
      }
      left -= length;
      whole += 1;
    }
    this.#waiting.splice(0, whole);
    const begun = this.#waiting[0];
    if (begun !== undefined && left > 0) {
      this.#bytesOfOthers -= begun.kept ? 0 : begun.bytes.length - left;
      this.#waiting[0] = { bytes: begun.bytes.subarray(left), kept: true };
    }
  }

  #tryLater(): void {
    this.#timer ??= setTimeout(() => this.flush(), this.#pauseMs).unref();
  }

  /** There will be no reader any more, and this cannot be reported anywhere else. */
  #forget(): void {
    this.#waiting = [];
    this.#bytes = 0;
    this.#bytesOfOthers = 0;
  }
}
