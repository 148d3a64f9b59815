import { InvalidArgumentError } from 'commander';

/**
 * Makes a parser for an option's value in seconds.
 *
 * @param from - the smallest
 * @param to - the largest
 * @returns the parser; it throws InvalidArgumentError for other values
 */
export function secondsFrom(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]{1,4}$/.test(text) || value < from || value > to) {
      throw new InvalidArgumentError(`It must be a number of seconds from ${from} to ${to}.`);
    }
    return value;
  };
}
