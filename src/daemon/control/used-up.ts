import { RECOVERY_CODE_LENGTH } from '../../factors/recovery-code.ts';
import { ControlError } from './control-error.ts';

/** A short text with letters is a recovery code: all other proofs are digits, or longer. */
const RECOVERY_CODE = new RegExp(`^(?=.*[A-Z])[A-Z2-7]{${RECOVERY_CODE_LENGTH}}$`, 'i');

/** What a request has used up. If the request is refused later, the refusal says so. */
export class UsedUp {
  readonly #things = new Set<string>();

  /**
   * A proof was accepted.
   *
   * @param typed - the code
   */
  proof(typed = ''): void {
    const kind = RECOVERY_CODE.test(typed.replaceAll(/[\s-]/g, '')) ? 'recovery code' : 'code';
    this.#things.add(`the ${kind} that you typed`);
  }

  /** The touch of a new YubiKey was checked, which uses its OTP up. */
  touch(): void {
    this.#things.add('the touch of the YubiKey');
  }

  /**
   * Runs some work, and adds to its refusals what was used up by then.
   *
   * @param work - the work, which calls {@link proof} and {@link touch}
   * @returns the same work
   */
  explaining<T>(work: () => Promise<T>): () => Promise<T> {
    return async () => {
      try {
        return await work();
      } catch (error) {
        throw this.#explained(error);
      }
    };
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof ControlError) || this.#things.size === 0) {
      return error;
    }
    const several = this.#things.size > 1;
    const things = [...this.#things].join(' and ');
    return error.though(
      `${things} ${several ? 'are' : 'is'} used up: the next try needs ${several ? 'others' : 'another'}.`,
    );
  }
}
