import type { Config } from '../../config/config.ts';
import { machineClock } from '../../host/clocks.ts';
import type { Log } from '../../log/log.ts';
import type { Notebook } from '../ledger/ledger.ts';
import { openAttempts } from './attempts-file.ts';
import { CountedAttempts, UNLIMITED, type Attempts, type Locks } from './attempts.ts';
import { knownOriginsIn } from './known-origins.ts';
import { DEFAULT_LIMITS } from './limits.ts';

/**
 * Opens the counts of wrong answers.
 *
 * @param config - may switch them off
 * @param file - where they are kept while the machine runs
 * @param ledger - knows the origins that people have logged in from
 * @param log - told when counts cannot be kept
 * @returns who counts
 */
export function attemptsOfConfig(
  { throttle }: Config,
  file: string,
  ledger: Notebook,
  log: Log,
): Attempts & Locks {
  if (!throttle.enabled) {
    return UNLIMITED;
  }
  const table = openAttempts(file, machineClock, DEFAULT_LIMITS.longestLock, {
    lost: (why) => log.event('warning', 'Counts of attempts will be lost when this process ends', { why }),
  });
  return new CountedAttempts(DEFAULT_LIMITS, knownOriginsIn(ledger, Date.now), machineClock, table);
}
