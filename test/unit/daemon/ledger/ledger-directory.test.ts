import { createHash } from 'node:crypto';
import fs, {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeBatch, HEADER_BYTES } from '../../../../src/daemon/ledger/batch.ts';
import { ENTRY_BYTES, type Entry } from '../../../../src/daemon/ledger/entry.ts';
import { ALWAYS, KIND, NO_UID } from '../../../../src/daemon/ledger/kinds.ts';
import { JournalFile } from '../../../../src/daemon/ledger/journal-file.ts';
import { LedgerDirectory } from '../../../../src/daemon/ledger/ledger-directory.ts';
import { Marks } from '../../../../src/daemon/ledger/marks.ts';
import { VolatileMarks } from '../../../../src/daemon/ledger/volatile-marks.ts';
import { allOf, entryOf, scanned } from '../../fixtures/ledger-entries.ts';
import { withFilesUpTo } from '../../fixtures/file-size-limit.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const JOURNAL_BYTES = 4_096;
const newDirectory = temporaryDirectories();
let path: string;
let directory: LedgerDirectory;

beforeEach(() => {
  path = newDirectory();
  directory = new LedgerDirectory(path, JOURNAL_BYTES);
});

const entry = (number: number, value = 1): Entry =>
  entryOf({ key: number.toString(16).padStart(32, '0'), value });
const BATCH_BYTES = HEADER_BYTES + ENTRY_BYTES;

function marksOf(...entries: Entry[]): Marks {
  const marks = new Marks();
  entries.forEach((one) => marks.put(one));
  return marks;
}

