import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { logIn, PAM, type LoginEnd } from '../daemon/pam-login.ts';
import { AS_ROOT, notRun } from '../daemon/stage.ts';
import { useHomes } from './homes.ts';

/* Who may say what about a user's file, and who counts guesses. */

const homes = useHomes();

if (!AS_ROOT) {
  notRun('hosts of several users with files of their own', 'not root');
}

describe.skipIf(!AS_ROOT)('a host that is not root', () => {
  const as = (service: string, person: { name: string; uid: number }, code: string): Promise<LoginEnd> =>
    logIn(homes.stage, person.name, code, { service, uid: person.uid, items: ['RHOST=192.0.2.9'] });

  test('is served with the own file', async () => {
    const person = homes.stage.homePerson('" DISALLOW_REUSE', '" TOTP_AUTH');
    const service = homes.stage.service(
      `socket=${homes.stage.socket('pam')}`,
      `socket=${homes.stage.socket('user')}`,
    );
    const code = person.code();
    expect((await as(service, person, code)).rc).toBe(PAM.success);
    expect((await as(service, person, code)).rc).toBe(PAM.denied);
  });

  test('has no say in whose file counts, what it may be like, and who is not asked', async () => {
    const [person, other] = [homes.stage.homePerson(), homes.stage.homePerson('" TOTP_AUTH', '12345678')];
    const sockets = [`socket=${homes.stage.socket('pam')}`, `socket=${homes.stage.socket('user')}`];
    const service = homes.stage.service(
      ...[...sockets, `secret=${homes.stage.stateFile(other)}`, `user=${other.uid}`, 'nullok'],
      ...['allowed_perm=0777', 'no_strict_owner', 'grace_period=3600'],
    );
    expect((await as(service, person, '12345678')).rc).toBe(PAM.denied);
    expect((await as(service, person, person.code())).rc).toBe(PAM.success);
    expect(readFileSync(homes.stage.stateFile(person), 'latin1')).not.toContain('LAST');
    expect((await as(service, person, '12345678')).shown).toHaveLength(1);
  });
});

test('the daemon counts guesses beside the file, and says nothing about it', async () => {
  const person = homes.stage.homePerson('" TOTP_AUTH', '12345678');
  const service = homes.stage.service();
  const from = { service, items: ['RHOST=192.0.2.1'] };
  for (let guess = 0; guess < 3; guess++) {
    expect((await logIn(homes.stage, person.name, person.wrongCode(), from)).rc).toBe(PAM.denied);
  }
  expect(await logIn(homes.stage, person.name, person.code(), from)).toMatchObject({
    rc: PAM.denied,
    shown: ['Verification code: '],
  });
  await homes.daemon.log.waitFor(new RegExp(`for ${person.name} .*rhost=192.0.2.1.*reason=too-many-tries`));
});

test('where it shall not, only the line in the file counts', async () => {
  homes.stage.configure('[throttle]\nhome = false\n');
  await homes.restart();
  const service = homes.stage.service();
  const [free, limited] = [
    homes.stage.homePerson(),
    homes.stage.homePerson('" RATE_LIMIT 2 30', '" TOTP_AUTH'),
  ];
  for (let guess = 0; guess < 5; guess++) {
    expect((await logIn(homes.stage, free.name, free.wrongCode(), { service })).rc).toBe(PAM.denied);
  }
  expect((await logIn(homes.stage, free.name, free.code(), { service })).rc).toBe(PAM.success);
  for (let guess = 0; guess < 2; guess++) {
    expect((await logIn(homes.stage, limited.name, limited.wrongCode(), { service })).shown).toHaveLength(1);
  }
  expect(await logIn(homes.stage, limited.name, limited.code(), { service })).toMatchObject({
    rc: PAM.denied,
    shown: [],
  });
  const stored = homes.stage.person();
  for (let guess = 0; guess < 3; guess++) {
    await logIn(homes.stage, stored.name, stored.wrongCode(), { service });
  }
  expect((await logIn(homes.stage, stored.name, stored.code(), { service })).rc).toBe(PAM.tooManyTries);
});

test('options mean the same for who is in the store', async () => {
  const person = homes.stage.person();
  const service = homes.stage.service('grace_period=60', 'authtok_prompt=Code?', 'echo_verification_code');
  const items = ['RHOST=192.0.2.5'];
  expect(await logIn(homes.stage, person.name, person.code(), { service, items })).toMatchObject({
    rc: PAM.success,
    shown: ['Code?'],
  });
  expect(await logIn(homes.stage, person.name, '', { service, items })).toMatchObject({
    rc: PAM.success,
    shown: [],
  });
  const elsewhere = { service, items: ['RHOST=192.0.2.6'] };
  expect((await logIn(homes.stage, person.name, person.wrongCode(), elsewhere)).rc).toBe(PAM.denied);
});

test('the file that secret= names comes before the store', async () => {
  const person = homes.stage.person();
  homes.stage.writeStateFile(person, `${person.secret}\n" TOTP_AUTH\n12345678\n`);
  const named = homes.stage.service('secret=~/.google_authenticator');
  expect((await logIn(homes.stage, person.name, '12345678', { service: named })).rc).toBe(PAM.success);
  const missing = homes.stage.service('secret=~/.other');
  expect((await logIn(homes.stage, person.name, person.code(), { service: missing })).rc).toBe(PAM.success);
});
