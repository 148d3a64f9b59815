/* Buffers with a code are wiped, whatever the outcome. */
import { describe, expect, it } from 'vitest';
import { decodeAnswer, encodeAnswer } from '../../../../src/daemon/wire/answer.ts';
import { encodeFrame, FRAME_TYPE, FrameReader } from '../../../../src/daemon/wire/frame.ts';
import { RecordedBuffers } from '../../fixtures/recorded-buffers.ts';

const CODE = '493817';
/** Memory of its own for each test. */
const answer = (): Buffer =>
  Buffer.from(encodeFrame(FRAME_TYPE.answer, encodeAnswer([{ shape: 0, text: Buffer.from(CODE) }])));
const isWiped = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);

describe('a stream of frames', () => {
  it('leaves a code in the payload that it hands out, and nowhere else', () => {
    const chunk = answer();
    const made = new RecordedBuffers();
    const [frame] = new FrameReader().push(chunk);
    frame!.payload.fill(0);
    expect(made.holding(CODE)).toBe(0);
    expect(isWiped(chunk)).toBe(true);
  });

  it('leaves none that came in pieces', () => {
    const bytes = answer();
    const chunks = [bytes.subarray(0, 10), bytes.subarray(10, -1), bytes.subarray(-1)];
    const made = new RecordedBuffers();
    const reader = new FrameReader();
    const [frame] = chunks.flatMap((chunk) => reader.push(chunk));
    frame!.payload.fill(0);
    expect(made.holding(CODE.slice(0, 3))).toBe(0);
    expect(isWiped(bytes)).toBe(true);
  });

  it('leaves none before a length that is refused', () => {
    const chunk = Buffer.concat([answer(), Buffer.from('ffff', 'hex')]);
    expect(() => new FrameReader().push(chunk)).toThrow();
    expect(isWiped(chunk)).toBe(true);
  });

  it('leaves none in the middle of a frame, when it is told to forget', () => {
    const chunk = answer().subarray(0, -1);
    const made = new RecordedBuffers();
    const reader = new FrameReader();
    reader.push(chunk);
    reader.wipe();
    expect(reader.incomplete).toBe(false);
    expect(made.holding(CODE.slice(0, 5))).toBe(0);
  });
});

describe('an ANSWER that is refused', () => {
  it('leaves no code of the shapes before', () => {
    const payload = Buffer.concat([
      encodeAnswer([{ shape: 0, text: Buffer.from(CODE) }]),
      Buffer.from('0000', 'hex'),
    ]);
    const made = new RecordedBuffers();
    expect(() => decodeAnswer(payload, 1)).toThrow();
    expect(made.holding(CODE)).toBe(0);
  });
});
