import { randomBytes } from 'node:crypto';
import { encodeBase32 } from '../../../src/factors/base32.ts';
import { hotpCode } from '../harness/code.ts';

/** The steps around now in which a different clock is recognised, and some more. */
const AROUND = 1_520;
const DIGITS = 6;

/** An authenticator app at one moment. */
export class Phone {
  readonly #key = randomBytes(20);
  /** In base32. */
  readonly secret = encodeBase32(this.#key);
  /** Seconds since 1970. */
  readonly now: number;
  /** Seconds of a time step. */
  readonly period: number;
  #around: readonly string[] | undefined;

  /**
   * @param now - seconds since 1970
   * @param period - seconds of a time step
   */
  constructor(now: number, period: number) {
    this.now = now;
    this.period = period;
  }

  /** The time step of now. */
  get step(): number {
    return Math.floor(this.now / this.period);
  }

  /** The code so many steps from now. */
  code(steps: number): string {
    return this.counterCode(this.step + steps);
  }

  /** The code of a counter. */
  counterCode(counter: number): string {
    return hotpCode(this.#key, counter);
  }

  /** A code that fits no step within hours. */
  wrongCode(): string {
    const near = new Set(this.#near());
    let number = 0;
    while (near.has(String(number).padStart(DIGITS, '0'))) {
      number += 1;
    }
    return String(number).padStart(DIGITS, '0');
  }

  /** How many time steps within hours have this code: among three thousand codes, some are equal. */
  meanings(typed: string): number {
    return this.#near().filter((code) => typed.endsWith(code)).length;
  }

  #near(): readonly string[] {
    this.#around ??= Array.from({ length: 2 * AROUND + 1 }, (_, index) => this.code(index - AROUND));
    return this.#around;
  }
}
