import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FRAME_TYPE } from '../../../src/daemon/wire/frame.ts';
import { Log } from '../harness/log.ts';
import { ModuleSocket } from '../daemon/module-socket.ts';
import { PAM } from '../daemon/pam-login.ts';
import { asUser, AS_ROOT, FULL, notRun, PYTHON, Stage, type Daemon, type Person } from '../daemon/stage.ts';
import { sheetOwner, tokenOwner } from '../faults/factors.ts';
import { Door, showLog } from '../faults/fault-stage.ts';
import { claimLogin, claimOf, startOf } from './module-login.ts';

/* The limits, tested from outside. test/e2e/daemon/limits.test.ts tests those of connections and of time. */

/** The limits that docs/explanation/threat-model.md promises, not taken from the source. */
const PER_ORIGIN = 3;
const PER_USER = 10;
const PERIOD_MS = 30_000;
const MAX_ORIGINS = 256;
const MAX_UNKNOWN_USERS = 4_096;
const MAX_USER_LOGINS = 64;
const MAX_USER_LOGINS_PER_UID = 8;
const SIDE_BY_SIDE = 32;
const FIRST_STRANGER = 70_000;
/** Fewer descriptors than connections, but enough to load all modules. */
const DESCRIPTORS = 200;

let stage: Stage;
let daemon: Daemon;
let door: Door;

beforeEach(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
  door = new Door(stage);
});
afterEach(async ({ task }) => {
  showLog(daemon, task.result?.state === 'fail');
  await stage.clear();
});

/** Types a wrong code from an origin. Returns whether it was checked. */
async function checks(person: Person, rhost: string): Promise<boolean> {
  const { verdict } = await claimLogin(stage, { ...claimOf(person), rhost }, person.wrongCode());
  expect(['denied', 'too-many-tries']).toContain(verdict);
  return verdict === 'denied';
}

async function checkedOf(person: Person, origins: readonly string[]): Promise<number> {
  let checked = 0;
  for (const origin of origins) {
    checked += (await checks(person, origin)) ? 1 : 0;
  }
  return checked;
}

function places(count: number, network: string): string[] {
  return Array.from({ length: count }, (_, host) => `${network}.${host >> 8}.${host & 255}`);
}

