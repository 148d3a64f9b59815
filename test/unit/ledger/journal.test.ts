import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBatch, HEADER_BYTES, journalHeader, scanJournal } from '../../../src/ledger/batch.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { decodeSnapshot, encodeSnapshot } from '../../../src/ledger/snapshot.ts';

const GENERATION = 7;

function entry(number: number): Entry {
  return { key: number.toString(16).padStart(32, '0'), value: number * 3, at: 1_700_000_000 + number };
}

/** Batches of one, two and three entries, then zeros. */
const BATCHES = [[entry(1)], [entry(2), entry(3)], [entry(4), entry(5), entry(6)]];
const ALL = BATCHES.flat();
const WRITTEN = Buffer.concat([
  journalHeader(GENERATION),
  ...BATCHES.map((batch, index) => encodeBatch(GENERATION, index + 1, batch)),
]);
const FILE = Buffer.concat([WRITTEN, Buffer.alloc(4096)]);
/** Where each batch ends. */
const ENDS = BATCHES.reduce<number[]>(
  (ends, batch) => [...ends, (ends.at(-1) ?? HEADER_BYTES) + HEADER_BYTES + batch.length * 32],
  [],
);

describe('scanJournal', () => {
  it('reads back what was written', () => {
    expect(scanJournal(FILE, GENERATION)).toEqual({
      entries: ALL,
      condition: 'clean',
      end: WRITTEN.length,
      sequence: 3,
    });
  });

  it('gives every complete batch of a file that is cut at any byte, or refuses it', () => {
    for (let length = 0; length < WRITTEN.length; length++) {
      const scan = scanJournal(FILE.subarray(0, length), GENERATION);
      if (length < HEADER_BYTES) {
        expect(scan.condition).toBe('damaged');
        expect(scan.damage).toMatch(/header/);
        continue;
      }
      const whole = ENDS.filter((end) => end <= length).length;
      expect(scan.entries).toEqual(BATCHES.slice(0, whole).flat());
      expect(scan.condition).not.toBe('damaged');
    }
  });

  it('drops a last batch that was written in part, as after a power cut', () => {
    for (let length = ENDS[1]! + 1; length < ENDS[2]!; length++) {
      const torn = Buffer.alloc(FILE.length);
      FILE.copy(torn, 0, 0, length);
      const scan = scanJournal(torn, GENERATION);
      if (FILE.subarray(length, ENDS[2]).every((byte) => byte === 0)) {
        continue; // Only zeros are missing: the batch is whole.
      }
      expect(scan.entries).toEqual(BATCHES.slice(0, 2).flat());
      expect(scan.condition).toBe('torn');
    }
  });

  it('reports every changed byte before the last batch, and gives what stands behind it', () => {
    for (let offset = 0; offset < ENDS[1]!; offset++) {
      const damaged = Buffer.from(FILE);
      damaged[offset] = damaged[offset]! ^ 0x55;
      const scan = scanJournal(damaged, GENERATION);
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
    const foreign = Buffer.concat([WRITTEN, encodeBatch(GENERATION - 1, 4, [entry(9)])]);
    expect(scanJournal(foreign, GENERATION)).toMatchObject({ entries: ALL, condition: 'torn' });
    const repeated = Buffer.concat([WRITTEN, encodeBatch(GENERATION, 3, [entry(9)])]);
    expect(scanJournal(repeated, GENERATION).condition).toBe('damaged');
    expect(scanJournal(FILE, GENERATION + 1).condition).toBe('damaged');
  });

  it('survives any bytes', () => {
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(FILE);
      for (let change = 0; change < 8; change++) {
        bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
      }
      for (const { key, value } of scanJournal(bytes, GENERATION).entries) {
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
});
const anyBatches = fc.array(fc.array(anyEntry, { minLength: 1, maxLength: 6 }), { maxLength: 8 });
const anyChanges = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });

describe('any journal', () => {
  const fileOf = (batches: readonly (readonly Entry[])[]): Buffer =>
    Buffer.concat([
      journalHeader(GENERATION),
      ...batches.map((batch, index) => encodeBatch(GENERATION, index + 1, batch)),
      Buffer.alloc(256),
    ]);

  it('is read back whole', () => {
    fc.assert(
      fc.property(anyBatches, (batches) => {
        const scan = scanJournal(fileOf(batches), GENERATION);
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
        const scan = scanJournal(file, GENERATION);
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

describe('decodeSnapshot', () => {
  const snapshot = { generation: 3, entries: ALL };
  const file = encodeSnapshot(snapshot);

  it('reads back what was written', () => {
    expect(decodeSnapshot(file)).toEqual(snapshot);
    expect(decodeSnapshot(encodeSnapshot({ generation: 1, entries: [] }))).toEqual({
      generation: 1,
      entries: [],
    });
  });

  it('refuses a file that is cut, longer, or changed at any byte', () => {
    for (let offset = 0; offset < file.length; offset++) {
      const damaged = Buffer.from(file);
      damaged[offset] = damaged[offset]! ^ 1;
      expect(decodeSnapshot(damaged), `byte ${offset}`).toBeUndefined();
      expect(decodeSnapshot(file.subarray(0, offset)), `cut at ${offset}`).toBeUndefined();
    }
    expect(decodeSnapshot(Buffer.concat([file, Buffer.alloc(32)]))).toBeUndefined();
  });

  it('gives what was written, or nothing', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 20 }), fc.nat(), anyChanges, (entries, cut, changes) => {
        const whole = encodeSnapshot({ generation: GENERATION, entries });
        expect(decodeSnapshot(whole)).toEqual({ generation: GENERATION, entries });
        const other = Buffer.from(whole.subarray(0, whole.length - (cut % whole.length)));
        for (const [place, change] of changes) {
          other[place % other.length] = other[place % other.length]! ^ change;
        }
        expect(decodeSnapshot(other)).toEqual(
          other.equals(whole) ? { generation: GENERATION, entries } : undefined,
        );
      }),
    );
  });
});
