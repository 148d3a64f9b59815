/** A record cannot be read. The message names the place and what is expected there, but never the value. */
export class RecordError extends Error {
  readonly code = 'ERR_RECORD';
  /** @param message - what is wrong, and where */
  constructor(message: string) {
    super(message);
    this.name = 'RecordError';
  }
}
