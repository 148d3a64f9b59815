/** Limits of the wire protocol, version 1 (docs/reference/protocol.md). The module has the same numbers in native/pam/wire.h. */

/** The version that this daemon speaks. It also accepts the one before, when there is one. */
export const PROTOCOL_VERSION = 1;
/** The oldest version of a module that is still served. */
export const OLDEST_PROTOCOL_VERSION = 1;
/** The version of the health check, which no module has. */
export const PROBE_VERSION = 0;

/** Bytes of the length field in front of every frame. */
export const FRAME_HEADER_BYTES = 2;
/** The length field counts the type and the payload. */
export const MIN_FRAME_LENGTH = 1;
export const MAX_FRAME_LENGTH = 16_383;

/** Bytes of one shape's text in an ANSWER. */
export const MAX_ANSWER_BYTES = 64;
/** Shapes in one PROMPT. */
export const MAX_SHAPES = 8;
/** Bytes of the text of a PROMPT or a NOTICE: a QR code for the terminal fits. */
export const MAX_TEXT_BYTES = 8_192;
/** The longest delay after a failure that a VERDICT may ask for, in microseconds. */
export const MAX_FAIL_DELAY_US = 10_000_000;
