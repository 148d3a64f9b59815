import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Log } from '../harness/log.ts';
import { asUser, type Stage } from './stage.ts';

/** What libpam returns (security/_pam_types.h). */
export const PAM = {
  success: 0,
  serviceError: 3,
  systemError: 4,
  /** libpam's own, when every module of the stack said PAM_IGNORE. */
  ignored: 6,
  denied: 7,
  authInfoUnavailable: 9,
  userUnknown: 10,
  tooManyTries: 11,
} as const;

/** The result of a login. */
export interface LoginEnd {
  readonly rc: number;
  /** From the start of the host, or from the answer if one was given, in milliseconds. */
  readonly ms: number;
  /** Questions and messages that were shown. */
  readonly shown: readonly string[];
  /** The state of the host process before and after: see the client's op `host`. */
  readonly host: readonly unknown[];
}

export interface LoginOptions {
  readonly service: string;
  /** The user that the host runs as; by default root, or the current user. */
  readonly uid?: number;
  /** Items of PAM, such as `RHOST=192.0.2.1`. */
  readonly items?: readonly string[];
}

interface Line {
  readonly ev: string;
  readonly msg?: string;
  readonly rc?: number;
}

/** A host that logs somebody in through the real libpam, in a process of its own. */
export class PamLogin {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #log: Log;
  readonly #ended: Promise<unknown>;
  #since = performance.now();

  /**
   * Starts a login.
   *
   * @param stage - where
   * @param user - the name that the host passes
   * @param options - how
   */
  constructor(stage: Stage, user: string, { service, uid = process.getuid!(), items = [] }: LoginOptions) {
    const argv = [
      ...asUser(uid),
      `${stage.dir}/pam-client`,
      ...['-k', '-d', `${stage.dir}/pam.d`],
      ...items.flatMap((item) => ['-i', item]),
      ...[service, user, 'host', 'auth', 'host'],
    ];
    this.#child = spawn(argv[0]!, argv.slice(1), { env: stage.environment, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#log = new Log('host', this.#child.stdout);
    const said = new Log('host', this.#child.stderr);
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve));
    this.#child.on('error', (error) => said.lines.push(String(error)));
    this.#child.stdin.on('error', () => undefined); // it may be gone
  }

  /** Waits until somebody is asked. */
  async asked(): Promise<this> {
    await this.#log.waitFor(/"ev":"prompt"/);
    return this;
  }

  /** Types an answer. */
  answer(text: string): this {
    this.#since = performance.now();
    this.#child.stdin.write(`${text}\n`);
    return this;
  }

  /** Waits for the end. The host's input is closed: a further question ends it. */
  async end(): Promise<LoginEnd> {
    this.#child.stdin.end();
    await this.#ended;
    const lines = this.#log.lines.map((line) => JSON.parse(line) as Line);
    return {
      rc: lines.find(({ ev }) => ev === 'op')?.rc ?? -1,
      ms: performance.now() - this.#since,
      shown: lines.flatMap(({ ev, msg }) => (ev === 'prompt' || ev === 'message' ? [msg ?? ''] : [])),
      host: lines.filter(({ ev }) => ev === 'host'),
    };
  }

  /** Ends the host, as when somebody closes the window. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/**
 * One login from the question to the end.
 *
 * @param stage - where
 * @param user - who
 * @param answer - what is typed
 * @param options - how
 * @returns how it ended
 */
export async function logIn(
  stage: Stage,
  user: string,
  answer: string,
  options: LoginOptions,
): Promise<LoginEnd> {
  const login = new PamLogin(stage, user, options);
  return login.answer(answer).end();
}
