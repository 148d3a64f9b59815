import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { command } from '../harness/daemon.ts';
import { NO_THROTTLE, notRun, type Daemon, type Person, type Stage } from '../daemon/stage.ts';
import { tokenOwner, type TokenOwner } from './factors.ts';
import { Door, reboot, showLog, stageWithStore, untilRetried } from './fault-stage.ts';
import { canMount, SmallDisk } from './small-disk.ts';

/* A state directory on a real file system that is too small, or read-only: a tmpfs that nobody else sees. */

const SIZE = '3m';
const PERIOD = 120;
const WELL_AGAIN = /^<5>The ledger of used codes can be written again/;
const TROUBLE = /^<1>The ledger of used codes cannot be written/;

let stage: Stage;
let daemon: Daemon;
let door: Door;
let token: TokenOwner;
let phones: Person[];
/** The code that each phone shows when the test begins; used codes stay used, whatever the time is later. */
let codes: string[];
let disk: SmallDisk;

describe.runIf(canMount)('a file system of its own', () => {
  beforeEach(async () => {
    stage = await stageWithStore(NO_THROTTLE);
    token = tokenOwner(stage);
    phones = Array.from({ length: 6 }, () => stage.person({ period: PERIOD }));
    codes = phones.map((phone) => phone.code());
    disk = await SmallDisk.under(stage, SIZE);
    daemon = await stage.start();
    door = new Door(stage);
  });
  afterEach(async ({ task }) => {
    showLog(daemon, task.result?.state === 'fail');
    await daemon.stop('SIGKILL');
    disk.close();
    await stage.clear();
  });

  test('full: logins go on in the journal that is there, also after a restart', async () => {
    await disk.fill();
    await door.opens(token, token.code(0));
    await door.opens(phones[0]!, codes[0]!);
    const { status, stderr } = await command(stage, 'add', 'hotp', '--user', phones[0]!.name);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining('The store cannot be written (ENOSPC). Nothing was changed.') as string,
    });
    expect((await command(stage, 'list', '--user', phones[0]!.name)).stdout).not.toContain('hotp');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await daemon.stop(signal);
      daemon = await stage.start();
      await door.refuses(token, token.code(0));
      await door.refuses(phones[0]!, codes[0]!);
    }
    await door.opens(token, token.code(1));
    await door.opens(phones[1]!, codes[1]!);
  });

  test('full, and the journal too: TOTP goes on, counters wait until there is room', async () => {
    expect(await daemon.stop()).toBe(0);
    await disk.fill();
    disk.fillJournal(1);
    daemon = await stage.start();
    await door.opens(token, token.code(0));
    await door.cannotCheck(token, token.code(1));
    expect(daemon.log.matching(TROUBLE)).not.toEqual([]);
    await door.opens(phones[0]!, codes[0]!);
    await daemon.stop('SIGKILL');
    daemon = await stage.start();
    await door.refuses(phones[0]!, codes[0]!);
    await door.opens(phones[1]!, codes[1]!);
    await door.cannotCheck(token, token.code(1));
    const before = daemon.log.matching(WELL_AGAIN).length;
    disk.free();
    await untilRetried();
    await door.opens(token, token.code(1));
    expect(daemon.log.matching(WELL_AGAIN)).toHaveLength(before + 1);
    expect((await command(stage, 'add', 'hotp', '--user', phones[0]!.name)).status).toBe(0);
    reboot(stage);
    await daemon.stop('SIGKILL');
    daemon = await stage.start();
    await door.refuses(phones[0]!, codes[0]!);
    await door.refuses(phones[1]!, codes[1]!);
    await door.refuses(token, token.code(1));
  });

  test('mounted read-only at start: TOTP goes on, counters wait until it can be written', async () => {
    await door.opens(token, token.code(0));
    await door.opens(phones[0]!, codes[0]!);
    await daemon.stop('SIGKILL');
    await disk.remount('ro');
    daemon = await stage.start();
    expect(daemon.log.matching(TROUBLE)).toHaveLength(1);
    await door.refuses(phones[0]!, codes[0]!);
    await door.refuses(token, token.code(0));
    await door.opens(phones[1]!, codes[1]!);
    await door.cannotCheck(token, token.code(1));
    expect((await command(stage, 'add', 'totp', '--user', phones[0]!.name)).stderr).toContain(
      '(EROFS). Nothing was changed',
    );
    await disk.remount('rw');
    await untilRetried();
    await door.opens(token, token.code(1));
    expect(daemon.log.matching(WELL_AGAIN)).toHaveLength(1);
    // The new snapshot contains the codes that were used meanwhile.
    reboot(stage);
    await daemon.stop('SIGKILL');
    daemon = await stage.start();
    await door.refuses(phones[1]!, codes[1]!);
    await door.refuses(token, token.code(1));
  });

  test('mounted read-only while it waits for room: the same', async () => {
    expect(await daemon.stop()).toBe(0);
    await disk.fill();
    disk.fillJournal(0);
    daemon = await stage.start();
    await door.cannotCheck(token, token.code(0));
    await disk.remount('ro');
    await untilRetried();
    await door.opens(phones[2]!, codes[2]!);
    await door.cannotCheck(token, token.code(0));
    await disk.remount('rw');
    disk.free();
    await untilRetried();
    await door.opens(token, token.code(0));
    await door.refuses(phones[2]!, codes[2]!);
  });
});

test.runIf(!canMount)('a file system of its own', () => {
  notRun('small and read-only file systems', 'this needs root, and mounts in a namespace of their own');
});
