/* An account that is renamed while its uid stays: real accounts, real libpam, the daemon as its own user. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { command, enrolTotp } from '../harness/daemon.ts';
import { runWell } from '../harness/run.ts';
import { logIn, PAM, PamLogin } from './pam-login.ts';
import { NO_THROTTLE, Stage, type Daemon } from './stage.ts';

const OLD = 'DaveSmith';
const NEW = 'davesmith';
const UID = 64_322;

describeInBox('A renamed account', () => {
  let stage: Stage;
  let daemon: Daemon;

  beforeAll(async () => {
    await runWell(['useradd', '--badname', '--uid', String(UID), OLD]);
    stage = await Stage.build();
    stage.configure(NO_THROTTLE);
    daemon = await stage.start();
  });
  afterAll(() => stage.clear());

  test('is refused with nullok, too, until root renames its record; then used codes stay used', async () => {
    const service = stage.service('nullok');
    const phone = await enrolTotp(stage, OLD);
    const added = await command(stage, 'add', 'recovery', '--user', OLD, '--json');
    const { codes } = JSON.parse(added.stdout) as { codes: [string, string, string] };
    const used = codeOf(phone);
    expect((await logIn(stage, OLD, used, { service })).rc).toBe(PAM.success);
    expect((await logIn(stage, OLD, codes[0], { service })).rc).toBe(PAM.success);

    await runWell(['usermod', '--badname', '--login', NEW, OLD]);
    const asked = await new PamLogin(stage, NEW, { service }).asked();
    expect((await asked.answer(codeOf(phone, 1)).end()).rc).toBe(PAM.denied);
    const rename = `sudo pve-google-authenticator rename-user ${OLD} ${NEW}`;
    await daemon.log.waitFor(
      new RegExp(`^<1>Cannot check .* for ${NEW} .*reason=account-renamed why=".*${OLD}.*${rename}"$`),
    );
    const status = await command(stage, 'status', '--user', NEW);
    expect(status.stdout + status.stderr).toContain(`rename-user ${OLD} ${NEW}`);

    const renamed = await command(stage, ...rename.split(' ').slice(2));
    expect(renamed).toMatchObject({
      status: 0,
      stdout: `${NEW} now has the factors of ${OLD}. Used codes stay used.\n`,
    });
    expect((await logIn(stage, NEW, used, { service })).rc).toBe(PAM.denied);
    expect((await logIn(stage, NEW, codes[0], { service })).rc).toBe(PAM.denied);
    expect((await logIn(stage, NEW, codes[1], { service })).rc).toBe(PAM.success);
    const last = codeOf(phone, 1);
    expect((await logIn(stage, NEW, last, { service })).rc).toBe(PAM.success);

    await daemon.stop('SIGKILL');
    daemon = await stage.start();
    expect((await logIn(stage, NEW, last, { service })).rc).toBe(PAM.denied);
    expect((await logIn(stage, NEW, codes[1], { service })).rc).toBe(PAM.denied);
    expect((await logIn(stage, NEW, codes[2], { service })).rc).toBe(PAM.success);
  });
});
