import { crc32 } from 'node:zlib';
import { ENTRY_BYTES, readEntry, writeEntry, type Entry } from './entry.ts';

/*
 * The journal's format, all numbers big-endian. Everything is a multiple of 32 bytes, so that after damage the scan can look for
 * the next batch at every such place.
 *
 *   file   = header · batch* · zeros
 *   header = "PVALJRN1" · u64 generation · u32 crc of the 16 bytes before · 12 zeros
 *   batch  = "PVAB" · u32 count · u64 generation · u64 sequence · u32 crc of everything else in the batch · u32 zero · entry{count}
 */

const HEADER_MAGIC = Buffer.from('PVALJRN1');
/** "PVAB" as a number: the scan asks for it at a hundred thousand places. */
const BATCH_MAGIC = 0x5056_4142;
/** Bytes of the file's header, and of a batch's. */
export const HEADER_BYTES = 32;
const CRC_OFFSET = 24;
/** A batch has at most so many entries: more wait for the next one. */
export const MAX_BATCH_ENTRIES = 4_096;

/** What was read from a journal. */
export interface JournalScan {
  readonly entries: readonly Entry[];
  /** `clean`: it ends as it should. `torn`: the last batch is incomplete, it was never acknowledged. `damaged`: something is
   * wrong before the end. */
  readonly condition: 'clean' | 'torn' | 'damaged';
  /** What is wrong and where, when it is damaged. */
  readonly damage?: string;
  /** Where the last good batch ends, in bytes, and its sequence number: a clean journal can go on there. */
  readonly end: number;
  readonly sequence: number;
}

/**
 * The header of a journal file.
 *
 * @param generation - which journal this is; it belongs to the snapshot of the same generation
 * @returns 32 bytes
 */
export function journalHeader(generation: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  HEADER_MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(generation), 8);
  header.writeUInt32BE(crc32(header.subarray(0, 16)), 16);
  return header;
}

/**
 * Writes a batch: what one sync makes durable.
 *
 * @param generation - of the journal
 * @param sequence - of the batch in the journal, from 1 on
 * @param entries - 1 to {@link MAX_BATCH_ENTRIES}
 * @returns the bytes to append
 */
export function encodeBatch(generation: number, sequence: number, entries: readonly Entry[]): Buffer {
  const batch = Buffer.alloc(HEADER_BYTES + entries.length * ENTRY_BYTES);
  batch.writeUInt32BE(BATCH_MAGIC, 0);
  batch.writeUInt32BE(entries.length, 4);
  batch.writeBigUInt64BE(BigInt(generation), 8);
  batch.writeBigUInt64BE(BigInt(sequence), 16);
  entries.forEach((entry, index) => writeEntry(batch, HEADER_BYTES + index * ENTRY_BYTES, entry));
  batch.writeUInt32BE(checksum(batch), CRC_OFFSET);
  return batch;
}

/**
 * Reads a journal file.
 *
 * @param file - its bytes, maybe cut anywhere
 * @param generation - the generation that its name says
 * @returns every entry of every complete batch, also of those behind a damage, and in what condition the file is
 */
export function scanJournal(file: Buffer, generation: number): JournalScan {
  if (file.length < HEADER_BYTES || !file.subarray(0, HEADER_BYTES).equals(journalHeader(generation))) {
    return {
      entries: [],
      condition: 'damaged',
      damage: 'the header is not that of this journal',
      end: 0,
      sequence: 0,
    };
  }
  const entries: Entry[] = [];
  let end = HEADER_BYTES;
  let sequence = 0;
  for (let batch = batchAt(file, end, generation); batch?.sequence === sequence + 1;) {
    entries.push(...batch.entries);
    end += batch.bytes;
    sequence = batch.sequence;
    batch = batchAt(file, end, generation);
  }
  const behind = restOf(file, end, generation);
  if (behind.length > 0) {
    const damage = `a batch is missing or unreadable at byte ${end}`;
    return { entries: [...entries, ...behind], condition: 'damaged', damage, end, sequence };
  }
  const torn = !file.subarray(end).equals(Buffer.alloc(file.length - end));
  return { entries, condition: torn ? 'torn' : 'clean', end, sequence };
}

/** Everything that can still be read behind a damage. */
function restOf(file: Buffer, from: number, generation: number): Entry[] {
  const entries: Entry[] = [];
  let offset = from;
  while (offset < file.length) {
    const batch = batchAt(file, offset, generation);
    entries.push(...(batch?.entries ?? []));
    offset += batch?.bytes ?? HEADER_BYTES;
  }
  return entries;
}

interface Batch {
  readonly sequence: number;
  readonly bytes: number;
  readonly entries: Entry[];
}

function batchAt(file: Buffer, offset: number, generation: number): Batch | undefined {
  if (file.length - offset < HEADER_BYTES || file.readUInt32BE(offset) !== BATCH_MAGIC) {
    return undefined;
  }
  const count = file.readUInt32BE(offset + 4);
  const bytes = HEADER_BYTES + count * ENTRY_BYTES;
  if (count < 1 || count > MAX_BATCH_ENTRIES || file.length - offset < bytes) {
    return undefined;
  }
  const batch = file.subarray(offset, offset + bytes);
  if (batch.readUInt32BE(CRC_OFFSET) !== checksum(batch) || batch.readBigUInt64BE(8) !== BigInt(generation)) {
    return undefined;
  }
  const entries = Array.from({ length: count }, (_, index) =>
    readEntry(batch, HEADER_BYTES + index * ENTRY_BYTES),
  );
  return { sequence: Number(batch.readBigUInt64BE(16)), bytes, entries };
}

function checksum(batch: Buffer): number {
  return crc32(batch.subarray(CRC_OFFSET + 4), crc32(batch.subarray(0, CRC_OFFSET)));
}
