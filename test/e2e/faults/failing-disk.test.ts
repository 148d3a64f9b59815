import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { command } from '../harness/daemon.ts';
import { PAM } from '../daemon/pam-login.ts';
import { AS_ROOT, NO_THROTTLE, notRun, type Daemon, type Person, type Stage } from '../daemon/stage.ts';
import { Crowd } from './crowd.ts';
import { recordFile, sheetOwner, tokenOwner, type SheetOwner, type TokenOwner } from './factors.ts';
import { failingSyncs, FaultDisk, FAULTS, type Fault } from './fault-disk.ts';
import { Door, reboot, showLog, stageWithStore, untilRetried } from './fault-stage.ts';

/*
 * The disk under the running daemon fails, in several ways. Logins go on as far as possible, no code works twice even if all
 * unsynced data is lost, and everything recovers after the fault.
 */

const TROUBLE = /^<1>The ledger of used codes cannot be written/;
const WELL_AGAIN = /^<5>The ledger of used codes can be written again/;
/** Codes must stay valid during the whole test. */
const PERIOD = 120;
const PHONES = 6;
const CROWD = 16;
/** Syncs of a commit, of a new journal and of a snapshot. */
const SYNCS = 6;

/** A code with its owner. */
type Used = readonly [Person | TokenOwner | SheetOwner, string];

/** A machine with a failing disk, and the codes that were used on it. */
class Scene {
  readonly stage: Stage;
  readonly disk: FaultDisk;
  readonly door: Door;
  readonly token: TokenOwner;
  readonly sheet: SheetOwner;
  readonly phones: readonly Person[];
  /** Codes that let somebody in. */
  readonly used: Used[] = [];
  #daemon: Daemon | undefined;

  private constructor(stage: Stage, people: Pick<Scene, 'token' | 'sheet' | 'phones'>, disk: FaultDisk) {
    this.stage = stage;
    this.disk = disk;
    this.door = new Door(stage);
    ({ token: this.token, sheet: this.sheet, phones: this.phones } = people);
  }

  static async set(): Promise<Scene> {
    const stage = await stageWithStore(NO_THROTTLE);
    const token = tokenOwner(stage);
    const sheet = sheetOwner(stage);
    const phones = Array.from({ length: PHONES }, () => stage.person({ period: PERIOD }));
    return new Scene(stage, { token, sheet, phones }, await FaultDisk.under(stage));
  }

  get daemon(): Daemon {
    return this.#daemon!;
  }

  async start(): Promise<void> {
    this.#daemon = await this.stage.start();
  }

