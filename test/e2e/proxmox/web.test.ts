import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NO_THROTTLE, Stage, type Daemon } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf, wrongCodeOf } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { newAccount } from '../harness/person.ts';
import { run, runWell, type Ended } from '../harness/run.ts';
import { entry, PASSKEY } from './proxmox-stage.ts';

/* A client that behaves like Proxmox's daemon at a login: three at once, like its workers. */

const PVE = 'proxmox-ve-auth';
const PBS = 'proxmox-backup-auth';
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const URI = `otpauth://totp/x?secret=${SECRET}`;
const app = { secret: SECRET };

interface Somebody {
  readonly name: string;
  readonly password: string;
}

let stage: Stage;
let daemon: Daemon;

async function begin(web: string): Promise<void> {
  stage = await Stage.build({ withProxmox: true });
  stage.configure(`proxmox.web = "${web}"\n${NO_THROTTLE}`);
  daemon = await stage.start();
  for (const service of [PVE, PBS]) {
    writeFileSync(
      `/etc/pam.d/${service}`,
      [
        `auth required ${stage.dir}/pam_pve_authenticator.so socket=${stage.socket('pam')} forward_pass nullok`,
        'auth required pam_unix.so try_first_pass',
        'account required pam_unix.so',
        '',
      ].join('\n'),
    );
  }
}

afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    console.log(`The daemon's log:\n${daemon.log.lines.slice(-20).join('\n')}`);
  }
});

const logIn = ({ name }: Somebody, typed: string, service = PVE): Promise<Ended> =>
  run([`${CHECKOUT}/test/e2e/hosts/answers-all.pl`, service, name], typed);

const isIn = async (somebody: Somebody, typed: string, service = PVE): Promise<boolean> => {
  const { status, stdout } = await logIn(somebody, typed, service);
  expect([status === 0, stdout.includes(`in as ${somebody.name}`)]).toEqual([status === 0, status === 0]);
  return status === 0;
};

const known = new Map<string, object>();

/** The results of several strings, each typed in its own login, all at the same time because a refusal takes seconds. */
const areIn = (who: Somebody, strings: readonly string[], service = PVE): Promise<boolean[]> =>
  Promise.all(strings.map((typed) => isIn(who, typed, service)));

/** An account that Proxmox knows. */
async function somebody(entries?: object): Promise<Somebody> {
  const account = await newAccount();
  known.set(`${account.name}@pam`, entries ?? {});
  const tfa = JSON.stringify({ users: Object.fromEntries(known) });
  writeFileSync(`${stage.pveDir}/priv/tfa.cfg`, tfa);
  mkdirSync(stage.pbsDir, { recursive: true });
  writeFileSync(`${stage.pbsDir}/tfa.json`, tfa);
  return account;
}

const totp = { totp: [entry(URI)] };
const webauthn = { webauthn: [entry(PASSKEY)] };

/** Gives somebody a factor of ours. */
async function enrol({ name }: Somebody): Promise<void> {
  await runWell(
    [
      'node',
      `${CHECKOUT}/dist/command/main.js`,
      '--runtime-dir',
      stage.runtimeDir,
      '-tfq',
      '--user',
      name,
      '--own-secret',
    ],
    `${SECRET}\n`,
  );
}

