import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { recordFileName } from '../../../src/contracts/record-file-name.ts';
import { formatRecord, type TotpFactor } from '../../../src/daemon/enrolments/store/record.ts';
import { encodeBase32 } from '../../../src/factors/base32.ts';
import { listenOn } from '../../../src/host/addon.ts';
import { codeOf, counterCodeOf, wrongCodeOf } from '../harness/code.ts';
import { compile } from '../harness/compile.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';

/** Whether this runs as root. As an ordinary user the daemon runs under the same uid. */
export const AS_ROOT = process.getuid!() === 0;
/** An unused account, for the daemon. */
export const DAEMON_UID = AS_ROOT ? 64_321 : process.getuid!();
/** Any other unprivileged account. */
export const STRANGER_UID = 65_534;
/** Debian's program, because the one in the PATH may be in somebody's home. */
export const PYTHON = '/usr/bin/python3';
/** ROUNDS=full: repeats as often as docs/ says. */
export const FULL = process.env['ROUNDS'] === 'full';

const FIRST_UID = 100_000;
const SOCKETS = ['pam', 'user', 'control'] as const;
const MODES = { pam: 0o600, user: 0o666, control: 0o666 } as const;
const BACKLOG = 128;
let lastUid = FIRST_UID;

/** A person with an account, and perhaps an authenticator app. */
export interface Person {
  readonly name: string;
  readonly uid: number;
  readonly secret: string;
  /** The code of now, or of some steps later. */
  readonly code: (steps?: number) => string;
  /** The code of a counter. */
  readonly counterCode: (counter: number) => string;
  readonly wrongCode: () => string;
}

/** A daemon behind the sockets of a stage. */
export interface Daemon {
  readonly pid: number;
  readonly log: Log;
  /** How it ended: its exit status, null after a signal. */
  readonly ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Ends it and waits. */
  stop(name?: NodeJS.Signals): Promise<number | null>;
}

/** The parts of a stage besides the daemon. */
export interface StageOptions {
  /** Whether the source `home` is on, with the reader (root, if we are) and a home directory for each person. */
  readonly withFiles?: boolean;
  /** Whether the source `proxmox` is on, with the reader, and a directory in place of /etc/pve. */
  readonly withProxmox?: boolean;
}

/** Where the source `home` looks, in a home directory. */
export const STATE_FILE = '.google_authenticator';
/** Without the reader, the source must be switched off. */
const NO_HOMES = 'sources.home = false\n';

/** A configuration in which guesses are not counted. */
export const NO_THROTTLE = '[throttle]\nenabled = false\n';

/** Reports what cannot run here. */
export function notRun(what: string, why: string): void {
  process.stderr.write(`\n  not run: ${what}: ${why}\n\n`);
}

/**
 * A directory with sockets, a state directory and PAM services, like a small machine. The test opens the sockets, as systemd
 * does, and gives them to one daemon after the other.
 */
export class Stage {
  readonly dir: string;
  readonly runtimeDir: string;
  readonly stateDir: string;
  /** Programs with their arguments that start the daemons from now on; each keeps its pid. */
  around: readonly string[] = [];
  readonly #services = new Set<string>();
  readonly #fds: number[] = [];
  readonly #daemons: Daemon[] = [];
  readonly #withFiles: boolean;
  readonly #withProxmox: boolean;
  #reader: ChildProcess | undefined;
  /** The log of the reader. */
  readerLog: Log | undefined;

  private constructor(dir: string, { withFiles = false, withProxmox = false }: StageOptions) {
    this.dir = dir;
    this.#withFiles = withFiles;
    this.#withProxmox = withProxmox;
    this.runtimeDir = `${dir}/run`;
    this.stateDir = `${dir}/state`;
  }

  /** Builds a stage; the caller clears it. */
  static async build(options: StageOptions = {}): Promise<Stage> {
    const stage = new Stage(mkdtempSync(`${tmpdir()}/pve-authenticator-e2e-`), options);
    chmodSync(stage.dir, 0o755);
    mkdirSync(stage.runtimeDir, { mode: 0o755 });
    stage.makeVolatile();
    mkdirSync(`${stage.dir}/pam.d`, { mode: 0o755 });
    stage.configure('');
    stage.#makeState();
    // Readable to every user, wherever the checkout is.
    for (const name of ['pam_pve_authenticator.so', 'pam-client']) {
      copyFileSync(`${CHECKOUT}/build/native-test/${name}`, `${stage.dir}/${name}`);
      chmodSync(`${stage.dir}/${name}`, 0o755);
    }
    const users = `${CHECKOUT}/test/e2e/daemon/stage-users.c`;
    await stage.compile(users, 'stage-users.so', '-fPIC', '-shared', '-ldl');
    for (const name of SOCKETS) {
      stage.#fds.push(listenOn(stage.socket(name), MODES[name], BACKLOG));
    }
    if (stage.#withFiles) {
      mkdirSync(stage.homes, { mode: 0o755 });
    }
    if (stage.#withProxmox) {
      mkdirSync(`${stage.pveDir}/priv`, { recursive: true, mode: 0o700 });
    }
    if (stage.#withFiles || stage.#withProxmox) {
      await stage.startReader();
    }
    return stage;
  }

