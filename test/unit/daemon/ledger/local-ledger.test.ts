import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HEADER_BYTES, journalHeader } from '../../../../src/daemon/ledger/batch.ts';
import type { JournalFile } from '../../../../src/daemon/ledger/journal-file.ts';
import type { Claim, Ledger, MarkKind, MarkOwner, Note } from '../../../../src/daemon/ledger/ledger.ts';
import { LedgerDirectory, type OpenEnd } from '../../../../src/daemon/ledger/ledger-directory.ts';
import {
  MAX_KEPT_PER_OWNER,
  MAX_PASSING_PER_OWNER,
  YOUNG_SECONDS,
} from '../../../../src/daemon/ledger/limits.ts';
import { QUICK_COMMIT_MS } from '../../../../src/daemon/ledger/ledger-writer.ts';
import { LocalLedger } from '../../../../src/daemon/ledger/local-ledger.ts';
import { markKey } from '../../../../src/daemon/ledger/mark-key.ts';
import { Marks, type Undecided } from '../../../../src/daemon/ledger/marks.ts';
import { VolatileMarks } from '../../../../src/daemon/ledger/volatile-marks.ts';
import { scanned } from '../../fixtures/ledger-entries.ts';

const COUNTER: MarkKind = { kind: 'counter' };
const WINDOW = 90;
const JOURNAL_BYTES = 1_048_576;
const TIME_STEP: MarkKind = { kind: 'time-step', validFor: WINDOW };
const ALICE = markKey('alice', 'totp/30', Buffer.from('a secret'));
const BOB = markKey('bob', 'totp/30', Buffer.from('a secret'));

let root: string;
let uptime: number;
let now: number;
let events: string[];
/** Faults that the next operations meet. */
let fault: { append: boolean; begin: boolean };
/** The time of a commit on the disk, in milliseconds of {@link clock}, and who waited for it. */
let latency: number;
let clock: number;
let waited: ('main thread' | 'pool')[];
/** The number of generations that are starting now, and the maximum so far. */
let beginning: { now: number; most: number };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ledger-'));
  uptime = 10_000;
  now = 1_700_000_000_000;
  events = [];
  fault = { append: false, begin: false };
  latency = 0;
  clock = 0;
  waited = [];
  beginning = { now: 0, most: 0 };
});
afterEach(() => rmSync(root, { recursive: true }));

/** A directory whose disk fails when the test says so. */
class FailingDirectory extends LedgerDirectory {
  override async begin(
    marks: Marks,
    generation: number,
    undecided?: () => readonly Undecided[],
    now?: number,
  ): Promise<JournalFile> {
    if (fault.begin) {
      throw new Error('no space');
    }
    beginning.now += 1;
    beginning.most = Math.max(beginning.most, beginning.now);
    const journal = await super.begin(marks, generation, undecided, now);
    beginning.now -= 1;
    return this.#failing(journal);
  }

  override async goOn(openEnd: OpenEnd): Promise<JournalFile> {
    return this.#failing(await super.goOn(openEnd));
  }

  #failing(journal: JournalFile): JournalFile {
    const append = journal.append.bind(journal);
    const appendNow = journal.appendNow.bind(journal);
    journal.append = (entries) => {
      waited.push('pool');
      clock += latency;
      return fault.append ? failAfter(append(entries)) : append(entries);
    };
    journal.appendNow = (entries) => {
      waited.push('main thread');
      clock += latency;
      appendNow(entries);
      if (fault.append) {
        breakJournal(journal);
        throw new Error('sync failed');
      }
    };
    return journal;
  }
}

/** The bytes may or may not have reached the disk; the sync fails. */
async function failAfter(written: Promise<void>): Promise<void> {
  await written;
  throw new Error('sync failed');
}

function breakJournal(journal: JournalFile): void {
  void journal.close();
}

/** Marks without an owner, which have no budget. */
const ANYBODY: MarkOwner = { uid: undefined, keep: 'always' };
const NOTE: Note = { kind: 'origin', uid: undefined, lasts: 86_400 };

