/*
 * What bounds the ledger. A mark takes at most 80 bytes of memory, and 36 on the disk; docs/explanation/threat-model.md
 * says who can create marks, and what stops them.
 */

/**
 * From this number of marks on, the ledger accepts new keys only for root and for owners with few marks. All others still advance
 * their existing marks.
 */
export const MAX_MARKS = 1_048_576;
/** An owner with fewer marks than this has few. */
export const FEW_MARKS = 16;

/** The most permanent marks of one owner. All that a user can enrol at once takes less than half of them. */
export const MAX_KEPT_PER_OWNER = 256;
/** The most forgettable marks of one owner. New marks replace the oldest. */
export const MAX_PASSING_PER_OWNER = 256;
/** How many marks are forgotten at once. */
export const GIVING_WAY = 64;
/** A mark of the last seconds (this many) is not replaced, because its code may still be valid. */
export const YOUNG_SECONDS = 600;

/** The most marks in memory, and the most that are read from a disk. The unit's memory limit allows no more. */
export const MOST_MARKS = 2 * MAX_MARKS;
