import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { logIn, PAM, type LoginEnd } from '../daemon/pam-login.ts';
import { AS_ROOT, DAEMON_UID, NO_THROTTLE, type Person } from '../daemon/stage.ts';
import { codeOf } from '../harness/code.ts';
import { entry, PASSKEY, phone, uriOf, useProxmox } from './proxmox-stage.ts';

const proxmox = useProxmox(NO_THROTTLE);
let service: string;
beforeAll(() => {
  service = proxmox.stage.service('nullok');
});

const typed = (person: Person, code: string, at = service): Promise<LoginEnd> =>
  logIn(proxmox.stage, person.name, code, { service: at });
const logged = (words: string, { name }: Person, fields: string): Promise<unknown> =>
  proxmox.daemon.log.waitFor(new RegExp(`${words} ${name} .*${fields}`));
const now = (): number => Math.floor(Date.now() / 1000 / 30);

describe('a user who was enrolled in the web interface', () => {
  test('logs in with the current code, once, for any service', async () => {
    const person = proxmox.person(phone);
    const code = person.code();
    expect(await typed(person, code)).toMatchObject({ rc: PAM.success, shown: ['Verification code: '] });
    await logged('Accepted verification code for', person, 'factor=totp:proxmox:phone');
    const other = proxmox.stage.service();
    expect((await typed(person, code)).rc).toBe(PAM.denied);
    expect((await typed(person, code, other)).rc).toBe(PAM.denied);
    await logged('Invalid verification code for', person, 'reason=code-already-used');
  });

  test('has the algorithm, digits and period of the entry', async () => {
    const app = { digits: 8, algorithm: 'sha512', period: 60 } as const;
    const person = proxmox.person(({ secret }) => ({
      totp: [entry(`otpauth://totp/x?secret=${secret}&digits=8&algorithm=SHA512&period=60`)],
    }));
    expect((await typed(person, codeOf({ secret: person.secret, ...app }))).rc).toBe(PAM.success);
  });

  test('cannot log in with a step that Proxmox used', async () => {
    const person = proxmox.person((who) => ({
      totp: [entry({ totp: uriOf(who), 'last-count': now() + 1 })],
    }));
    expect((await typed(person, person.code())).rc).toBe(PAM.denied);
    await logged('Invalid verification code for', person, 'reason=code-already-used');
    proxmox.change(person, { totp: [entry({ totp: uriOf(person), 'last-count': now() - 3 })] });
    expect((await typed(person, person.code())).rc).toBe(PAM.success);
  });

  test('cannot use disabled or locked factors', async () => {
    const off = proxmox.person((who) => ({ totp: [entry(uriOf(who), { enable: false })] }));
    expect(await typed(off, off.code())).toMatchObject({ rc: PAM.ignored, shown: [] });
    const locked = proxmox.person((who) => ({ ...phone(who), 'totp-locked': true }));
    expect((await typed(locked, locked.code())).rc).toBe(PAM.denied);
    await logged('Cannot check a verification code for', locked, 'reason=record-unusable');
    const frozen = proxmox.person((who) => ({ ...phone(who), 'tfa-locked-until': 4102444800 }));
    expect((await typed(frozen, frozen.code())).rc).toBe(PAM.denied);
  });
});

test("a program that is not root cannot skip the check by naming the web interface's service", async () => {
  const person = proxmox.person(phone);
  const at = 'proxmox-ve-auth';
  const lineWith = (socket: 'pam' | 'user'): void =>
    writeFileSync(
      `${proxmox.stage.dir}/pam.d/${at}`,
      `auth required ${proxmox.stage.dir}/pam_pve_authenticator.so socket=${proxmox.stage.socket(socket)} nullok\n`,
    );
  lineWith('pam');
  expect(await typed(person, '', at)).toMatchObject({ rc: PAM.ignored, shown: [] });
  lineWith('user');
  const own = { service: at, uid: person.uid };
  expect((await logIn(proxmox.stage, person.name, person.wrongCode(), own)).rc).toBe(PAM.denied);
  expect((await logIn(proxmox.stage, person.name, person.code(), own)).rc).toBe(PAM.success);
});

test('a change shows at once', async () => {
  const person = proxmox.person();
  expect((await typed(person, person.code())).rc).toBe(PAM.ignored);
  proxmox.change(person, phone(person));
  expect((await typed(person, person.wrongCode())).rc).toBe(PAM.denied);
  expect((await typed(person, person.code())).rc).toBe(PAM.success);
  proxmox.change(person, undefined);
  expect((await typed(person, '')).rc).toBe(PAM.ignored);
});

test('with only WebAuthn there, nobody gets in with nothing', async () => {
  const person = proxmox.person(() => ({ webauthn: [entry(PASSKEY)] }));
  expect((await typed(person, '')).rc).toBe(PAM.denied);
});

