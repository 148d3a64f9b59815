import { expect, it } from 'vitest';
import { askToGoOn } from '../../../../src/command/terminal/ask-to-go-on.ts';
import { NoAnswerError, type Questions } from '../../../../src/command/terminal/questions.ts';

const change = { services: ['sshd', 'su'], left: () => 240, sudo: 'sudo ' };
const answering = (answer: string | NoAnswerError): Questions => ({
  interactive: true,
  ask: () => (typeof answer === 'string' ? Promise.resolve(answer) : Promise.reject(answer)),
  close: () => undefined,
});

it.each(['', 'y', 'yes'])('goes on by %j', async (answer) => {
  await expect(askToGoOn(answering(answer), change)).resolves.toBeUndefined();
});

it.each([
  ['no', 'n', 'interrupted'],
  ['Ctrl-C', new NoAnswerError('interrupted'), 'interrupted'],
  ['the end of input', new NoAnswerError('end-of-input'), 'end-of-input'],
] as const)(
  'after %s it says that the change still waits, until when, and what undoes it',
  async (_what, answer, reason) => {
    const error = await askToGoOn(answering(answer), change).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason });
    const { outcome } = error as NoAnswerError;
    expect(outcome).toMatch(
      /^Nothing is confirmed yet\.\n.*sshd, su.* systemd undoes it in 240 seconds, at \d\d:\d\d:\d\d, or at the next boot/,
    );
    expect(outcome).toContain('To undo it now: sudo pve-google-authenticator disable sshd su');
    expect(outcome).not.toContain('Nothing was changed');
  },
);
