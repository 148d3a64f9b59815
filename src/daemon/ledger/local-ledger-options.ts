import type { LedgerDirectory } from './ledger-directory.ts';
import type { VolatileMarks } from './volatile-marks.ts';

/** What the ledger says about itself; the composition root puts it into the log. */
export interface LedgerReports {
  /** The ledger cannot be written: why. */
  trouble(why: string): void;
  /** It can be written again. */
  recovered(): void;
  /** What was written cannot be read: what. */
  damaged(what: string): void;
  /** There is no room for a new mark: of its owner, or, when the ledger is full, of anybody who has more than a few. */
  noRoom(uid: number | undefined, full: boolean): void;
}

/** What a local ledger needs. */
export interface LocalLedgerOptions {
  /** Where its files are. */
  readonly directory: LedgerDirectory;
  /** Where the use of time steps is kept while the directory cannot be written. */
  readonly volatile: VolatileMarks;
  readonly reports: LedgerReports;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** Seconds since the machine was booted. */
  readonly uptime: () => number;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
}

/**
 * `sound`: the journal takes commits. `in-trouble`: it does not, time steps are kept in memory and in /run. `damaged`: the same,
 * and it stays so until somebody says repair.
 */
export type LedgerCondition = 'sound' | 'in-trouble' | 'damaged';
