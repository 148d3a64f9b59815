import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { hotpValue } from '../../../src/factors/hotp-value.ts';
import { decodeBase32 } from '../../../src/factors/base32.ts';
import { command } from '../harness/daemon.ts';
import { codeOf } from '../harness/code.ts';
import { PAM } from '../daemon/pam-login.ts';
import type { Stage } from '../daemon/stage.ts';
import { sheetOwner, tokenOwner, type Account } from './factors.ts';
import type { Door } from './fault-stage.ts';

/** Codes shall be good all through a test. */
const PERIOD = 120;
/** Among thousands of six-digit codes, two would be equal by chance. */
const DIGITS = 8;
/** How often one token is used. */
const PRESSES = 20;
const ACCOUNTS = 4;
const MAX_FACTORS_EACH = 6;

/** A typed code, and its result. */
export interface Try {
  readonly name: string;
  readonly code: string;
  readonly rc: number;
}

/** People who log in, and an administrator who adds and removes factors, until they are told to stop. */
export class Load {
  readonly tries: Try[] = [];
  /** Changes that the command said were made. */
  changes = 0;
  readonly #stage: Stage;
  readonly #door: Door;
  #working = true;
  readonly #workers: readonly Promise<void>[];

  /**
   * Begins at once.
   *
   * @param stage - where
   * @param door - the way to log in
   * @param administrator - whether factors are added and removed, too: needs root
   */
  constructor(stage: Stage, door: Door, administrator: boolean) {
    this.#stage = stage;
    this.#door = door;
    this.#workers = [
      this.#phones(),
      this.#tokens(),
      this.#sheets(),
      ...(administrator ? [this.#administrator()] : []),
    ];
  }

  /** Ends the load; fails if anything went wrong in it. */
  async stop(): Promise<void> {
    this.#working = false;
    await Promise.all(this.#workers);
  }

  /** Codes that let somebody in, the last first. */
  get accepted(): Try[] {
    return this.tries.filter(({ rc }) => rc === PAM.success).toReversed();
  }

  /** Logs in. A right code fails only if the daemon is killed during the login. */
  async try({ name }: Pick<Account, 'name'>, code: string, first = true): Promise<number> {
    const { rc } = await this.#door.try({ name }, code);
    this.tries.push({ name, code, rc });
    expect([PAM.success, PAM.systemError, ...(first ? [] : [PAM.denied])], `${name} ${code}`).toContain(rc);
    return rc;
  }

  /** A code whose fate is unknown is tried until it is known: it may have been used up. */
  async #use(account: Pick<Account, 'name'>, code: string): Promise<void> {
    let rc = await this.try(account, code);
    while (rc === PAM.systemError) {
      rc = await this.try(account, code, false);
    }
  }

  async #phones(): Promise<void> {
    while (this.#working) {
      const person = this.#stage.person({ period: PERIOD, digits: DIGITS });
      const code = person.code();
      // Two at once with one code.
      await Promise.all([this.try(person, code, false), this.try(person, code, false)]);
      await this.try(person, code, false);
    }
  }

  async #tokens(): Promise<void> {
    while (this.#working) {
      const token = tokenOwner(this.#stage, DIGITS);
      for (let counter = 0; counter < PRESSES; counter += 1) {
        await this.#use(token, token.code(counter));
      }
    }
  }

  async #sheets(): Promise<void> {
    while (this.#working) {
      const sheet = sheetOwner(this.#stage);
      for (const code of sheet.codes) {
        await this.#use(sheet, code);
      }
    }
  }

  /** Acknowledged changes must exist; others may exist. */
  async #administrator(): Promise<void> {
    const accounts = Array.from({ length: ACCOUNTS }, () => this.#stage.person({ enrolled: false }));
    const factors = new Map<string, string[]>(accounts.map(({ name }) => [name, []]));
    while (this.#working) {
      const account = accounts[randomInt(ACCOUNTS)]!;
      const before = factors.get(account.name)!;
      const changed =
        before.length === MAX_FACTORS_EACH || (before.length > 0 && randomInt(3) === 0)
          ? await this.#remove(account, before)
          : await this.#add(account, before);
      const after = await this.#list(account);
      expect(changed, `${account.name} has ${after.join()}`).toContainEqual(after);
      factors.set(account.name, after);
    }
  }

  /** Adds a factor; returns the states in which the account may be then. */
  async #add({ name }: Account, before: readonly string[]): Promise<string[][]> {
    const kind = (['totp', 'hotp', 'recovery'] as const)[
      before.includes('codes') ? randomInt(2) : randomInt(3)
    ]!;
    const factor = kind === 'recovery' ? 'codes' : `f${randomInt(1e9)}`;
    const more = kind === 'recovery' ? [] : ['--name', factor];
    const { status, stdout } = await command(this.#stage, 'add', kind, '--user', name, '--json', ...more);
    const after = [...before, factor].sort();
    if (status !== 0) {
      return [[...before], after];
    }
    this.changes += 1;
    const { secret, codes } = JSON.parse(stdout) as { secret?: string; codes?: string[] };
    await this.#use({ name }, codes?.[0] ?? firstCode(kind, secret!));
    return [after];
  }

  async #remove({ name }: Account, before: readonly string[]): Promise<string[][]> {
    const factor = before[randomInt(before.length)]!;
    const { status } = await command(this.#stage, 'remove', factor, '--user', name, '--yes');
    const after = before.filter((one) => one !== factor);
    this.changes += status === 0 ? 1 : 0;
    return status === 0 ? [after] : [[...before], after];
  }

  async #list({ name }: Account): Promise<string[]> {
    for (;;) {
      const { status, stdout } = await command(this.#stage, 'list', '--user', name, '--json');
      if (status === 0) {
        const [view] = JSON.parse(stdout) as [{ factors: { name: string }[] }];
        return view.factors.map((factor) => factor.name).sort();
      }
    }
  }
}

function firstCode(kind: 'totp' | 'hotp' | 'recovery', secret: string): string {
  return kind === 'totp'
    ? codeOf({ secret })
    : hotpValue({ secret: decodeBase32(secret)!, algorithm: 'sha1', digits: 6 }, 0).toString();
}
