/** A request that is refused. The message is for the person at the command. */
export class ControlError extends Error {
  /** HTTP status. */
  readonly status: number;
  readonly code: string;
  /**
   * @param status - HTTP status: 400 wrong, 403 not allowed, 404 not there, 409 does not fit, 413 too large, 503 not possible now
   * @param code - stable, for programs
   * @param message - what is wrong and what to do
   */
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
    this.code = code;
  }
}
