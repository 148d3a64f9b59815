import { PayloadReader } from './payload-reader.ts';
import { PayloadWriter } from './payload-writer.ts';
import { WireError } from './wire-error.ts';

/** Why the module could not ask. */
export type CancelReason = 'conversation-failed' | 'not-allowed-to-ask';

const CONVERSATION_FAILED = 1;
const NOT_ALLOWED_TO_ASK = 2;

/**
 * Reads the payload of a CANCEL.
 *
 * @param payload - the payload of the frame
 * @returns why the module could not ask
 * @throws WireError when the payload breaks the protocol
 */
export function decodeCancel(payload: Buffer): CancelReason {
  const reader = new PayloadReader(payload);
  const reason = reader.u8();
  reader.end();
  switch (reason) {
    case CONVERSATION_FAILED:
      return 'conversation-failed';
    case NOT_ALLOWED_TO_ASK:
      return 'not-allowed-to-ask';
    default:
      throw new WireError('ERR_FIELD', `CANCEL has the unknown reason ${reason}`);
  }
}

/**
 * Writes the payload of a CANCEL: what the module does, here for tests.
 *
 * @param reason - why the module could not ask
 * @returns the payload
 */
export function encodeCancel(reason: CancelReason): Buffer {
  return new PayloadWriter()
    .u8(reason === 'conversation-failed' ? CONVERSATION_FAILED : NOT_ALLOWED_TO_ASK)
    .bytes();
}
