import { expect, it } from 'vitest';
import { sameLogin, thisCaller } from '../../../../src/command/switching/who.ts';

it.each([
  ['audit:7 10@1 20@2', 'audit:7 30@3', true],
  ['audit:7 10@1 20@2', 'audit:8 20@2', false],
  ['audit:none 10@1 20@2', 'audit:none 20@2 30@3', true],
  ['audit:none 10@1 20@2', 'audit:none 20@9', false],
  ['audit:7 10@1', 'audit:none 10@1', true],
  ['audit:none', 'audit:none', false],
])('%s and %s are one login: %s', (one, other, same) => {
  expect(sameLogin(one, other)).toBe(same);
});

it('knows SSH by its variable, and who sudo was called by', () => {
  const caller = thisCaller({ SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22', SUDO_UID: '1234' });
  expect(caller).toMatchObject({ overSsh: true, uid: 1234 });
  expect(caller.login).toMatch(/^audit:(none|\d+)( \d+@\d+)*$/);
  expect(thisCaller({ SUDO_UID: 'nobody' }).uid).not.toBeNaN();
});
