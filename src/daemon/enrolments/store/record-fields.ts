import { RecordError } from './record-error.ts';

/**
 * The fields of one object of a record, read one by one. Every field must be asked for: see {@link RecordFields.end}. This is
 * written by hand because every login reads a record, and a schema is slow until it has run a thousand times.
 */
export class RecordFields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #place: string;
  #read = 0;

  /**
   * @param value - from JSON.parse
   * @param place - its place, for messages; '' is the record itself
   * @throws RecordError when it is not an object
   */
  constructor(value: unknown, place: string) {
    this.#place = place;
    if (!isObject(value)) {
      throw new RecordError(`${this.#name}: not an object`);
    }
    this.#object = value;
  }

  /** @returns whether the field is there; it still has to be read */
  has(field: string): boolean {
    return Object.hasOwn(this.#object, field);
  }

  /**
   * @param field - its name
   * @param pattern - what it has to match
   * @returns a text
   * @throws RecordError when it is not there, or not such a text
   */
  text(field: string, pattern: RegExp): string {
    const value = this.#take(field);
    return typeof value === 'string' && pattern.test(value)
      ? value
      : this.refuse(field, `not a text that matches ${String(pattern)}`);
  }

  /**
   * @param field - its name
   * @param min - the least
   * @param max - the most
   * @returns a whole number
   * @throws RecordError when it is not there, or not such a number
   */
  whole(field: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(field);
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : this.refuse(field, `not a whole number from ${min} to ${max}`);
  }

  /**
   * @param field - its name
   * @param values - what it may be
   * @returns which of them it is
   * @throws RecordError when it is not there, or none of them
   */
  oneOf<const T>(field: string, values: readonly T[]): T {
    const found = this.#take(field);
    const value = values.find((allowed) => allowed === found);
    return value === undefined ? this.refuse(field, `not one of ${values.join(', ')}`) : value;
  }

  /**
   * @param field - its name
   * @param min - the fewest
   * @param max - the most
   * @returns the elements of a list
   * @throws RecordError when it is not there, or no list of so many
   */
  list(field: string, min: number, max: number): readonly unknown[] {
    const value = this.#take(field);
    return Array.isArray(value) && value.length >= min && value.length <= max
      ? (value as readonly unknown[])
      : this.refuse(field, `not a list of ${min} to ${max}`);
  }

  /**
   * @param field - its name
   * @param bytes - how many
   * @returns the bytes of a text of hexadecimal digits
   * @throws RecordError when it is not there, or not so many
   */
  hex(field: string, bytes: number): Buffer {
    return hexBytes(this.#take(field), bytes) ?? this.refuse(field, `not ${bytes} bytes in hexadecimal`);
  }

  /**
   * @param field - its name
   * @returns the fields of an object in this one
   * @throws RecordError when it is not there, or not an object
   */
  object(field: string): RecordFields {
    return new RecordFields(this.#take(field), this.#placeOf(field));
  }

  /** @throws RecordError unless every field that is there was read */
  end(): void {
    if (Object.keys(this.#object).length !== this.#read) {
      throw new RecordError(`${this.#name}: it has an unknown field`);
    }
  }

  /**
   * @param field - its name
   * @param what - what is wrong, without the value
   * @throws RecordError always
   */
  refuse(field: string, what: string): never {
    throw new RecordError(`${this.#placeOf(field)}: ${what}`);
  }

  get #name(): string {
    return this.#place === '' ? 'the record' : this.#place;
  }

  #placeOf(field: string): string {
    return this.#place === '' ? field : `${this.#place}.${field}`;
  }

  #take(field: string): unknown {
    if (!Object.hasOwn(this.#object, field)) {
      return this.refuse(field, 'missing');
    }
    this.#read += 1;
    return this.#object[field];
  }
}

/**
 * @param value - from JSON.parse
 * @param bytes - how many there have to be
 * @returns the bytes, or undefined when it is not a text of so many in hexadecimal
 */
export function hexBytes(value: unknown, bytes: number): Buffer | undefined {
  return typeof value === 'string' && value.length === 2 * bytes && HEX.test(value)
    ? Buffer.from(value, 'hex')
    : undefined;
}

const HEX = /^[0-9a-fA-F]*$/;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
