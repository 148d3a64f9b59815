import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../src/daemon/ledger/entry.ts';
import { ALWAYS, KIND, NO_UID, WHILE_ROOM } from '../../../../src/daemon/ledger/kinds.ts';
import { FEW_MARKS, MAX_MARKS, MOST_MARKS } from '../../../../src/daemon/ledger/limits.ts';
import { MarkTable, wordsOf } from '../../../../src/daemon/ledger/mark-table.ts';
import { Marks } from '../../../../src/daemon/ledger/marks.ts';
import { allOf, entriesIn, entryOf } from '../../fixtures/ledger-entries.ts';

const NOW = 1_700_000_000;

/** Keys that differ only in a chosen part, so that many share a hash. */
function keyOf(number: number, hash = number): string {
  return (hash >>> 0).toString(16).padStart(8, '0') + (number >>> 0).toString(16).padStart(24, '0');
}

describe('a table of marks', () => {
  it('behaves like a map, for any additions, replacements and removals', () => {
    const step = fc.record({
      what: fc.constantFrom('put' as const, 'put' as const, 'remove' as const),
      key: fc.integer({ min: 0, max: 40 }),
      // Three hashes at the end of a shard: chains that go around it.
      hash: fc.constantFrom(0xf, 0x1f, 0x2f, 7),
      uid: fc.constantFrom(0, 1_000, 1_001, NO_UID),
      value: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new MarkTable();
        const model = new Map<string, Entry>();
        for (const { what, key: number, hash, uid, value } of steps) {
          const key = keyOf(number, hash);
          const slot = table.find(key);
          expect(slot >= 0).toBe(model.has(key));
          if (what === 'remove') {
            if (slot >= 0) {
              table.remove(slot);
            }
            model.delete(key);
            continue;
          }
          const entry = entryOf({ key, value, uid });
          if (slot < 0) {
            table.add(wordsOf(entry), 0);
          } else {
            table.replace(slot, wordsOf(entry), 0);
          }
          model.set(key, entry);
        }
        expect(table.size).toBe(model.size);
        for (const [key, entry] of model) {
          expect(table.read(table.find(key))).toEqual(entry);
        }
        for (const uid of [0, 1_000, 1_001]) {
          const own = table.ofOwner(uid).map((slot) => table.read(slot).key);
          const expected = [...model.values()].filter((entry) => entry.uid === uid).map(({ key }) => key);
          expect(own.sort()).toEqual(expected.sort());
        }
        expect(table.ofOwner(NO_UID)).toEqual([]);
      }),
    );
  });

  it('takes at most 80 bytes for a mark, outside of the heap, whatever the number, also if each is of another owner', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // V8 frees the buffers of one collection, at the latest, when the next one begins.
    const gc = (): void => {
      collect();
      collect();
    };
    gc();
    const before = process.memoryUsage().arrayBuffers;
    const table = new MarkTable();
    let worst = 0;
    const words = wordsOf(entryOf({ key: keyOf(0) }));
    for (let number = 0; number < 200_000; number++) {
      words[0] = Math.imul(number, 0x9e37_79b1) >>> 0;
      words[8] = number;
      table.add(words, 0);
      if (number >= 20_000 && number % 5_000 === 0) {
        gc();
        worst = Math.max(worst, (process.memoryUsage().arrayBuffers - before) / number);
      }
    }
    expect(table.size).toBe(200_000);
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(80);
  });
});

