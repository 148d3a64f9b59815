import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import { TEXTS } from '../../../src/daemon/login/texts.ts';
import { logIn, PAM, type LoginEnd } from '../daemon/pam-login.ts';
import { Stage, type Daemon, type StageOptions } from '../daemon/stage.ts';
import type { Account } from './factors.ts';

/** After a fault it is tried again after a second: RETRY_SECONDS of the ledger. */
const RETRY_MS = 1_100;

/** A stage with a store, whose daemon does not run yet. Marks can be kept in its runtime directory. */
export async function stageWithStore(configuration: string, options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.build(options);
  stage.configure(configuration);
  const daemon = await stage.start();
  expect(await daemon.stop()).toBe(0);
  return stage;
}

/** What a boot does to /run. */
export function reboot(stage: Stage): void {
  rmSync(`${stage.runtimeDir}/volatile`, { recursive: true });
  stage.makeVolatile();
}

/** Waits until the ledger would try the disk again. */
export function untilRetried(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

/** Logins through the module, with their expected results. */
export class Door {
  readonly #stage: Stage;
  readonly #service: string;

  /**
   * @param stage - where
   * @param args - arguments of the module
   */
  constructor(stage: Stage, ...args: readonly string[]) {
    this.#stage = stage;
    this.#service = stage.service(...args);
  }

  /** The result of a login. */
  try({ name }: Pick<Account, 'name'>, code: string, ...items: readonly string[]): Promise<LoginEnd> {
    return logIn(this.#stage, name, code, { service: this.#service, items });
  }

  /** The code is right, and was not used before. */
  async opens(account: Pick<Account, 'name'>, code: string, ...items: readonly string[]): Promise<void> {
    expect((await this.try(account, code, ...items)).rc, `${account.name} gets in`).toBe(PAM.success);
  }

  /** The code is wrong, or used up. */
  async refuses(account: Pick<Account, 'name'>, code: string, ...items: readonly string[]): Promise<void> {
    expect((await this.try(account, code, ...items)).rc, `${account.name} is refused`).toBe(PAM.denied);
  }

  /** The code cannot be checked, and the person is told so. */
  async cannotCheck(account: Pick<Account, 'name'>, code: string): Promise<void> {
    const { rc, shown } = await this.try(account, code);
    expect({ rc, shown }, account.name).toEqual({
      rc: PAM.systemError,
      shown: [TEXTS.askForCode, TEXTS.unavailable],
    });
  }
}

/** Shows the end of the log of a test that failed. */
export function showLog(daemon: Daemon | undefined, failed: boolean): void {
  if (failed) {
    console.log(`The daemon's log:\n${daemon?.log.lines.slice(-40).join('\n') ?? 'no daemon'}`);
  }
}
