import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { CHECKOUT } from '../harness/daemon.ts';
import type { Stage } from '../daemon/stage.ts';

/** A jump: from this time on, the clock differs from the machine's by this offset. */
interface Era {
  /** Milliseconds since 1970 on the machine's clock. */
  readonly since: number;
  readonly offset: number;
}

/** The clock of a stage's daemons, which can be moved while they run: moved-clock.c. */
export class Clock {
  /** How often it was moved. */
  jumps = 0;
  /** The prefix of the daemon's command line. */
  readonly around: readonly string[];
  readonly #file: number;
  readonly #eras: Era[] = [{ since: 0, offset: 0 }];

  private constructor(path: string, around: readonly string[]) {
    this.#file = openSync(path, 'r+');
    this.around = around;
  }

  /**
   * Makes the clock; it shows what the machine's shows.
   *
   * @param stage - where
   * @returns the clock; the caller closes it
   */
  static async of(stage: Stage): Promise<Clock> {
    const source = `${CHECKOUT}/test/e2e/soak/moved-clock.c`;
    const library = await stage.compile(source, 'moved-clock.so', '-fPIC', '-shared');
    const path = `${stage.dir}/clock`;
    writeFileSync(path, bytes(0));
    chmodSync(path, 0o644);
    const preload = `LD_PRELOAD=${stage.environment['LD_PRELOAD'] ?? ''}:${library}`;
    return new Clock(path, ['env', preload, `MOVED_CLOCK=${path}`]);
  }

  /** What it shows, in milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#eras.at(-1)!.offset;
  }

  /**
   * Moves it.
   *
   * @param offset - how far it is from the machine's clock from now on, in milliseconds
   */
  moveTo(offset: number): void {
    this.#eras.push({ since: Date.now(), offset });
    writeSync(this.#file, bytes(offset), 0, 8, 0);
    this.jumps += 1;
  }

  /**
   * The times that the daemon may have seen while something happened.
   *
   * @param begun - when it began, on the machine's clock
   * @param ended - when it ended
   * @returns times on this clock: the first and the last of each time between two jumps
   */
  readings(begun: number, ended: number): number[] {
    return this.#eras.flatMap(({ since, offset }, index) => {
      const until = this.#eras[index + 1]?.since ?? Infinity;
      return since > ended || until < begun
        ? []
        : [Math.max(since, begun) + offset, Math.min(until, ended) + offset];
    });
  }

  close(): void {
    closeSync(this.#file);
  }
}

function bytes(offset: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigInt64LE(BigInt(offset));
  return number;
}
