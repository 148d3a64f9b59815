import { expect, it } from 'vitest';
import { CommandError, type ControlClient } from '../../../../src/command/session/control-client.ts';
import { change } from '../../../../src/command/session/ask-with-proof.ts';
import type { Session } from '../../../../src/command/session/session.ts';

/** A person with a sequence of codes, and a daemon with a sequence of refusals. */
function refusedBy(...codes: string[]): { session: Session; asked: string[] } {
  const asked: string[] = [];
  const session: Session = {
    questions: {
      interactive: true,
      ask: (prompt) => {
        asked.push(prompt);
        return Promise.resolve('123456');
      },
      close: () => undefined,
    },
    output: { line: () => undefined, note: () => undefined, terminal: undefined },
    root: false,
    now: () => 0,
    self: () => 'alice',
    daemon: () =>
      ({ ask: () => Promise.reject(new CommandError(codes.shift()!, 'No')) }) as unknown as ControlClient,
  };
  return { session, asked };
}

it('asks again for a code that is wrong', async () => {
  const { session, asked } = refusedBy(
    'ERR_PROOF_NEEDED',
    'ERR_WRONG_CODE',
    'ERR_CODE_USED',
    'ERR_WRONG_CODE',
  );
  await expect(change(session, 'alice', [])).rejects.toMatchObject({ code: 'ERR_WRONG_CODE' });
  expect(asked).toHaveLength(3);
});

it.each(['ERR_WRONG_TOUCH', 'ERR_TOUCH_USED', 'ERR_STORE'])(
  'wastes no second code when the first was right, and %s',
  async (code) => {
    const { session, asked } = refusedBy('ERR_PROOF_NEEDED', code, code);
    await expect(change(session, 'alice', [])).rejects.toMatchObject({ code });
    expect(asked).toHaveLength(1);
  },
);
