import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';
import { logIn, PAM, type LoginEnd } from '../daemon/pam-login.ts';
import { Stage, type Daemon, type Person } from '../daemon/stage.ts';

/* What is no user without a file, though none is found: with nullok it must open nothing. */

let stage: Stage;
let daemon: Daemon;
let service: string;
beforeAll(async () => {
  stage = await Stage.build({ withFiles: true });
  daemon = await stage.start();
  service = stage.service('nullok');
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    console.log(`The daemon's log:\n${daemon.log.lines.slice(-20).join('\n')}`);
  }
});
afterAll(() => stage.clear());

const enter = (person: Person, code = person.code()): Promise<LoginEnd> =>
  logIn(stage, person.name, code, { service });
const home = ({ name }: Person): string => `${stage.homes}/${name}`;
const ASKED = ['Verification code: '];

/** Somebody whose home was seen, and is not mounted now: in its place is the directory under it. */
async function unmounted(): Promise<Person> {
  const person = stage.homePerson();
  expect((await enter(person)).rc).toBe(PAM.success);
  renameSync(home(person), `${home(person)}.away`);
  return person;
}

test('a home that is not mounted is not one without a file, also after a restart of the daemon', async () => {
  const person = await unmounted();
  expect(await enter(person)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  mkdirSync(home(person));
  expect(await enter(person)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  await daemon.stop();
  daemon = await stage.start();
  expect(await enter(person)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  await daemon.log.waitFor(/reason=unavailable why=".*is missing.*pve-google-authenticator forget/);
  rmSync(home(person), { recursive: true });
  renameSync(`${home(person)}.away`, home(person));
  expect((await enter(person)).rc).toBe(PAM.success);
});

test('who deletes the file is without one, where nothing else has changed', async () => {
  const person = stage.homePerson();
  expect((await enter(person)).rc).toBe(PAM.success);
  rmSync(stage.stateFile(person));
  expect(await enter(person)).toMatchObject({ rc: PAM.ignored, shown: [] });
});

test('root says that it was deleted: forget', async () => {
  const person = await unmounted();
  expect((await enter(person)).rc).toBe(PAM.systemError);
  const forget = [
    process.execPath,
    `${CHECKOUT}/dist/cli/main.js`,
    '--runtime-dir',
    stage.runtimeDir,
    'forget',
  ];
  expect(await run([...forget, person.name])).toMatchObject({ status: 0, stderr: '' });
  expect(await enter(person)).toMatchObject({ rc: PAM.ignored, shown: [] });
});

test('a link that leads nowhere is a file that cannot be found', async () => {
  const person = stage.person({ enrolled: false });
  symlinkSync('nowhere', stage.stateFile(person));
  expect(await enter(person, '123456')).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  await daemon.log.waitFor(new RegExp(`for ${person.name} .*leads nowhere`));
});

test('without the reader nobody is without a file; the store goes on', async () => {
  const [nobody, owner, stored] = [stage.person({ enrolled: false }), stage.homePerson(), stage.person()];
  await stage.stopReader();
  expect(await enter(nobody, '123456')).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  expect(await enter(owner)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  expect((await enter(stored)).rc).toBe(PAM.success);
  await stage.startReader();
  expect((await enter(nobody)).rc).toBe(PAM.ignored);
  expect((await enter(owner)).rc).toBe(PAM.success);
});
