import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBatch, HEADER_BYTES, journalHeader } from '../../../../src/daemon/ledger/batch.ts';
import { ENTRY_BYTES, type Entry } from '../../../../src/daemon/ledger/entry.ts';
import { entryOf, readWhole, scanned, snapshotOf } from '../../fixtures/ledger-entries.ts';

const GENERATION = 7;
const FILE_BYTES = 4_096;

/** With zeros up to the size that the header says. */
function padded(written: Buffer): Buffer {
  return Buffer.concat([written, Buffer.alloc(FILE_BYTES - written.length)]);
}

function entry(number: number): Entry {
  return entryOf({
    key: number.toString(16).padStart(32, '0'),
    value: number * 3,
    at: 1_700_000_000 + number,
    kind: number,
    until: number,
    uid: number,
  });
}

/** Batches of one, two and three entries, then zeros. */
const BATCHES = [[entry(1)], [entry(2), entry(3)], [entry(4), entry(5), entry(6)]];
const ALL = BATCHES.flat();
const WRITTEN = Buffer.concat([
  journalHeader(GENERATION, FILE_BYTES),
  ...BATCHES.map((batch, index) => encodeBatch(GENERATION, index + 1, batch)),
]);
const FILE = padded(WRITTEN);
/** Where each batch ends. */
const ENDS = BATCHES.reduce<number[]>(
  (ends, batch) => [...ends, (ends.at(-1) ?? HEADER_BYTES) + HEADER_BYTES + batch.length * ENTRY_BYTES],
  [],
);

describe('scanJournal', () => {
  it('reads back what was written', () => {
    expect(scanned(FILE, GENERATION)).toEqual({
      entries: ALL,
      condition: 'clean',
      end: WRITTEN.length,
      sequence: 3,
      ended: false,
      current: true,
    });
    const ended = Buffer.from(FILE);
    encodeBatch(GENERATION, 4, []).copy(ended, WRITTEN.length);
    expect(scanned(ended, GENERATION)).toMatchObject({
      entries: ALL,
      condition: 'clean',
      end: WRITTEN.length + HEADER_BYTES,
      sequence: 4,
      ended: true,
    });
  });

  it('gives every complete batch of a file that is cut at any byte, and calls it damaged', () => {
    for (let length = 0; length < WRITTEN.length; length++) {
      const scan = scanned(FILE.subarray(0, length), GENERATION);
      if (length < HEADER_BYTES) {
        expect(scan.condition).toBe('damaged');
        expect(scan.damage).toMatch(/header/);
        continue;
      }
      const whole = ENDS.filter((end) => end <= length).length;
      expect(scan.entries).toEqual(BATCHES.slice(0, whole).flat());
      expect(scan).toMatchObject({
        condition: 'damaged',
        damage: `it has ${length} bytes in place of ${FILE_BYTES}`,
      });
    }
  });

  it('reports damage if only zeros are missing, or if data follows its end', () => {
    expect(scanned(FILE.subarray(0, FILE_BYTES - 1), GENERATION).condition).toBe('damaged');
    expect(scanned(Buffer.concat([FILE, Buffer.alloc(1)]), GENERATION).condition).toBe('damaged');
  });

  it('drops a last batch that was written in part, as after a power cut', () => {
    for (let length = ENDS[1]! + 1; length < ENDS[2]!; length++) {
      const torn = Buffer.alloc(FILE.length);
      FILE.copy(torn, 0, 0, length);
      const scan = scanned(torn, GENERATION);
      if (FILE.subarray(length, ENDS[2]).every((byte) => byte === 0)) {
        continue; // Only zeros are missing: the batch is whole.
      }
      expect(scan.entries).toEqual(BATCHES.slice(0, 2).flat());
      expect(scan.condition).toBe('torn');
    }
  });

  it('reports every changed byte before the last batch, and returns the batches after it', () => {
    for (let offset = 0; offset < ENDS[1]!; offset++) {
      const damaged = Buffer.from(FILE);
      damaged[offset] = damaged[offset]! ^ 0x55;
      const scan = scanned(damaged, GENERATION);
      if (offset < HEADER_BYTES) {
        expect(scan.condition, `byte ${offset}`).toBe('damaged');
        continue;
      }
      const hit = offset < ENDS[0]! ? 0 : 1;
      expect(scan.condition, `byte ${offset}`).toBe('damaged');
      expect(scan.entries, `byte ${offset}`).toEqual(BATCHES.filter((_, index) => index !== hit).flat());
    }
  });

  it('does not take a batch of another generation, or one that was there before', () => {
    const foreign = padded(Buffer.concat([WRITTEN, encodeBatch(GENERATION - 1, 4, [entry(9)])]));
    expect(scanned(foreign, GENERATION)).toMatchObject({ entries: ALL, condition: 'torn' });
    const repeated = padded(Buffer.concat([WRITTEN, encodeBatch(GENERATION, 3, [entry(9)])]));
    expect(scanned(repeated, GENERATION).condition).toBe('damaged');
    expect(scanned(FILE, GENERATION + 1).condition).toBe('damaged');
  });

  it('survives any bytes', () => {
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(FILE);
      for (let change = 0; change < 8; change++) {
        bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
      }
      for (const { key, value } of scanned(bytes, GENERATION).entries) {
        expect(ALL).toContainEqual(expect.objectContaining({ key, value }));
      }
    }
  });
});

