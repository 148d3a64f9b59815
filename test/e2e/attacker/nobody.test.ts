import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TEXTS } from '../../../src/daemon/login/texts.ts';
import { PAM } from '../daemon/pam-login.ts';
import { AS_ROOT, DAEMON_UID, NO_THROTTLE, Stage, type Daemon, type Person } from '../daemon/stage.ts';
import { recordFile } from '../faults/factors.ts';
import { Door, showLog } from '../faults/fault-stage.ts';
import { claimLogin, claimOf, type Claim } from './module-login.ts';

/* Unknown names, invalid records, a missing store: each with `nullok`, and with somebody's right code. */

const NULLOK = { moduleArguments: ['nullok'] };
const LONG_NAME = 300;

let stage: Stage;
let daemon: Daemon;
let door: Door;

beforeAll(async () => {
  stage = await Stage.build();
  stage.configure(NO_THROTTLE);
  daemon = await stage.start();
  door = new Door(stage, 'nullok');
});
afterEach(({ task }) => showLog(daemon, task.result?.state === 'fail'));
afterAll(() => stage.clear());

test('with nullok, unenrolled users are ignored, and enrolled users need the code', async () => {
  const victim = stage.person();
  expect((await door.try(stage.person({ enrolled: false }), '')).rc).toBe(PAM.ignored);
  await door.refuses(victim, victim.wrongCode());
  await door.refuses(victim, '');
  await door.opens(victim, victim.code());
});

describe('names', () => {
  const NAMES: readonly (readonly [string, (name: string) => string])[] = [
    ['in capitals', (name) => name.toUpperCase()],
    ['with a capital', (name) => `E${name.slice(1)}`],
    ['../x', () => '../x'],
    ['a way to the record', (name) => `../enrolments/${name}`],
    ['a way to the record, and an end', (name) => `./${name}.json`],
    ['of 300 bytes', () => 'a'.repeat(LONG_NAME)],
    ['of 300 bytes, beginning well', (name) => name.padEnd(LONG_NAME, 'x')],
    ['with a space', (name) => `${name} `],
    ['with a line end', (name) => `${name}\n`],
    ['percent-encoded', (name) => name.replace('-', '%2D')],
    ['nobody has', () => 'nobody-of-this-name'],
  ];

  test.each(NAMES)('%s: nobody gets in through libpam', async (_what, nameOf) => {
    const victim = stage.person();
    const { rc, shown } = await door.try({ name: nameOf(victim.name) }, victim.code());
    expect({ rc, shown }).toEqual({ rc: PAM.userUnknown, shown: [TEXTS.askForCode] });
    await door.opens(victim, victim.code());
  });

  /** The claims of a host that is root, about the account of this name in passwd. */
  const CLAIMS: readonly (readonly [string, (victim: Person) => Claim, string])[] = [
    ['no canonical name', ({ name, uid }) => ({ user: name, uid }), 'user-unknown'],
    ['an empty one', ({ name, uid }) => ({ user: name, canonicalUser: '', uid }), 'user-unknown'],
    ['no uid', ({ name }) => ({ user: name, canonicalUser: name }), 'user-unknown'],
    ['another uid', ({ name, uid }) => ({ ...claimOf({ name, uid: uid + 1_000_000 }) }), 'denied'],
    ['the uid of root', ({ name }) => claimOf({ name, uid: 0 }), 'denied'],
    [
      'bad UTF-8',
      ({ name, uid }) => ({ ...claimOf({ name, uid }), canonicalUser: Buffer.from(`${name}\xff`, 'latin1') }),
      'user-unknown',
    ],
    [
      'half a character',
      ({ name, uid }) => ({ ...claimOf({ name, uid }), canonicalUser: Buffer.from(`\xc3${name}`, 'latin1') }),
      'user-unknown',
    ],
    ['300 bytes', ({ uid }) => claimOf({ name: 'a'.repeat(LONG_NAME), uid }), 'unavailable'],
    ['300 bytes in Greek', ({ uid }) => claimOf({ name: 'α'.repeat(LONG_NAME / 2), uid }), 'unavailable'],
  ];

  test.each(CLAIMS)('a host that claims %s', async (_what, claimBy, verdict) => {
    const victim = stage.person();
    const claim = { ...claimBy(victim), ...NULLOK };
    expect((await claimLogin(stage, claim, victim.code())).verdict).toBe(verdict);
    expect((await claimLogin(stage, claimOf(victim), victim.code())).verdict).toBe('ok');
  });

  /** Names that passwd could have, and that are not the victim's: with the victim's uid, it is an account that was renamed. */
  const NEIGHBOURS: readonly (readonly [string, (name: string) => string])[] = [
    ['in capitals', (name) => name.toUpperCase()],
    ['../NAME', (name) => `../enrolments/${name}`],
    ['NAME/', (name) => `${name}/`],
    ['NAME.json', (name) => `${name}.json`],
    ['with a byte order mark', (name) => `\ufeff${name}`],
    ['percent-encoded', (name) => name.replace('-', '%2D')],
  ];

  test.each(NEIGHBOURS)('a name that is like that of the victim: %s', async (_what, nameOf) => {
    const victim = stage.person();
    const claim = claimOf({ name: nameOf(victim.name), uid: victim.uid });
    const { verdict, questions } = await claimLogin(stage, claim, victim.code());
    expect({ verdict, questions }).toEqual({ verdict: 'denied', questions: 1 });
    expect((await claimLogin(stage, claimOf(victim), victim.code())).verdict).toBe('ok');
  });

  test("at the users' socket, no claim is trusted, and nobody skips the question", async () => {
    const victim = stage.person();
    const absent = stage.person({ enrolled: false });
    for (const person of [victim, absent]) {
      const seen = await claimLogin(stage, { ...claimOf(person), ...NULLOK }, victim.code(), 'user');
      expect(seen).toMatchObject({ verdict: 'user-unknown', questions: 1 });
    }
  });
});

