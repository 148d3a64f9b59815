import { expect, it } from 'vitest';
import { wrapped } from '../../../../src/command/terminal/wrap.ts';

const on = (columns: number): Parameters<typeof wrapped>[0] => ({
  terminal: { columns, rows: 24, colours: false, utf8: true },
});

it('breaks between words, with a hanging indent', () => {
  const text = 'clock: The clock is not synchronised: codes of phones are wrong.';
  expect(wrapped(on(30), text, '    ')).toEqual([
    'clock: The clock is not',
    '    synchronised: codes of',
    '    phones are wrong.',
  ]);
  expect(wrapped(on(80), text)).toEqual([text]);
  expect(wrapped({ terminal: undefined }, text)).toEqual([text]);
});

it('breaks no URL, no quoted command, and no command at the end, however narrow it is', () => {
  const url = 'https://validation.example/wsapi/2.0/verify';
  const quoted = '"pve-google-authenticator confirm"';
  const command = 'sudo pve-google-authenticator unlock --user alice';
  const lines = wrapped(on(20), `Ask ${url} or say ${quoted}. To end it: ${command}`);
  expect(lines).toEqual(['Ask', `  ${url}`, '  or say', `  ${quoted}.`, '  To end it:', `  ${command}`]);
});

it('keeps the indent of the first line', () => {
  expect(wrapped(on(12), '  one two three four', '    ')).toEqual(['  one two', '    three', '    four']);
});
