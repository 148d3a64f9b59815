import { closeSync, openSync, writeSync } from 'node:fs';
import { ENTRY_WORDS } from '../../../src/daemon/ledger/entry.ts';
import { journalHeader } from '../../../src/daemon/ledger/batch.ts';
import { PART_ENTRIES, snapshotBytes } from '../../../src/daemon/ledger/snapshot.ts';
import { KIND } from '../../../src/daemon/ledger/kinds.ts';

const JOURNAL_BYTES = 1024 * 1024;
/** Marks of one account: more than few. */
const MARKS_PER_UID = 200;
const FIRST_UID = 3_000_000;
/** Knuth's multiplicative hash, so that keys look like digests. */
const GOLDEN = 0x9e37_79b1;

/**
 * Adds marks of many accounts that nobody has to a ledger at rest.
 *
 * @param directory - of the ledger; its files are replaced
 * @param before - what it holds already, as words
 * @param count - how many marks to add
 */
export function writeLargeLedger(directory: string, before: Uint32Array, count: number): void {
  const generation = 1_000;
  const file = openSync(`${directory}/snapshot`, 'w', 0o600);
  for (const bytes of snapshotBytes(generation, parts(before, count))) {
    writeSync(file, bytes);
  }
  closeSync(file);
  const journal = openSync(`${directory}/journal.${generation}`, 'w', 0o600);
  writeSync(journal, Buffer.concat([journalHeader(generation, JOURNAL_BYTES)], JOURNAL_BYTES));
  closeSync(journal);
}

function* parts(before: Uint32Array, count: number): Generator<Uint32Array> {
  yield Uint32Array.from(before);
  for (let from = 0; from < count; from += PART_ENTRIES) {
    const length = Math.min(PART_ENTRIES, count - from);
    const words = new Uint32Array(length * ENTRY_WORDS);
    for (let index = 0; index < length; index++) {
      const number = from + index;
      const uid = FIRST_UID + Math.floor(number / MARKS_PER_UID);
      words.set(
        [Math.imul(number, GOLDEN) >>> 0, number, 7, 7, KIND.counter << 24, 1, 1, 0, uid],
        index * ENTRY_WORDS,
      );
    }
    yield words;
  }
}