async function open(): Promise<LocalLedger & Ledger> {
  const directory = new FailingDirectory(join(root, 'ledger'));
  const ledger = await LocalLedger.open({
    directory,
    volatile: new VolatileMarks(join(root, 'volatile')),
    reports: {
      trouble: () => events.push('trouble'),
      recovered: () => events.push('recovered'),
      damaged: (what) => events.push(`damaged: ${what}`),
      noRoom: (uid, full) => events.push(`no room: ${uid ?? 'nobody'}${full ? ', full' : ''}`),
    },
    now: () => now,
    uptime: () => uptime,
    monotonic: () => clock,
  });
  return Object.assign(ledger, ledger.of(ANYBODY));
}

async function fresh(): Promise<LocalLedger & Ledger> {
  const directory = new LedgerDirectory(join(root, 'ledger'));
  await directory.create();
  await (await directory.begin(new Marks(), 1)).close();
  return open();
}

async function again(ledger: LocalLedger): Promise<LocalLedger> {
  await ledger.close();
  return open();
}

function journalPath(): string {
  const name = readdirSync(join(root, 'ledger')).find((file) => file.startsWith('journal.'));
  return join(root, 'ledger', name!);
}

describe('notes', () => {
  it('go along with commits, never more of them than a batch can hold', async () => {
    const ledger = await fresh();
    for (let number = 0; number < 6_000; number++) {
      ledger.note(keyOf(number), 1, NOTE);
    }
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('advanced');
    // As after a kill: without the snapshot that closing might make.
    const path = journalPath();
    const scan = scanned(readFileSync(path), Number(path.split('.').at(-1)));
    expect(scan.condition).toBe('clean');
    expect(scan.entries.find(({ key }) => key === ALICE)?.value).toBe(5);
  });
});

describe('a ledger that is opened again', () => {
  const generation = (): number => Number(journalPath().split('.').at(-1));

  it('continues its journal while that is less than half full', async () => {
    let ledger: LocalLedger & Ledger = await fresh();
    const first = generation();
    for (let number = 0; number < 3; number++) {
      expect(await ledger.advance(keyOf(number), 5, COUNTER)).toBe('advanced');
      await ledger.close();
      ledger = await open();
    }
    expect([generation(), ledger.mark(keyOf(0))?.value, ledger.mark(keyOf(2))?.value]).toEqual([first, 5, 5]);
    for (let value = 1; scanned(readFileSync(journalPath()), first).end < JOURNAL_BYTES / 2; value++) {
      const many = Array.from({ length: 1_000 }, (_, number) =>
        ledger.claim(keyOf(number), 5 + value, COUNTER),
      );
      await ledger.commit(many.filter((claim) => typeof claim !== 'string'));
    }
    await ledger.close();
    await (await open()).close();
    expect(generation()).toBe(first + 1);
  });

  it('starts a new generation if the disk is uncertain: after a kill, after a failed sync', async () => {
    const ledger = await fresh();
    await ledger.advance(ALICE, 5, COUNTER);
    const next = await open();
    expect([generation(), next.mark(ALICE)?.value]).toEqual([3, 5]);
    fault = { append: true, begin: true };
    expect(await next.advance(BOB, 5, COUNTER)).toBe('unavailable');
    await next.close();
    fault = { append: false, begin: false };
    expect([(await open()).condition, generation()]).toEqual(['sound', 4]);
  });

  it('starts a new generation if marks are only in /run', async () => {
    const ledger = await fresh();
    await ledger.advance(ALICE, 5, TIME_STEP);
    const before = generation();
    fault = { append: true, begin: true };
    expect(await ledger.advance(BOB, 5, TIME_STEP)).toBe('advanced');
    await ledger.close();
    fault = { append: false, begin: false };
    const next = await open();
    expect([generation() > before, next.mark(BOB)?.value]).toEqual([true, 5]);
  });

  it('starts a new generation if marks expired, because they could replace later ones', async () => {
    const ledger = await fresh();
    ledger.note(ALICE, 9, { ...NOTE, lasts: 60 });
    await ledger.close();
    now += 60_000;
    const next = await open();
    expect(next.mark(ALICE)).toBeUndefined();
    expect(await next.advance(ALICE, 3, COUNTER)).toBe('advanced');
    await next.close();
    expect((await open()).mark(ALICE)?.value).toBe(3);
  });

  it('forgets nothing in memory while the files still hold it', async () => {
    const ledger = await fresh();
    ledger.note(ALICE, 9, { ...NOTE, lasts: 60 });
    await ledger.close();
    now += 60_000;
    fault.begin = true;
    const next = await open();
    expect(await next.advance(ALICE, 3, COUNTER)).toBe('spent');
  });
});

