import { FormatError } from './format-error.ts';
import { JsonObject } from './strict-json.ts';

/* Reads JSON values like serde: a value of another type is an error, and so is an unexpected null. */

/** The members of an object by name; undefined if there is none. */
export type Fields = ReadonlyMap<string, unknown>;

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * The members of an object that Proxmox keeps in a struct.
 *
 * @param value - the value to read
 * @param place - for messages
 * @param known - names that the struct has; none may come twice
 * @param others - whether Proxmox accepts other names in the object
 * @returns the members with known names
 * @throws FormatError
 */
export function fieldsOf(
  value: unknown,
  place: string,
  known: readonly string[],
  others: 'refused' | 'passed over' = 'refused',
): Fields {
  const fields = new Map<string, unknown>();
  for (const [name, member] of membersOf(value, place)) {
    if (!known.includes(name)) {
      if (others === 'refused') {
        throw new FormatError(place, `it has "${printable(name)}", which Proxmox does not know`);
      }
    } else if (fields.has(name)) {
      throw new FormatError(place, `it has "${name}" twice`);
    } else {
      fields.set(name, member);
    }
  }
  return fields;
}

/**
 * All members of an object, in their order.
 *
 * @param value - the value to read
 * @param place - for messages
 * @returns names and values; a name may come twice
 * @throws FormatError
 */
export function membersOf(value: unknown, place: string): JsonObject['members'] {
  return value instanceof JsonObject ? value.members : wrong(value, place, 'it is not an object');
}

/** @returns the elements of a list @throws FormatError */
export function listOf(value: unknown, place: string): readonly unknown[] {
  return Array.isArray(value) ? value : wrong(value, place, 'it is not a list');
}

/** @returns the text @throws FormatError */
export function textOf(value: unknown, place: string): string {
  return typeof value === 'string' ? value : wrong(value, place, 'it is not a text');
}

/** @returns the truth value @throws FormatError */
export function booleanOf(value: unknown, place: string): boolean {
  return typeof value === 'boolean' ? value : wrong(value, place, 'it is neither true nor false');
}

/**
 * A whole number of 64 bits.
 *
 * @param value - the value to read
 * @param place - for messages
 * @returns the number; beyond 2^53 the nearest that a number can hold exactly
 * @throws FormatError
 */
export function integerOf(value: unknown, place: string): number {
  if (typeof value !== 'bigint' || value < LEAST || value > MOST) {
    return wrong(value, place, 'it is not a whole number of 64 bits');
  }
  return Number(value > SAFE ? SAFE : value < -SAFE ? -SAFE : value);
}

/**
 * A name from the file, fit for a message.
 *
 * @param name - any text
 * @returns at most 64 plain characters
 */
export function printable(name: string): string {
  return name.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 64);
}

function wrong(value: unknown, place: string, what: string): never {
  throw new FormatError(place, value === undefined ? 'it is missing' : what);
}
