import { crc32 } from 'node:zlib';
import {
  ENTRY_BYTES,
  ENTRY_WORDS,
  entryWords,
  OLD_ENTRY_BYTES,
  swapWords,
  writeEntry,
  type Entry,
} from './entry.ts';

/*
 * The journal's format, all numbers big-endian. Everything is a multiple of 4 bytes, so that after damage the scan can look for
 * the next batch at every such place.
 *
 *   file   = header · batch* · zeros; its size is what the header says
 *   header = "PVALJRN2" · u64 generation · u32 size · u32 crc of the 20 bytes before · 8 zeros
 *   batch  = "PVB2" · u32 count · u64 generation · u64 sequence · u32 crc of everything else in the batch · u32 zero · entry{count}
 *
 * A batch without entries says that the daemon ended there, and that everything before is on the disk.
 *
 * Before marks had kinds, the header had no size (all files were of OLD_JOURNAL_BYTES), and entries were shorter:
 *
 *   header = "PVALJRN1" · u64 generation · u32 crc of the 16 bytes before · 12 zeros
 *   batch  = "PVAB" · as above
 */

const HEADER_MAGIC = Buffer.from('PVALJRN2');
const OLD_HEADER_MAGIC = Buffer.from('PVALJRN1');
const OLD_JOURNAL_BYTES = 1024 * 1024;
/** "PVB2" and "PVAB" as numbers: the scan compares them at a hundred thousand places. */
const BATCH_MAGIC = 0x5056_4232;
const OLD_BATCH_MAGIC = 0x5056_4142;
const SIZE_OFFSET = 16;
/** Bytes of the file's header, and of a batch's. */
export const HEADER_BYTES = 32;
const ALIGNMENT = 4;
const CRC_OFFSET = 24;
/** The most entries of a batch. More entries wait for the next one. */
export const MAX_BATCH_ENTRIES = 4_096;

/** The condition of a journal file. */
export interface JournalScan {
  /**
   * `clean`: it ends well. `torn`: the last batch is incomplete, and so was never acknowledged. `damaged`: something before the
   * end is wrong, or part of the file is missing.
   */
  readonly condition: 'clean' | 'torn' | 'damaged';
  /** If damaged: what is wrong, and where. */
  readonly damage?: string;
  /** Where the last good batch ends, in bytes, and its sequence number. A clean journal can continue there. */
  readonly end: number;
  readonly sequence: number;
  /** Whether the daemon marked its end. Then everything is on the disk, not only in the kernel's cache. */
  readonly ended: boolean;
  /** Whether it is of the format that this version writes. */
  readonly current: boolean;
}

/** Takes the entries of one batch: `ENTRY_WORDS` words for each. */
export type TakeEntries = (words: Uint32Array) => void;

/**
 * The header of a journal file.
 *
 * @param generation - which journal this is; it belongs to the snapshot of the same generation
 * @param size - of the whole file, in bytes
 * @returns 32 bytes
 */
export function journalHeader(generation: number, size: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  HEADER_MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(generation), 8);
  header.writeUInt32BE(size, SIZE_OFFSET);
  header.writeUInt32BE(crc32(header.subarray(0, SIZE_OFFSET + 4)), SIZE_OFFSET + 4);
  return header;
}

function oldHeader(generation: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  OLD_HEADER_MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(generation), 8);
  header.writeUInt32BE(crc32(header.subarray(0, 16)), 16);
  return header;
}

/**
 * Writes a batch: what one sync makes durable.
 *
 * @param generation - of the journal
 * @param sequence - of the batch in the journal, from 1 on
 * @param entries - at most {@link MAX_BATCH_ENTRIES}; none: the daemon ends
 * @returns the bytes to append
 */
export function encodeBatch(generation: number, sequence: number, entries: readonly Entry[]): Buffer {
  const batch = Buffer.alloc(HEADER_BYTES + entries.length * ENTRY_BYTES);
  batch.writeUInt32BE(BATCH_MAGIC, 0);
  batch.writeUInt32BE(entries.length, 4);
  batch.writeBigUInt64BE(BigInt(generation), 8);
  batch.writeBigUInt64BE(BigInt(sequence), 16);
  const words = new Uint32Array(entries.length * ENTRY_WORDS);
  entries.forEach((entry, index) => writeEntry(words, index * ENTRY_WORDS, entry));
  swapWords(words);
  batch.set(new Uint8Array(words.buffer), HEADER_BYTES);
  batch.writeUInt32BE(checksum(batch), CRC_OFFSET);
  return batch;
}

