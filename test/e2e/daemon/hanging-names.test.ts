/* A name service that hangs: real libnss, real libpam, the daemon as its own user. */
import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { PAM, PamLogin, logIn } from './pam-login.ts';
import { startFrame } from './module-socket.ts';
import { asUser, NO_THROTTLE, PYTHON, Stage, STRANGER_UID, type Daemon } from './stage.ts';

/** Opens a login of each START, and waits. */
const STRANGER = `
import socket, sys, time
logins = []
for start in sys.argv[2:]:
    login = socket.socket(socket.AF_UNIX)
    login.connect(sys.argv[1])
    login.sendall(bytes.fromhex(start))
    logins.append(login)
time.sleep(60)
`;
const HANG = '/run/nss-hang';
const SWITCH = '/etc/nsswitch.conf';
const LIBRARY = '/usr/lib/x86_64-linux-gnu/libnss_hang.so.2';
/** As many people as there are threads for look-ups of logins, and some more. */
const CROWD = 12;
/** Seconds, fewer than the module waits: a login that waited for the service would take longer. */
const MANY = 7;

describeInBox('A name service that hangs', () => {
  let stage: Stage;
  let daemon: Daemon;
  let service: string;
  let guarded: string;

  beforeAll(async () => {
    stage = await Stage.build();
    copyFileSync(
      await stage.compile('test/e2e/daemon/nss-hang.c', 'nss-hang.so', '-fPIC', '-shared'),
      LIBRARY,
    );
    writeFileSync(SWITCH, readFileSync(SWITCH, 'utf8').replaceAll(/^(passwd|group):.*$/gm, '$1: files hang'));
    stage.configure(
      `${NO_THROTTLE}
[[rule]]
service = "break-glass"
action = "skip"
[[rule]]
service = "e2e-2"
group = "Domain Users"
action = "deny"
[[rule]]
service = "e2e-1"
network = "192.0.2.0/24"
group = "Domain Users"
action = "skip"
`,
    );
    service = stage.service();
    guarded = stage.service();
    daemon = await stage.start();
  });
  afterEach(() => rmSync(HANG, { force: true }));
  afterAll(async () => {
    rmSync(HANG, { force: true });
    await stage.clear();
  });
  const hang = (): void => writeFileSync(HANG, '');
  const fromOffice = { items: ['RHOST=192.0.2.1'] };

  test('lets users in at once if no rule depends on groups', async () => {
    hang();
    const people = Array.from({ length: MANY }, () => stage.person());
    const ends = await Promise.all(people.map(({ name, code }) => logIn(stage, name, code(), { service })));
    expect(ends.map(({ rc }) => rc)).toEqual(people.map(() => PAM.success));
    expect(daemon.log.matching(/name service/)).toEqual([]);
  });

  test('is no exemption: who would be spared by group is asked, and the log says why', async () => {
    const { name, code } = stage.person();
    hang();
    const login = new PamLogin(stage, name, { service, ...fromOffice });
    await login.asked();
    expect((await login.answer(code()).end()).rc).toBe(PAM.success);
    await daemon.log.waitFor(new RegExp(`^<4>The name service does not answer about=${name}$`));
    await daemon.log.waitFor(new RegExp(`^<4>The groups of ${name} cannot be looked up .*does not answer`));
    rmSync(HANG);
    await daemon.log.waitFor(new RegExp(`^<5>The name service answers again about=${name}$`));
  });

  test('denies who would be denied by group', async () => {
    const { name, code } = stage.person();
    hang();
    expect((await logIn(stage, name, code(), { service: guarded })).rc).toBe(PAM.denied);
    await daemon.log.waitFor(new RegExp(`A rule denies ${name} .*cannot be looked up`));
    rmSync(HANG);
    await daemon.log.waitFor(new RegExp(`answers again about=${name}$`));
    expect((await logIn(stage, name, code(1), { service: guarded })).rc).toBe(PAM.success);
  });

  test('does not keep anybody out, though more people wait for it than there are threads', async () => {
    const waiting = Array.from({ length: CROWD }, () => stage.person());
    const other = stage.person();
    hang();
    const logins = waiting.map(({ name }) => new PamLogin(stage, name, { service, ...fromOffice }));
    expect((await logIn(stage, other.name, other.code(), { service })).rc).toBe(PAM.success);
    await Promise.all(logins.map((login) => login.asked()));
    await daemon.log.waitFor(/All look-ups of logins wait for a name service that does not answer/);
    const late = stage.person();
    const asked = await new PamLogin(stage, late.name, { service, ...fromOffice }).asked();
    expect((await asked.answer(late.code()).end()).rc).toBe(PAM.success);
    const ends = await Promise.all(logins.map((login, index) => login.answer(waiting[index]!.code()).end()));
    expect(ends.map(({ rc }) => rc)).toEqual(waiting.map(() => PAM.success));
  });

  test('is not kept busy by ordinary programs: they have threads of their own', async () => {
    hang();
    const frames = Array.from({ length: CROWD / 2 }, (_, index) => {
      const user = Buffer.from(`slow-${index}`);
      const start = { service: Buffer.from(service), user, canonicalUser: user, uid: STRANGER_UID };
      return startFrame(start).toString('hex');
    });
    const argv = [PYTHON, '-c', STRANGER, stage.socket('user'), ...frames];
    const stranger = spawn('setpriv', [...asUser(STRANGER_UID).slice(1), ...argv], { stdio: 'ignore' });
    await daemon.log.waitFor(new RegExp(`^<4>The name service does not answer uid=${STRANGER_UID}$`));
    const { name, code } = stage.person();
    const login = await new PamLogin(stage, name, { service, ...fromOffice }).asked();
    expect((await login.answer(code()).end()).rc).toBe(PAM.success);
    stranger.kill('SIGKILL');
  });
});
