import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { logIn, PAM } from '../daemon/pam-login.ts';
import type { Person } from '../daemon/stage.ts';
import { useHomes } from './homes.ts';

const homes = useHomes();
let service: string;
beforeAll(() => {
  service = homes.stage.service('nullok');
});

const fileOf = (person: Person): string => readFileSync(homes.stage.stateFile(person), 'latin1');

describe('a user with ~/.google_authenticator', () => {
  test('logs in with the code of now, once', async () => {
    const person = homes.stage.homePerson('" DISALLOW_REUSE', '" TOTP_AUTH');
    const code = person.code();
    expect(await logIn(homes.stage, person.name, code, { service })).toMatchObject({
      rc: PAM.success,
      shown: ['Verification code: '],
    });
    expect(fileOf(person)).toMatch(/^" DISALLOW_REUSE \d+$/m);
    expect(await logIn(homes.stage, person.name, code, { service })).toMatchObject({ rc: PAM.denied });
    await homes.daemon.log.waitFor(new RegExp(`Accepted .* for ${person.name} .*factor=home:totp`));
    await homes.daemon.log.waitFor(new RegExp(`for ${person.name} .*reason=code-already-used`));
  });

  test('logs in with a scratch code, which is gone then', async () => {
    const person = homes.stage.homePerson('" TOTP_AUTH', '12345678', '23456789');
    expect((await logIn(homes.stage, person.name, '23456789', { service })).rc).toBe(PAM.success);
    expect(fileOf(person)).toBe(`${person.secret}\n" TOTP_AUTH\n12345678\n`);
    expect((await logIn(homes.stage, person.name, '23456789', { service })).rc).toBe(PAM.denied);
  });

  test('logs in with a counter-based code', async () => {
    const person = homes.stage.homePerson('" HOTP_COUNTER 3');
    expect((await logIn(homes.stage, person.name, person.counterCode(4), { service })).rc).toBe(PAM.success);
    expect(fileOf(person)).toContain('" HOTP_COUNTER 5\n');
    expect((await logIn(homes.stage, person.name, person.counterCode(4), { service })).rc).toBe(PAM.denied);
    expect(fileOf(person)).toContain('" HOTP_COUNTER 6\n');
  });

  test('is not let in by a wrong code, and told nothing', async () => {
    const person = homes.stage.homePerson();
    expect(await logIn(homes.stage, person.name, person.wrongCode(), { service })).toMatchObject({
      rc: PAM.denied,
      shown: ['Verification code: '],
    });
  });
});

test('with nullok, whoever has no file is not asked', async () => {
  const person = homes.stage.person({ enrolled: false });
  expect(await logIn(homes.stage, person.name, '', { service })).toMatchObject({
    rc: PAM.ignored,
    shown: [],
  });
});

test('the store comes before the file', async () => {
  const person = homes.stage.person();
  homes.stage.writeStateFile(person, `${person.secret}\n" TOTP_AUTH\n12345678\n`);
  expect((await logIn(homes.stage, person.name, '12345678', { service })).rc).toBe(PAM.denied);
  expect((await logIn(homes.stage, person.name, person.code(), { service })).rc).toBe(PAM.success);
});
