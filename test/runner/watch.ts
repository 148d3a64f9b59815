import type { Counts, Event, Failure } from './events.ts';
import type { NotRun } from './not-run.ts';
import type { Suite } from './plan.ts';
import type { Listener } from './suite-run.ts';
import { clock, countsText, indent, lastLines } from './texts.ts';

/** How often a progress line is printed. */
const NEWS_MS = { alone: 60_000, unit: 10_000, program: 60_000 };
/** The most lines of a failed file's or program's output that are shown. */
const OUTPUT_LINES = 300;

/** The run, as seen by a suite. */
export interface Desk {
  /** Prints a line with the time. */
  say(text: string): void;
  /** Prints what belongs to the line before. */
  add(text: string): void;
  left(ms: number, part: string): string;
  ended(part: string, ms: number): void;
  readonly notRun: NotRun;
  readonly failures: string[];
  /** Whether to show the output of passing tests, too. */
  readonly showAll: boolean;
}

interface Running {
  readonly since: number;
  readonly counts: Counts;
  output: string;
  last: string;
}

/** Follows one suite. */
export class Watch implements Listener {
  readonly counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  readonly #suite: Suite;
  readonly #desk: Desk;
  readonly #since = Date.now();
  readonly #running = new Map<string, Running>();
  /** Output while no file ran. */
  #output = '';
  #files = 0;
  #done = false;
  readonly #news: NodeJS.Timeout;

  constructor(suite: Suite, desk: Desk) {
    this.#suite = suite;
    this.#desk = desk;
    if (suite.kind !== 'alone') {
      desk.say(`${suite.name}, ${desk.left(0, '')}`);
    }
    this.#news = setInterval(() => this.#tellNews(), NEWS_MS[suite.kind]);
  }

  event(event: Event): void {
    switch (event.kind) {
      case 'begin':
        this.#begin(event.file);
        break;
      case 'test':
        this.#test(event.file, event.name, event.state);
        break;
      case 'failure':
        this.#count(event.file, 'failed');
        this.#fail(event.failure);
        break;
      case 'output':
        this.#keep(event.text, event.file);
        break;
      case 'end':
        this.#end(event.file);
        break;
      case 'done':
        this.#done = true;
    }
  }

  text(text: string): void {
    for (const [, failure] of text.matchAll(/^FAILED (.*)$/gm)) {
      this.#desk.say(`FAILED ${this.#suite.name}: ${failure!}`);
      this.#desk.failures.push(`${this.#suite.name}: ${failure!}`);
    }
    this.#keep(text);
  }

  /** The suite's process has ended. */
  close(status: number | null): void {
    clearInterval(this.#news);
    const { name, kind } = this.#suite;
    if (kind === 'program') {
      this.#countProgram(status);
      this.#desk.ended(name, Date.now() - this.#since);
    } else {
      this.#checkEnd(status);
    }
    if (kind === 'unit') {
      this.#desk.ended(name, Date.now() - this.#since);
    }
    this.#desk.say(`${name}: ${countsText(this.counts)} in ${clock(Date.now() - this.#since)}`);
    if (this.counts.failed > 0 || this.#desk.showAll) {
      this.#show(name, this.#output);
    }
  }

  #begin(file: string): void {
    this.#files += 1;
    this.#running.set(file, {
      since: Date.now(),
      counts: { passed: 0, failed: 0, skipped: 0 },
      output: '',
      last: '',
    });
    if (this.#suite.kind === 'alone') {
      const { name, files } = this.#suite;
      this.#desk.say(`${name}, file ${this.#files} of ${files.length}: ${file}, ${this.#desk.left(0, '')}`);
    }
  }

  /** A test that failed is counted by its failure. */
  #test(file: string, name: string, state: keyof Counts): void {
    const running = this.#running.get(file);
    if (running !== undefined) {
      running.last = name;
    }
    if (state !== 'failed') {
      this.#count(file, state);
    }
  }

  #end(file: string): void {
    const running = this.#running.get(file);
    if (running === undefined) {
      return;
    }
    const ms = Date.now() - running.since;
    this.#running.delete(file);
    if (this.#suite.kind === 'alone') {
      this.#desk.ended(file, ms);
      this.#desk.add(`        ${countsText(running.counts)} in ${(ms / 1000).toFixed(1)} s`);
    }
    if (running.counts.failed > 0 || this.#desk.showAll) {
      this.#show(file, running.output);
    }
  }

  #tellNews(): void {
    const counts = countsText(this.counts);
    if (this.#suite.kind !== 'alone') {
      const far = this.#suite.kind === 'unit' ? `file ${this.#files}, ${counts}, ` : '';
      this.#desk.say(
        `${this.#suite.name}: ${far}${this.#desk.left(Date.now() - this.#since, this.#suite.name)}`,
      );
      return;
    }
    for (const [file, { since, counts: its, last }] of this.#running) {
      const after = last === '' ? '' : `, last "${last}"`;
      this.#desk.say(`${file}: ${countsText(its)}${after}; ${this.#desk.left(Date.now() - since, file)}`);
    }
  }

  #count(file: string, state: keyof Counts): void {
    this.counts[state] += 1;
    const running = this.#running.get(file);
    if (running !== undefined) {
      running.counts[state] += 1;
    }
  }

  #fail({ name, reasons }: Failure): void {
    this.#desk.say(`FAILED ${this.#suite.name}: ${name}`);
    this.#desk.failures.push(`${this.#suite.name}: ${name}`);
    for (const reason of reasons) {
      this.#desk.add(indent(reason));
    }
  }

  /** Output of child processes belongs to no known file; it may come from any running one. */
  #keep(text: string, file?: string): void {
    const kept = this.#desk.notRun.takeFrom(text);
    const its = file === undefined ? [...this.#running.values()] : [this.#running.get(file)];
    if (its.every((running) => running === undefined)) {
      this.#output += kept;
    }
    for (const running of its) {
      if (running !== undefined) {
        running.output += kept;
      }
    }
  }

  #show(whose: string, output: string): void {
    const lines = lastLines(output, OUTPUT_LINES);
    if (lines !== '') {
      this.#desk.add(`    what ${whose} wrote:\n${indent(lines)}`);
    }
  }

  #countProgram(status: number | null): void {
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(this.#output) ?? [];
    const skipped = /^skipped /gm;
    this.counts.passed += Number(passed ?? 0);
    this.counts.failed += Number(failed ?? 0);
    this.counts.skipped += [...this.#output.matchAll(skipped)].length;
    if (passed === undefined || (status !== 0 && this.counts.failed === 0)) {
      this.counts.failed += 1;
      this.#fail({ name: 'it did not end', reasons: [`status ${status ?? 'none: it was killed'}`] });
    }
  }

  /** A successful run must have run every file. */
  #checkEnd(status: number | null): void {
    const missing =
      this.#suite.kind === 'alone' ? this.#suite.files.length - this.#files : this.#files === 0 ? 1 : 0;
    const open = [...this.#running.keys()];
    const broken =
      !this.#done || open.length > 0 || missing > 0 || (status !== 0 && this.counts.failed === 0);
    for (const file of open) {
      this.#end(file);
    }
    if (broken) {
      this.counts.failed += 1;
      this.#fail({
        name: 'it did not end',
        reasons: [
          `status ${status ?? 'none: it was killed'}; files that never began: ${missing}`,
          ...open.map((file) => `${file} did not end`),
        ],
      });
    }
  }
}
