/** A request that is refused. The message is for the person at the command. */
export class ControlError extends Error {
  /** HTTP status. */
  readonly status: number;
  readonly code: string;
  /** The message without the sentence which says that nothing was changed. */
  readonly what: string;
  readonly #unchanged: string | undefined;
  /**
   * @param status - HTTP status: 400 wrong, 403 not allowed, 404 not there, 409 does not fit, 413 too large, 503 not possible now
   * @param code - stable, for programs
   * @param message - what is wrong and what to do
   * @param unchanged - the last sentence of the message, which says that nothing was changed; empty if not needed
   */
  constructor(status: number, code: string, message: string, unchanged?: string) {
    super(unchanged === undefined ? message : `${message} ${unchanged}`);
    this.name = 'ControlError';
    this.status = status;
    this.code = code;
    this.what = message;
    this.#unchanged = unchanged;
  }

  /**
   * The same refusal, for a request that had an effect before it was refused.
   *
   * @param happened - the effect, as a sentence that begins with a small letter
   * @returns the refusal whose message says both
   */
  though(happened: string): ControlError {
    const { status, code } = this;
    const what = /[.!?]$/.test(this.what) ? this.what : `${this.what}.`;
    return this.#unchanged === undefined
      ? new ControlError(status, code, `${what} ${happened.charAt(0).toUpperCase()}${happened.slice(1)}`)
      : new ControlError(status, code, `${what} No factor was changed, but ${happened}`);
  }
}
