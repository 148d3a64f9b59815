import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeBatch, HEADER_BYTES, scanJournal } from '../../../src/ledger/batch.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { JournalFile } from '../../../src/ledger/journal-file.ts';
import { LedgerDirectory } from '../../../src/ledger/ledger-directory.ts';
import { Marks } from '../../../src/ledger/marks.ts';
import { VolatileMarks } from '../../../src/ledger/volatile-marks.ts';
import { withFilesUpTo } from '../fixtures/file-size-limit.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const JOURNAL_BYTES = 4_096;
const newDirectory = temporaryDirectories();
let path: string;
let directory: LedgerDirectory;

beforeEach(() => {
  path = newDirectory();
  directory = new LedgerDirectory(path, JOURNAL_BYTES);
});

const entry = (number: number, value = 1): Entry => ({
  key: number.toString(16).padStart(32, '0'),
  value,
  at: 1_700_000_000,
});

function marksOf(...entries: Entry[]): Marks {
  const marks = new Marks();
  entries.forEach((one) => marks.merge(one));
  return marks;
}

describe('a journal on a disk that takes only a part', () => {
  it('is broken for good: nothing is appended to what is torn', async () => {
    const journal = await directory.begin(new Marks(), 1);
    journal.appendNow([entry(1)]);
    await withFilesUpTo(HEADER_BYTES + 64 + 10, () => {
      expect(() => journal.appendNow([entry(2)])).toThrow(/^Only 10 of 64 bytes/);
    });
    expect(journal.broken).toBe(true);
    expect(() => journal.appendNow([entry(3)])).toThrow('The journal is broken');
    await expect(journal.append([entry(3)])).rejects.toThrow('The journal is broken');
    await journal.close();
    const scan = scanJournal(readFileSync(`${path}/journal.1`), 1);
    expect([scan.entries, scan.condition]).toEqual([[entry(1)], 'torn']);
  });

  it('is not made, and leaves nothing', async () => {
    await withFilesUpTo(100, () =>
      expect(JournalFile.create(`${path}/journal.1`, 1, JOURNAL_BYTES)).rejects.toThrow(/^Only 100 of/),
    );
    expect(readdirSync(path)).toEqual([]);
  });

  it('is taken away again when the snapshot before it cannot be written', async () => {
    await (await directory.begin(marksOf(entry(1)), 1)).close();
    const many = marksOf(...Array.from({ length: 200 }, (_, number) => entry(number)));
    await withFilesUpTo(JOURNAL_BYTES, () => expect(directory.begin(many, 2)).rejects.toThrow());
    expect(readdirSync(path).filter((name) => name.startsWith('journal'))).toEqual(['journal.1']);
    expect(directory.load()).toMatchObject({ damages: [], openEnd: { generation: 1 } });
  });
});

describe('what a crash left', () => {
  it('is gone on with where the journal of the snapshot ends well', async () => {
    const journal = await directory.begin(marksOf(entry(1)), 1);
    journal.appendNow([entry(2)]);
    await journal.close();
    expect(directory.load().openEnd).toEqual({ generation: 1, end: HEADER_BYTES + 64, sequence: 1 });
  });

  it('is not gone on with behind a batch that is torn', async () => {
    await (await directory.begin(new Marks(), 1)).close();
    const bytes = readFileSync(`${path}/journal.1`);
    encodeBatch(1, 1, [entry(1)]).copy(bytes, HEADER_BYTES, 0, 40);
    writeFileSync(`${path}/journal.1`, bytes);
    expect(directory.load()).toMatchObject({ damages: [], openEnd: undefined });
  });

  it('is not gone on with in a journal whose snapshot was not written: the next one might miss it', async () => {
    await (await directory.begin(new Marks(), 1)).close();
    const later = await JournalFile.create(`${path}/journal.2`, 2, JOURNAL_BYTES);
    later.appendNow([entry(5)]);
    await later.close();
    const loaded = directory.load();
    expect([loaded.openEnd, loaded.damages, loaded.generation]).toEqual([undefined, [], 2]);
    expect(loaded.marks.get(entry(5).key)?.value).toBe(1);
  });

  it('is no damage in a journal that is older than the snapshot', async () => {
    await (await directory.begin(new Marks(), 1)).close();
    copyFileSync(`${path}/journal.1`, `${path}/kept`);
    await (await directory.begin(marksOf(entry(1)), 2)).close();
    const old = readFileSync(`${path}/kept`);
    old.fill(0xff, 0, 8);
    writeFileSync(`${path}/journal.1`, old);
    expect(directory.load().damages).toEqual([]);
  });
});

it('marks in /run go on in a generation of their own, and leave no journal behind', async () => {
  const first = new VolatileMarks(path);
  expect(first.load()).toEqual([]);
  expect(await first.append([entry(1)], marksOf(entry(1)))).toBe(true);
  const second = new VolatileMarks(path);
  expect(second.load()).toEqual([entry(1)]);
  expect(await second.append([entry(2)], marksOf(entry(1), entry(2)))).toBe(true);
  expect(readdirSync(path).sort()).toEqual(['journal.2', 'snapshot']);
  expect(new VolatileMarks(path).load()).toEqual([entry(1), entry(2)]);
});