/** Makes the daemon own a file, so that only its contents matter. */
function give(path: string): void {
  if (AS_ROOT) {
    chownSync(path, DAEMON_UID, DAEMON_UID);
  }
}

function rewrite(path: string, change: (record: Record<string, unknown>) => Record<string, unknown>): void {
  const record = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify(change(record)));
}

describe('an invalid record', () => {
  const BREAKAGES: readonly (readonly [string, (path: string) => void])[] = [
    ['emptied', (path) => truncateSync(path)],
    ['cut', (path) => truncateSync(path, 40)],
    ['of zeros', (path) => writeFileSync(path, Buffer.alloc(512))],
    ['of another uid', (path) => rewrite(path, (record) => ({ ...record, uid: Number(record['uid']) + 1 }))],
    ['of another user', (path) => rewrite(path, (record) => ({ ...record, user: 'somebody' }))],
    ['without a factor', (path) => rewrite(path, (record) => ({ ...record, factors: [] }))],
    ['of another schema', (path) => rewrite(path, (record) => ({ ...record, schema: 2 }))],
    ['with something more', (path) => rewrite(path, (record) => ({ ...record, skip: true }))],
    ['too large', (path) => writeFileSync(path, readFileSync(path, 'utf8').padEnd(160 * 1024 + 1))],
    [
      'a directory',
      (path) => {
        rmSync(path);
        mkdirSync(path);
        give(path);
      },
    ],
    [
      'a pipe',
      (path) => {
        rmSync(path);
        expect(spawnSync('mkfifo', [path]).status).toBe(0);
        give(path);
      },
    ],
  ];

  test.each(BREAKAGES)('%s: its user is denied', async (_what, breakIt) => {
    const victim = stage.person();
    breakIt(recordFile(stage, victim.name));
    await door.refuses(victim, victim.code());
    await door.refuses(victim, '');
  });

  test('an unreadable one: the enrolment is unknown, so nobody gets in', async () => {
    const [victim, linked] = [stage.person(), stage.person()];
    const path = recordFile(stage, victim.name);
    chmodSync(path, 0);
    if (AS_ROOT) {
      chownSync(path, 0, 0);
    }
    await door.cannotCheck(victim, victim.code());
    const other = recordFile(stage, linked.name);
    renameSync(other, `${stage.dir}/elsewhere.json`);
    symlinkSync(`${stage.dir}/elsewhere.json`, other);
    await door.cannotCheck(linked, linked.code());
  });

  test('the record of somebody else under another name', async () => {
    const [victim, thief] = [stage.person(), stage.person()];
    renameSync(recordFile(stage, thief.name), recordFile(stage, victim.name));
    await door.refuses(victim, thief.code());
    await door.refuses(victim, victim.code());
  });
});

describe('a state directory that is not the store', () => {
  let other: Stage;
  let now: Daemon | undefined;
  let victim: Person;
  let absent: Person;

  beforeAll(async () => {
    other = await Stage.build();
    // Counts of attempts outlive a daemon.
    other.configure(NO_THROTTLE);
    now = await other.start();
    victim = other.person();
    absent = other.person({ enrolled: false });
    expect((await new Door(other, 'nullok').try(absent, '')).rc).toBe(PAM.ignored);
  });
  afterEach(({ task }) => showLog(now, task.result?.state === 'fail'));
  afterAll(() => other.clear());

  async function expectNobodyIn(): Promise<void> {
    const here = new Door(other, 'nullok');
    await here.cannotCheck(victim, victim.code());
    await here.cannotCheck(absent, victim.code());
    await here.cannotCheck(absent, '');
    const unknown = await here.try({ name: 'nobody-of-this-name' }, victim.code());
    expect(unknown.rc).toBe(PAM.userUnknown);
  }

  /** Changes the state directory of a daemon, and undoes the change. */
  async function without(name: string, act: () => Promise<void>): Promise<void> {
    const path = `${other.stateDir}/${name}`;
    renameSync(path, `${other.dir}/aside-${name}`);
    try {
      await act();
    } finally {
      rmSync(path, { recursive: true, force: true });
      renameSync(`${other.dir}/aside-${name}`, path);
    }
  }

  test('the marker disappears while the daemon runs', async () => {
    await without('store.json', () =>
      without('enrolments', async () => {
        await expectNobodyIn();
        mkdirSync(`${other.stateDir}/enrolments`);
        give(`${other.stateDir}/enrolments`);
        await expectNobodyIn();
      }),
    );
    await new Door(other).opens(victim, victim.code());
  });

  test('an empty directory in its place, when the daemon starts', async () => {
    await now?.stop();
    const mountPoint = mkdtempSync(`${other.dir}/unmounted-`);
    give(mountPoint);
    now = await other.start('--require-state', '--state-dir', mountPoint);
    expect(now.log.matching(/^<1>The state directory .* holds no store/)).toHaveLength(1);
    await expectNobodyIn();
    await now.stop();
  });

  test('a directory with something else in it, when the daemon starts', async () => {
    const mountPoint = mkdtempSync(`${other.dir}/other-`);
    writeFileSync(`${mountPoint}/README`, 'mount me');
    give(mountPoint);
    now = await other.start('--state-dir', mountPoint);
    expect(now.log.matching(/^<1>The state directory .* holds no store/)).toHaveLength(1);
    await expectNobodyIn();
    await now.stop();
  });
});
