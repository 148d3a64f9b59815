import type { LedgerDirectory } from './ledger-directory.ts';
import type { VolatileMarks } from './volatile-marks.ts';

/** Reports of the ledger, which the composition root writes to the log. */
export interface LedgerReports {
  /** The ledger cannot be written, with the reason. */
  trouble(why: string): void;
  /** It can be written again. */
  recovered(): void;
  /** Something cannot be read, with its name. */
  damaged(what: string): void;
  /** There is no room for a new mark: the owner has too many, or the ledger is full for owners with more than a few. */
  noRoom(uid: number | undefined, full: boolean): void;
}

/** What a local ledger needs. */
export interface LocalLedgerOptions {
  /** Where its files are. */
  readonly directory: LedgerDirectory;
  /** Keeps used time steps while the directory cannot be written. */
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
 * until somebody runs `repair`.
 */
export type LedgerCondition = 'sound' | 'in-trouble' | 'damaged';