  /** Where the home directories are. */
  get homes(): string {
    return `${this.dir}/homes`;
  }

  /** The replacement of /etc/pve: it belongs to root, and is closed to the daemon. */
  get pveDir(): string {
    return `${this.dir}/pve`;
  }

  /** The same for /etc/proxmox-backup. */
  get pbsDir(): string {
    return `${this.dir}/pbs`;
  }

  /** Starts the reader of users' files, as its unit would. {@link build} has done so if the stage has a reader. */
  async startReader(): Promise<void> {
    const argv = [`${CHECKOUT}/dist/reader/main.js`, '--attached', '--runtime-dir', this.runtimeDir];
    const places = ['--pve-dir', this.pveDir, '--pbs-dir', this.pbsDir];
    const child = spawn(process.execPath, [...argv, ...places, '--daemon-uid', String(DAEMON_UID)], {
      env: this.environment,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#reader = child;
    this.readerLog = new Log('reader', child.stderr);
    await this.readerLog.waitFor(/Ready/);
  }

  /** Ends the reader and waits. */
  async stopReader(): Promise<void> {
    const reader = this.#reader;
    if (reader?.exitCode === null && reader.signalCode === null) {
      reader.kill('SIGKILL');
      await once(reader, 'exit');
    }
  }

  /** Makes the directory that outlives the daemon but not a boot, as the unit's RuntimeDirectory= does. */
  makeVolatile(): void {
    mkdirSync(`${this.runtimeDir}/volatile`, { mode: 0o700 });
    chownSync(`${this.runtimeDir}/volatile`, DAEMON_UID, AS_ROOT ? DAEMON_UID : process.getgid!());
  }

  #makeState(): void {
    mkdirSync(this.stateDir, { mode: 0o700 });
    chownSync(this.stateDir, DAEMON_UID, AS_ROOT ? DAEMON_UID : process.getgid!());
  }

  /**
   * Writes the configuration of the daemons that start from now on.
   *
   * @param toml - config.toml; it is never this machine's own
   */
  configure(toml: string): void {
    const sources = (this.#withFiles ? '' : NO_HOMES) + (this.#withProxmox ? 'sources.proxmox = true\n' : '');
    writeFileSync(`${this.dir}/config.toml`, sources + toml, { mode: 0o644 });
  }

  /** Where a socket is. */
  socket(name: (typeof SOCKETS)[number]): string {
    return `${this.runtimeDir}/${name}.sock`;
  }

  /** The environment for programs that must know the test's accounts. */
  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      LC_ALL: 'C.UTF-8',
      LD_PRELOAD: `${this.dir}/stage-users.so`,
      ...(this.#withFiles ? { E2E_HOMES: this.homes } : {}),
    };
  }

  /**
   * Compiles a small C program.
   *
   * @param source - its file
   * @param name - of the result in {@link dir}
   * @param flags - for compiler and linker
   * @returns the path of the result
   */
  async compile(source: string, name: string, ...flags: readonly string[]): Promise<string> {
    const out = `${this.dir}/${name}`;
    await compile(source, out, ...flags);
    chmodSync(out, 0o755);
    return out;
  }

  /** Empties the state directory, as on a new machine. */
  forgetState(): void {
    rmSync(this.stateDir, { recursive: true });
    this.#makeState();
  }

  /**
   * A PAM service that asks the module only.
   *
   * @param args - arguments of the module; sockets other than `pam.sock` come first
   * @returns the service's name
   */
  service(...args: readonly string[]): string {
    const sockets = args.some((arg) => arg.startsWith('socket=')) ? [] : [`socket=${this.socket('pam')}`];
    const line = ['auth required', `${this.dir}/pam_pve_authenticator.so`, ...sockets, ...args].join(' ');
    const name = `e2e-${this.#services.size + 1}`;
    this.#services.add(name);
    writeFileSync(`${this.dir}/pam.d/${name}`, `${line}\n`);
    return name;
  }

  /**
   * The command line of the daemon as its own user.
   *
   * @param options - where, if not here, and more arguments
   * @returns program and arguments
   */
  daemonCommand(
    options: { runtimeDir?: string; stateDir?: string; more?: readonly string[] } = {},
  ): string[] {
    const { runtimeDir = this.runtimeDir, stateDir = this.stateDir, more = [] } = options;
    return [
      ...asUser(DAEMON_UID),
      process.execPath,
      `${CHECKOUT}/dist/daemon/main.js`,
      ...['--runtime-dir', runtimeDir, '--state-dir', stateDir, '--config', `${this.dir}/config.toml`],
      ...more,
    ];
  }

  /**
   * Starts a daemon behind our sockets, and waits until it is ready.
   *
   * @param more - further arguments
   * @returns the daemon
   */
  async start(...more: readonly string[]): Promise<Daemon> {
    const environment = {
      ...this.environment,
      LISTEN_FDS: String(SOCKETS.length),
      LISTEN_FDNAMES: SOCKETS.join(':'),
    };
    // exec keeps the pid, which LISTEN_PID must name.
    const argv = ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...this.around, ...this.daemonCommand({ more })];
    const child = spawn('sh', argv, { env: environment, stdio: ['ignore', 'inherit', 'pipe', ...this.#fds] });
    const log = new Log('daemon', child.stderr!);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const daemon: Daemon = {
      pid: child.pid!,
      log,
      ended,
      signal: (name) => child.kill(name),
      stop: (name = 'SIGTERM') => {
        child.kill(name);
        return ended;
      },
    };
    this.#daemons.push(daemon);
    await log.waitFor(/Ready/);
    return daemon;
  }

  /**
   * Somebody new.
   *
   * @param app - differences from an ordinary app; `enrolled: false`: the store has no app
   * @returns the person, with an empty home directory if the stage has the reader
   */
  person(app: { enrolled?: boolean; uid?: number; period?: number; digits?: 6 | 7 | 8 } = {}): Person {
    const { enrolled = true, uid = ++lastUid, period = 30, digits = 6 } = app;
    const name = `e2e-${uid}`;
    const secret = randomBytes(20);
    if (this.#withFiles) {
      mkdirSync(`${this.homes}/${name}`, { recursive: true, mode: 0o700 });
      this.#give(`${this.homes}/${name}`, uid);
    }
    if (enrolled) {
      this.#enrol(name, uid, {
        kind: 'totp',
        id: 'e2e1',
        name: 'phone',
        added: 0,
        secret,
        algorithm: 'sha1',
        digits,
        period,
        window: 3,
      });
    }
    const known = { secret: encodeBase32(secret), digits, period };
    return {
      name,
      uid,
      secret: known.secret,
      code: (steps) => codeOf(known, steps),
      counterCode: (counter) => counterCodeOf(known, counter),
      wrongCode: () => wrongCodeOf(known),
    };
  }

  /**
   * A new person without a factor in the store, but with a file of google-authenticator.
   *
   * @param lines - the lines after the secret: options and scratch codes; time-based by default
   * @returns the person; the file is {@link stateFile}
   */
  homePerson(...lines: readonly string[]): Person {
    const person = this.person({ enrolled: false });
    const text = [person.secret, ...(lines.length > 0 ? lines : ['" TOTP_AUTH']), ''].join('\n');
    this.writeStateFile(person, text);
    return person;
  }

  /** The path of a person's `~/.google_authenticator`. */
  stateFile({ name }: Pick<Person, 'name'>): string {
    return `${this.homes}/${name}/${STATE_FILE}`;
  }

  /** Puts a file into a person's home, owned by them, mode 0400. */
  writeStateFile(person: Pick<Person, 'name' | 'uid'>, text: string): void {
    const file = this.stateFile(person);
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode: 0o400 });
    this.#give(file, person.uid);
  }

  #give(path: string, uid: number): void {
    if (AS_ROOT) {
      chownSync(path, uid, uid);
    }
  }

  /** As the daemon would, but at once, and without root: test/e2e/daemon/command.test.ts takes the real way. */
  #enrol(user: string, uid: number, factor: TotpFactor): void {
    const file = `${this.stateDir}/enrolments/${recordFileName(user)}`;
    writeFileSync(file, formatRecord({ user, uid, factors: [factor] }), { mode: 0o600 });
    chownSync(file, DAEMON_UID, AS_ROOT ? DAEMON_UID : process.getgid!());
  }

  /** Ends every daemon, and removes everything. */
  async clear(): Promise<void> {
    for (const daemon of this.#daemons) {
      daemon.signal('SIGCONT');
      await daemon.stop('SIGKILL');
    }
    await this.stopReader();
    for (const fd of this.#fds) {
      closeSync(fd);
    }
    rmSync(this.dir, { recursive: true });
  }
}

/**
 * The prefix of a command line that runs it as another user.
 *
 * @param uid - who
 * @returns nothing, if we are that already
 */
export function asUser(uid: number): string[] {
  return uid === process.getuid!()
    ? []
    : [
        'setpriv',
        `--reuid=${uid}`,
        `--regid=${uid}`,
        '--clear-groups',
        '--no-new-privs',
        '--bounding-set=-all',
        '--',
      ];
}
