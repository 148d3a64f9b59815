import { readdirSync, readFileSync } from 'node:fs';
import type { Daemon, Stage } from '../daemon/stage.ts';
import { SmallDisk } from '../faults/small-disk.ts';
import { stageWithStore } from '../faults/fault-stage.ts';
import { Clock } from './clock.ts';
import {
  homePhoneOwner,
  homeTokenOwner,
  phoneOwner,
  sheetVisitor,
  tokenVisitor,
  yubikeyOwner,
  type Visitor,
} from './visitors.ts';

/** Room for the records of all visitors, two journals and their snapshot. */
const DISK = '24m';
/** Commits for which a journal has room when the disk is full, too. */
const ROOM = 3;
/** After a fault it is tried again after a second, and uptime is counted in hundredths: no login that begins later is refused. */
const RETRY_MS = 1_500;
/** An event within this time before a login may have affected it. */
const RECENT_MS = 3_000;
/** How long a module waits for its first question: native/pam/channel.h. */
const FIRST_FRAME_MS = 5_000;
const LAST_LINES = 6;
const SAMPLE_MS = 250;
const KIB_PER_MIB = 1_024;

/** Memory is what it is under scripts/systemd/pve-authenticator.service.in. */
const AS_IN_THE_UNIT = ['NODE_OPTIONS=--max-old-space-size=64 --max-semi-space-size=1', 'MALLOC_ARENA_MAX=1'];

/** A span of time. Milliseconds since 1970 on the machine's clock. */
interface Span {
  readonly from: number;
  to: number;
}

/** An event of a daemon. */
interface Happening extends Span {
  readonly what: string;
}

/** The resources of a daemon at one moment. */
export interface Sample {
  /** Milliseconds since the house was opened. */
  readonly at: number;
  /** Of resident memory. */
  readonly mib: number;
  readonly descriptors: number;
}

/** A daemon with visitors, a disk that can be full and a clock that can be moved, and the events so far. */
export class House {
  readonly stage: Stage;
  readonly disk: SmallDisk;
  readonly clock: Clock;
  readonly visitors: readonly Visitor[];
  readonly samples: Sample[] = [];
  readonly #happenings: Happening[] = [];
  readonly #kills: Span[] = [];
  readonly #full: Span[] = [];
  /** From a kill until the next daemon is ready. */
  readonly #absences: Span[] = [];
  readonly #daemons: Daemon[] = [];
  /** Events that must not overlap. */
  #alone = Promise.resolve();
  #sampling: NodeJS.Timeout | undefined;

  private constructor(stage: Stage, disk: SmallDisk, clock: Clock, visitors: readonly Visitor[]) {
    this.stage = stage;
    this.disk = disk;
    this.clock = clock;
    this.visitors = visitors;
  }

  /**
   * Builds it; the daemon starts on a disk that is full, with little room in its journal.
   *
   * @param sheets - how many people have recovery codes, ten each
   * @returns the house; the caller clears it
   */
  static async open(sheets: number): Promise<House> {
    const stage = await stageWithStore('', { withFiles: true });
    const people: readonly (readonly [(stage: Stage) => Visitor, number])[] = [
      [phoneOwner, 120],
      [tokenVisitor, 40],
      [sheetVisitor, sheets],
      [yubikeyOwner, 40],
      [homePhoneOwner, 60],
      [homeTokenOwner, 30],
    ];
    const visitors = people.flatMap(([make, count]) => Array.from({ length: count }, () => make(stage)));
    const disk = await SmallDisk.under(stage, DISK);
    const clock = await Clock.of(stage);
    stage.around = [...stage.around, ...clock.around, ...AS_IN_THE_UNIT];
    const house = new House(stage, disk, clock, visitors);
    await house.fillDisk();
    disk.fillJournal(ROOM);
    await house.#start();
    const opened = performance.now();
    house.#sampling = setInterval(() => house.#sample(performance.now() - opened), SAMPLE_MS);
    return house;
  }

  get daemon(): Daemon {
    return this.#daemons.at(-1)!;
  }

  /** What the daemons' logs say of somebody, the last lines. */
  said(name: string): string[] {
    const pattern = new RegExp(` for ${name} `);
    return this.#daemons.flatMap(({ log }) => log.matching(pattern)).slice(-LAST_LINES);
  }