describe('a sound ledger', () => {
  it('lets a mark only grow, and keys apart', async () => {
    const ledger = await fresh();
    expect(await ledger.advance(ALICE, 5, TIME_STEP)).toBe('advanced');
    expect(await ledger.advance(ALICE, 5, TIME_STEP)).toBe('spent');
    expect(await ledger.advance(ALICE, 4, TIME_STEP)).toBe('spent');
    expect(await ledger.advance(BOB, 4, TIME_STEP)).toBe('advanced');
    expect(await ledger.advance(ALICE, 6, TIME_STEP)).toBe('advanced');
    expect(ledger.mark(ALICE)).toEqual({ value: 6, at: 1_700_000_000 });
    expect(events).toEqual([]);
  });

  it('has one winner among many at once', async () => {
    await (await fresh()).close();
    const ledger = await open();
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => ledger.advance(ALICE, 1, COUNTER)));
    expect(outcomes.filter((outcome) => outcome === 'advanced')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'spent')).toHaveLength(199);
  });

  it('lets commits that wait at one moment share a sync', async () => {
    const ledger = await fresh();
    await Promise.all(Array.from({ length: 100 }, (_, number) => ledger.advance(keyOf(number), 1, COUNTER)));
    await ledger.close();
    const path = journalPath();
    const scan = scanned(readFileSync(path), Number(path.split('.').at(-1)));
    expect(scan.entries).toHaveLength(100);
    expect(scan.sequence).toBeLessThanOrEqual(3);
  });

  it('waits for the disk on the main thread only while the disk is quick', async () => {
    await (await fresh()).close();
    const ledger = await open();
    waited = [];
    let mark = 0;
    const commit = (): Promise<unknown> => ledger.advance(ALICE, (mark += 1), COUNTER);
    await commit(); // The speed of the disk is unknown yet.
    await commit();
    latency = QUICK_COMMIT_MS + 1;
    await commit();
    await commit();
    latency = QUICK_COMMIT_MS;
    await commit();
    await commit();
    expect(waited).toEqual(['pool', 'main thread', 'main thread', 'pool', 'pool', 'main thread']);
  });

  it('commits all claims of one moment with one sync, at once', async () => {
    const ledger = await fresh();
    await ledger.advance(ALICE, 1, COUNTER);
    const claims = Array.from({ length: 100 }, (_, number) => ledger.claim(keyOf(number), 1, COUNTER));
    expect(ledger.commit(claims.filter((claim) => typeof claim !== 'string'))).toEqual(
      Array.from({ length: 100 }, () => 'advanced'),
    );
    expect(waited).toEqual(['pool', 'main thread']);
    expect((await again(ledger)).mark(keyOf(99))?.value).toBe(1);
  });

  it('includes an abandoned claim in the next commit', async () => {
    const ledger = await fresh();
    ledger.claim(ALICE, 7, COUNTER);
    await ledger.advance(keyOf(1), 1, COUNTER);
    expect((await again(ledger)).mark(ALICE)?.value).toBe(7);
  });

  it('returns the result of a claim, however often it is asked', async () => {
    const ledger = await fresh();
    const claim = ledger.claim(ALICE, 7, COUNTER) as Claim;
    expect(await ledger.commit([claim])).toEqual(['advanced']);
    expect(await ledger.commit([claim])).toEqual(['advanced']);
    expect(ledger.claim(ALICE, 7, COUNTER)).toBe('spent');
  });

  it('acknowledges only what the next daemon finds after a crash', async () => {
    const ledger = await fresh();
    await ledger.advance(ALICE, 5, COUNTER);
    const next = await open();
    expect(await next.advance(ALICE, 5, COUNTER)).toBe('spent');
    expect(await next.advance(ALICE, 6, COUNTER)).toBe('advanced');
  });

  it('begins a new journal when one is full, and loses nothing', { timeout: 120_000 }, async () => {
    const ledger = await fresh();
    const count = 50_000;
    for (let done = 0; done < count; done += 1000) {
      const claims = Array.from({ length: 1000 }, (_, number) =>
        ledger.claim(keyOf(done + number), 1, COUNTER),
      );
      await ledger.commit(claims.filter((claim) => typeof claim !== 'string'));
    }
    await ledger.close();
    expect(readdirSync(join(root, 'ledger'))).toHaveLength(2);
    const next = await open();
    for (let number = 0; number < count; number++) {
      expect(next.mark(keyOf(number))?.value).toBe(1);
    }
  });

  it('keeps every answer over any course of commits and crashes', { timeout: 120_000 }, async () => {
    const step = fc.oneof(
      fc.record({ key: fc.integer({ min: 0, max: 4 }), value: fc.integer({ min: 0, max: 20 }) }),
      fc.constant('crash' as const),
      fc.constant('fail' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        rmSync(join(root, 'ledger'), { recursive: true, force: true });
        rmSync(join(root, 'volatile'), { recursive: true, force: true });
        let ledger = await fresh();
        const answered = new Map<number, number>();
        for (const what of steps) {
          if (what === 'crash') {
            ledger = await open();
          } else if (what === 'fail') {
            fault.append = true;
          } else {
            const outcome = await ledger.advance(keyOf(what.key), what.value, COUNTER);
            fault.append = false;
            const before = answered.get(what.key) ?? -1;
            expect(outcome).toBe(what.value > before ? 'advanced' : 'spent');
            answered.set(what.key, Math.max(before, what.value));
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a ledger whose disk fails', () => {
  it('writes a fresh snapshot after a failed sync, and never appends to that journal again', async () => {
    const ledger = await fresh();
    const before = journalPath();
    fault.append = true;
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('advanced');
    fault.append = false;
    expect(journalPath()).not.toBe(before);
    expect(events).toEqual(['trouble', 'recovered']);
    expect((await open()).mark(ALICE)?.value).toBe(5);
  });

  it('goes on with time steps in /run, and refuses counters', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: true };
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('unavailable');
    expect(await ledger.advance(BOB, 7, TIME_STEP)).toBe('advanced');
    expect(await ledger.advance(BOB, 7, TIME_STEP)).toBe('spent');
    expect(ledger.condition).toBe('in-trouble');
    expect(ledger.mark(ALICE), 'nobody was let in for it').toBeUndefined();
    fault.begin = false;
    const next = await open();
    expect(await next.advance(BOB, 7, TIME_STEP), 'the next daemon knows').toBe('spent');
    expect((await open()).mark(BOB)?.value, 'and has it on the disk').toBe(7);
  });

  it('is well again when the fault is gone, and the refused code works', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: true };
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('unavailable');
    fault = { append: false, begin: false };
    expect(await ledger.advance(ALICE, 5, COUNTER), 'not tried again within a second').toBe('unavailable');
    uptime += 1;
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('advanced');
    expect(events).toEqual(['trouble', 'recovered']);
    expect((await open()).mark(ALICE)?.value).toBe(5);
  });

  it('is tried again when somebody asks how it is', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: true };
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('unavailable');
    await ledger.tryAgain();
    expect(ledger.condition).toBe('in-trouble');
    fault = { append: false, begin: false };
    await ledger.tryAgain();
    expect(ledger.condition).toBe('sound');
  });

  it('begins one generation at a time, whoever tries again and logs in at one moment', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: true };
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('unavailable');
    fault = { append: false, begin: false };
    uptime += 1;
    // Waits until nothing is running.
    await new Promise((resolve) => setImmediate(resolve));
    beginning.most = 0;
    const tries = [ledger.tryAgain(), ledger.tryAgain()];
    expect(await ledger.advance(ALICE, 5, COUNTER)).toBe('advanced');
    await Promise.all(tries);
    expect(beginning.most).toBe(1);
    expect((await open()).mark(ALICE)?.value).toBe(5);
  });

  it('refuses time steps, too, when /run takes nothing', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: true };
    writeFileSync(join(root, 'volatile'), 'not a directory');
    expect(await ledger.advance(BOB, 7, TIME_STEP)).toBe('unavailable');
    expect(ledger.mark(BOB)).toBeUndefined();
  });

  it('goes on with the old journal when there is no room for a new one', async () => {
    const first = await fresh();
    await first.advance(ALICE, 5, COUNTER);
    await first.close();
    fault.begin = true;
    const ledger = await open();
    expect(await ledger.advance(ALICE, 6, COUNTER)).toBe('advanced');
    fault.begin = false;
    expect((await open()).mark(ALICE)?.value).toBe(6);
  });

  it('accepts no time step before a window has passed since boot, when it never could be written', async () => {
    await (await fresh()).close();
    const path = journalPath();
    // Clean, but without room.
    writeFileSync(path, journalHeader(Number(path.split('.').at(-1)), HEADER_BYTES));
    fault.begin = true;
    uptime = WINDOW - 1;
    const ledger = await open();
    expect(await ledger.advance(BOB, 7, TIME_STEP)).toBe('unavailable');
    uptime = WINDOW;
    expect(await ledger.advance(BOB, 7, TIME_STEP)).toBe('advanced');
  });

  it('accepts time steps shortly after boot, when it could be written since', async () => {
    uptime = 1;
    const ledger = await fresh();
    expect(await ledger.advance(ALICE, 7, TIME_STEP)).toBe('advanced');
    fault = { append: true, begin: true };
    expect(await ledger.advance(BOB, 7, TIME_STEP)).toBe('advanced');
  });

  it('leaves a counter good that waits while a time step is noted, also for the next daemon', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: true };
    const outcomes = [
      ledger.advance(ALICE, 7, TIME_STEP),
      // While the first is written.
      Promise.resolve().then(() => ledger.advance(BOB, 3, COUNTER)),
    ];
    expect(await Promise.all(outcomes)).toEqual(['advanced', 'unavailable']);
    fault = { append: false, begin: false };
    const next = await open();
    expect(next.mark(ALICE)?.value).toBe(7);
    expect(await next.advance(BOB, 3, COUNTER)).toBe('advanced');
  });

  it('leaves both of two counters good that were refused one after the other', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: true };
    const outcomes = [
      ledger.advance(BOB, 3, COUNTER),
      // While the first is written.
      Promise.resolve().then(() => ledger.advance(BOB, 4, COUNTER)),
    ];
    expect(await Promise.all(outcomes)).toEqual(['unavailable', 'unavailable']);
    expect(ledger.mark(BOB)).toBeUndefined();
  });

  it('leaves a counter good that waits while a new generation begins, if that is refused later', async () => {
    const ledger = await fresh();
    fault = { append: true, begin: false };
    const first = ledger.advance(ALICE, 1, COUNTER);
    const second = Promise.resolve().then(() => ledger.advance(BOB, 3, COUNTER));
    expect(await first).toBe('advanced');
    fault = { append: true, begin: true };
    expect(await second).toBe('unavailable');
    truncateSync(journalPath(), 0);
    expect((await open()).mark(BOB)).toBeUndefined();
  });
});