describe('a journal on a disk that takes only a part', () => {
  it('stays broken: nothing is appended to a torn journal', async () => {
    const journal = await directory.begin(new Marks(), 1);
    journal.appendNow([entry(1)]);
    await withFilesUpTo(HEADER_BYTES + BATCH_BYTES + 10, () => {
      expect(() => journal.appendNow([entry(2)])).toThrow(`Only 10 of ${BATCH_BYTES} bytes`);
    });
    expect(journal.broken).toBe(true);
    expect(() => journal.appendNow([entry(3)])).toThrow('The journal is broken');
    await expect(journal.append([entry(3)])).rejects.toThrow('The journal is broken');
    await journal.close();
    const scan = scanned(readFileSync(`${path}/journal.1`), 1);
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
    const openEnd = { generation: 1, end: HEADER_BYTES + BATCH_BYTES, sequence: 1, inviting: false };
    expect(directory.load().openEnd).toEqual(openEnd);
    const next = await directory.goOn(openEnd);
    next.appendNow([entry(3)]);
    next.end();
    await next.close();
    expect(directory.load()).toMatchObject({
      damages: [],
      openEnd: { generation: 1, sequence: 3, inviting: true },
    });
  });

  it('is durable before it is gone on with: the bytes of its journal, and the names', async () => {
    // This file accepts writes, but its sync fails.
    await expect(JournalFile.reopen('/dev/null', 1, 0, 0)).rejects.toThrow('EINVAL');
    await (await directory.begin(new Marks(), 1)).close();
    const openEnd = directory.load().openEnd!;
    const fault = vi.spyOn(fs, 'fsync');
    const synced: string[] = [];
    fault.mockImplementation((fd, done) => {
      synced.push(fs.readlinkSync(`/proc/self/fd/${fd}`));
      done(null);
    });
    try {
      syncBuiltinESMExports();
      vi.resetModules();
      const again = await import('../../../../src/daemon/ledger/ledger-directory.ts');
      await (await new again.LedgerDirectory(path).goOn(openEnd)).close();
    } finally {
      fault.mockRestore();
      syncBuiltinESMExports();
    }
    expect(synced).toEqual([`${path}/journal.1`, path]);
  });

  it('is not gone on with behind a batch that is torn', async () => {
    await (await directory.begin(new Marks(), 1)).close();
    const bytes = readFileSync(`${path}/journal.1`);
    encodeBatch(1, 1, [entry(1)]).copy(bytes, HEADER_BYTES, 0, 40);
    writeFileSync(`${path}/journal.1`, bytes);
    expect(directory.load()).toMatchObject({ damages: [], openEnd: undefined });
  });

  it('does not continue a journal whose snapshot was not written, because the next start might miss it', async () => {
    await (await directory.begin(new Marks(), 1)).close();
    await (await JournalFile.create(`${path}/journal.2`, 2, JOURNAL_BYTES)).close();
    const loaded = directory.load();
    expect([loaded.openEnd, loaded.damages, loaded.generation]).toEqual([undefined, [], 2]);
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

describe('a file in the wrong place', () => {
  /** Generations 1 to 3, each with a mark of its own in the journal; gives what the directory held at the end of each. */
  async function history(): Promise<Map<string, Buffer>[]> {
    const states: Map<string, Buffer>[] = [];
    const marks = new Marks();
    for (const generation of [1, 2, 3]) {
      const journal = await directory.begin(marks, generation);
      journal.appendNow([entry(generation)]);
      marks.put(entry(generation));
      await journal.close();
      states.push(new Map(readdirSync(path).map((name) => [name, readFileSync(`${path}/${name}`)])));
    }
    return states;
  }

  it('is noticed where a journal is shorter than it was made, wherever it was cut', async () => {
    await history();
    for (const length of [JOURNAL_BYTES - 1, HEADER_BYTES + BATCH_BYTES, HEADER_BYTES, 0]) {
      truncateSync(`${path}/journal.3`, length);
      expect(directory.load().damages, `cut at ${length}`).toEqual([expect.stringMatching(/^journal\.3: /)]);
    }
  });

  it('is noticed if a snapshot is too old', async () => {
    const [first, second] = await history();
    writeFileSync(`${path}/snapshot`, second!.get('snapshot')!);
    expect(directory.load().damages).toContain('journal.2: it is missing');
    writeFileSync(`${path}/journal.2`, second!.get('journal.2')!);
    expect(directory.load().damages).toEqual(['snapshot: it is older than journal.3']);
    writeFileSync(`${path}/snapshot`, first!.get('snapshot')!);
    writeFileSync(`${path}/journal.1`, first!.get('journal.1')!);
    rmSync(`${path}/journal.2`);
    expect(directory.load().damages).toContain('journal.2: it is missing');
  });

  it('is noticed where a journal is that of another generation', async () => {
    const [, second] = await history();
    writeFileSync(`${path}/journal.3`, second!.get('journal.2')!);
    expect(directory.load().damages).toEqual(['journal.3: the header is not that of this journal']);
  });

  it('is no damage where the disk took a new journal, but no new snapshot, again and again', async () => {
    await (await directory.begin(new Marks(), 1)).close();
    for (let time = 0; time < 3; time++) {
      mkdirSync(`${path}/snapshot.new`);
      await expect(directory.begin(new Marks(), 2)).rejects.toThrow();
      rmdirSync(`${path}/snapshot.new`);
    }
    expect(directory.load()).toMatchObject({ damages: [], generation: 1, openEnd: { generation: 1 } });
  });
});

it('a ledger of before marks had kinds is read, and kept', () => {
  const key = entry(1).key;
  const old = (value: number): Buffer => {
    const bytes = Buffer.alloc(32);
    bytes.write(key, 0, 16, 'hex');
    bytes.writeBigUInt64BE(BigInt(value), 16);
    bytes.writeBigUInt64BE(1_700_000_000n, 24);
    return bytes;
  };
  const snapshot = Buffer.concat([Buffer.from('PVALSNP1'), Buffer.alloc(24), old(5)]);
  snapshot.writeBigUInt64BE(3n, 8);
  snapshot.writeBigUInt64BE(1n, 16);
  const digest = createHash('sha256').update(snapshot).digest();
  writeFileSync(`${path}/snapshot`, Buffer.concat([snapshot, digest]));
  const journal = Buffer.alloc(1024 * 1024);
  journal.write('PVALJRN1');
  journal.writeBigUInt64BE(3n, 8);
  journal.writeUInt32BE(crc32(journal.subarray(0, 16)), 16);
  const batch = journal.subarray(32, 96);
  batch.write('PVAB');
  batch.writeUInt32BE(1, 4);
  batch.writeBigUInt64BE(3n, 8);
  batch.writeBigUInt64BE(1n, 16);
  old(7).copy(batch, 32);
  batch.writeUInt32BE(crc32(batch.subarray(28), crc32(batch.subarray(0, 24))), 24);
  writeFileSync(`${path}/journal.3`, journal);

  const loaded = directory.load();
  expect([loaded.damages, loaded.openEnd]).toEqual([[], undefined]);
  expect(allOf(loaded.marks)).toEqual([
    entryOf({ key, value: 7, kind: KIND.unknown, until: ALWAYS, uid: NO_UID }),
  ]);
  truncateSync(`${path}/journal.3`, 96);
  expect(directory.load().damages).toEqual(['journal.3: it has 96 bytes in place of 1048576']);
});

it('marks in /run go on in a generation of their own, and leave no journal behind', async () => {
  const all = (volatile: VolatileMarks): Entry[] => {
    const entries: Entry[] = [];
    volatile.load((one) => entries.push(one));
    return entries;
  };
  const first = new VolatileMarks(path);
  expect(all(first)).toEqual([]);
  expect(await first.append([entry(1)])).toBe(true);
  const second = new VolatileMarks(path);
  expect(all(second)).toEqual([entry(1)]);
  expect(await second.append([entry(2)])).toBe(true);
  expect(readdirSync(path).sort()).toEqual(['journal.2', 'snapshot']);
  const third = new VolatileMarks(path);
  expect(all(third)).toEqual([entry(1), entry(2)]);
  await third.settled();
  expect(await third.append([entry(3)])).toBe(true);
  expect(all(new VolatileMarks(path)), 'what is on the disk takes no memory in /run').toEqual([entry(3)]);
});
