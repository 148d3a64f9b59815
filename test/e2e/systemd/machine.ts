import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { inBox } from '../harness/box.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run, runWell, type Ended } from '../harness/run.ts';

/** Made by test/e2e/systemd/make-root; nothing is ever written there. */
const ROOT = '/var/tmp/pve-authenticator-debian-13';
/** The same without Node: nothing but the base system and SSH, and what apt needs to install our package. */
export const BASE_ROOT = `${ROOT}-base`;
/** The base system of Debian 12, whose Node is too old: `make-root 12` makes it. */
export const OLD_ROOT = '/var/tmp/pve-authenticator-debian-12-base';
const CGROUPS = '/sys/fs/cgroup';
/** Where the machine has this checkout, read-only. */
export const CHECKOUT_THERE = '/srv/checkout';
const BOOT_MS = 180_000;
const ENVIRONMENT = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'LC_ALL=C.UTF-8',
  'TERM=dumb',
];

/**
 * Whether a machine can be started here.
 *
 * @returns undefined, or what is missing
 */
export function whyNoMachine(): string | undefined {
  if (!inBox) {
    return 'they need root and a throw-away machine: sudo ./scripts/test';
  }
  if (![ROOT, BASE_ROOT].every((root) => existsSync(`${root}/etc/debian_version`))) {
    return 'there is no Debian 13 for them: test/e2e/systemd/make-root makes it (as root, with the network)';
  }
  try {
    execFileSync('systemd-nspawn', ['--version'], { stdio: 'ignore' });
    if (!existsSync(`${CGROUPS}/cgroup.procs`)) {
      execFileSync('mount', ['-t', 'cgroup2', 'cgroup2', CGROUPS], { stdio: 'pipe' });
    }
  } catch (error) {
    return `systemd-nspawn cannot run here (${error instanceof Error ? error.message.trim() : 'unknown'})`;
  }
  return undefined;
}

/** The disk of a machine that can be booted again. */
interface Disk {
  /** The root directory. */
  readonly merged: string;
  /** All of it. */
  readonly directory: string;
}

/**
 * A Debian with systemd as its process 1, without network; what is written in it is gone when it stops, unless it is one that
 * can be booted again.
 */
export class Machine {
  #nspawn: ChildProcess;
  readonly #cgroup: string;
  readonly #root: string;
  readonly #disk: Disk | undefined;
  #console = '';
  #leader = 0;

  private constructor(cgroup: string, root: string, disk: Disk | undefined) {
    this.#cgroup = cgroup;
    this.#root = root;
    this.#disk = disk;
    this.#nspawn = this.#start();
  }

  /**
   * Boots one.
   *
   * @param kind - `kept`: it can be booted again, with its disk as it was left
   * @param root - of which Debian
   * @returns the machine, when systemd says that it runs
   * @throws Error with its console, when it does not
   */
  static async boot(kind: 'volatile' | 'kept' = 'volatile', root = ROOT): Promise<Machine> {
    const cgroup = `${CGROUPS}/pve-authenticator-test-${process.pid}`;
    const machine = new Machine(cgroup, root, kind === 'kept' ? newDisk() : undefined);
    await machine.#booted();
    return machine;
  }

