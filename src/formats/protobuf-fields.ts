/** Wire types of a protocol buffer. */
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

const BITS_PER_BYTE = 7;
/** A varint has 64 bits in at most ten bytes. */
const MAX_VARINT_BYTES = 10;

/** One field of a message. */
export interface Field {
  readonly number: number;
  /** A number that JavaScript can hold, or the bytes (of texts and messages, too): a view of the message. */
  readonly value: number | Buffer;
}

/** Bytes that are no message, or a field that is of another type. */
export class FieldsError extends Error {
  readonly code = 'ERR_FIELDS';
  /** @param message - what is wrong */
  constructor(message: string) {
    super(message);
    this.name = 'FieldsError';
  }
}

/**
 * Reads the fields of one message in the wire format of protocol buffers; fixed-size numbers, which nobody here needs, are skipped.
 *
 * @param message - the whole message
 * @returns its fields, in their order
 * @throws FieldsError when it is cut, has a group, or a number beyond 2^53
 */
export function readFields(message: Buffer): Field[] {
  const fields: Field[] = [];
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = message[offset++];
      if (byte === undefined) {
        throw new FieldsError('it ends inside a number');
      }
      value += (byte & 0x7f) * 2 ** (BITS_PER_BYTE * index);
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) {
          throw new FieldsError('a number is too large');
        }
        return value;
      }
    }
    throw new FieldsError('a number is too long');
  };
  const skip = (size: number): Buffer => {
    if (size > message.length - offset) {
      throw new FieldsError('it ends inside a field');
    }
    offset += size;
    return message.subarray(offset - size, offset);
  };
  while (offset < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const type = key % 8;
    if (type === VARINT) {
      fields.push({ number, value: varint() });
    } else if (type === BYTES) {
      fields.push({ number, value: skip(varint()) });
    } else if (type === FIXED_32 || type === FIXED_64) {
      skip(type === FIXED_32 ? 4 : 8);
    } else {
      throw new FieldsError(`a field has the unknown type ${type}`);
    }
  }
  return fields;
}
