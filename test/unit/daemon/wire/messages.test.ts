/* For every message: encoding and decoding returns it, and random or changed payloads cause at most a WireError. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAnswer, encodeAnswer, type ShapedAnswer } from '../../../../src/daemon/wire/answer.ts';
import { decodeCancel, encodeCancel, type CancelReason } from '../../../../src/daemon/wire/cancel.ts';
import { decodeNotice, encodeNotice, type Notice } from '../../../../src/daemon/wire/notice.ts';
import { decodePrompt, encodePrompt, type Prompt } from '../../../../src/daemon/wire/prompt.ts';
import type { Shape } from '../../../../src/daemon/wire/shape.ts';
import { decodeStart, encodeStart, type Start } from '../../../../src/daemon/wire/start.ts';
import {
  decodeVerdict,
  encodeVerdict,
  VERDICT_CODES,
  type Verdict,
} from '../../../../src/daemon/wire/verdict.ts';
import { WireError } from '../../../../src/daemon/wire/wire-error.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 80 }).filter((value) => !value.includes('\0'));
const field = fc.uint8Array({ min: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const id = fc.integer({ min: 0, max: 0xffff_fffe });

const start: fc.Arbitrary<Start> = fc.record(
  {
    silent: fc.boolean(),
    disallowNullAuthtok: fc.boolean(),
    service: field,
    user: field,
    tty: field,
    rhost: field,
    ruser: field,
    moduleArguments: fc.array(field, { maxLength: 6 }),
    uid: id,
    gid: id,
    home: field,
    canonicalUser: field,
  },
  { requiredKeys: ['silent', 'disallowNullAuthtok', 'moduleArguments'] },
);

const answer: fc.Arbitrary<ShapedAnswer[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 8 })
  .chain((shapes) =>
    fc.tuple(
      ...shapes
        .sort((a, b) => a - b)
        .map((shape) =>
          fc.uint8Array({ min: 1, maxLength: 64 }).map((bytes) => ({ shape, text: Buffer.from(bytes) })),
        ),
    ),
  );

const shape: fc.Arbitrary<Shape> = fc.oneof(
  fc.integer({ min: 6, max: 8 }).map((length) => ({ class: 'digits' as const, length })),
  fc.integer({ min: 32, max: 48 }).map((length) => ({ class: 'modhex' as const, length })),
  fc.constant({ class: 'recovery' as const, length: 16 }),
);

const prompt: fc.Arbitrary<Prompt> = fc.record({
  source: fc.constantFrom('ask-hidden', 'ask-visibly', 'stacked-password'),
  part: fc.constantFrom('whole', 'tail'),
  shapes: fc.array(shape, { maxLength: 8 }),
  text,
});

const notice: fc.Arbitrary<Notice> = fc.record({ kind: fc.constantFrom('info', 'error'), text });

const verdict: fc.Arbitrary<Verdict> = fc.record(
  {
    code: fc.constantFrom(...VERDICT_CODES),
    shape: fc.integer({ min: 0, max: 7 }),
    failDelayUs: fc.integer({ min: 0, max: 10_000_000 }),
  },
  { requiredKeys: ['code', 'failDelayUs'] },
);

const cancel: fc.Arbitrary<CancelReason> = fc.constantFrom('conversation-failed', 'not-allowed-to-ask');

interface Codec {
  readonly name: string;
  /** A message of this type, and what comes back when it is encoded and decoded. */
  readonly trips: fc.Arbitrary<{ message: unknown; payload: Buffer }>;
  readonly decode: (payload: Buffer) => unknown;
}

function codec<T>(
  name: string,
  messages: fc.Arbitrary<T>,
  encode: (message: T) => Buffer,
  decode: (payload: Buffer) => unknown,
): Codec {
  return { name, trips: messages.map((message) => ({ message, payload: encode(message) })), decode };
}

const CODECS: readonly Codec[] = [
  codec('START', start, (message) => encodeStart(message), decodeStart),
  codec('ANSWER', answer, encodeAnswer, (payload) => decodeAnswer(payload, 8)),
  codec('CANCEL', cancel, encodeCancel, decodeCancel),
  codec('PROMPT', prompt, encodePrompt, decodePrompt),
  codec('NOTICE', notice, encodeNotice, decodeNotice),
  codec('VERDICT', verdict, encodeVerdict, decodeVerdict),
];

