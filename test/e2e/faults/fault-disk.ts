import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import { CHECKOUT } from '../harness/daemon.ts';
import { AS_ROOT, DAEMON_UID, type Stage } from '../daemon/stage.ts';

const { EIO, ENOSPC, EROFS } = constants.errno;

/** The numbers that the library shares with us, in their order: `struct control` in fault-disk.c. */
const FIELDS = [
  'syncErrno',
  'syncFirst',
  'syncTimes',
  'writeErrno',
  'shortWrite',
  'openErrno',
  'killAt',
  'calls',
  'faults',
] as const;
const NUMBER_BYTES = 4;
const ALWAYS = 0xffff_ffff;

/** A fault of a disk. */
export type Fault = Readonly<Partial<Record<Exclude<(typeof FIELDS)[number], 'calls' | 'faults'>, number>>>;

/** Syncs fail from the (`first` + 1)th on, so many times. */
export function failingSyncs(times = ALWAYS, first = 0): Fault {
  return { syncErrno: EIO, syncFirst: first, syncTimes: times };
}

/** The faults of a disk; each lasts until it is healed. */
export const FAULTS: readonly (readonly [string, Fault])[] = [
  ['syncs fail', failingSyncs()],
  ['writes are short', { shortWrite: 1 }],
  ['the disk is full', { writeErrno: ENOSPC }],
  ['the disk is read-only', { writeErrno: EROFS, openErrno: EROFS }],
];

/** The disk under a stage's state directory: it can be made to fail, and to lose what was not synced. */
export class FaultDisk {
  readonly #stage: Stage;
  readonly #control: number;
  readonly #shadow: string;

  private constructor(stage: Stage, control: number, shadow: string) {
    this.#stage = stage;
    this.#control = control;
    this.#shadow = shadow;
  }

  /**
   * Puts the library under all daemons that the stage starts from now on.
   *
   * @param stage - the stage; its daemon does not run, and the contents of its state directory count as durable
   * @returns the disk; the caller closes it
   */
  static async under(stage: Stage): Promise<FaultDisk> {
    const source = `${CHECKOUT}/test/e2e/faults/fault-disk.c`;
    const library = await stage.compile(source, 'fault-disk.so', '-fPIC', '-shared', '-ldl', '-pthread');
    const control = `${stage.dir}/fault-control`;
    const shadow = `${stage.dir}/shadow`;
    writeFileSync(control, Buffer.alloc(FIELDS.length * NUMBER_BYTES));
    chmodSync(control, 0o666);
    stage.around = [
      'env',
      `LD_PRELOAD=${stage.environment['LD_PRELOAD'] ?? ''}:${library}`,
      `FAULT_CONTROL=${control}`,
      `FAULT_ROOT=${stage.stateDir}`,
      `FAULT_SHADOW=${shadow}`,
      'UV_USE_IO_URING=0', // it would bypass the library
    ];
    const disk = new FaultDisk(stage, openSync(control, 'r+'), shadow);
    disk.settle();
    return disk;
  }

  close(): void {
    closeSync(this.#control);
  }

  /** Starts a fault. */
  fail(fault: Fault): void {
    this.heal();
    for (const [field, value] of Object.entries(fault) as [keyof Fault, number][]) {
      this.#set(field, value);
    }
  }

  /** Ends all faults. */
  heal(): void {
    FIELDS.forEach((field) => this.#set(field, 0));
  }

  /** Calls that changed the disk, or tried to, since the last {@link fail} or {@link heal}. */
  get calls(): number {
    return this.#get('calls');
  }

  /** Calls that failed since then. */
  get faults(): number {
    return this.#get('faults');
  }

  /** Makes all that is there durable. No daemon runs. */
  settle(): void {
    rmSync(this.#shadow, { recursive: true, force: true });
    mkdirSync(this.#shadow, { mode: 0o700 });
    give(this.#shadow);
    this.#settle(this.#stage.stateDir);
  }

  /** Simulates a power cut: unsynced data is lost. No daemon may run. */
  loseUnsynced(): void {
    const root = keyOf(this.#stage.stateDir);
    rmSync(this.#stage.stateDir, { recursive: true });
    this.#restore(root, this.#stage.stateDir);
    this.settle();
  }

  #settle(path: string): void {
    const names = readdirSync(path, { withFileTypes: true });
    const lines = names.map((entry) => {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        this.#settle(child);
      } else {
        this.#keep(`file-${keyOf(child)}`, readFileSync(child));
      }
      return `${keyOf(child)} ${entry.isDirectory() ? 'd' : 'f'} ${entry.name}\n`;
    });
    this.#keep(`dir-${keyOf(path)}`, lines.join(''));
  }

  #keep(name: string, content: string | Buffer): void {
    writeFileSync(`${this.#shadow}/${name}`, content, { mode: 0o600 });
    give(`${this.#shadow}/${name}`);
  }

  #restore(key: string, path: string): void {
    mkdirSync(path, { mode: 0o700 });
    give(path);
    const names = `${this.#shadow}/dir-${key}`;
    const lines = existsSync(names) ? readFileSync(names, 'utf8').split('\n').slice(0, -1) : [];
    for (const line of lines) {
      const [, child, type, name] = /^(\S+) ([df]) (.+)$/.exec(line) as unknown as string[];
      if (type === 'd') {
        this.#restore(child!, `${path}/${name!}`);
        continue;
      }
      const content = `${this.#shadow}/file-${child!}`;
      // A name may be durable while its file's contents are not.
      writeFileSync(`${path}/${name!}`, existsSync(content) ? readFileSync(content) : '', { mode: 0o600 });
      give(`${path}/${name!}`);
    }
  }

  #set(field: (typeof FIELDS)[number], value: number): void {
    const bytes = Buffer.from(Uint32Array.of(value).buffer);
    writeSync(this.#control, bytes, 0, NUMBER_BYTES, FIELDS.indexOf(field) * NUMBER_BYTES);
  }

  #get(field: (typeof FIELDS)[number]): number {
    const numbers = new Uint32Array(1);
    readSync(this.#control, numbers, 0, NUMBER_BYTES, FIELDS.indexOf(field) * NUMBER_BYTES);
    return numbers[0]!;
  }
}

/** The inode and when it was made, as fault-disk.c names it. */
function keyOf(path: string): string {
  const { ino, birthtimeNs } = statSync(path, { bigint: true });
  const [second, rest] = [birthtimeNs / 1_000_000_000n, birthtimeNs % 1_000_000_000n];
  return `${ino}-${second}.${String(rest).padStart(9, '0')}`;
}

function give(path: string): void {
  if (AS_ROOT) {
    chownSync(path, DAEMON_UID, DAEMON_UID);
  }
}