describeInBox('the login of the web interface', () => {
  afterAll(() => {
    rmSync(`/etc/pam.d/${PVE}`, { force: true });
    rmSync(`/etc/pam.d/${PBS}`, { force: true });
  });

  describe('native: Proxmox asks, the module does not', () => {
    beforeAll(() => begin('native'));
    afterAll(() => stage.clear());

    test.each([PVE, PBS])('%s: only the password lets the user in', async (service) => {
      for (const entries of [undefined, totp, webauthn, { ...totp, 'totp-locked': true }]) {
        const person = await somebody(entries);
        const strings = [person.password, person.password + codeOf(app), 'wrong'];
        expect(await areIn(person, strings, service)).toEqual([true, false, false]);
      }
    });

    test('also for a user with one of our factors', async () => {
      const person = await somebody();
      await enrol(person);
      expect(await isIn(person, person.password)).toBe(true);
      expect(await isIn(person, person.password + codeOf(app))).toBe(false);
      await daemon.log.waitFor(
        new RegExp(`Left to Proxmox: ${person.name} service=${PVE} rhost=\\S*192.0.2.7`),
      );
    });
  });

  describe('gate: refuses users without a factor in Proxmox', () => {
    beforeAll(() => begin('gate'));
    afterAll(() => stage.clear());

    test.each([PVE, PBS])('%s', async (service) => {
      for (const entries of [totp, webauthn, { ...totp, 'totp-locked': true }]) {
        const person = await somebody(entries);
        expect(await areIn(person, [person.password, 'wrong'], service)).toEqual([true, false]);
      }
      for (const entries of [undefined, { totp: [entry(URI, { enable: false })] }]) {
        const person = await somebody(entries);
        await enrol(person);
        const strings = [person.password, person.password + codeOf(app)];
        expect(await areIn(person, strings, service)).toEqual([false, false]);
      }
    });

    test('a realm that wants a factor of everybody is left to Proxmox', async () => {
      const person = await somebody();
      writeFileSync(`${stage.pveDir}/user.cfg`, `user:${person.name}@pam:1:0::::::\n`);
      writeFileSync(`${stage.pveDir}/domains.cfg`, 'pam: pam\n\ttfa type=oath\n');
      expect(await isIn(person, person.password)).toBe(true);
      rmSync(`${stage.pveDir}/domains.cfg`);
      expect(await isIn(person, person.password)).toBe(false);
    });

    test("refuses users who may have no factor: the realm's requirement or tfa.cfg is unreadable", async () => {
      const person = await somebody();
      const enrolled = await somebody(totp);
      writeFileSync(`${stage.pveDir}/domains.cfg`, 'pam: pam\n\ttfa type=later\n');
      expect([await isIn(person, person.password), await isIn(enrolled, enrolled.password)]).toEqual([
        false,
        true,
      ]);
      rmSync(`${stage.pveDir}/domains.cfg`);
      const tfa = `${stage.pveDir}/priv/tfa.cfg`;
      const before = readFileSync(tfa);
      writeFileSync(tfa, '{');
      expect([await isIn(person, person.password), await isIn(enrolled, enrolled.password)]).toEqual([
        false,
        true,
      ]);
      writeFileSync(tfa, before);
    });

    test('three workers at once', async () => {
      const ins = await somebody(totp);
      const outs = await somebody();
      const all = await Promise.all(
        Array.from({ length: 3 }, async () => [
          await isIn(ins, ins.password),
          await isIn(outs, outs.password),
        ]),
      );
      expect(all).toEqual([
        [true, false],
        [true, false],
        [true, false],
      ]);
    });
  });

  describe('concat: password and code in one field', () => {
    beforeAll(() => begin('concat'));
    afterAll(() => stage.clear());

    test('for those with a factor of ours, and none in Proxmox', async () => {
      const person = await somebody();
      await enrol(person);
      expect(
        await areIn(person, [person.password, person.password + wrongCodeOf(app), `wrong${codeOf(app)}`]),
      ).toEqual([...[false, false, false]]);
      const code = codeOf(app, 1);
      expect(await isIn(person, person.password + code)).toBe(true);
      expect(await isIn(person, person.password + code)).toBe(false);
    });

    test('only Proxmox asks users who have a factor there', async () => {
      for (const entries of [totp, webauthn, { ...totp, 'totp-locked': true }]) {
        const person = await somebody(entries);
        await enrol(person);
        expect(await areIn(person, [person.password, person.password + codeOf(app)])).toEqual([true, false]);
      }
    });

    test('a user without any factor logs in with the password, if nullok allows it', async () => {
      const person = await somebody();
      expect(await isIn(person, person.password)).toBe(true);
      expect(await isIn(person, 'wrong')).toBe(false);
    });

    test('one code, three workers: one is let in', async () => {
      const person = await somebody();
      await enrol(person);
      const typed = person.password + codeOf(app);
      const all = await Promise.all(Array.from({ length: 3 }, () => isIn(person, typed)));
      expect(all.filter((each) => each)).toHaveLength(1);
    });

    test('while tfa.cfg cannot be read, nobody is let in by the password alone', async () => {
      const person = await somebody();
      expect(await isIn(person, person.password)).toBe(true);
      const tfa = `${stage.pveDir}/priv/tfa.cfg`;
      const before = readFileSync(tfa);
      writeFileSync(tfa, `${before.toString()}}`);
      expect(await isIn(person, person.password)).toBe(false);
      writeFileSync(tfa, before);
      expect(await isIn(person, person.password)).toBe(true);
    });

    test('when Proxmox cannot be read, and never could, nobody is let in', async () => {
      const person = await somebody();
      await daemon.stop();
      stage.forgetState();
      chmodSync(`${stage.pveDir}/priv`, 0o700);
      writeFileSync(`${stage.pveDir}/priv/tfa.cfg`, '{');
      daemon = await stage.start();
      expect(await isIn(person, person.password)).toBe(false);
    });
  });
});
