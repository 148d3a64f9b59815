import type { Entry } from './entry.ts';
import { NO_UID } from './kinds.ts';
import {
  FEW_MARKS,
  GIVING_WAY,
  MAX_KEPT_PER_OWNER,
  MAX_MARKS,
  MAX_PASSING_PER_OWNER,
  MOST_MARKS,
  YOUNG_SECONDS,
} from './limits.ts';
import { isPassing, type MarkTable } from './mark-table.ts';

/*
 * Decides who may add a key to the ledger. The limit of an owner is its number of marks, which is on the disk. So a restart does
 * not reset it.
 */

const ROOT = 0;

/**
 * Whether there is room for a new key. If necessary, forgettable marks of the same owner are removed, the oldest first.
 *
 * @param table - all marks
 * @param entry - the new one
 * @param now - seconds since 1970
 * @returns whether there is
 */
export function hasRoom(table: MarkTable, entry: Entry, now: number): boolean {
  const own = table.ofOwner(entry.uid);
  if (table.size >= limitFor(entry.uid, own.length)) {
    return false;
  }
  if (entry.uid === NO_UID) {
    return true;
  }
  const passing = own.filter((slot) => isPassing(table.until(slot)));
  if (!isPassing(entry.until)) {
    return own.length - passing.length < MAX_KEPT_PER_OWNER;
  }
  if (passing.length < MAX_PASSING_PER_OWNER) {
    return true;
  }
  // A time in the future comes from a wrong clock.
  const old = passing.filter((slot) => Math.abs(now - table.at(slot)) >= YOUNG_SECONDS);
  oldestFirst(table, old).forEach((slot) => table.remove(slot));
  return old.length > 0;
}

/**
 * Makes room among an owner's forgettable marks, however young they are. For a mark that exists already.
 *
 * @param table - all marks
 * @param uid - the owner
 */
export function giveWay(table: MarkTable, uid: number): void {
  const passing = table.ofOwner(uid).filter((slot) => isPassing(table.until(slot)));
  if (passing.length >= MAX_PASSING_PER_OWNER) {
    oldestFirst(table, passing).forEach((slot) => table.remove(slot));
  }
}

/**
 * Whether the ledger is full: then only root and owners with few marks get new keys.
 *
 * @param marks - how many there are
 * @returns whether it is full
 */
export function isFull(marks: number): boolean {
  return marks >= MAX_MARKS;
}

function limitFor(uid: number, marks: number): number {
  return uid === ROOT || (uid !== NO_UID && marks < FEW_MARKS) ? MOST_MARKS : MAX_MARKS;
}

function oldestFirst(table: MarkTable, slots: readonly number[]): number[] {
  return [...slots].sort((a, b) => table.at(a) - table.at(b)).slice(0, GIVING_WAY);
}
