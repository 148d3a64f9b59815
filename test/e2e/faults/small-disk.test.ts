import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeBatch, HEADER_BYTES, scanJournal } from '../../../src/ledger/batch.ts';
import { ENTRY_BYTES } from '../../../src/ledger/entry.ts';
import { command } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { run, runWell } from '../harness/run.ts';
import { AS_ROOT, NO_THROTTLE, notRun, type Daemon, type Person, type Stage } from '../daemon/stage.ts';
import { tokenOwner, type TokenOwner } from './factors.ts';
import { Door, reboot, showLog, stageWithStore, untilRetried } from './fault-stage.ts';

/* A state directory on a real file system that is too small, or read-only: a tmpfs that nobody else sees. */

const SIZE = '3m';
const PERIOD = 120;
const WELL_AGAIN = /^<5>The ledger of used codes can be written again/;
const TROUBLE = /^<1>The ledger of used codes cannot be written/;

const canMount =
  AS_ROOT && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

let stage: Stage;
let daemon: Daemon;
let door: Door;
let token: TokenOwner;
let phones: Person[];
/** The code that each phone shows when the test begins: what was used stays used, whatever time it is then. */
let codes: string[];
/** A process that keeps the mount. */
let holder: ChildProcess;
/** The state directory, as those see it who do not see the mount. */
let mounted: string;

describe.runIf(canMount)('a file system of its own', () => {
  beforeEach(async () => {
    stage = await stageWithStore(NO_THROTTLE);
    token = tokenOwner(stage);
    phones = Array.from({ length: 6 }, () => stage.person({ period: PERIOD }));
    codes = phones.map((phone) => phone.code());
    await mountState();
    daemon = await stage.start();
    door = new Door(stage);
  });
  afterEach(async ({ task }) => {
    showLog(daemon, task.result?.state === 'fail');
    await daemon.stop('SIGKILL');
    holder.kill();
    await stage.clear();
  });

  /** Moves the state directory onto a small file system, for the daemons that start from now on. */
  async function mountState(): Promise<void> {
    const script = `cp -a "$1" "$1.copy" && mount -t tmpfs -o size=${SIZE} none "$1" &&
      cp -a "$1.copy/." "$1" && chown --reference="$1.copy" "$1" && chmod 700 "$1" && echo mounted && exec cat`;
    holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', stage.stateDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Log('holder', holder.stdout!).waitFor(/mounted/);
    // The root, too: in the box it is not the name space's own.
    stage.around = ['nsenter', `--target=${holder.pid!}`, '--mount', '--root', '--wd', '--'];
    mounted = `/proc/${holder.pid!}/root${stage.stateDir}`;
  }

  async function remount(option: 'ro' | 'rw'): Promise<void> {
    await runWell([...stage.around, 'mount', '-o', `remount,${option}`, stage.stateDir]);
  }

  /** Fills the disk to its last byte. */
  async function fill(): Promise<void> {
    const { stderr } = await run(['dd', 'if=/dev/zero', `of=${mounted}/ballast`, 'bs=4096']);
    expect(stderr).toMatch(/No space left/);
  }

  /** Leaves room for so many more commits in the journal of a daemon that does not run. */
  function fillJournal(room: number): void {
    const { status, stdout } = spawnSync('sh', ['-c', `ls ${mounted}/ledger/journal.*`], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    const [path] = stdout.trim().split('\n');
    const generation = Number(path!.replace(/.*\./, ''));
    const file = readFileSync(path!);
    let { end, sequence } = scanJournal(file, generation);
    const entry = { key: 'f'.repeat(32), value: 1, at: 1 };
    for (; end + (room + 1) * (HEADER_BYTES + ENTRY_BYTES) <= file.length; sequence += 1) {
      const batch = encodeBatch(generation, sequence + 1, [entry]);
      batch.copy(file, end);
      end += batch.length;
    }
    writeFileSync(path!, file);
  }

  test('full: logins go on in the journal that is there, also after a restart', async () => {
    await fill();
    await door.opens(token, token.code(0));
    await door.opens(phones[0]!, codes[0]!);
    const { status, stderr } = await command(stage, 'add', 'hotp', phones[0]!.name);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining('The store cannot be written (ENOSPC). Nothing was changed.') as string,
    });
    expect((await command(stage, 'list', phones[0]!.name)).stdout).not.toContain('hotp');
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
    await fill();
    fillJournal(1);
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
    rmSync(`${mounted}/ballast`);
    await untilRetried();
    await door.opens(token, token.code(1));
    expect(daemon.log.matching(WELL_AGAIN)).toHaveLength(before + 1);
    expect((await command(stage, 'add', 'hotp', phones[0]!.name)).status).toBe(0);
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
    await remount('ro');
    daemon = await stage.start();
    expect(daemon.log.matching(TROUBLE)).toHaveLength(1);
    await door.refuses(phones[0]!, codes[0]!);
    await door.refuses(token, token.code(0));
    await door.opens(phones[1]!, codes[1]!);
    await door.cannotCheck(token, token.code(1));
    expect((await command(stage, 'add', 'totp', phones[0]!.name)).stderr).toContain(
      '(EROFS). Nothing was changed',
    );
    await remount('rw');
    await untilRetried();
    await door.opens(token, token.code(1));
    expect(daemon.log.matching(WELL_AGAIN)).toHaveLength(1);
    // What was used meanwhile is in the new snapshot.
    reboot(stage);
    await daemon.stop('SIGKILL');
    daemon = await stage.start();
    await door.refuses(phones[1]!, codes[1]!);
    await door.refuses(token, token.code(1));
  });

  test('mounted read-only while it waits for room: the same', async () => {
    expect(await daemon.stop()).toBe(0);
    await fill();
    fillJournal(0);
    daemon = await stage.start();
    await door.cannotCheck(token, token.code(0));
    await remount('ro');
    await untilRetried();
    await door.opens(phones[2]!, codes[2]!);
    await door.cannotCheck(token, token.code(0));
    await remount('rw');
    rmSync(`${mounted}/ballast`);
    await untilRetried();
    await door.opens(token, token.code(0));
    await door.refuses(phones[2]!, codes[2]!);
  });
});

test.runIf(!canMount)('a file system of its own', () => {
  notRun('small and read-only file systems', 'this needs root, and mounts in a namespace of their own');
});