describe('attempts', () => {
  test(`${PER_ORIGIN} from one place, ${PER_USER} from all`, async () => {
    const person = stage.person();
    expect(
      await checkedOf(
        person,
        Array.from({ length: 6 }, () => 'a'),
      ),
    ).toBe(PER_ORIGIN);
    expect(
      await checkedOf(
        person,
        Array.from({ length: 6 }, () => 'b'),
      ),
    ).toBe(PER_ORIGIN);
    expect(await checkedOf(person, places(30, '10.0'))).toBe(PER_USER - 2 * PER_ORIGIN);
    // Other users are not affected, nor are codes that cannot be guessed.
    const other = stage.person();
    await door.opens(other, other.code(), 'RHOST=a');
  });

  test('throttles an HOTP token like a phone, but not recovery codes', async () => {
    const token = tokenOwner(stage);
    const sheet = sheetOwner(stage);
    for (let time = 0; time < PER_ORIGIN; time += 1) {
      await door.refuses(token, '000000', 'RHOST=a');
      await door.refuses(sheet, 'AAAA-BBBB-CCCC-DDDD', 'RHOST=a');
    }
    expect((await door.try(token, token.code(0), 'RHOST=a')).rc).toBe(PAM.tooManyTries);
    await door.opens(token, token.code(0), 'RHOST=b');
    await door.opens(sheet, sheet.codes[0]!, 'RHOST=a');
  });

  test(`more than ${MAX_ORIGINS} places do not make the count of one forgotten, or that of all`, async () => {
    const person = stage.person();
    expect(await checkedOf(person, ['a', 'a', 'a', 'a'])).toBe(PER_ORIGIN);
    expect(await checkedOf(person, places(MAX_ORIGINS + 50, '10.1'))).toBe(PER_USER - PER_ORIGIN);
    expect(await checkedOf(person, ['a', 'b'])).toBe(0);
  });

  test(`more than ${MAX_UNKNOWN_USERS} names that nobody has do not push out those of users`, async () => {
    const person = stage.person();
    expect(await checkedOf(person, ['a', 'a', 'a', 'a'])).toBe(PER_ORIGIN);
    const names = Array.from({ length: MAX_UNKNOWN_USERS + 100 }, (_, number) => `nobody-${number}`);
    for (let from = 0; from < names.length; from += SIDE_BY_SIDE) {
      const some = names.slice(from, from + SIDE_BY_SIDE);
      const seen = await Promise.all(some.map((user) => claimLogin(stage, { user, rhost: 'a' }, '000000')));
      expect(new Set(seen.map(({ verdict }) => verdict))).toEqual(new Set(['user-unknown']));
    }
    expect(await checks(person, 'a')).toBe(false);
  });

  test('counts guesses at unknown names, too', async () => {
    const verdicts = [];
    for (let time = 0; time < PER_ORIGIN + 1; time += 1) {
      verdicts.push((await claimLogin(stage, { user: 'nobody', rhost: 'a' }, '000000')).verdict);
    }
    expect(verdicts).toEqual(['user-unknown', 'user-unknown', 'user-unknown', 'too-many-tries']);
  });

  test.runIf(AS_ROOT)('a program that is not root does not use up the attempts at a terminal', async () => {
    const person = stage.person();
    const argv = (tty: string): string[] => [
      ...asUser(person.uid),
      `${stage.dir}/pam-client`,
      ...['-d', `${stage.dir}/pam.d`, '-i', `TTY=${tty}`],
      ...[stage.service(`socket=${stage.socket('user')}`), person.name, 'auth'],
    ];
    for (let time = 0; time < 2 * PER_ORIGIN; time += 1) {
      const [program, ...args] = argv('tty1');
      const host = spawn(program!, args, { env: stage.environment, stdio: ['pipe', 'ignore', 'inherit'] });
      const ended = new Promise((resolve) => host.on('close', resolve));
      host.stdin.end(`${person.wrongCode()}\n`);
      await ended;
    }
    expect(daemon.log.matching(/reason=too-many-tries/)).toHaveLength(PER_ORIGIN);
    await door.opens(person, person.code(), 'TTY=tty1');
  });

  test.runIf(FULL)(
    `after ${PERIOD_MS / 1000} s it is over, and what was held back meanwhile does not prolong it`,
    async () => {
      const person = stage.person({ period: 120 });
      expect(
        await checkedOf(
          person,
          Array.from({ length: PER_ORIGIN }, () => 'a'),
        ),
      ).toBe(PER_ORIGIN);
      const since = performance.now();
      while (performance.now() - since < PERIOD_MS - 1_000) {
        expect(await checks(person, 'a')).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await door.opens(person, person.code(), 'RHOST=a');
    },
  );
});

describe('connections', () => {
  /** Keeps connections of a uid open, and prints how many of them get a question. */
  const KEEPER = `
import socket, sys
held = []
for _ in range(int(sys.argv[2])):
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(5)
    one.connect(sys.argv[1])
    try:
        one.send(bytes.fromhex(sys.argv[3]))
        if one.recv(3)[2:3] == b"\\x81":
            held.append(one)
    except OSError:
        pass
print(len(held), flush=True)
sys.stdin.read()
`;

  test.runIf(AS_ROOT)(`${MAX_USER_LOGINS} at the socket for everybody, of all uids together`, async () => {
    const keepers: ChildProcess[] = [];
    const counts: number[] = [];
    const start = startOf(claimOf(stage.person())).toString('hex');
    const uids = MAX_USER_LOGINS / MAX_USER_LOGINS_PER_UID + 2;
    try {
      for (let number = 0; number < uids; number += 1) {
        const argv = [...asUser(FIRST_STRANGER + number), PYTHON, '-c', KEEPER, stage.socket('user')];
        const more = [String(MAX_USER_LOGINS_PER_UID + 2), start];
        const keeper = spawn(argv[0]!, [...argv.slice(1), ...more], { stdio: ['pipe', 'pipe', 'inherit'] });
        keepers.push(keeper);
        counts.push(Number((await new Log('keeper', keeper.stdout).waitFor(/\d/))[0]));
      }
      const full = Array.from({ length: uids - 2 }, () => MAX_USER_LOGINS_PER_UID);
      expect(counts).toEqual([...full, 0, 0]);
      const person = stage.person();
      await door.opens(person, person.code());
    } finally {
      keepers.forEach((keeper) => keeper.kill());
    }
  });

  test('no descriptors left: it waits for some, and goes on', async () => {
    expect(await daemon.stop()).toBe(0);
    stage.around = ['prlimit', `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`, '--'];
    daemon = await stage.start();
    const person = stage.person();
    const start = startOf(claimOf(person));
    const open: ModuleSocket[] = [];
    while (open.length < DESCRIPTORS) {
      const login = (await ModuleSocket.connect(stage.socket('pam'))).send(start);
      open.push(login);
      if (open.length < DESCRIPTORS / 2) {
        await login.next(); // the last ones wait to be accepted; this many may wait
      }
    }
    await daemon.log.waitFor(/Cannot accept a connection: EMFILE/);
    // At most ten times a second, so it does not fill the log.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(daemon.log.matching(/EMFILE/).length).toBeLessThan(15);
    await Promise.all(open.map((login) => login.close()));
    await door.opens(person, person.code());
    expect((await (await ModuleSocket.connect(stage.socket('pam'))).send(start).next())?.type).toBe(
      FRAME_TYPE.prompt,
    );
  });
});

if (!AS_ROOT) {
  notRun('limits of other users', 'this needs root');
}
