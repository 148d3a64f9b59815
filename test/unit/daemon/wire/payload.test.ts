/* PayloadReader and PayloadWriter: the fields that all messages are made of. */
import { describe, expect, it } from 'vitest';
import { PayloadReader } from '../../../../src/daemon/wire/payload-reader.ts';
import { PayloadWriter } from '../../../../src/daemon/wire/payload-writer.ts';

describe('PayloadReader', () => {
  it('reads numbers big-endian and in order', () => {
    const reader = new PayloadReader(Buffer.from('01020300000004', 'hex'));
    expect([reader.u8(), reader.u16(), reader.u32()]).toEqual([1, 0x0203, 4]);
    expect(reader.remaining).toBe(0);
    reader.end();
  });

  it.each([
    ['u8', 0],
    ['u16', 1],
    ['u32', 3],
  ] as const)('refuses %s when only %i bytes are left', (field, left) => {
    const reader = new PayloadReader(Buffer.alloc(left));
    expect(() => reader[field]()).toThrow(expect.objectContaining({ code: 'ERR_PAYLOAD_SHORT' }));
  });

  it('reads a text of exactly the most bytes, and none of one more', () => {
    const written = new PayloadWriter().str(Buffer.from('abcd'), 4).bytes();
    expect(new PayloadReader(written).str(4).toString()).toBe('abcd');
    expect(() => new PayloadReader(written).str(3)).toThrow(expect.objectContaining({ code: 'ERR_FIELD' }));
  });

  it('refuses a text that ends early, or has a NUL', () => {
    expect(() => new PayloadReader(Buffer.from('000361', 'hex')).str(9)).toThrow(
      expect.objectContaining({ code: 'ERR_PAYLOAD_SHORT' }),
    );
    expect(() => new PayloadReader(Buffer.from('00026100', 'hex')).str(9)).toThrow(
      expect.objectContaining({ code: 'ERR_FIELD' }),
    );
  });

  it('refuses bytes that are left over', () => {
    const reader = new PayloadReader(Buffer.alloc(2));
    reader.u8();
    expect(() => reader.end()).toThrow(expect.objectContaining({ code: 'ERR_PAYLOAD_LEFT_OVER' }));
  });
});

describe('PayloadWriter', () => {
  it('writes numbers big-endian and texts with their length', () => {
    const bytes = new PayloadWriter().u8(7).u32(0x01020304).str(Buffer.from('hi'), 2).bytes();
    expect(bytes.toString('hex')).toBe('070102030400026869');
  });

  it('refuses what does not fit, instead of cutting it', () => {
    expect(() => new PayloadWriter().u8(256)).toThrow(RangeError);
    expect(() => new PayloadWriter().u32(2 ** 32)).toThrow(RangeError);
    expect(() => new PayloadWriter().str(Buffer.from('abc'), 2)).toThrow(
      expect.objectContaining({ code: 'ERR_FIELD' }),
    );
    expect(() => new PayloadWriter().str(Buffer.from([0]), 2)).toThrow(
      expect.objectContaining({ code: 'ERR_FIELD' }),
    );
  });
});