  get kills(): number {
    return this.#kills.length;
  }

  /** How often the disk was full. */
  get fills(): number {
    return this.#full.length;
  }

  /** Whether a daemon was killed while something happened. */
  killedWithin(from: number, to: number): boolean {
    return overlaps(this.#kills, from, to);
  }

  /** Whether there was no daemon for longer than a module waits, while something happened: on a machine that is very busy. */
  nobodyWithin(from: number, to: number): boolean {
    const long = this.#absences.filter((absence) => absence.to - absence.from >= FIRST_FRAME_MS);
    return to - from >= FIRST_FRAME_MS && overlaps(long, from, to);
  }

  /** The longest time without a daemon, in milliseconds. */
  get longestAbsence(): number {
    return Math.max(...this.#absences.map(({ from, to }) => to - from));
  }

  /** Whether the disk was full while something happened, or the daemon may not have noticed yet that it has room again. */
  fullWithin(from: number, to: number): boolean {
    return overlaps(this.#full, from - RETRY_MS, to);
  }

  /** Fills the disk until {@link makeRoom}. */
  async fillDisk(): Promise<void> {
    this.#full.push({ from: Date.now(), to: Infinity });
    await this.disk.fill();
  }

  /** Frees the disk. */
  makeRoom(): void {
    this.disk.free();
    const last = this.#full.at(-1);
    if (last?.to === Infinity) {
      last.to = Date.now();
    }
  }

  /**
   * Kills the daemon and starts the next one.
   *
   * @param onFullDisk - whether the next one finds a full disk and a full journal, until {@link makeRoom}
   */
  restart(onFullDisk = false): Promise<void> {
    return this.alone(async () => {
      if (onFullDisk) {
        await this.fillDisk();
      }
      const kill: Span = { from: Date.now(), to: Infinity };
      this.#kills.push(kill);
      await this.daemon.stop('SIGKILL');
      kill.to = Date.now();
      if (onFullDisk) {
        this.disk.fillJournal(ROOM);
      }
      await this.#start(kill.from);
    });
  }

  /** Does something that cannot come together with {@link restart}. */
  alone(work: () => Promise<void>): Promise<void> {
    this.#alone = this.#alone.then(work);
    return this.#alone;
  }

  /** Remembers what is done to it while it lasts. */
  async during(what: string, work: () => Promise<void>): Promise<void> {
    const happening: Happening = { what, from: Date.now(), to: Infinity };
    this.#happenings.push(happening);
    await work();
    happening.to = Date.now();
  }

  /** The events during a time and just before, as text. */
  happened(from: number, to: number): string[] {
    return this.#happenings
      .filter((happening) => overlaps([happening], from - RECENT_MS, to))
      .map((one) => `${one.what} (${one.from - from} to ${one.to === Infinity ? 'now' : one.to - from} ms)`);
  }

  /** Ends the daemon in peace, and starts one with another configuration. */
  async reconfigure(toml: string): Promise<void> {
    await this.daemon.stop();
    this.stage.configure(toml);
    await this.#start();
  }

  async #start(from = Date.now()): Promise<void> {
    const absence: Span = { from, to: Infinity };
    this.#absences.push(absence);
    this.#daemons.push(await this.stage.start());
    absence.to = Date.now();
  }

  /** The daemon's open descriptors now. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.daemon.pid}/fd`).length;
  }

  #sample(at: number): void {
    try {
      const status = readFileSync(`/proc/${this.daemon.pid}/status`, 'latin1');
      const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
      if (!Number.isNaN(kib)) {
        this.samples.push({ at, mib: kib / KIB_PER_MIB, descriptors: this.descriptors });
      }
    } catch {
      // It was killed a moment ago.
    }
  }

  stopSampling(): void {
    clearInterval(this.#sampling);
  }

  async clear(): Promise<void> {
    this.stopSampling();
    await this.#alone;
    await this.stage.clear();
    this.clock.close();
    this.disk.close();
  }
}

function overlaps(spans: readonly Span[], from: number, to: number): boolean {
  return spans.some((span) => span.from <= to && span.to >= from);
}
