import type { Readable } from 'node:stream';

const PATIENCE_MS = 60_000;

/** The lines that a program writes, and waiting for them. */
export class Log {
  readonly lines: string[] = [];
  readonly #name: string;
  readonly #source: Readable;
  #rest = '';
  #ended = false;
  readonly #onChange = new Set<() => void>();

  /**
   * @param name - whose lines these are, for messages
   * @param source - where they come from
   */
  constructor(name: string, source: Readable) {
    this.#name = name;
    this.#source = source;
    source.setEncoding('utf8');
    source.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop()!;
      this.lines.push(...lines);
      this.#changed();
    });
    source.on('end', () => {
      this.#ended = true;
      this.#changed();
    });
  }

  /** Reads nothing until {@link resume}. Meanwhile the kernel's buffer fills up, and then the writer is stuck. */
  pause(): void {
    this.#source.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#source.resume();
  }

  /**
   * @param pattern - what the lines have
   * @returns the lines seen so far that have it
   */
  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  /**
   * Waits until so many lines match, from the first line on.
   *
   * @param pattern - what the lines have
   * @param count - how many there have to be
   * @returns the first `count` of them
   * @throws Error with the whole log, when they do not come
   */
  async waitFor(pattern: RegExp, count = 1): Promise<string[]> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.matching(pattern);
      if (found.length >= count) {
        return found.slice(0, count);
      }
      const left = deadline - Date.now();
      if (this.#ended || left <= 0) {
        throw new Error(
          `${this.#name}: ${found.length} of ${count} lines with ${String(pattern)} in its log:\n${this.lines.join('\n')}`,
        );
      }
      await this.#change(left);
    }
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#onChange.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#onChange.add(done);
    });
  }

  #changed(): void {
    for (const done of [...this.#onChange]) {
      done();
    }
  }
}
