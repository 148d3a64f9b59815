import { createHash, type Hash } from 'node:crypto';
import { ENTRY_BYTES, ENTRY_WORDS, entryWords, OLD_ENTRY_BYTES, swapWords } from './entry.ts';

/*
 * The snapshot's format, all numbers big-endian. The number of marks is known only when all are written, so it is at the end:
 *
 *   "PVALSNP2" · u64 generation · 16 zeros · entry{count} · u64 count · SHA-256 of everything before
 *
 * Before marks had kinds: "PVALSNP1" · u64 generation · u64 count · 8 zeros · entry{count} · SHA-256 of everything before.
 *
 * It is written and read a part at a time: a second copy of all marks would not fit into the memory that the unit grants.
 */

const MAGIC = Buffer.from('PVALSNP2');
const OLD_MAGIC = Buffer.from('PVALSNP1');
const HEADER_BYTES = 32;
const COUNT_BYTES = 8;
const DIGEST_BYTES = 32;
/** How many entries are read or written at once. */
export const PART_ENTRIES = 4_096;

/**
 * The bytes of a snapshot, a part at a time.
 *
 * @param generation - of the journal that continues it
 * @param parts - all entries as words; they are changed by this
 */
export function* snapshotBytes(generation: number, parts: Iterable<Uint32Array>): Generator<Buffer> {
  const hash = createHash('sha256');
  const hashed = (bytes: Buffer): Buffer => {
    hash.update(bytes);
    return bytes;
  };
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(generation), 8);
  yield hashed(header);
  let bytes = 0;
  for (const words of parts) {
    swapWords(words);
    bytes += words.byteLength;
    yield hashed(Buffer.from(words.buffer, words.byteOffset, words.byteLength));
  }
  const count = Buffer.alloc(COUNT_BYTES);
  count.writeBigUInt64BE(BigInt(bytes / ENTRY_BYTES));
  yield hashed(count);
  yield hash.digest();
}

/** A file that is read from its beginning on. */
export interface ReadableFile {
  /** Its size in bytes. */
  readonly size: number;
  /** @returns the next bytes: the requested number, or fewer at the end of the file. The next call reuses the memory. */
  read(bytes: number): Buffer;
}

/**
 * Reads a snapshot. Entries are passed on before the checksum is known. If the file is damaged, the caller must drop them all.
 *
 * @param file - the file
 * @param take - gets the entries as words
 * @returns the generation, or undefined if any byte differs from what was written
 */
export function readSnapshot(file: ReadableFile, take: (words: Uint32Array) => void): number | undefined {
  const hash = createHash('sha256');
  const header = Buffer.from(file.read(HEADER_BYTES));
  hash.update(header);
  const current = header.subarray(0, MAGIC.length).equals(MAGIC);
  if (header.length < HEADER_BYTES || !(current || header.subarray(0, MAGIC.length).equals(OLD_MAGIC))) {
    return undefined;
  }
  const entryBytes = current ? ENTRY_BYTES : OLD_ENTRY_BYTES;
  const count = (file.size - HEADER_BYTES - (current ? COUNT_BYTES : 0) - DIGEST_BYTES) / entryBytes;
  if (!Number.isInteger(count) || count < 0) {
    return undefined;
  }
  takeAll(file, { count, entryBytes, old: !current }, hash, take);
  const counted = current ? Buffer.from(file.read(COUNT_BYTES)) : header.subarray(16, 16 + COUNT_BYTES);
  if (current) {
    hash.update(counted);
  }
  const sound =
    counted.length === COUNT_BYTES &&
    counted.readBigUInt64BE() === BigInt(count) &&
    hash.digest().equals(file.read(DIGEST_BYTES));
  return sound ? Number(header.readBigUInt64BE(8)) : undefined;
}

function takeAll(
  file: ReadableFile,
  { count, entryBytes, old }: { readonly count: number; readonly entryBytes: number; readonly old: boolean },
  hash: Hash,
  take: (words: Uint32Array) => void,
): void {
  const room = new Uint32Array(PART_ENTRIES * ENTRY_WORDS);
  for (let left = count; left > 0; left -= PART_ENTRIES) {
    const part = file.read(Math.min(left, PART_ENTRIES) * entryBytes);
    hash.update(part);
    take(entryWords(part.subarray(0, part.length - (part.length % entryBytes)), old, room));
  }
}