test('a recovery key of Proxmox is refused with an explanation, for every user', async () => {
  const person = proxmox.person((who) => ({
    ...phone(who),
    recovery: { secret: '0011223344556677', entries: ['ab'], created: 1 },
  }));
  for (const somebody of [person, proxmox.person(phone)]) {
    const { rc, shown } = await typed(somebody, '0123-4567-89ab-cdef');
    expect(rc).toBe(PAM.denied);
    expect(shown.join(' ')).toContain('Recovery keys of Proxmox work only in its web interface');
  }
});

describe('nullok lets in nobody whom Proxmox would ask or refuse:', () => {
  const nothing = (person: Person): Promise<LoginEnd> => typed(person, '');

  test('an invalid YubiKey', async () => {
    const person = proxmox.person(() => ({ yubico: [entry('not-modhex')] }));
    expect((await nothing(person)).rc).toBe(PAM.denied);
    await logged('Cannot check a verification code for', person, 'reason=record-unusable');
  });

  test('an old tfa.cfg: keys in lower case work, and an unreadable one lets nobody in', async () => {
    const person = proxmox.person();
    const stranger = proxmox.person();
    const line = ({ name }: Person, keys: string): string => {
      const data = JSON.stringify({ keys, config: { step: '30', digits: '6' } });
      return `${name}@pam:oath:${Buffer.from(data).toString('base64')}\n`;
    };
    const good = line(person, `\tv2-${person.secret.toLowerCase()}\n`);
    proxmox.write('priv/tfa.cfg', good);
    expect((await nothing(person)).rc).toBe(PAM.denied);
    expect((await typed(person, person.code())).rc).toBe(PAM.success);
    expect((await nothing(stranger)).rc).toBe(PAM.ignored);
    proxmox.write('priv/tfa.cfg', good + line(stranger, 'JBSWY3DP'));
    expect((await nothing(stranger)).rc).toBe(PAM.denied);
    expect((await typed(person, person.code(1))).rc).toBe(PAM.success);
    proxmox.writeFiles();
    expect((await nothing(stranger)).rc).toBe(PAM.ignored);
  });

  test("the realm's requirement is unreadable, or follows a line of blanks", async () => {
    const person = proxmox.person();
    const enrolled = proxmox.person(phone);
    for (const domains of ['pam: pam\n\ttfa type=later\n', 'pam: pam\n \n\ttfa type=oath\n']) {
      proxmox.write('domains.cfg', domains);
      expect((await nothing(person)).rc).toBe(PAM.denied);
    }
    expect((await typed(enrolled, enrolled.code())).rc).toBe(PAM.success);
    proxmox.write('domains.cfg', undefined);
    expect((await nothing(person)).rc).toBe(PAM.ignored);
  });

  test('codes that are out of range', async () => {
    const person = proxmox.person(({ secret }) => ({
      totp: [entry(`otpauth://totp/x?secret=${secret}&period=600`)],
    }));
    expect((await nothing(person)).rc).toBe(PAM.denied);
  });
});

describe('a file that cannot be used', () => {
  test('is reported with its place, and the last good copy counts', async () => {
    const person = proxmox.person(phone);
    expect((await typed(person, person.code())).rc).toBe(PAM.success);
    proxmox.write('priv/tfa.cfg', proxmox.tfa.replace('"created":1', '"created":1,"hotp":1'));
    expect((await typed(person, person.code(1))).rc).toBe(PAM.success);
    await proxmox.daemon.log.waitFor(
      /last good copy counts, and users without a factor are refused product=pve why=.*priv\/tfa\.cfg: users\..*hotp/,
    );
    expect((await typed(person, person.code(1))).rc).toBe(PAM.denied);
    proxmox.writeFiles();
    expect((await typed(person, person.wrongCode())).rc).toBe(PAM.denied);
    await proxmox.daemon.log.waitFor(/can be used again product=pve/);
  });

  test('leaves a copy that only the daemon and root can read', () => {
    const copy = `${proxmox.stage.stateDir}/pve.last-good.json`;
    const { mode, uid } = statSync(copy);
    expect(mode & 0o7777).toBe(0o600);
    expect(uid).toBe(AS_ROOT ? DAEMON_UID : process.getuid!());
    expect(readFileSync(copy, 'utf8')).toContain('otpauth://');
  });

  test('without a copy, users who may be enrolled there are refused', async () => {
    const person = proxmox.person(phone);
    const stranger = proxmox.person();
    await proxmox.daemon.stop();
    proxmox.stage.forgetState();
    proxmox.write('priv/tfa.cfg', '{');
    proxmox.daemon = await proxmox.stage.start();
    expect((await typed(person, person.code())).rc).toBe(PAM.systemError);
    expect((await typed(stranger, '')).rc).toBe(PAM.systemError);
    proxmox.writeFiles();
    expect((await typed(person, person.code())).rc).toBe(PAM.success);
    expect((await typed(stranger, '')).rc).toBe(PAM.ignored);
  });
});