describe('a damaged ledger', () => {
  async function damaged(): Promise<LocalLedger & Ledger> {
    const ledger = await fresh();
    await ledger.advance(ALICE, 5, COUNTER);
    await ledger.advance(BOB, 7, COUNTER);
    await ledger.close();
    const path = journalPath();
    const bytes = readFileSync(path);
    bytes[40] = bytes[40]! ^ 0xff;
    writeFileSync(path, bytes);
    return open();
  }

  it('says so, refuses counters, and serves time steps after one window', async () => {
    const ledger = await damaged();
    expect(events).toEqual([expect.stringMatching(/^damaged: journal\.\d+: .* byte 32$/)]);
    expect(ledger.mark(BOB)?.value, 'what can be read counts').toBe(7);
    expect(await ledger.advance(BOB, 8, COUNTER)).toBe('unavailable');
    expect(await ledger.advance(BOB, 8, TIME_STEP)).toBe('unavailable');
    uptime += WINDOW;
    expect(await ledger.advance(BOB, 8, TIME_STEP)).toBe('advanced');
    expect(await ledger.advance(BOB, 9, COUNTER)).toBe('unavailable');
  });

  it('is sound after repair, which puts the old files aside', async () => {
    const ledger = await damaged();
    expect(await ledger.repair()).toBe(true);
    expect(ledger.condition).toBe('sound');
    expect(await ledger.advance(BOB, 7, COUNTER)).toBe('spent');
    expect(await ledger.advance(BOB, 8, COUNTER)).toBe('advanced');
    expect(readdirSync(join(root, 'ledger')).filter((name) => name.startsWith('damaged-'))).toHaveLength(2);
    events = [];
    expect((await open()).mark(BOB)?.value).toBe(8);
    expect(events).toEqual([]);
  });

  it.each(['snapshot', 'journal', 'both'])('says so when files are missing: %s', async (which) => {
    await (await fresh()).close();
    for (const name of readdirSync(join(root, 'ledger'))) {
      if (which === 'both' || name.startsWith(which)) {
        rmSync(join(root, 'ledger', name));
      }
    }
    const ledger = await open();
    expect(ledger.condition).toBe('damaged');
    expect(await ledger.advance(ALICE, 1, COUNTER)).toBe('unavailable');
    expect(await ledger.repair()).toBe(true);
    expect(await ledger.advance(ALICE, 1, COUNTER)).toBe('advanced');
  });

  it('says so for a snapshot with a changed byte', async () => {
    await (await fresh()).close();
    const path = join(root, 'ledger', 'snapshot');
    const bytes = readFileSync(path);
    bytes[9] = bytes[9]! ^ 1;
    writeFileSync(path, bytes);
    await open();
    expect(events).toEqual([expect.stringMatching(/^damaged: snapshot: /)]);
  });
});

