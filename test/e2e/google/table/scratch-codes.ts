import { IN, lines, out, totp, type Scenario, unusable } from '../scenario.ts';

const FIVE = ['11111111', '22222222', '33333333', '44444444', '55555555'];

/** A file with scratch codes at its end. */
function file(...codes: readonly string[]): string {
  return lines('{secret}', '" TOTP_AUTH', ...codes);
}

/** Emergency codes of eight digits. */
export const SCRATCH_CODES: readonly Scenario[] = [
  {
    title: 'one of five',
    file: file(...FIVE),
    answer: '33333333',
    ...IN,
    after: file('11111111', '22222222', '44444444', '55555555'),
  },
  {
    title: 'the first and the last',
    file: file(...FIVE),
    answer: '11111111',
    ...IN,
    after: file(...FIVE.slice(1)),
    then: [{ answer: '55555555', ...IN, after: file('22222222', '33333333', '44444444') }],
  },
  { title: 'the only one', file: file('12345678'), answer: '12345678', ...IN, after: file() },
  {
    title: 'a code twice',
    file: file('12345678', '87654321'),
    answer: '12345678',
    ...IN,
    after: file('87654321'),
    then: [{ answer: '12345678', ...out('wrong-code') }],
  },
  { title: 'a code that there is not', file: file(...FIVE), answer: '99999999', ...out('wrong-code') },
  {
    title: 'of two equal ones, one',
    file: file('12345678', '12345678'),
    answer: '12345678',
    ...IN,
    after: file('12345678'),
    then: [{ answer: '12345678', ...IN, after: file() }],
  },
  { title: 'the code of the phone leaves them', file: file(...FIVE), ...IN },
  {
    title: 'without any mode',
    file: lines('{secret}', '12345678'),
    answer: '12345678',
    ...IN,
    after: lines('{secret}'),
  },
  {
    title: 'without DISALLOW_REUSE, too, it is good once',
    file: lines('{secret}', '" TOTP_AUTH', '12345678'),
    answer: '12345678',
    ...IN,
    after: file(),
    then: [{ answer: '12345678', ...out('wrong-code') }],
  },
  {
    title: 'before the options',
    file: lines('{secret}', '12345678', '" TOTP_AUTH'),
    answer: '12345678',
    ...IN,
    after: totp(),
  },
  {
    title: 'behind empty lines',
    file: '{secret}\n" TOTP_AUTH\n\n\n12345678\n',
    answer: '12345678',
    ...IN,
    after: '{secret}\n" TOTP_AUTH\n\n\n',
  },
  {
    title: 'behind a line that is none: not read',
    file: lines('{secret}', '" TOTP_AUTH', '# codes', '12345678'),
    answer: '12345678',
    ...out('wrong-code'),
  },
  {
    title: 'behind a code of seven digits: not read',
    file: file('1234567', '12345678'),
    answer: '12345678',
    ...out('wrong-code'),
  },
  {
    title: 'behind a code of nine digits: not read',
    file: file('123456789', '12345678'),
    answer: '12345678',
    ...out('wrong-code'),
  },
  {
    title: 'with a blank behind it: none',
    file: file('12345678 '),
    answer: '12345678',
    ...out('wrong-code'),
  },
  { title: 'with blanks before it', file: file(' \t12345678'), answer: '12345678', ...IN, after: file() },
  {
    title: 'without a newline at the end',
    file: '{secret}\n" TOTP_AUTH\n12345678',
    answer: '12345678',
    ...IN,
    after: '{secret}\n" TOTP_AUTH\n',
  },
  {
    title: 'lines that end as on Windows',
    file: '{secret}\r\n" TOTP_AUTH\r\n12345678\r\n87654321\r\n',
    answer: '12345678',
    ...IN,
    after: '{secret}\r\n" TOTP_AUTH\r\n87654321\r\n',
  },
  {
    title: 'in the first line: it is the secret',
    file: lines('12345678', '" TOTP_AUTH'),
    answer: '12345678',
    ...out('wrong-code'),
  },
  { title: 'that begins with 0: none', file: file('01234567'), answer: '01234567', ...out('wrong-code') },
  {
    title: 'where the secret is no base32: none is right',
    file: lines('!', '12345678'),
    answer: '12345678',
    ...unusable(/base32/i),
  },
];
