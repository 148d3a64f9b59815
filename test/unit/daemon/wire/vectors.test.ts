/* The contract of both sides, test/wire-vectors.json, against the TypeScript side. The C side runs the same file. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAnswer, encodeAnswer } from '../../../../src/daemon/wire/answer.ts';
import { decodeCancel, encodeCancel } from '../../../../src/daemon/wire/cancel.ts';
import { encodeFrame, FRAME_TYPE, FrameReader } from '../../../../src/daemon/wire/frame.ts';
import { MAX_FRAME_LENGTH } from '../../../../src/daemon/wire/limits.ts';
import { decodeNotice, encodeNotice } from '../../../../src/daemon/wire/notice.ts';
import { decodePrompt, encodePrompt } from '../../../../src/daemon/wire/prompt.ts';
import { decodeStart, encodeStart } from '../../../../src/daemon/wire/start.ts';
import { decodeVerdict, encodeVerdict, VERDICT_CODES } from '../../../../src/daemon/wire/verdict.ts';
import { WireError } from '../../../../src/daemon/wire/wire-error.ts';

type Message = keyof typeof FRAME_TYPE;
interface Item {
  tag: number;
  text?: string;
  hex?: string;
}
interface Fields {
  version: number;
  flags: number;
  items: Item[];
  shapes: { shape: number; text: string; class: number; length: number }[];
  reason: number;
  source: number;
  part: number;
  text: string;
  kind: number;
  code: number;
  shape: number;
  fail_delay_us: number;
}
interface Vector {
  name: string;
  message: Message;
  valid: boolean;
  listed?: number;
  error?: string;
  fields?: Fields;
  hex: string;
}

const FROM_MODULE: readonly string[] = ['start', 'answer', 'cancel'];
const SHAPE_CLASSES = ['', 'digits', 'modhex', 'recovery'];

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../wire-vectors.json', import.meta.url), 'utf8'),
) as {
  vectors: Vector[];
};

describe('a valid vector', () => {
  for (const vector of vectors.filter(({ valid }) => valid)) {
    it(`${vector.name}: decodes to its fields and encodes back`, () => {
      const frames = new FrameReader().push(Buffer.from(vector.hex, 'hex'));
      expect(frames).toHaveLength(1);
      expect(frames[0]!.type).toBe(FRAME_TYPE[vector.message]);
      roundTrip(vector, vector.fields!, frames[0]!.payload);
    });
  }
});

describe('an invalid vector', () => {
  for (const vector of vectors.filter(({ valid }) => !valid)) {
    it(`${vector.name}: is refused (${vector.error!})`, () => refuse(vector));
  }
});

it('covers every message in both ways', () => {
  for (const message of Object.keys(FRAME_TYPE)) {
    expect(vectors.some((vector) => vector.message === message && vector.valid)).toBe(true);
    expect(vectors.some((vector) => vector.message === message && !vector.valid)).toBe(true);
  }
});

function refuse(vector: Vector): void {
  const reader = new FrameReader();
  const bytes = Buffer.from(vector.hex, 'hex');
  const length = bytes.length;
  if (vector.error === 'length') {
    expect(() => reader.push(bytes)).toThrow(WireError);
    return;
  }
  const frames = reader.push(bytes);
  if (vector.error === 'incomplete') {
    expect(frames).toHaveLength(0);
    expect(reader.incomplete).toBe(length > 0);
    return;
  }
  expect(frames).toHaveLength(1);
  const { type, payload } = frames[0]!;
  if (vector.error === 'type') {
    const expected = Object.entries(FRAME_TYPE).filter(
      ([message]) => FROM_MODULE.includes(message) === FROM_MODULE.includes(vector.message),
    );
    expect(expected.map(([, number]) => number)).not.toContain(type);
    return;
  }
  expect(type).toBe(FRAME_TYPE[vector.message]);
  if (vector.error === 'version') {
    expect(decodeStart(payload)).toEqual({ foreignVersion: payload[0] });
    return;
  }
  expect(() => decode(vector, payload)).toThrow(WireError);
}

function decode({ message, listed }: Vector, payload: Buffer): unknown {
  switch (message) {
    case 'start':
      return decodeStart(payload);
    case 'answer':
      return decodeAnswer(payload, listed!);
    case 'cancel':
      return decodeCancel(payload);
    case 'prompt':
      return decodePrompt(payload);
    case 'notice':
      return decodeNotice(payload);
    case 'verdict':
      return decodeVerdict(payload);
  }
}

function roundTrip(vector: Vector, fields: Fields, payload: Buffer): void {
  const framed = (bytes: Buffer): string => encodeFrame(FRAME_TYPE[vector.message], bytes).toString('hex');
  switch (vector.message) {
    case 'start':
      start(vector, fields, payload);
      return;
    case 'answer': {
      const answers = decodeAnswer(payload, vector.listed!);
      expect(answers).toEqual(fields.shapes.map(({ shape, text }) => ({ shape, text: Buffer.from(text) })));
      expect(framed(encodeAnswer(answers))).toBe(vector.hex);
      return;
    }
    case 'cancel': {
      const reason = decodeCancel(payload);
      expect(reason).toBe(['', 'conversation-failed', 'not-allowed-to-ask'][fields.reason]);
      expect(framed(encodeCancel(reason))).toBe(vector.hex);
      return;
    }
    case 'prompt': {
      const prompt = decodePrompt(payload);
      expect(prompt).toEqual({
        source: ['ask-hidden', 'ask-visibly', 'stacked-password'][fields.source],
        part: ['whole', 'tail'][fields.part],
        // A recovery code has 16 characters; at the tail of a password the wire counts its dashes, too.
        shapes: fields.shapes.map((shape) => ({
          class: SHAPE_CLASSES[shape.class],
          length: shape.class === 3 ? 16 : shape.length,
        })),
        text: fields.text,
      });
      expect(framed(encodePrompt(prompt))).toBe(vector.hex);
      return;
    }
    case 'notice': {
      const notice = decodeNotice(payload);
      expect(notice).toEqual({ kind: ['info', 'error'][fields.kind], text: fields.text });
      expect(framed(encodeNotice(notice))).toBe(vector.hex);
      return;
    }
    case 'verdict': {
      const verdict = decodeVerdict(payload);
      expect(verdict).toEqual({
        code: VERDICT_CODES[fields.code],
        failDelayUs: fields.fail_delay_us,
        ...(fields.shape === 0xff ? {} : { shape: fields.shape & 0x3f }),
        ...(fields.shape !== 0xff && (fields.shape & 0x40) !== 0 ? { keepIfEmpty: true } : {}),
      });
      expect(framed(encodeVerdict(verdict))).toBe(vector.hex);
      return;
    }
  }
}

/** Arguments keep their order; tags may be written in another order, and skipped tags are lost. */
function start(vector: Vector, fields: Fields, payload: Buffer): void {
  const decoded = decodeStart(payload);
  const bytes = ({ text, hex }: Item): Buffer =>
    hex === undefined ? Buffer.from(text!) : Buffer.from(hex, 'hex');
  const known = fields.items.filter(({ tag }) => tag < 0x80);
  const field = (tag: number, name: string, of: (bytes: Buffer) => unknown = (text) => text): object => {
    const item = known.find((other) => other.tag === tag);
    return item === undefined ? {} : { [name]: of(bytes(item)) };
  };
  const number = (text: Buffer): number => Number(text.toString());
  expect(decoded).toEqual({
    silent: (fields.flags & 1) !== 0,
    disallowNullAuthtok: (fields.flags & 2) !== 0,
    ...field(1, 'service'),
    ...field(2, 'user'),
    ...field(3, 'tty'),
    ...field(4, 'rhost'),
    ...field(5, 'ruser'),
    moduleArguments: known.filter(({ tag }) => tag === 6).map(bytes),
    ...field(7, 'uid', number),
    ...field(8, 'gid', number),
    ...field(9, 'home'),
    ...field(10, 'canonicalUser'),
  });
  if ('foreignVersion' in decoded) {
    throw new Error('a START of our version was taken for a foreign one');
  }
  const again = encodeStart(decoded);
  expect(decodeStart(again)).toEqual(decoded);
  expect(again.length).toBeLessThan(MAX_FRAME_LENGTH);
  const tags = fields.items.map(({ tag }) => tag);
  if (tags.length === known.length && tags.every((tag, place) => place === 0 || tags[place - 1]! <= tag)) {
    expect(encodeFrame(FRAME_TYPE.start, again).toString('hex')).toBe(vector.hex);
  }
}
