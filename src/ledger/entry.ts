import type { Mark } from './ledger.ts';
import { MARK_KEY_BYTES } from './mark-key.ts';

/** One mark on the disk: `16 bytes key · u64 value · u64 seconds`, big-endian. */
export const ENTRY_BYTES = MARK_KEY_BYTES + 16;

/** A mark and its key. */
export interface Entry extends Mark {
  readonly key: string;
}

/**
 * Writes an entry.
 *
 * @param into - where; it has {@link ENTRY_BYTES} from `offset` on
 * @param offset - where in it
 * @param entry - the mark and its key
 */
export function writeEntry(into: Buffer, offset: number, entry: Entry): void {
  into.write(entry.key, offset, MARK_KEY_BYTES, 'hex');
  into.writeBigUInt64BE(BigInt(entry.value), offset + MARK_KEY_BYTES);
  into.writeBigUInt64BE(BigInt(entry.at), offset + MARK_KEY_BYTES + 8);
}

/**
 * Reads an entry. Checksums are the caller's matter.
 *
 * @param from - where
 * @param offset - where in it
 * @returns the mark and its key
 */
export function readEntry(from: Buffer, offset: number): Entry {
  return {
    key: from.toString('hex', offset, offset + MARK_KEY_BYTES),
    value: Number(from.readBigUInt64BE(offset + MARK_KEY_BYTES)),
    at: Number(from.readBigUInt64BE(offset + MARK_KEY_BYTES + 8)),
  };
}
