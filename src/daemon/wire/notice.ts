import { MAX_TEXT_BYTES } from './limits.ts';
import { PayloadReader } from './payload-reader.ts';
import { PayloadWriter } from './payload-writer.ts';
import { WireError } from './wire-error.ts';

/** A text for the person that needs no answer. */
export interface Notice {
  readonly kind: 'info' | 'error';
  /** At most 8 KiB of UTF-8. */
  readonly text: string;
}

const KINDS: readonly Notice['kind'][] = ['info', 'error'];

/**
 * Writes the payload of a NOTICE.
 *
 * @param notice - the text and its kind
 * @returns the payload
 */
export function encodeNotice(notice: Notice): Buffer {
  return new PayloadWriter()
    .u8(KINDS.indexOf(notice.kind))
    .str(Buffer.from(notice.text), MAX_TEXT_BYTES)
    .bytes();
}

/**
 * Reads the payload of a NOTICE: what the module does, here for tests.
 *
 * @param payload - the payload of the frame
 * @returns the text and its kind
 * @throws WireError when the payload breaks the protocol
 */
export function decodeNotice(payload: Buffer): Notice {
  const reader = new PayloadReader(payload);
  const kind = KINDS[reader.u8()];
  if (kind === undefined) {
    throw new WireError('ERR_FIELD', 'NOTICE has an unknown kind');
  }
  const text = reader.str(MAX_TEXT_BYTES).toString();
  reader.end();
  return { kind, text };
}