  async clear(failed: boolean): Promise<void> {
    showLog(this.#daemon, failed);
    this.disk.close();
    await this.stage.clear();
  }

  /** Somebody logs in with an unused code. */
  async use(...[person, code]: Used): Promise<void> {
    await this.door.opens(person, code);
    this.used.push([person, code]);
  }

  async refusesAllUsed(): Promise<void> {
    for (const [person, code] of this.used) {
      await this.door.refuses(person, code);
    }
  }

  async powerCut(): Promise<void> {
    await this.daemon.stop('SIGKILL');
    this.disk.loseUnsynced();
    await this.start();
  }

  /** The steps of a test: before the fault, during it, and the expectations. */
  async failWith(fault: Fault): Promise<void> {
    const { token, sheet, phones, disk, door, daemon } = this;
    await this.use(phones[0]!, phones[0]!.code());
    await this.use(token, token.code(0));
    await this.use(sheet, sheet.codes[0]!);
    expect(daemon.log.matching(TROUBLE)).toEqual([]);
    disk.fail(fault);
    await this.use(phones[1]!, phones[1]!.code());
    expect(disk.faults).toBeGreaterThan(0);
    expect(daemon.log.matching(TROUBLE)).toHaveLength(1);
    await door.cannotCheck(token, token.code(1));
    await door.cannotCheck(sheet, sheet.codes[1]!);
    await this.use(phones[2]!, phones[2]!.code());
    await door.refuses(phones[3]!, phones[3]!.wrongCode());
    await this.refusesAllUsed();
  }

  /** Counters work again, with the codes that were refused during the fault. */
  async expectWell(): Promise<void> {
    const { token, sheet, phones } = this;
    await untilRetried();
    await this.use(token, token.code(1));
    await this.use(sheet, sheet.codes[1]!);
    await this.use(phones[3]!, phones[3]!.code());
    await this.refusesAllUsed();
  }
}

/** Most of the time is spent waiting, so these run side by side. */
function play(name: string, act: (scene: Scene) => Promise<void>): void {
  test.concurrent(name, async () => {
    const scene = await Scene.set();
    let failed = true;
    try {
      await scene.start();
      await act(scene);
      failed = false;
    } finally {
      await scene.clear(failed);
    }
  });
}

describe.each(FAULTS)('%s', (_name, fault) => {
  play('TOTP goes on, counters wait; all is well when it is over, without a restart', async (scene) => {
    const { disk, token, stage, daemon } = scene;
    await scene.failWith(fault);
    expect(daemon.log.matching(WELL_AGAIN)).toEqual([]);
    disk.heal();
    await scene.expectWell();
    expect(daemon.log.matching(WELL_AGAIN)).toHaveLength(1);
    expect(daemon.log.matching(TROUBLE)).toHaveLength(1);
    // All of it is on the disk, also what was used meanwhile.
    reboot(stage);
    await scene.powerCut();
    await scene.refusesAllUsed();
    await scene.use(token, token.code(2));
  });

  play('killed meanwhile, and started again on what is really on the disk', async (scene) => {
    const { disk, door, token, phones } = scene;
    await scene.failWith(fault);
    await scene.powerCut();
    await scene.refusesAllUsed();
    await scene.use(phones[4]!, phones[4]!.code());
    await door.cannotCheck(token, token.code(1));
    disk.heal();
    await scene.expectWell();
    await scene.powerCut();
    await scene.refusesAllUsed();
    await scene.use(token, token.code(2));
  });

  play('killed meanwhile, and started again on what was written', async (scene) => {
    const { disk, token, sheet, phones } = scene;
    await scene.failWith(fault);
    await scene.daemon.stop('SIGKILL');
    await scene.start();
    await scene.refusesAllUsed();
    await scene.use(phones[4]!, phones[4]!.code());
    disk.heal();
    await untilRetried();
    // Earlier codes may be used up, because they were written, though not synced.
    await scene.use(token, token.code(2));
    await scene.use(sheet, sheet.codes[2]!);
    await scene.refusesAllUsed();
  });

  play('a crowd meanwhile: TOTP goes on for each, one code lets one in, counters wait', async (scene) => {
    const { stage, disk, token, phones } = scene;
    const crowd = await Crowd.gather(stage);
    const service = stage.service();
    disk.fail(fault);
    const [person, ...others] = phones;
    const code = person!.code();
    const same = Array.from({ length: CROWD }, () => [person!, code] as const);
    const { rc } = await crowd.logIn(service, same);
    expect(rc.toSorted((a, b) => a - b)).toEqual([PAM.success, ...rcs(CROWD - 1, PAM.denied)]);
    const different = others.map((other) => [other, other.code()] as const);
    const tokens = Array.from({ length: CROWD }, () => [token, token.code(0)] as const);
    const outcome = await crowd.logIn(service, [...different, ...tokens]);
    expect(outcome.rc.slice(0, different.length)).toEqual(rcs(different.length, PAM.success));
    const refused = outcome.rc.slice(different.length);
    // While one of them waits for the disk, the code counts as used up.
    expect(refused.filter((one) => one !== PAM.systemError && one !== PAM.denied)).toEqual([]);
    expect(refused).toContain(PAM.systemError);
    scene.used.push([person!, code], ...different);
    await scene.powerCut();
    await scene.refusesAllUsed();
    disk.heal();
    await untilRetried();
    await scene.use(token, token.code(0));
  });

  play('a factor cannot be added or removed: the command says so, nothing is changed', async (scene) => {
    if (!AS_ROOT) {
      notRun('the command on a disk that fails', 'this needs root');
      return;
    }
    const { stage, disk, door, phones } = scene;
    const [person] = phones;
    const before = readFileSync(recordFile(stage, person!.name));
    const newcomer = stage.person({ enrolled: false });
    disk.fail(fault);
    for (const argv of [
      ['add', 'totp', '--user', person!.name],
      ['add', 'hotp', '--user', person!.name],
      ['add', 'recovery', '--user', person!.name],
      ['add', 'totp', '--user', newcomer.name],
    ]) {
      const { status, stdout, stderr } = await command(stage, ...argv);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(
        /^pve-google-authenticator: The store cannot be written.* Nothing was changed\.$/m,
      );
    }
    expect(readFileSync(recordFile(stage, person!.name))).toEqual(before);
    await door.opens(person!, person!.code());
    disk.heal();
    expect(await factorsOf(stage, person!)).toEqual(['phone']);
    expect(await factorsOf(stage, newcomer)).toEqual([]);
    expect((await command(stage, 'add', 'totp', '--user', newcomer.name)).status).toBe(0);
    await scene.powerCut();
    expect(await factorsOf(stage, newcomer)).toEqual(['phone']);
  });
});

function rcs(count: number, rc: number): number[] {
  return Array.from({ length: count }, () => rc);
}

async function factorsOf(stage: Stage, { name }: Person): Promise<string[]> {
  const { stdout } = await command(stage, 'list', '--user', name, '--json');
  const [view] = JSON.parse(stdout) as [{ factors: { name: string }[] }];
  return view.factors.map((factor) => factor.name);
}

describe('one sync fails, and the next one works', () => {
  play('a login is put into a new snapshot, never behind what failed', async (scene) => {
    const { disk, daemon, token, sheet } = scene;
    await scene.use(token, token.code(0));
    for (const counter of [1, 2, 3]) {
      disk.fail(failingSyncs(1));
      await scene.use(token, token.code(counter));
      expect(disk.faults).toBe(1);
      expect(daemon.log.matching(TROUBLE)).toHaveLength(counter);
      expect(daemon.log.matching(WELL_AGAIN)).toHaveLength(counter);
      await scene.use(sheet, sheet.codes[counter]!);
    }
    await scene.powerCut();
    await scene.refusesAllUsed();
    await scene.use(token, token.code(4));
  });

  for (let first = 0; first < SYNCS; first += 1) {
    play(`two syncs fail after ${first}: whoever is let in is not let in again`, async (scene) => {
      const { disk, door, token } = scene;
      // The first fault causes the new journal and snapshot.
      disk.fail(failingSyncs(1));
      await scene.use(token, token.code(0));
      disk.fail(failingSyncs(2, first));
      for (let counter = 1; counter < 4; counter += 1) {
        const { rc } = await door.try(token, token.code(counter));
        if (rc === PAM.success) {
          scene.used.push([token, token.code(counter)]);
        }
        await untilRetried();
      }
      await scene.powerCut();
      await scene.refusesAllUsed();
      disk.heal();
      await untilRetried();
      await scene.use(token, token.code(5));
    });
  }

  play('a factor is added in full or not at all, or the command does not know', async (scene) => {
    if (!AS_ROOT) {
      return;
    }
    const { stage, disk } = scene;
    const person = scene.phones[0]!;
    const said = [];
    for (const first of [0, 1, 2]) {
      const before = await factorsOf(stage, person);
      disk.fail(failingSyncs(1, first));
      const { status, stderr } = await command(
        stage,
        'add',
        'totp',
        '--user',
        person.name,
        '--name',
        `n${first}`,
      );
      disk.heal();
      said.push(status === 0 ? 'added' : /Nothing was changed|may be lost/.exec(stderr)?.[0]);
      const changed = !stderr.includes('Nothing was changed');
      expect(await factorsOf(stage, person), stderr).toEqual([...before, ...(changed ? [`n${first}`] : [])]);
    }
    expect(said).toEqual(['Nothing was changed', 'may be lost', 'added']);
  });
});
