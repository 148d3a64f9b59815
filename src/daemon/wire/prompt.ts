import { encodeFrame, FRAME_TYPE } from './frame.ts';
import { MAX_SHAPES, MAX_TEXT_BYTES } from './limits.ts';
import { PayloadReader } from './payload-reader.ts';
import { PayloadWriter } from './payload-writer.ts';
import { decodeShape, encodeShape, type Shape } from './shape.ts';
import { WireError } from './wire-error.ts';

/** Where the answer comes from: typed hidden, typed visibly, or the password that an earlier module left. */
export type PromptSource = 'ask-hidden' | 'ask-visibly' | 'stacked-password';

/** What must have the shape: the whole answer, or only its tail. */
export type PromptPart = 'whole' | 'tail';

/** A question for the person, or for the stacked password. */
export interface Prompt {
  readonly source: PromptSource;
  readonly part: PromptPart;
  /** The shapes of answer that may leave the module; none: "press Enter". */
  readonly shapes: readonly Shape[];
  /** What the person sees, at most 8 KiB of UTF-8. */
  readonly text: string;
}

const SOURCES: readonly PromptSource[] = ['ask-hidden', 'ask-visibly', 'stacked-password'];
const PARTS: readonly PromptPart[] = ['whole', 'tail'];

/**
 * Writes the payload of a PROMPT.
 *
 * @param prompt - the question
 * @returns the payload
 * @throws WireError ERR_FIELD when a field is out of its bounds
 */
export function encodePrompt(prompt: Prompt): Buffer {
  if (prompt.shapes.length > MAX_SHAPES) {
    throw new WireError(
      'ERR_FIELD',
      `Cannot send a PROMPT with ${prompt.shapes.length} shapes: the limit is ${MAX_SHAPES}`,
    );
  }
  const writer = new PayloadWriter()
    .u8(SOURCES.indexOf(prompt.source))
    .u8(PARTS.indexOf(prompt.part))
    .u8(prompt.shapes.length);
  for (const shape of prompt.shapes) {
    encodeShape(writer, shape, prompt.part);
  }
  return writer.str(Buffer.from(prompt.text), MAX_TEXT_BYTES).bytes();
}

/** Questions that most logins ask are few; texts with a user's name in them are many. */
const MAX_KEPT_FRAMES = 64;
const MAX_KEPT_TEXT = 256;
const kept = new Map<string, Buffer>();

/**
 * The frame of a PROMPT. Most logins ask one of a few questions, so their frames are made once and kept.
 *
 * @param prompt - the question
 * @returns the frame, which must not be changed
 * @throws WireError ERR_FIELD when a field is out of its bounds
 */
export function promptFrame(prompt: Prompt): Buffer {
  if (prompt.text.length > MAX_KEPT_TEXT) {
    return encodeFrame(FRAME_TYPE.prompt, encodePrompt(prompt));
  }
  let question = `${prompt.source} ${prompt.part}`;
  for (const shape of prompt.shapes) {
    question += ` ${shape.class}${shape.length}`;
  }
  question += `\n${prompt.text}`;
  const known = kept.get(question);
  if (known !== undefined) {
    return known;
  }
  const frame = encodeFrame(FRAME_TYPE.prompt, encodePrompt(prompt));
  if (kept.size >= MAX_KEPT_FRAMES) {
    kept.clear();
  }
  kept.set(question, frame);
  return frame;
}

/**
 * Reads the payload of a PROMPT: what the module does, here for tests.
 *
 * @param payload - the payload of the frame
 * @returns the question
 * @throws WireError when the payload breaks the protocol
 */
export function decodePrompt(payload: Buffer): Prompt {
  const reader = new PayloadReader(payload);
  const source = SOURCES[reader.u8()];
  const part = PARTS[reader.u8()];
  const count = reader.u8();
  if (source === undefined || part === undefined || count > MAX_SHAPES) {
    throw new WireError('ERR_FIELD', 'PROMPT has an unknown source or part, or too many shapes');
  }
  const shapes: Shape[] = [];
  for (let index = 0; index < count; index++) {
    shapes.push(decodeShape(reader, part));
  }
  const text = reader.str(MAX_TEXT_BYTES).toString();
  reader.end();
  return { source, part, shapes, text };
}