describe.each(CODECS)('$name', ({ trips, decode }) => {
  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(trips, ({ message, payload }) => {
        expect(decode(payload)).toEqual(message);
      }),
    );
  });

  it('is refused with one more byte', () => {
    fc.assert(
      fc.property(trips, fc.integer({ min: 0, max: 255 }), ({ payload }, byte) => {
        expect(() => decode(Buffer.concat([payload, Buffer.from([byte])]))).toThrow(WireError);
      }),
    );
  });

  it('is read or refused, whatever bytes come', () => {
    const changed = fc
      .tuple(trips, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([{ payload }, place, byte, length]) => {
        const bytes = Buffer.from(payload);
        if (bytes.length > 0) {
          bytes[place % bytes.length] = byte;
        }
        return bytes.subarray(0, 1 + (length % (bytes.length + 1)));
      });
    const random = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(changed, random), (payload) => {
        try {
          decode(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the sender', () => {
  const base: Prompt = { source: 'ask-hidden', part: 'whole', shapes: [], text: '' };

  it('sends no text that is too long or has a NUL', () => {
    expect(encodeNotice({ kind: 'info', text: 'x'.repeat(8_192) }).length).toBe(8_195);
    for (const bad of ['x'.repeat(8_193), 'ä'.repeat(4_097), 'a\0b']) {
      expect(() => encodeNotice({ kind: 'info', text: bad })).toThrow(WireError);
      expect(() => encodePrompt({ ...base, text: bad })).toThrow(WireError);
    }
  });

  it('sends no more than eight shapes', () => {
    const shapes = Array.from({ length: 9 }, () => ({ class: 'digits' as const, length: 6 }));
    expect(() => encodePrompt({ ...base, shapes })).toThrow(WireError);
    const nine = Array.from({ length: 9 }, (_, index) => ({ shape: index, text: Buffer.from('1') }));
    expect(() => encodeAnswer(nine)).toThrow(WireError);
  });

  it('sends no delay that is longer than ten seconds', () => {
    expect(() => encodeVerdict({ code: 'denied', failDelayUs: 10_000_001 })).toThrow(WireError);
  });
});

describe('an ANSWER', () => {
  it('is copied, so that its payload can be wiped', () => {
    const payload = encodeAnswer([{ shape: 0, text: Buffer.from('123456') }]);
    const [reading] = decodeAnswer(payload, 1);
    payload.fill(0);
    expect(reading!.text.toString()).toBe('123456');
    expect(reading!.text.buffer.byteLength).toBe(6);
  });

  it('never shows in the message of an error', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{6}$/), (code) => {
        const payload = Buffer.concat([
          encodeAnswer([{ shape: 0, text: Buffer.from(code) }]),
          encodeAnswer([{ shape: 0, text: Buffer.from(code) }]),
        ]);
        try {
          decodeAnswer(payload, 1);
          expect.unreachable();
        } catch (error) {
          expect((error as WireError).code).toBe('ERR_FIELD');
          expect((error as WireError).message).not.toContain(code);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('a START', () => {
  it('copies START, so that what came can be wiped', () => {
    const sent: Start = {
      silent: false,
      disallowNullAuthtok: false,
      user: Buffer.from('alice'),
      moduleArguments: [Buffer.from('nullok')],
    };
    const payload = encodeStart(sent);
    const decoded = decodeStart(payload);
    payload.fill(0);
    expect(decoded).toEqual(sent);
  });

  it('of another version is not read further', () => {
    expect(decodeStart(Buffer.from('02ffffffff', 'hex'))).toEqual({ foreignVersion: 2 });
    expect(decodeStart(Buffer.from('00', 'hex'))).toEqual({ foreignVersion: 0 });
  });

  it('keeps the order of its arguments, and those that come twice', () => {
    const moduleArguments = ['debug', 'nullok', 'debug'].map((argument) => Buffer.from(argument));
    const decoded = decodeStart(encodeStart({ silent: false, disallowNullAuthtok: false, moduleArguments }));
    expect(decoded).toMatchObject({ moduleArguments });
  });
});
