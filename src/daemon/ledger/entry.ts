import { endianness } from 'node:os';
import type { Kind } from './kinds.ts';
import { ALWAYS, KIND, NO_UID } from './kinds.ts';
import type { Mark } from './ledger.ts';
import { MARK_KEY_BYTES } from './mark-key.ts';

/*
 * One mark on the disk, and in memory: nine words of 32 bits, big-endian on the disk.
 *
 *   key, 4 words · kind (8 bits) and value (56 bits), 2 words · seconds · until · uid
 */

/** Words and bytes of an entry. */
export const ENTRY_WORDS = 9;
export const ENTRY_BYTES = ENTRY_WORDS * 4;
/** Offset of each field in an entry, in words. */
export const WORD = { key: 0, kind: 4, value: 5, at: 6, until: 7, uid: 8 } as const;

const KEY_WORDS = MARK_KEY_BYTES / 4;
const WORD_DIGITS = 8;
const TWO_TO_32 = 0x1_0000_0000;
const KIND_SHIFT = 24;
const HIGH_VALUE = 0xff_ffff;

/** A mark with all its fields. */
export interface Entry extends Mark {
  /** 32 hexadecimal digits. */
  readonly key: string;
  readonly kind: Kind;
  /** When it may be forgotten, in seconds since 1970; or `ALWAYS`, or `WHILE_ROOM`. */
  readonly until: number;
  /** Uid of its owner, or `NO_UID`. */
  readonly uid: number;
}

/**
 * Writes an entry.
 *
 * @param into - where
 * @param offset - of its first word
 * @param entry - the entry
 */
export function writeEntry(into: Uint32Array, offset: number, entry: Entry): void {
  for (let word = 0; word < KEY_WORDS; word++) {
    into[offset + word] = parseInt(entry.key.slice(word * WORD_DIGITS, (word + 1) * WORD_DIGITS), 16);
  }
  into[offset + WORD.kind] = ((entry.kind << KIND_SHIFT) | Math.floor(entry.value / TWO_TO_32)) >>> 0;
  into[offset + WORD.value] = entry.value >>> 0;
  into[offset + WORD.at] = entry.at;
  into[offset + WORD.until] = entry.until;
  into[offset + WORD.uid] = entry.uid;
}

/**
 * Reads an entry.
 *
 * @param from - where
 * @param offset - of its first word
 * @returns the entry
 */
export function readEntry(from: Uint32Array, offset: number): Entry {
  const digits = (word: number): string => (from[offset + word] ?? 0).toString(16).padStart(WORD_DIGITS, '0');
  return {
    key: digits(0) + digits(1) + digits(2) + digits(3),
    value: valueAt(from, offset),
    at: from[offset + WORD.at] ?? 0,
    kind: kindAt(from, offset),
    until: from[offset + WORD.until] ?? ALWAYS,
    uid: from[offset + WORD.uid] ?? NO_UID,
  };
}

/** @returns the value of the entry that begins at `offset` */
export function valueAt(from: Uint32Array, offset: number): number {
  const high = (from[offset + WORD.kind] ?? 0) & HIGH_VALUE;
  return high * TWO_TO_32 + (from[offset + WORD.value] ?? 0);
}

/** @returns the kind of the entry that begins at `offset`; 0 if there is none */
export function kindAt(from: Uint32Array, offset: number): Kind {
  return (from[offset + WORD.kind] ?? 0) >>> KIND_SHIFT;
}

/**
 * Converts words between the byte order of the disk and the machine's.
 *
 * @param words - in place
 */
export function swapWords(words: Uint32Array): void {
  if (endianness() === 'LE') {
    Buffer.from(words.buffer, words.byteOffset, words.byteLength).swap32();
  }
}

/** One mark on the disk before marks had kinds: `16 bytes key · u64 value · u64 seconds`. */
export const OLD_ENTRY_BYTES = MARK_KEY_BYTES + 16;

/**
 * Reads entries from the disk. The caller checks the checksums.
 *
 * @param bytes - nothing but entries
 * @param old - whether they were written before marks had kinds; their owner is unknown, so they are kept
 * @param room - a buffer for the words, if the caller does not keep them
 * @returns {@link ENTRY_WORDS} words for each
 */
export function entryWords(bytes: Buffer, old: boolean, room?: Uint32Array): Uint32Array {
  const length = (bytes.length / (old ? OLD_ENTRY_BYTES : ENTRY_BYTES)) * ENTRY_WORDS;
  const words = room?.subarray(0, length) ?? new Uint32Array(length);
  if (!old) {
    new Uint8Array(words.buffer, words.byteOffset, words.byteLength).set(bytes);
    swapWords(words);
    return words;
  }
  for (let from = 0, to = 0; from < bytes.length; from += OLD_ENTRY_BYTES, to += ENTRY_WORDS) {
    writeEntry(words, to, {
      key: bytes.toString('hex', from, from + MARK_KEY_BYTES),
      value: Number(bytes.readBigUInt64BE(from + MARK_KEY_BYTES)),
      at: bytes.readUInt32BE(from + MARK_KEY_BYTES + 12),
      kind: KIND.unknown,
      until: ALWAYS,
      uid: NO_UID,
    });
  }
  return words;
}
