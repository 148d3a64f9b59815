/** Why a record cannot be changed like that. */
export type ChangeErrorCode =
  | 'ERR_NAME_TAKEN'
  | 'ERR_TOO_MANY_FACTORS'
  | 'ERR_NO_SUCH_FACTOR'
  | 'ERR_HAS_RECOVERY_CODES'
  | 'ERR_HAS_IMPORTED_FILE'
  | 'ERR_HAS_YUBIKEY'
  | 'ERR_HAS_SECRET'
  | 'ERR_NOTHING_ACTIVE';

/** A refused change of a record; the message is for the person who asked. */
export class ChangeError extends Error {
  readonly code: ChangeErrorCode;
  /**
   * @param code - which
   * @param message - what is wrong and what to do
   */
  constructor(code: ChangeErrorCode, message: string) {
    super(message);
    this.name = 'ChangeError';
    this.code = code;
  }
}
