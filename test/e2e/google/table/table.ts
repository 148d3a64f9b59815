import type { Scenario } from '../scenario.ts';
import { COUNTER_BASED } from './counter-based.ts';
import { FILE_CHECKS } from './file-checks.ts';
import { FILE_FORMAT } from './file-format.ts';
import { FILE_NAMES } from './file-names.ts';
import { GRACE_PERIOD } from './grace-period.ts';
import { OPTIONS } from './options.ts';
import { RATE_LIMIT } from './rate-limit.ts';
import { SCRATCH_CODES } from './scratch-codes.ts';
import { SKEW } from './skew.ts';
import { STACKED } from './stacked.ts';
import { TIME_BASED } from './time-based.ts';

/** All scenarios, by topic. */
export const TABLE: Readonly<Record<string, readonly Scenario[]>> = {
  options: OPTIONS,
  'passwords of other modules': STACKED,
  'names of the file': FILE_NAMES,
  'checks of the file': FILE_CHECKS,
  'format of the file': FILE_FORMAT,
  'time-based codes': TIME_BASED,
  'a clock that differs': SKEW,
  'counter-based codes': COUNTER_BASED,
  'scratch codes': SCRATCH_CODES,
  'rate limit': RATE_LIMIT,
  'grace period': GRACE_PERIOD,
};
