import { MAX_FAIL_DELAY_US, MAX_SHAPES } from './limits.ts';
import { PayloadReader } from './payload-reader.ts';
import { PayloadWriter } from './payload-writer.ts';
import { WireError } from './wire-error.ts';

/** How a login ended. The numbers on the wire are the places in this list: a zeroed frame is a denial. */
export const VERDICT_CODES = [
  'denied',
  'ok',
  'not-enrolled',
  'user-unknown',
  'too-many-tries',
  'unavailable',
  'exempt',
] as const;

/** How a login ended (docs/reference/protocol.md, VERDICT). */
export type VerdictCode = (typeof VERDICT_CODES)[number];

/** The verdict, which ends a login. */
export interface Verdict {
  readonly code: VerdictCode;
  /**
   * Index of the shape whose bytes the module cuts off the answer to the last PROMPT with part `tail`; the rest becomes the
   * stacked password. Only with `ok`.
   */
  readonly shape?: number;
  /** Whether the stacked password stays unchanged if the rest is empty; otherwise it becomes empty. Only with `shape`. */
  readonly keepIfEmpty?: boolean;
  /** How long the host should wait after a failure, in microseconds. */
  readonly failDelayUs: number;
}

const NO_SHAPE = 0xff;
/** Added to a shape: {@link Verdict.keepIfEmpty}. */
const KEEP_IF_EMPTY = 0x40;

/**
 * Writes the payload of a VERDICT.
 *
 * @param verdict - the last word
 * @returns the payload
 * @throws WireError ERR_FIELD when the delay is longer than 10 s
 */
export function encodeVerdict(verdict: Verdict): Buffer {
  if (verdict.failDelayUs > MAX_FAIL_DELAY_US) {
    throw new WireError(
      'ERR_FIELD',
      `Cannot send a delay of ${verdict.failDelayUs} us: the limit is ${MAX_FAIL_DELAY_US}`,
    );
  }
  return new PayloadWriter()
    .u8(VERDICT_CODES.indexOf(verdict.code))
    .u8(
      verdict.shape === undefined
        ? NO_SHAPE
        : verdict.shape | (verdict.keepIfEmpty === true ? KEEP_IF_EMPTY : 0),
    )
    .u32(verdict.failDelayUs)
    .bytes();
}

/**
 * Reads the payload of a VERDICT: what the module does, here for tests.
 *
 * @param payload - the payload of the frame
 * @returns the last word
 * @throws WireError when the payload breaks the protocol
 */
export function decodeVerdict(payload: Buffer): Verdict {
  const reader = new PayloadReader(payload);
  const code = VERDICT_CODES[reader.u8()];
  const shapeByte = reader.u8();
  const failDelayUs = reader.u32();
  reader.end();
  const shape = shapeByte & ~KEEP_IF_EMPTY;
  if (
    code === undefined ||
    failDelayUs > MAX_FAIL_DELAY_US ||
    (shapeByte !== NO_SHAPE && shape >= MAX_SHAPES)
  ) {
    throw new WireError('ERR_FIELD', 'VERDICT has an unknown code or shape, or too long a delay');
  }
  if (shapeByte === NO_SHAPE) {
    return { code, failDelayUs };
  }
  return { code, shape, failDelayUs, ...(shape === shapeByte ? {} : { keepIfEmpty: true }) };
}
