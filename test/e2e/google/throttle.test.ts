import { expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { FileUser } from './file-user.ts';
import type { Module } from './module.ts';
import { useModules } from './modules.ts';
import { CODE, totp } from './scenario.ts';

const ALL_DEFAULTS = '';
const WITHOUT_OURS = '[throttle]\nhome = false\n';
const GUESSES = 3;
const STRANGER = '192.0.2.66';
const OWNER = '192.0.2.7';

/** Somebody, after a stranger's guesses. */
async function guessed(module: Module, file: string): Promise<FileUser> {
  const user = await FileUser.make(module, file);
  for (let tries = 0; tries < GUESSES; tries += 1) {
    expect(await user.logIn('{wrong}', STRANGER)).toEqual({ end: 'out', shown: [CODE] });
  }
  return user;
}

describeInBox('guesses at codes of a file that has no limit', () => {
  const modules = useModules('guesses', ALL_DEFAULTS);

  test('are throttled without a text, and only from their own origin', async () => {
    const user = await guessed(modules().ours, totp());
    expect(await user.logIn('{code}', STRANGER)).toEqual({ end: 'out', shown: [CODE] });
    expect(await user.logIn('{code}', OWNER)).toEqual({ end: 'in', shown: [CODE] });
  });

  test("Debian's module goes on checking", async () => {
    const { google } = modules();
    if (google !== undefined) {
      const user = await guessed(google, totp());
      expect(await user.logIn('{code}', STRANGER)).toEqual({ end: 'in', shown: [CODE] });
    }
  });

  test('with throttle.home = false only the limit of the file counts', async () => {
    const { ours } = modules();
    await ours.restart(WITHOUT_OURS);
    const unlimited = await guessed(ours, totp());
    expect(await unlimited.logIn('{code}', STRANGER)).toEqual({ end: 'in', shown: [CODE] });
    const limited = await guessed(ours, totp('" RATE_LIMIT 3 30'));
    expect(await limited.logIn('{code}', OWNER)).toEqual({ end: 'out', shown: [] });
  });
});
