import { matchTotp, timeStep, type Totp } from '../../factors/totp.ts';

/**
 * How far a clock is looked for that is off. A time zone that was taken for the time is at most 26 hours; a battery that was empty may be
 * any. With more, one mistyped code in fifty would be taken for another time.
 */
const FARTHEST_SECONDS = 48 * 3600;
/** Seconds by which a clock is off that somebody has set by hand, and those beside a whole quarter of an hour. */
const BY_HAND = 600;
const QUARTER = 900;
const SLACK = 60;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/**
 * What is to be said of a code that is right, but at another time. It is looked for here, by the command, which has the new secret and is
 * showing it to the person who types: nobody learns anything by it. Codes of factors that are enrolled are never looked for like that.
 *
 * @param factor - the new factor
 * @param code - what was typed
 * @param now - the time of this machine in milliseconds since 1970
 * @returns how far which clocks differ, and what to do; undefined: the code belongs to no time around
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