describe('an owner', () => {
  const CARL = { uid: 1_003, keep: 'always' } as const;
  const PASSING = { uid: 1_003, keep: 'while-room' } as const;
  const known = async (number: number): Promise<boolean> => (await open()).mark(keyOf(number)) !== undefined;

  it('has room for so many marks that stay, and no restart makes more of it', async () => {
    const ledger = await fresh();
    for (let number = 0; number < MAX_KEPT_PER_OWNER; number++) {
      expect(await ledger.of(CARL).advance(keyOf(number), 1, COUNTER)).toBe('advanced');
    }
    const next = await open();
    expect(await next.of(CARL).advance(keyOf(9_999), 1, COUNTER)).toBe('unavailable');
    expect(await next.of(CARL).advance(keyOf(9_998), 1, COUNTER)).toBe('unavailable');
    expect(events, 'told once').toEqual(['no room: 1003']);
    expect(await next.of(CARL).advance(keyOf(0), 2, COUNTER), 'what is there advances').toBe('advanced');
    expect(await next.of({ ...CARL, uid: 1_004 }).advance(keyOf(9_999), 1, COUNTER)).toBe('advanced');
    expect(await next.of(PASSING).advance(keyOf(9_998), 1, COUNTER)).toBe('advanced');
  });

  it('has its oldest marks give way that may pass, but no young ones', async () => {
    const ledger = await fresh();
    const passing = ledger.of(PASSING);
    await ledger.of(CARL).advance(keyOf(1), 1, COUNTER);
    for (let number = 1_000; number < 1_000 + MAX_PASSING_PER_OWNER; number++) {
      now += 1_000;
      expect(await passing.advance(keyOf(number), 1, COUNTER)).toBe('advanced');
    }
    now += 1_000 * (YOUNG_SECONDS - MAX_PASSING_PER_OWNER);
    expect(await passing.advance(keyOf(2_000), 1, COUNTER), 'none is old').toBe('unavailable');
    now += 1_000;
    expect(await passing.advance(keyOf(2_000), 1, COUNTER)).toBe('advanced');
    expect([ledger.mark(keyOf(1_000)), ledger.mark(keyOf(1_001))?.value]).toEqual([undefined, 1]);
    expect(ledger.mark(keyOf(1))?.value, 'what stays stays').toBe(1);
  });

  it('does not make a permanent mark forgettable because another source uses it', async () => {
    const ledger = await fresh();
    await ledger.of(CARL).advance(ALICE, 5, TIME_STEP);
    await ledger.of(PASSING).advance(ALICE, 6, TIME_STEP);
    for (let number = 0; number < MAX_PASSING_PER_OWNER; number++) {
      await ledger.of(PASSING).advance(keyOf(number), 1, COUNTER);
    }
    now += 3_600_000;
    await ledger.of(PASSING).advance(keyOf(9_999), 1, COUNTER);
    expect(ledger.mark(ALICE)?.value).toBe(6);
  });

  it('whose factor was removed has a mark until its codes cannot count, and for good if it is enrolled again', async () => {
    const ledger = await fresh();
    const day = 86_400;
    for (const number of [1, 2, 3]) {
      await ledger.of(CARL).advance(keyOf(number), 5, TIME_STEP);
      ledger.release(keyOf(number), now / 1_000 + day);
    }
    ledger.release(keyOf(4), now / 1_000 + day); // There is none.
    expect(await ledger.hold(1_003, [keyOf(2), keyOf(4)])).toBe(true);
    await ledger.of(CARL).advance(keyOf(3), 6, TIME_STEP);
    now += 1_000 * day - 1_000;
    expect(await known(1), 'not yet').toBe(true);
    now += 1_000;
    expect([await known(1), await known(2), await known(3), await known(4)]).toEqual([
      ...[false, true, true, false],
    ]);
  });

  it('has a released mark without a date for as long as there is room', async () => {
    const ledger = await fresh();
    await ledger.of(CARL).advance(ALICE, 5, COUNTER);
    ledger.release(ALICE);
    await ledger.close();
    now += 10 * 365 * 86_400_000;
    const next = await open();
    expect(next.mark(ALICE)?.value).toBe(5);
    for (let number = 0; number <= MAX_PASSING_PER_OWNER; number++) {
      await next.of(CARL).advance(keyOf(number), 1, COUNTER);
      next.release(keyOf(number));
    }
    expect(next.mark(ALICE)).toBeUndefined();
  });

  it('leaves a hold undone that could not be made durable', async () => {
    const ledger = await fresh();
    await ledger.of(CARL).advance(ALICE, 5, COUNTER);
    ledger.release(ALICE, now / 1_000 + 60);
    fault = { append: true, begin: true };
    expect(await ledger.hold(1_003, [ALICE])).toBe(false);
    fault = { append: false, begin: false };
    now += 60_000;
    await ledger.tryAgain();
    expect(ledger.mark(ALICE)).toBeUndefined();
  });
});

it('a note is forgotten when it went out of date, also where its time was raised', async () => {
  const ledger = await fresh();
  ledger.note(ALICE, 1, { ...NOTE, lasts: 60 });
  ledger.note(BOB, 1, { ...NOTE, lasts: 60 });
  now += 30_000;
  ledger.note(BOB, 2, { ...NOTE, lasts: 60 });
  await ledger.close();
  now += 30_000;
  const next = await open();
  expect([next.mark(ALICE), next.mark(BOB)?.value]).toEqual([undefined, 2]);
  now += 30_000;
  expect((await open()).mark(BOB)).toBeUndefined();
});

describe('markKey', () => {
  it('depends on user, purpose and secret, and on the boundaries between them', () => {
    const keys = [
      markKey('a', 'b', Buffer.from('c')),
      markKey('ab', '', Buffer.from('c')),
      markKey('a', 'bc', Buffer.from('')),
      markKey('a', 'b', Buffer.from('d')),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });
});

function keyOf(number: number): string {
  return markKey('user', 'test', Buffer.from(String(number)));
}
