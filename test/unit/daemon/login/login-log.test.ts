import { describe, expect, it } from 'vitest';
import type { Account } from '../../../../src/daemon/enrolments/enrolment.ts';
import { logEnding } from '../../../../src/daemon/login/login-log.ts';
import { RecordedLog } from '../../fixtures/recorded-log.ts';

/** What is logged of a login under this name. */
function logged(user: string, account?: Account): string {
  const log = new RecordedLog();
  const context = {
    service: 'sshd',
    user: Buffer.from(user),
    tty: 'ssh',
    rhost: '192.0.2.1',
    ruser: undefined,
  };
  logEnding(log, { context, account }, { code: 'user-unknown', reason: 'user-unknown' });
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

describe('the name in a line', () => {
  it('is the canonical one, with what was typed beside it', () => {
    expect(logged('CAROL', { name: 'carol', uid: 1 })).toMatch(/for carol typed=CAROL service=sshd/);
    expect(logged('carol', { name: 'carol@corp', uid: 1 })).toMatch(/for carol@corp typed=carol /);
  });

  it('stands alone where both are one, or nobody is known', () => {
    expect(logged('carol', { name: 'carol', uid: 1 })).toMatch(/for carol service=sshd/);
    expect(logged('CAROL')).toMatch(/for CAROL service=sshd/);
  });
});
