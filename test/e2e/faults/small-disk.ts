import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import {
  encodeBatch,
  HEADER_BYTES,
  MAX_BATCH_ENTRIES,
  scanJournal,
} from '../../../src/daemon/ledger/batch.ts';
import { ALWAYS, KIND, NO_UID } from '../../../src/daemon/ledger/kinds.ts';
import { ENTRY_BYTES, type Entry } from '../../../src/daemon/ledger/entry.ts';
import { Log } from '../harness/log.ts';
import { run, runWell } from '../harness/run.ts';
import { AS_ROOT, type Stage } from '../daemon/stage.ts';

/** Whether a {@link SmallDisk} is possible here. */
export const canMount =
  AS_ROOT && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

/** A real file system under a stage's state directory that can be full, or read-only: a tmpfs that only the daemon sees. */
export class SmallDisk {
  readonly #stage: Stage;
  readonly #enter: readonly string[];
  /** A process that keeps the mount. */
  readonly #holder: ChildProcess;
  /** The state directory as seen without the mount. */
  readonly path: string;

  private constructor(stage: Stage, holder: ChildProcess) {
    this.#stage = stage;
    this.#holder = holder;
    // The root, too: in the box it is not the name space's own.
    this.#enter = ['nsenter', `--target=${holder.pid!}`, '--mount', '--root', '--wd', '--'];
    stage.around = this.#enter;
    this.path = `/proc/${holder.pid!}/root${stage.stateDir}`;
  }

  /**
   * Moves the state directory onto it, for the daemons that start from now on.
   *
   * @param stage - where
   * @param size - as mount takes it
   * @returns the disk; the caller closes it
   */
  static async under(stage: Stage, size: string): Promise<SmallDisk> {
    const script = `cp -a "$1" "$1.copy" && mount -t tmpfs -o size=${size} none "$1" &&
      cp -a "$1.copy/." "$1" && chown --reference="$1.copy" "$1" && chmod 700 "$1" && echo mounted && exec cat`;
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', stage.stateDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Log('holder', holder.stdout).waitFor(/mounted/);
    return new SmallDisk(stage, holder);
  }

  async remount(option: 'ro' | 'rw'): Promise<void> {
    await runWell([...this.#enter, 'mount', '-o', `remount,${option}`, this.#stage.stateDir]);
  }

  /** Fills it to its last byte. */
  async fill(): Promise<void> {
    const { stderr } = await run(['dd', 'if=/dev/zero', `of=${this.path}/ballast`, 'bs=4096']);
    expect(stderr).toMatch(/No space left/);
  }

  /** Makes room again. */
  free(): void {
    rmSync(`${this.path}/ballast`, { force: true });
  }

  /** Leaves room for a number of commits in the journal of a stopped daemon. */
  fillJournal(room: number): void {
    for (const name of readdirSync(`${this.path}/ledger`)) {
      const generation = Number(/^journal\.(\d+)$/.exec(name)?.[1] ?? NaN);
      if (!Number.isNaN(generation)) {
        fillFile(`${this.path}/ledger/${name}`, generation, room);
      }
    }
  }

  close(): void {
    this.#holder.kill();
  }
}

/** One that a daemon was killed in making is left alone. */
function fillFile(path: string, generation: number, room: number): void {
  const file = readFileSync(path);
  const scan = scanJournal(file, generation);
  if (scan.condition === 'damaged') {
    return;
  }
  const entry = { key: 'f'.repeat(32), value: 1, at: 1, kind: KIND.counter, until: ALWAYS, uid: NO_UID };
  const free = file.length - room * (HEADER_BYTES + ENTRY_BYTES);
  for (let { end, sequence } = scan; end + HEADER_BYTES + ENTRY_BYTES <= free; sequence += 1) {
    const count = Math.min(MAX_BATCH_ENTRIES, Math.floor((free - end - HEADER_BYTES) / ENTRY_BYTES));
    const batch = encodeBatch(generation, sequence + 1, Array<Entry>(count).fill(entry));
    end += batch.copy(file, end);
  }
  writeFileSync(path, file);
}
