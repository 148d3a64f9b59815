import { matchTotp, timeStep, type Totp } from '../../factors/totp.ts';

/**
 * How far from now a code is searched for. A wrong time zone is at most 26 hours off; an empty battery can mean any time. With a
 * larger range, one mistyped code in fifty would match some other time.
 */
const FARTHEST_SECONDS = 48 * 3600;
/** How far a clock that was set by hand is usually off, in seconds; also the tolerance around whole quarters of an hour. */
const BY_HAND = 600;
const QUARTER = 900;
const SLACK = 60;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/**
 * The remark about a code that is right, but for another time. Only the command searches for it. It has the new secret and shows
 * it to the same person, so this reveals nothing. Codes of enrolled factors are never searched for like this.
 *
 * @param factor - the new factor
 * @param code - what was typed
 * @param now - the time of this machine in milliseconds since 1970
 * @returns how far the clocks differ, and what to do; undefined if the code belongs to no time in range
 */
export function clockRemark(factor: Totp, code: Buffer, now: number): string | undefined {
  const steps = Math.ceil(FARTHEST_SECONDS / factor.period);
  const here = timeStep(factor.period, now);
  const step = nearest(factor, code, here, steps);
  if (step === undefined) {
    return undefined;
  }
  const seconds = Math.abs(step - here) * factor.period;
  const time = `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return (
    `This code belongs to another time: the phone's clock is about ${inWords(seconds)} ${step > here ? 'ahead of' : 'behind'} this machine's, ` +
    `where it is ${time}. Correct the clock that is wrong (on a phone: time and time zone "automatic"), then type the next code.`
  );
}

/** The likeliest step: a clock that was set by hand is minutes off, one in a wrong time zone whole quarters of an hour. */
function nearest(factor: Totp, code: Buffer, here: number, steps: number): number | undefined {
  const unlikeliness = (distance: number): number => {
    const seconds = distance * factor.period;
    const toQuarter = Math.abs(seconds - Math.round(seconds / QUARTER) * QUARTER);
    return seconds <= BY_HAND ? 0 : toQuarter <= SLACK ? 1 : 2;
  };
  const distances = Array.from({ length: steps + 1 }, (_, distance) => distance).sort(
    (one, other) => unlikeliness(one) - unlikeliness(other) || one - other,
  );
  for (const distance of distances) {
    for (const step of distance === 0 ? [here] : [here - distance, here + distance]) {
      // One step at a time, at its own time.
      if (matchTotp({ ...factor, window: 1 }, code, step * factor.period * 1000) === step) {
        return step;
      }
    }
  }
  return undefined;
}

function inWords(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / DAY), 'day'],
    [Math.floor((seconds % DAY) / HOUR), 'hour'],
    [Math.floor((seconds % HOUR) / MINUTE), 'minute'],
    [seconds < 5 * MINUTE ? seconds % MINUTE : 0, 'second'],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ');
}
