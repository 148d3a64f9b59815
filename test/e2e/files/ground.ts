import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { FilesClient } from '../../../src/daemon/enrolments/home/file-access.ts';
import { compile } from '../harness/compile.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { run, runWell } from '../harness/run.ts';

/** An unused account, for the daemon. */
export const DAEMON_UID = 64_321;
export const FILE_NAME = '.google_authenticator';

/** Users with nothing but a home: `files-UID`. */
const OTHERS = [...Array.from({ length: 10 }, (_, index) => 61_300 + index), 61_400];
/** Of the ground's own passwd database. */
const GROUPS = 'root:x:0:\nana:x:61001:\nben:x:61002:\nteam:x:61100:ana\n';
const PASSWD = [
  'root:x:0:0::/root:/bin/sh',
  'ana:x:61001:61001::/home/ana:/bin/sh',
  'ben:x:61002:61002::/home/ben:/bin/sh',
  ...OTHERS.map((uid) => `files-${uid}:x:${uid}:${uid}::/nonexistent:/bin/sh`),
  '',
].join('\n');

/** A running reader. */
export interface Reader {
  readonly pid: number;
  readonly log: Log;
  readonly ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

/** A file system that does not answer. */
export interface SilentHome {
  /** Makes it answer from now on. */
  answer(): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * A directory with its own mounts, invisible from outside and removed with it, and its own passwd database.
 */
export class Ground {
  readonly dir: string;
  readonly runtimeDir: string;
  readonly client: FilesClient;
  readonly #holder: Child;
  readonly #children: Child[] = [];

  private constructor(dir: string, holder: Child) {
    this.dir = dir;
    this.runtimeDir = `${dir}/run`;
    this.client = new FilesClient(this.runtimeDir);
    this.#holder = holder;
  }

  /** Why a ground is impossible here; undefined if it is possible. */
  static async impossible(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) {
      return 'not root';
    }
    const { status, stderr } = await run(['unshare', '--mount', 'true']);
    return status === 0 ? undefined : `no mount namespace: ${stderr.trim()}`;
  }

  static async build(): Promise<Ground> {
    const dir = mkdtempSync(`${tmpdir()}/pve-authenticator-files-`);
    chmodSync(dir, 0o755);
    mkdirSync(`${dir}/run`);
    const holder = spawn('unshare', ['--mount', 'sh', '-c', 'echo here; exec cat']);
    await once(holder.stdout, 'data');
    const ground = new Ground(dir, holder);
    writeFileSync(`${dir}/passwd`, PASSWD);
    writeFileSync(`${dir}/group`, GROUPS);
    await ground.inside(
      `mount --bind ${dir}/passwd /etc/passwd; mount --bind ${dir}/group /etc/group; printf 'passwd: files\ngroup: files\n' >${dir}/nss; mount --bind ${dir}/nss /etc/nsswitch.conf`,
    );
    return ground;
  }

  /** A path inside, as it is seen from outside. */
  seen(path: string): string {
    return `/proc/${String(this.#holder.pid)}/root${path}`;
  }

  /** Runs a shell script among the mounts. */
  inside(script: string): Promise<string> {
    return runWell(this.#enter('sh', '-ec', script));
  }

  /**
   * A home directory with the file in it.
   *
   * @param uid - whose
   * @param contents - of the file
   * @returns the path of the file
   */
  home(uid: number, contents: string): string {
    const home = `${this.dir}/home-${uid}`;
    mkdirSync(home, { mode: 0o700 });
    writeFileSync(`${home}/${FILE_NAME}`, contents, { mode: 0o400 });
    chownSync(home, uid, uid);
    chownSync(`${home}/${FILE_NAME}`, uid, uid);
    return `${home}/${FILE_NAME}`;
  }

  /** Starts a reader; `before` is put before its command line. */
  async reader(...before: readonly string[]): Promise<Reader> {
    const argv = [process.execPath, `${CHECKOUT}/dist/reader/main.js`, '--runtime-dir', this.runtimeDir];
    const child = this.#start(...before, ...argv, '--daemon-uid', String(DAEMON_UID));
    const log = new Log('reader', child.stderr);
    child.stdout.resume();
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await log.waitFor(/Ready/);
    return { pid: child.pid!, log, ended, signal: (name) => child.kill(name) };
  }

  /**
   * A home that does not answer.
   *
   * @param uid - whose
   * @returns the path of its file, and how to make it answer
   */
  async silentHome(uid: number): Promise<SilentHome & { path: string }> {
    const home = `${this.dir}/silent-${uid}`;
    mkdirSync(home);
    const child = this.#start(`${this.dir}/silent-fuse`, home, String(uid));
    const log = new Log('silent-fuse', child.stdout);
    await log.waitFor(/silent/);
    return {
      path: `${home}/${FILE_NAME}`,
      answer: async () => {
        child.stdin.write('answer\n');
        await log.waitFor(/answering/);
      },
    };
  }

  async compileSilentFuse(): Promise<void> {
    await compile('test/e2e/files/silent-fuse.c', `${this.dir}/silent-fuse`);
  }

  /** Ends everything and removes it; the mounts go with the last process among them. */
  async clear(): Promise<void> {
    const ends = [...this.#children, this.#holder].map(async (child) => {
      // Closing its input ends a silent file system, and all processes that wait for it.
      child.stdin.destroy();
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) {
        await once(child, 'exit');
      }
    });
    await Promise.all(ends);
    rmSync(this.dir, { recursive: true });
  }

  #start(...argv: readonly string[]): Child {
    const [command, ...rest] = this.#enter(...argv);
    const child = spawn(command!, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#children.push(child);
    child.stdin.on('error', () => undefined);
    return child;
  }

  #enter(...argv: readonly string[]): string[] {
    // The root, too: in the box it is not the name space's own.
    return ['nsenter', `--target=${String(this.#holder.pid)}`, '--mount', '--root', '--wd', '--', ...argv];
  }
}

/** Says what cannot run here. */
export function notRun(why: string): void {
  process.stderr.write(`\n  not run: the reader of users' files with real users: ${why}\n\n`);
}
