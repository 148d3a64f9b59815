/** The faults of a frame. The message says what came and what was expected, and never quotes a payload. */
export type WireErrorCode =
  'ERR_FRAME_LENGTH' | 'ERR_PAYLOAD_SHORT' | 'ERR_PAYLOAD_LEFT_OVER' | 'ERR_FIELD' | 'ERR_ORDER';

/** The other side broke the protocol. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  /**
   * @param code - which rule was broken
   * @param message - what came and what was expected
   */
  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }
}
