import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';
import type { Daemon, Stage } from '../daemon/stage.ts';
import type { Account } from './factors.ts';

/** The results of a crowd. */
export interface Outcome {
  /** How many were asked before anybody answered. */
  readonly asked: number;
  /** What libpam returned to each. */
  readonly rc: readonly number[];
}

/** Many processes that log in at the same moment: test/e2e/race/race-client.c. */
export class Crowd {
  readonly #stage: Stage;
  readonly #program: string;

  private constructor(stage: Stage, program: string) {
    this.#stage = stage;
    this.#program = program;
  }

  /** Compiles the client. */
  static async gather(stage: Stage): Promise<Crowd> {
    const source = `${CHECKOUT}/test/e2e/race/race-client.c`;
    return new Crowd(stage, await stage.compile(source, 'race-client', '-lpam'));
  }

  /**
   * All answer as soon as all are asked.
   *
   * @param service - of PAM
   * @param members - the users and their codes; at most 256
   * @param rhost - the origin of all; if left out, each has another one
   * @returns how it ended
   */
  async logIn(
    service: string,
    members: readonly (readonly [Pick<Account, 'name'>, string])[],
    rhost?: string,
  ): Promise<Outcome> {
    const argv = [this.#program, `${this.#stage.dir}/pam.d`, service, '0'];
    const input = members.map(([{ name }, code]) => `${name} ${code}\n`).join('');
    const ended = await run(
      [...argv, ...(rhost === undefined ? [] : [rhost])],
      input,
      this.#stage.environment,
    );
    if (ended.status !== 0) {
      throw new Error(`race-client: status ${String(ended.status)} ${ended.stdout}${ended.stderr}`);
    }
    return JSON.parse(ended.stdout) as Outcome;
  }
}

/**
 * Counts the reasons in the log about one user.
 *
 * @param daemon - whose log
 * @param account - who
 * @param lines - how many lines there have to be
 * @returns a count for each reason
 */
export async function reasonsFor(
  daemon: Daemon,
  { name }: Pick<Account, 'name'>,
  lines: number,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const pattern = new RegExp(` for ${name} `);
  await daemon.log.waitFor(pattern, lines);
  for (const line of daemon.log.matching(pattern)) {
    const reason = line.includes('Accepted') ? 'accepted' : (/ reason=(\S+)/.exec(line)?.[1] ?? line);
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}