  #start(): ChildProcess {
    mkdirSync(this.#cgroup, { recursive: true });
    const name = `pve-authenticator-test-${process.pid}`;
    const argv = [
      ...['systemd-nspawn', '--boot', '--quiet', '--console=pipe', '--register=no', '--keep-unit'],
      ...['--private-network', `--machine=${name}`, `--bind-ro=${CHECKOUT}:${CHECKOUT_THERE}`],
      ...(this.#disk === undefined
        ? ['--volatile=overlay', `--directory=${this.#root}`]
        : [`--directory=${this.#disk.merged}`]),
    ];
    const script = `echo $$ >${this.#cgroup}/cgroup.procs && exec "$@"`;
    const nspawn = spawn('sh', ['-c', script, 'sh', ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    });
    this.#leader = 0;
    for (const stream of [nspawn.stdout, nspawn.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#console += text;
      });
    }
    return nspawn;
  }

  /** Cuts the power and boots again: written files stay, running programs are gone. */
  async reboot(): Promise<void> {
    await this.#switchOff();
    this.#nspawn = this.#start();
    await this.#booted();
  }

  async #booted(): Promise<void> {
    const deadline = Date.now() + BOOT_MS;
    for (;;) {
      this.#leader ||= childOf(this.#nspawn.pid!) ?? 0;
      if (this.#leader !== 0) {
        const { stdout } = await this.run(['systemctl', 'is-system-running']);
        if (/^(running|degraded)/.test(stdout)) {
          return;
        }
      }
      if (this.#nspawn.exitCode !== null || Date.now() > deadline) {
        await this.stop();
        throw new Error(`the machine did not boot:\n${this.#console}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /**
   * The path by which we see a file of the machine.
   *
   * @param path - there
   * @returns the path here
   */
  path(path: string): string {
    return `/proc/${this.#leader}/root${path}`;
  }

  /**
   * The command line that runs a program there.
   *
   * @param argv - the program and its arguments, as root
   * @returns what to run here
   */
  inside(argv: readonly string[]): string[] {
    const enter = ['nsenter', `--target=${this.#leader}`];
    const spaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd'];
    return [...enter, ...spaces, '--', 'env', '-i', ...ENVIRONMENT, ...argv];
  }

  /** Runs a program there to its end. */
  run(argv: readonly string[], input = ''): Promise<Ended> {
    return run(this.inside(argv), input);
  }

  /** The same; it has to succeed. Returns what it printed. */
  async runWell(argv: readonly string[], input = ''): Promise<string> {
    return (await runWell(this.inside(argv), input)).trimEnd();
  }

  /** The same for a line of shell. */
  shell(line: string): Promise<string> {
    return this.runWell(['sh', '-euc', line]);
  }

  /**
   * What a service adds or changes, until the next boot.
   *
   * @param unit - the service
   * @param name - of the drop-in
   * @param lines - what stands in it, undefined: it is taken away
   */
  async dropIn(unit: string, name: string, lines: readonly string[] | undefined): Promise<void> {
    const directory = `/run/systemd/system/${unit}.d`;
    await this.shell(`mkdir -p ${directory}`);
    if (lines === undefined) {
      await this.shell(`rm ${directory}/${name}.conf`);
    } else {
      writeFileSync(this.path(`${directory}/${name}.conf`), ['[Service]', ...lines, ''].join('\n'));
    }
    await this.shell('systemctl daemon-reload');
  }

  /** Switches it off, for good. */
  async stop(): Promise<void> {
    await this.#switchOff();
    await removeCgroup(this.#cgroup);
    if (this.#disk !== undefined) {
      execFileSync('umount', [this.#disk.merged]);
      rmSync(this.#disk.directory, { recursive: true, force: true });
    }
  }

  async #switchOff(): Promise<void> {
    if (this.#nspawn.exitCode === null) {
      const ended = new Promise((resolve) => this.#nspawn.on('close', resolve));
      if (this.#leader === 0) {
        this.#nspawn.kill('SIGKILL');
      } else {
        process.kill(this.#leader, 'SIGKILL');
      }
      await ended;
    }
  }
}

/** A layer over the root that all machines share. */
function newDisk(): Disk {
  const directory = mkdtempSync('/tmp/machine-');
  const [upper, work, merged] = ['upper', 'work', 'merged'].map((name) => `${directory}/${name}`);
  for (const path of [upper!, work!, merged!]) {
    mkdirSync(path, { mode: 0o755 });
  }
  const options = `lowerdir=${ROOT},upperdir=${upper!},workdir=${work!}`;
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'disk', merged!]);
  return { merged: merged!, directory };
}

/** Killed processes may stay in it for a moment. */
async function removeCgroup(path: string): Promise<void> {
  for (let tries = 0; tries < 50 && existsSync(path); tries += 1) {
    try {
      for (const entry of readdirSync(path, { withFileTypes: true, recursive: true }).reverse()) {
        if (entry.isDirectory()) {
          rmdirSync(`${entry.parentPath}/${entry.name}`);
        }
      }
      rmdirSync(path);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The machine's process 1, once it is systemd. */
function childOf(pid: number): number | undefined {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((child) => child !== '')
      .map(Number)
      .find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'systemd\n');
  } catch {
    return undefined;
  }
}