describe('marks', () => {
  const passing = { until: WHILE_ROOM, kind: KIND.counter };

  it('are returned without undecided changes, a part at a time', () => {
    const marks = new Marks();
    const all = Array.from({ length: 200 }, (_, number) => entryOf({ key: keyOf(number), value: 5 }));
    all.forEach((entry) => marks.put(entry));
    const undecided = [
      { entry: { ...all[3]!, value: 6 }, before: all[3] },
      { entry: { ...all[3]!, value: 7 }, before: { ...all[3]!, value: 6 } },
      { entry: entryOf({ key: keyOf(500) }), before: undefined },
    ];
    undecided.forEach(({ entry }) => marks.put(entry));
    const given: Entry[] = [];
    for (const words of marks.parts(() => undecided, 16)) {
      given.push(...entriesIn(words));
      // Claims beyond the written part are undecided, too.
      if (given.length === 16) {
        const late = { ...all[150]!, value: 9 };
        marks.put(late);
        undecided.push({ entry: late, before: all[150] });
      }
    }
    expect(given).toEqual(all);
    expect(marks.get(keyOf(3))?.value).toBe(7);
  });

  it('of a full ledger advance; new ones are only for root and owners of few', () => {
    const marks = new Marks();
    const words = wordsOf(entryOf({ key: keyOf(0) }));
    for (let number = 0; number < MAX_MARKS; number++) {
      words[0] = Math.imul(number, 0x9e37_79b1) >>> 0;
      words[3] = number;
      words[8] = 100_000 + (number >>> 6);
      marks.load(words, 0);
    }
    const claim = (number: number, uid: number, more: Partial<Entry> = {}): string =>
      marks.claim(entryOf({ key: keyOf(number, 1), uid, ...more }), NOW).kind;
    expect(marks.size).toBe(MAX_MARKS);
    expect(claim(1, 100_000)).toBe('no-room');
    expect(claim(1, 100_000, passing)).toBe('no-room');
    expect(claim(1, NO_UID)).toBe('no-room');
    expect(claim(2, 0)).toBe('claimed');
    for (let number = 10; number < 10 + FEW_MARKS; number++) {
      expect(claim(number, 1_000)).toBe('claimed');
    }
    expect(claim(30, 1_000), 'these are no longer few').toBe('no-room');
    expect(claim(10, 1_000, { value: 2 })).toBe('claimed');
    const [known] = entriesIn(words);
    expect(marks.claim({ ...known!, value: known!.value + 1 }, NOW).kind).toBe('claimed');
  });

  it('never exceed the memory limit, whoever asks, and whatever is on the disk', { timeout: 120_000 }, () => {
    const marks = new Marks();
    const words = wordsOf(entryOf({ key: keyOf(0), uid: NO_UID }));
    for (let number = 0; number < MOST_MARKS; number++) {
      words[0] = Math.imul(number, 0x9e37_79b1) >>> 0;
      words[3] = number;
      marks.load(words, 0);
    }
    expect(marks.size).toBe(MOST_MARKS);
    words[1] = 1;
    expect(marks.load(words, 0)).toBe(false);
    expect(marks.claim(entryOf({ key: keyOf(1, 1), uid: 0 }), NOW).kind).toBe('no-room');
    expect(marks.size).toBe(MOST_MARKS);
  });

  it('that went out of date are forgotten, and no others', () => {
    const marks = new Marks();
    const untils = [ALWAYS, WHILE_ROOM, NOW, NOW + 1];
    untils.forEach((until, number) => marks.put(entryOf({ key: keyOf(number), until })));
    marks.prune(NOW);
    expect(allOf(marks).map(({ until }) => until)).toEqual([ALWAYS, WHILE_ROOM, NOW + 1]);
  });

  it('without an owner get one, and a kind, when they advance', () => {
    const marks = new Marks();
    const old = entryOf({ key: keyOf(1), kind: KIND.unknown, uid: NO_UID });
    marks.put(old);
    const entry = entryOf({ key: keyOf(1), value: 2, kind: KIND.origin, until: NOW + 60, uid: 1_000 });
    expect(marks.claim(entry, NOW)).toEqual({ kind: 'claimed', entry, before: old });
  });

  it('of kinds of a later version are kept as they are', () => {
    const marks = new Marks();
    const later = entryOf({ key: keyOf(1), kind: 200 });
    marks.load(wordsOf(later), 0);
    expect(allOf(marks)).toEqual([later]);
  });
});
