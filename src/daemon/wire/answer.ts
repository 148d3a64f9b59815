import { MAX_ANSWER_BYTES, MAX_SHAPES } from './limits.ts';
import { PayloadReader } from './payload-reader.ts';
import { PayloadWriter } from './payload-writer.ts';
import { WireError } from './wire-error.ts';

/** What the person typed, read as one of the shapes of the last PROMPT. */
export interface ShapedAnswer {
  /** Index of the shape in the PROMPT's list. */
  readonly shape: number;
  /** The bytes that have the shape. A secret: wipe it after use. */
  readonly text: Buffer;
}

/**
 * Reads the payload of an ANSWER: the shapes that fit, strictly ascending; none when nothing fits.
 *
 * @param payload - the payload of the frame
 * @param shapes - how many shapes the PROMPT listed
 * @returns the readings of the answer
 * @throws WireError when the payload breaks the protocol
 */
export function decodeAnswer(payload: Buffer, shapes: number): ShapedAnswer[] {
  const answers: ShapedAnswer[] = [];
  try {
    readAnswers(new PayloadReader(payload), shapes, answers);
    return answers;
  } catch (error) {
    answers.forEach(({ text }) => text.fill(0));
    throw error;
  }
}

function readAnswers(reader: PayloadReader, shapes: number, answers: ShapedAnswer[]): void {
  let last = -1;
  while (reader.remaining > 0) {
    const shape = reader.u8();
    if (shape <= last || shape >= shapes) {
      throw new WireError(
        'ERR_FIELD',
        `ANSWER has shape ${shape} after ${last}, the PROMPT listed ${shapes}`,
      );
    }
    last = shape;
    answers.push({ shape, text: reader.secret(MAX_ANSWER_BYTES) });
  }
  reader.end();
}

/**
 * Writes the payload of an ANSWER: what the module does, here for tests.
 *
 * @param answers - at most eight, in ascending order of their shapes
 * @returns the payload
 */
export function encodeAnswer(answers: readonly ShapedAnswer[]): Buffer {
  if (answers.length > MAX_SHAPES) {
    throw new WireError(
      'ERR_FIELD',
      `Cannot send an ANSWER with ${answers.length} shapes: the limit is ${MAX_SHAPES}`,
    );
  }
  const writer = new PayloadWriter();
  for (const { shape, text } of answers) {
    writer.u8(shape).str(text, MAX_ANSWER_BYTES);
  }
  return writer.bytes();
}
