import { NO_THROTTLE, Stage, type Daemon } from '../daemon/stage.ts';
import type { Visit } from './host.ts';
import type { Module } from './module.ts';
import type { Reason } from './scenario.ts';

/** Our module, with a daemon and the reader of users' files. */
export class OurModule implements Module {
  readonly stage: Stage;
  readonly confdir: string;
  readonly line: string;
  readonly environment = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' };
  #daemon: Daemon;
  /** Logins of each service so far. */
  readonly #logins = new Map<string, number>();

  private constructor(stage: Stage, daemon: Daemon) {
    this.stage = stage;
    this.confdir = `${stage.dir}/pam.d`;
    this.line = `${stage.dir}/pam_pve_authenticator.so socket=${stage.socket('pam')}`;
    this.#daemon = daemon;
  }

  /**
   * Starts daemon and reader. The caller clears the stage.
   *
   * @param config - config.toml; by default only the files' own limits count guesses
   * @returns the module
   */
  static async start(config = NO_THROTTLE): Promise<OurModule> {
    const stage = await Stage.build({ withFiles: true });
    stage.configure(config);
    return new OurModule(stage, await stage.start());
  }

  /** The running daemon. */
  get daemon(): Daemon {
    return this.#daemon;
  }

  /**
   * Ends the daemon and starts another.
   *
   * @param config - a new config.toml, if given
   */
  async restart(config?: string): Promise<void> {
    await this.#daemon.stop();
    if (config !== undefined) {
      this.stage.configure(config);
    }
    this.#logins.clear();
    this.#daemon = await this.stage.start();
  }

  async logged(reason: Reason, says: RegExp, { service }: Pick<Visit, 'service'>): Promise<string> {
    const count = (this.#logins.get(service) ?? 0) + 1;
    this.#logins.set(service, count);
    const lines = await this.#daemon.log.waitFor(new RegExp(` service=${service} `), count);
    const line = lines.at(-1)!;
    const found = line.includes('Accepted ') ? 'accepted' : / reason=(\S+)/.exec(line)?.[1];
    return found === reason && says.test(line) ? reason : line;
  }
}