/** Any journal: batches of any entries, cut anywhere, with some bytes changed. */
const anyEntry = fc.record({
  key: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  value: fc.maxSafeNat(),
  at: fc.nat(),
  kind: fc.integer({ min: 1, max: 255 }),
  until: fc.nat(0xffff_ffff),
  uid: fc.nat(0xffff_ffff),
});
const anyBatches = fc.array(fc.array(anyEntry, { minLength: 1, maxLength: 6 }), { maxLength: 8 });
const anyChanges = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });

describe('any journal', () => {
  const fileOf = (batches: readonly (readonly Entry[])[]): Buffer =>
    padded(
      Buffer.concat([
        journalHeader(GENERATION, FILE_BYTES),
        ...batches.map((batch, index) => encodeBatch(GENERATION, index + 1, batch)),
      ]),
    );

  it('is read back whole', () => {
    fc.assert(
      fc.property(anyBatches, (batches) => {
        const scan = scanned(fileOf(batches), GENERATION);
        expect(scan).toMatchObject({ entries: batches.flat(), condition: 'clean', sequence: batches.length });
      }),
    );
  });

  it('never gives an entry that was not written, and says when one before the last batch is missing', () => {
    fc.assert(
      fc.property(anyBatches, fc.nat(), anyChanges, (batches, cut, changes) => {
        const whole = fileOf(batches);
        const file = Buffer.from(whole.subarray(0, whole.length - (cut % whole.length)));
        for (const [place, change] of changes) {
          const offset = place % file.length;
          file[offset] = file[offset]! ^ change;
        }
        const scan = scanned(file, GENERATION);
        const written = new Set(batches.flat().map((one) => JSON.stringify(one)));
        expect(scan.entries.every((one) => written.has(JSON.stringify(one)))).toBe(true);
        if (scan.condition !== 'damaged') {
          expect(scan.entries).toEqual(batches.slice(0, scan.sequence).flat());
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('readSnapshot', () => {
  const snapshot = { generation: 3, entries: ALL };
  const file = snapshotOf(3, ALL);

  it('reads back what was written', () => {
    expect(readWhole(file)).toEqual(snapshot);
    expect(readWhole(snapshotOf(1, []))).toEqual({
      generation: 1,
      entries: [],
    });
  });

  it('refuses a file that is cut, longer, or changed at any byte', () => {
    for (let offset = 0; offset < file.length; offset++) {
      const damaged = Buffer.from(file);
      damaged[offset] = damaged[offset]! ^ 1;
      expect(readWhole(damaged), `byte ${offset}`).toBeUndefined();
      expect(readWhole(file.subarray(0, offset)), `cut at ${offset}`).toBeUndefined();
    }
    expect(readWhole(Buffer.concat([file, Buffer.alloc(32)]))).toBeUndefined();
  });

  it('gives what was written, or nothing', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 20 }), fc.nat(), anyChanges, (entries, cut, changes) => {
        const whole = snapshotOf(GENERATION, entries);
        expect(readWhole(whole)).toEqual({ generation: GENERATION, entries });
        const other = Buffer.from(whole.subarray(0, whole.length - (cut % whole.length)));
        for (const [place, change] of changes) {
          other[place % other.length] = other[place % other.length]! ^ change;
        }
        expect(readWhole(other)).toEqual(
          other.equals(whole) ? { generation: GENERATION, entries } : undefined,
        );
      }),
    );
  });
});
