import { setTimeout as sleep } from 'node:timers/promises';
import type { Output } from './output.ts';

const LOOK_MS = 1000;

/** A change that waits to be confirmed, as the countdown sees it. */
export interface Countdown {
  readonly services: readonly string[];
  /** @returns whether it still waits */
  readonly waits: () => boolean;
  /** @returns whole seconds until it is undone */
  readonly left: () => number;
  /** `sudo ` where the reader needs it. */
  readonly sudo: string;
}

/** Notices Ctrl-C from the moment it is made, so that a change that has begun is finished and explained. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Lets Ctrl-C end the process again. */
  release(): void;
}

/**
 * Keeps Ctrl-C from ending this process silently.
 *
 * @returns tells when it was pressed
 */
export function holdInterrupt(): Interruption {
  const pressed = new AbortController();
  const press = (): void => pressed.abort();
  process.on('SIGINT', press);
  return { signal: pressed.signal, release: () => void process.off('SIGINT', press) };
}

/**
 * Counts down at the terminal until the change is confirmed or undone, or somebody presses Ctrl-C. Ctrl-C ends only the
 * countdown. The change stays on, and a note says so.
 *
 * @param output - the terminal
 * @param change - what waits
 * @param interrupted - Ctrl-C
 * @returns `interrupted`: the change still waits; `over`: it does not
 */
export async function countDown(
  output: Pick<Output, 'note'>,
  { services, waits, left, sudo }: Countdown,
  interrupted: AbortSignal,
): Promise<'interrupted' | 'over'> {
  const name = services.join(', ');
  while (waits()) {
    if (interrupted.aborted) {
      process.stderr.write('\n');
      stillWaits({ services, left, sudo }).forEach((line) => output.note(line));
      return 'interrupted';
    }
    process.stderr.write(`\r${left()} seconds left to confirm ${name} \r`);
    await sleep(LOOK_MS, undefined, { signal: interrupted }).catch(() => undefined);
  }
  process.stderr.write('\n');
  return 'over';
}

/**
 * What happens to a change that nobody has confirmed yet.
 *
 * @param change - what waits
 * @returns until when it waits, what keeps it and what undoes it: one line each
 */
export function stillWaits({ services, left, sudo }: Omit<Countdown, 'waits'>): readonly string[] {
  const name = services.join(', ');
  const service = services.join(' ');
  const seconds = left();
  const at = new Date(Date.now() + seconds * 1000).toTimeString().slice(0, 8);
  return [
    `The change is still on: ${name} keeps asking for a code. Unless you confirm it, systemd undoes it in ${seconds} seconds, at ${at}, or at the next boot.`,
    `To keep it, log in again through ${name} and run there: sudo pve-google-authenticator confirm`,
    `To undo it now: ${sudo}pve-google-authenticator disable ${service}`,
  ];
}
