import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';
import { logIn, PAM, type LoginEnd } from '../daemon/pam-login.ts';
import type { Person } from '../daemon/stage.ts';
import { useHomes } from './homes.ts';

/* What is no user without a file, though none is found: with nullok it must open nothing. */

const homes = useHomes();
let service: string;
beforeAll(() => {
  service = homes.stage.service('nullok');
});

const enter = (person: Person, code = person.code()): Promise<LoginEnd> =>
  logIn(homes.stage, person.name, code, { service });
const home = ({ name }: Person): string => `${homes.stage.homes}/${name}`;
const ASKED = ['Verification code: '];

/** Somebody whose home was seen, and is not mounted now: in its place is the directory under it. */
async function unmounted(): Promise<Person> {
  const person = homes.stage.homePerson();
  expect((await enter(person)).rc).toBe(PAM.success);
  renameSync(home(person), `${home(person)}.away`);
  return person;
}

test('a home that is not mounted is not one without a file, also after a restart of the daemon', async () => {
  const person = await unmounted();
  expect(await enter(person)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  mkdirSync(home(person));
  expect(await enter(person)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  await homes.restart();
  expect(await enter(person)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  await homes.daemon.log.waitFor(/reason=unavailable why=".*is missing.*pve-google-authenticator forget/);
  rmSync(home(person), { recursive: true });
  renameSync(`${home(person)}.away`, home(person));
  expect((await enter(person)).rc).toBe(PAM.success);
});

test('who deletes the file is without one, where nothing else has changed', async () => {
  const person = homes.stage.homePerson();
  expect((await enter(person)).rc).toBe(PAM.success);
  rmSync(homes.stage.stateFile(person));
  expect(await enter(person)).toMatchObject({ rc: PAM.ignored, shown: [] });
});

test('root says that it was deleted: forget', async () => {
  const person = await unmounted();
  expect((await enter(person)).rc).toBe(PAM.systemError);
  const forget = [
    process.execPath,
    `${CHECKOUT}/dist/command/main.js`,
    '--runtime-dir',
    homes.stage.runtimeDir,
    'forget',
    '--yes',
    '--user',
  ];
  expect(await run([...forget, person.name])).toMatchObject({ status: 0, stderr: '' });
  expect(await enter(person)).toMatchObject({ rc: PAM.ignored, shown: [] });
});

test('a link that leads nowhere is a file that cannot be found', async () => {
  const person = homes.stage.person({ enrolled: false });
  symlinkSync('nowhere', homes.stage.stateFile(person));
  expect(await enter(person, '123456')).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  await homes.daemon.log.waitFor(new RegExp(`for ${person.name} .*leads nowhere`));
});

test('without the reader nobody is without a file; the store goes on', async () => {
  const [nobody, owner, stored] = [
    homes.stage.person({ enrolled: false }),
    homes.stage.homePerson(),
    homes.stage.person(),
  ];
  await homes.stage.stopReader();
  expect(await enter(nobody, '123456')).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  expect(await enter(owner)).toMatchObject({ rc: PAM.systemError, shown: ASKED });
  expect((await enter(stored)).rc).toBe(PAM.success);
  await homes.stage.startReader();
  expect((await enter(nobody)).rc).toBe(PAM.ignored);
  expect((await enter(owner)).rc).toBe(PAM.success);
});
