/*
 * What bounds the ledger. A mark takes at most 80 bytes of memory, and 36 on the disk; docs/explanation/threat-model.md
 * says who can create marks, and what stops them.
 */

/** With so many marks a ledger takes new keys only for root, and for owners who have few. All others still advance the marks that they have. */
export const MAX_MARKS = 1_048_576;
/** An owner with fewer marks than this has few. */
export const FEW_MARKS = 16;

/** Marks of one owner that are never forgotten: what one can have enrolled at once takes less than half of them. */
export const MAX_KEPT_PER_OWNER = 256;
/** Marks of one owner that may be forgotten; the oldest give way to new ones. */
export const MAX_PASSING_PER_OWNER = 256;
/** So many give way at once. */
export const GIVING_WAY = 64;
/** A mark of these last seconds gives way to no new one: its code may still be valid. */
export const YOUNG_SECONDS = 600;

/** More marks are never kept in memory, nor read from a disk: the memory that the unit grants ends there. */
export const MOST_MARKS = 2 * MAX_MARKS;
