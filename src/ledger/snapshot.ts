import { createHash } from 'node:crypto';
import { ENTRY_BYTES, readEntry, writeEntry, type Entry } from './entry.ts';

/* The snapshot's format: "PVALSNP1" · u64 generation · u64 count · 8 zeros · entry{count} · SHA-256 of everything before. */

const MAGIC = Buffer.from('PVALSNP1');
const HEADER_BYTES = 32;
const DIGEST_BYTES = 32;

/** All marks at one moment, and the generation of the journal that goes on from there. */
export interface Snapshot {
  readonly generation: number;
  readonly entries: readonly Entry[];
}

/**
 * Writes a snapshot.
 *
 * @param snapshot - the marks
 * @returns the bytes of the file
 */
export function encodeSnapshot({ generation, entries }: Snapshot): Buffer {
  const end = HEADER_BYTES + entries.length * ENTRY_BYTES;
  const file = Buffer.alloc(end + DIGEST_BYTES);
  MAGIC.copy(file);
  file.writeBigUInt64BE(BigInt(generation), 8);
  file.writeBigUInt64BE(BigInt(entries.length), 16);
  entries.forEach((entry, index) => writeEntry(file, HEADER_BYTES + index * ENTRY_BYTES, entry));
  digestOf(file.subarray(0, end)).copy(file, end);
  return file;
}

/**
 * Reads a snapshot.
 *
 * @param file - its bytes
 * @returns the marks, or undefined when a single byte is not as it was written
 */
export function decodeSnapshot(file: Buffer): Snapshot | undefined {
  const end = file.length - DIGEST_BYTES;
  if (end < HEADER_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  const count = Number(file.readBigUInt64BE(16));
  if (
    end !== HEADER_BYTES + count * ENTRY_BYTES ||
    !digestOf(file.subarray(0, end)).equals(file.subarray(end))
  ) {
    return undefined;
  }
  const entries = Array.from({ length: count }, (_, index) =>
    readEntry(file, HEADER_BYTES + index * ENTRY_BYTES),
  );
  return { generation: Number(file.readBigUInt64BE(8)), entries };
}

function digestOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
