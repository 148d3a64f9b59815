import { describe, expect, it } from 'vitest';
import { logEnding } from '../../../src/login/login-log.ts';
import { RecordedLog } from '../fixtures/recorded-log.ts';

/** What is logged of a login under this name. */
function logged(user: string): string {
  const log = new RecordedLog();
  const context = {
    service: 'sshd',
    user: Buffer.from(user),
    tty: 'ssh',
    rhost: '192.0.2.1',
    ruser: undefined,
  };
  logEnding(log, context, { code: 'user-unknown', reason: 'user-unknown' });
  return log.text;
}

describe('an OTP in the place of the user name', () => {
  const US = 'cccccckdvvulethkhtvkrlgkgchufdvbcdjrkbgjlihh';
  const DVORAK = US.replaceAll(/./g, (key) => 'jxe.uidchtnbpygk'['cbdefghijklnrtuv'.indexOf(key)]!);

  it.each([
    ['as a US layout has it', US],
    ['with Caps Lock', US.toUpperCase()],
    ['as a Dvorak layout has it', DVORAK],
    ['behind a part of the name', `alice${US}`],
    ['behind a part of the name, on a Dvorak layout', `alice${DVORAK}`],
  ])('is not logged: %s', (_how, typed) => {
    expect(logged(typed)).toContain('for (an OTP)');
    expect(logged(typed)).not.toContain(typed.slice(-32));
  });

  it.each(['alice', 'nguyen', 'c'.repeat(31), `${US}0`])('is not what %s is', (user) => {
    expect(logged(user)).toContain(`for ${user}`);
  });
});
