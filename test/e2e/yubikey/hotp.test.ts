/* A YubiKey whose slot is set to OATH-HOTP: it types digits, as docs/guides/yubikey.md has it set up. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counterCodeOf } from '../harness/code.ts';
import { command } from '../harness/daemon.ts';
import { logIn, PAM } from '../daemon/pam-login.ts';
import { AS_ROOT, NO_THROTTLE, notRun, Stage, type Daemon } from '../daemon/stage.ts';

/** What a key types before the digits if its slot was given a token identifier: maker, kind and serial number. */
const IDENTIFIER = 'ubhe05123456';
/** Codes that may have been typed into nothing: the look-ahead. */
const LOOK_AHEAD = 10;

/** A key of somebody, and what its touches type. */
interface Touched {
  readonly user: string;
  readonly touch: () => string;
}

let stage: Stage;
let daemon: Daemon;
let service: string;
let oneString: string;

beforeAll(async () => {
  stage = await Stage.build();
  stage.configure(NO_THROTTLE);
  daemon = await stage.start();
  service = stage.service();
  oneString = stage.service('forward_pass');
  if (!AS_ROOT) {
    notRun('a YubiKey in OATH-HOTP', 'only root adds factors for others');
  }
});
afterAll(() => stage.clear());

async function owner(digits: 6 | 8): Promise<Touched> {
  const { name: user } = stage.person({ enrolled: false });
  const argv = ['add', 'hotp', '--user', user, '--name', 'yubikey', '--digits', String(digits), '--json'];
  const { stdout } = await command(stage, ...argv);
  const { secret } = JSON.parse(stdout) as { secret: string };
  let touches = 0;
  return { user, touch: () => counterCodeOf({ secret, digits }, touches++) };
}

const typed = async (user: string, text: string, at = service): Promise<number> =>
  (await logIn(stage, user, text, { service: at })).rc;

describe.runIf(AS_ROOT).each([6, 8] as const)('a YubiKey that types %i digits', (digits) => {
  test('opens with each touch once', async () => {
    const { user, touch } = await owner(digits);
    const first = touch();
    expect(await typed(user, first)).toBe(PAM.success);
    await daemon.log.waitFor(new RegExp(`Accepted .* ${user} .*factor=hotp:yubikey verdict=ok`));
    expect(await typed(user, first)).toBe(PAM.denied);
    await daemon.log.waitFor(new RegExp(`Invalid .* ${user} .*reason=code-already-used`));
    expect(await typed(user, touch())).toBe(PAM.success);
  });

  test('may be touched in passing; after many touches two in a row show whose it is', async () => {
    const { user, touch } = await owner(digits);
    const lost = (touches: number): void => void Array.from({ length: touches }, touch);
    lost(LOOK_AHEAD - 1);
    expect(await typed(user, touch())).toBe(PAM.success);
    lost(LOOK_AHEAD + 5);
    const [one, two] = [touch(), touch()];
    expect(await typed(user, one)).toBe(PAM.denied);
    expect(await typed(user, two)).toBe(PAM.success);
    expect(await typed(user, one)).toBe(PAM.denied);
  });

  test('with a token identifier types no code, which costs nothing; in one string with the password it is a part of that', async () => {
    const { user, touch } = await owner(digits);
    const code = touch();
    expect(await typed(user, IDENTIFIER + code)).toBe(PAM.denied);
    await daemon.log.waitFor(new RegExp(`Invalid .* ${user} .*reason=no-code`));
    expect(await typed(user, code)).toBe(PAM.success);
    expect(await typed(user, `password${IDENTIFIER}${touch()}`, oneString)).toBe(PAM.success);
  });
});
