/*
 * Checks of arguments for the native addon, which trusts them. The messages name the argument, and
 * never hold bytes of a file.
 */

/** INT_MAX. */
export const LARGEST_INT = 0x7fff_ffff;
/** Of uids and gids. The one after it, (uid_t)-1, means "none" to the kernel. */
export const LARGEST_UID = 0xffff_fffe;

/**
 * @param name - of the argument, for the message
 * @param value - the argument
 * @throws TypeError when it is not a string
 * @throws RangeError when it is empty or contains a NUL, which would end it in C
 */
export function assertText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${typeof value}`);
  if (value === '') throw new RangeError(`${name} is empty`);
  if (value.includes('\0')) throw new RangeError(`${name} contains a NUL`);
}

/**
 * @param name - of the argument, for the message
 * @param value - the argument
 * @param least - the smallest that is allowed
 * @param most - the largest that is allowed
 * @throws TypeError when it is not a number
 * @throws RangeError when it is not whole, or out of this range
 */
export function assertInteger(
  name: string,
  value: unknown,
  least: number,
  most: number,
): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, got ${value}`);
  }
}

/**
 * @param name - of the argument, for the message
 * @param value - the argument
 * @throws TypeError when it is not a function
 */
export function assertFunction(name: string, value: unknown): asserts value is () => void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${typeof value}`);
}
