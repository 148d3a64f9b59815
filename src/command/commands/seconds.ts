import { InvalidArgumentError } from 'commander';

/**
 * A reader of an option's value: a number of seconds.
 *
 * @param from - the smallest
 * @param to - the largest
 * @returns reads the value; throws InvalidArgumentError when it is none
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
