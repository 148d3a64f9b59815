import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader, type Frame } from '../../../../src/daemon/wire/frame.ts';
import { WireError } from '../../../../src/daemon/wire/wire-error.ts';

const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const frame = fc.record({ type: fc.integer({ min: 0, max: 255 }), payload: bytes(400) });

/** Cuts bytes into chunks, with lengths from a list that repeats. */
function chunks(stream: Buffer, lengths: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    cut.push(Buffer.from(stream.subarray(at, at + length)));
    at += length;
  }
  return cut;
}

function pushAll(reader: FrameReader, pieces: readonly Buffer[]): Frame[] {
  return pieces.flatMap((piece) => reader.push(piece));
}

describe('encodeFrame', () => {
  it('puts the length of type and payload in front', () => {
    expect(encodeFrame(0x02, Buffer.from('ab')).toString('hex')).toBe('0003026162');
  });

  it('takes the longest payload, and refuses one byte more', () => {
    expect(encodeFrame(1, Buffer.alloc(16_382)).length).toBe(16_385);
    expect(() => encodeFrame(1, Buffer.alloc(16_383))).toThrow(WireError);
  });
});

describe('FrameReader', () => {
  it('gives the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 }),
        (frames, lengths) => {
          const stream = Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)));
          const reader = new FrameReader();
          expect(pushAll(reader, chunks(stream, lengths))).toEqual(frames);
          expect(reader.incomplete).toBe(false);
        },
      ),
    );
  });

  it('gives the longest frame, byte by byte', () => {
    const payload = Buffer.alloc(16_382, 0x5a);
    expect(pushAll(new FrameReader(), chunks(encodeFrame(0x81, payload), [1]))).toEqual([
      { type: 0x81, payload },
    ]);
  });

  it('knows an incomplete frame, at every place where it can be cut', () => {
    const whole = encodeFrame(0x02, Buffer.from('123456'));
    for (let length = 1; length < whole.length; length++) {
      const reader = new FrameReader();
      expect(reader.push(Buffer.from(whole.subarray(0, length)))).toEqual([]);
      expect(reader.incomplete).toBe(true);
      expect(reader.push(Buffer.from(whole.subarray(length)))).toHaveLength(1);
      expect(reader.incomplete).toBe(false);
    }
  });

  it('refuses a length as soon as it is there', () => {
    for (const length of ['0000', '4000', 'ffff']) {
      expect(() => new FrameReader().push(Buffer.from(length, 'hex'))).toThrow(
        expect.objectContaining({ code: 'ERR_FRAME_LENGTH' }),
      );
    }
  });

  it('meets random bytes with frames or a WireError, never with anything else', () => {
    fc.assert(
      fc.property(fc.array(bytes(200), { maxLength: 20 }), (pieces) => {
        const reader = new FrameReader();
        let given = 0;
        try {
          for (const piece of pieces) {
            given += piece.length;
            const frames = reader.push(piece);
            // Nothing is invented: every output byte was in the input.
            expect(frames.reduce((sum, { payload }) => sum + payload.length + 3, 0)).toBeLessThanOrEqual(
              given,
            );
          }
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('wipes what it was given, also when it refuses it', () => {
    const good = Buffer.concat([encodeFrame(0x02, Buffer.from('123456')), Buffer.from('0009', 'hex')]);
    new FrameReader().push(good);
    expect(good.every((byte) => byte === 0)).toBe(true);

    const bad = Buffer.concat([encodeFrame(0x02, Buffer.from('123456')), Buffer.from('ffff', 'hex')]);
    expect(() => new FrameReader().push(bad)).toThrow(WireError);
    expect(bad.every((byte) => byte === 0)).toBe(true);
  });

  it('hands out payloads that share memory with nothing', () => {
    const [first, second] = new FrameReader().push(
      Buffer.concat([encodeFrame(1, Buffer.from('aa')), encodeFrame(2, Buffer.from('bb'))]),
    );
    first!.payload.fill(0);
    expect(second!.payload.toString()).toBe('bb');
    expect(first!.payload.buffer.byteLength).toBe(2);
  });

  it('does not grow, however much goes through it', () => {
    const reader = new FrameReader();
    const one = encodeFrame(0x82, Buffer.alloc(16_000, 1));
    const chunk = Buffer.alloc(one.length);
    let longest = 0;
    for (let round = 0; round < 2_000; round++) {
      one.copy(chunk);
      // Each chunk ends in the middle of a frame and begins with the rest of the one before.
      reader.push(chunk.subarray(0, 9_000));
      longest = Math.max(longest, ...reader.push(chunk.subarray(9_000)).map(({ payload }) => payload.length));
    }
    expect(longest).toBe(16_000);
    expect(reader.incomplete).toBe(false);
  });

  it('forgets what has come so far', () => {
    const reader = new FrameReader();
    reader.push(Buffer.from('00090201', 'hex'));
    reader.wipe();
    expect(reader.incomplete).toBe(false);
    expect(reader.push(encodeFrame(3, Buffer.from([1])))).toHaveLength(1);
  });
});