/**
 * Reads a journal file.
 *
 * @param file - its bytes, maybe cut anywhere
 * @param generation - the generation that its name says
 * @param take - gets every entry of every complete batch, also of those after damage
 * @returns the condition of the file
 */
export function scanJournal(
  file: Buffer,
  generation: number,
  take: TakeEntries = () => undefined,
): JournalScan {
  const format = formatOf(file, generation);
  if (format === undefined) {
    const damage = 'the header is not that of this journal';
    return { condition: 'damaged', damage, end: 0, sequence: 0, ended: false, current: false };
  }
  const { current } = format;
  let end = HEADER_BYTES;
  let sequence = 0;
  let ended = false;
  for (let batch = batchAt(file, end, format); batch?.sequence === sequence + 1;) {
    take(entryWords(batch.entries, !current));
    end += batch.bytes;
    sequence = batch.sequence;
    ended = batch.entries.length === 0;
    batch = batchAt(file, end, format);
  }
  const rest = file.subarray(end);
  const zeros = isZero(rest);
  const behind = !zeros && takeRest(file, end, format, take);
  const damage = behind
    ? `a batch is missing or unreadable at byte ${end}`
    : file.length === format.size
      ? undefined
      : `it has ${file.length} bytes in place of ${format.size}`;
  if (damage !== undefined) {
    return { condition: 'damaged', damage, end, sequence, ended, current };
  }
  return { condition: zeros ? 'clean' : 'torn', end, sequence, ended, current };
}

interface Format {
  readonly generation: number;
  readonly current: boolean;
  readonly magic: number;
  readonly entryBytes: number;
  /** Of the whole file. */
  readonly size: number;
}

function formatOf(file: Buffer, generation: number): Format | undefined {
  if (file.length < HEADER_BYTES) {
    return undefined;
  }
  const header = file.subarray(0, HEADER_BYTES);
  const size = header.readUInt32BE(SIZE_OFFSET);
  if (header.equals(journalHeader(generation, size))) {
    return { generation, current: true, magic: BATCH_MAGIC, entryBytes: ENTRY_BYTES, size };
  }
  return header.equals(oldHeader(generation))
    ? {
        generation,
        current: false,
        magic: OLD_BATCH_MAGIC,
        entryBytes: OLD_ENTRY_BYTES,
        size: OLD_JOURNAL_BYTES,
      }
    : undefined;
}

/** Compares each byte with the one before, so that no second buffer is needed. */
function isZero(bytes: Buffer): boolean {
  return bytes.length === 0 || (bytes[0] === 0 && bytes.subarray(1).equals(bytes.subarray(0, -1)));
}

/** Reads all that is readable after damage. Returns whether there was anything. */
function takeRest(file: Buffer, from: number, format: Format, take: TakeEntries): boolean {
  let found = false;
  let offset = from;
  while (offset < file.length) {
    const batch = batchAt(file, offset, format);
    if (batch !== undefined) {
      take(entryWords(batch.entries, !format.current));
      found = true;
    }
    offset += batch?.bytes ?? ALIGNMENT;
  }
  return found;
}

interface Batch {
  readonly sequence: number;
  readonly bytes: number;
  readonly entries: Buffer;
}

function batchAt(file: Buffer, offset: number, { generation, magic, entryBytes }: Format): Batch | undefined {
  if (file.length - offset < HEADER_BYTES || file.readUInt32BE(offset) !== magic) {
    return undefined;
  }
  const count = file.readUInt32BE(offset + 4);
  const bytes = HEADER_BYTES + count * entryBytes;
  if (count > MAX_BATCH_ENTRIES || file.length - offset < bytes) {
    return undefined;
  }
  const batch = file.subarray(offset, offset + bytes);
  if (batch.readUInt32BE(CRC_OFFSET) !== checksum(batch) || batch.readBigUInt64BE(8) !== BigInt(generation)) {
    return undefined;
  }
  return { sequence: Number(batch.readBigUInt64BE(16)), bytes, entries: batch.subarray(HEADER_BYTES) };
}

function checksum(batch: Buffer): number {
  return crc32(batch.subarray(CRC_OFFSET + 4), crc32(batch.subarray(0, CRC_OFFSET)));
}
