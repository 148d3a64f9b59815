import { IN, lines, out, totp, type Scenario, unusable } from '../scenario.ts';

/** How the file is read, and how it is changed in place. */
export const FILE_FORMAT: readonly Scenario[] = [
  {
    title: 'the secret in small letters with blanks and dashes',
    file: lines('{grouped}', '" TOTP_AUTH'),
    ...IN,
  },
  {
    title: 'the secret with padding is none',
    file: lines('{secret}=', '" TOTP_AUTH'),
    ...unusable(/base32/i),
  },
  {
    title: 'the secret with a character that is not base32',
    file: lines('{secret}!', '" TOTP_AUTH'),
    ...unusable(/base32/i),
  },
  { title: 'the secret of one character', file: lines('A', '" TOTP_AUTH'), ...unusable(/base32/i) },
  { title: 'no secret', file: lines('', '" TOTP_AUTH'), ...unusable(/base32/i) },
  { title: 'only a secret: no code is right', file: lines('{secret}'), ...out('wrong-code') },
  { title: 'no newline at the end', file: '{secret}\n" TOTP_AUTH', ...IN },
  { title: 'only a secret without a newline', file: '{secret}', ...out('wrong-code') },
  { title: 'lines that end as on Windows', file: '{secret}\r\n" WINDOW_SIZE 1\r\n" TOTP_AUTH\r\n', ...IN },
  {
    title: 'lines that end as on Windows: what is written does not',
    file: '{secret}\r\n" DISALLOW_REUSE\r\n" TOTP_AUTH\r\n12345678\r\n',
    ...IN,
    after: '{secret}\r\n" DISALLOW_REUSE {step}\n" TOTP_AUTH\r\n12345678\r\n',
  },
  {
    title: 'an option is changed in its place',
    file: totp('" UNKNOWN one', '" DISALLOW_REUSE', '" OTHER  two'),
    ...IN,
    after: totp('" UNKNOWN one', '" DISALLOW_REUSE {step}', '" OTHER  two'),
  },
  {
    title: 'an option that stands there twice: the first counts, the other goes',
    file: totp('" DISALLOW_REUSE', '" UNKNOWN', '" DISALLOW_REUSE {step}'),
    ...IN,
    after: totp('" DISALLOW_REUSE {step}', '" UNKNOWN'),
  },
  {
    title: 'an option in the last line without a newline',
    file: '{secret}\n" TOTP_AUTH\n" DISALLOW_REUSE',
    ...IN,
    after: '{secret}\n" TOTP_AUTH\n" DISALLOW_REUSE {step}\n',
  },
  {
    title: 'a new option comes behind the secret',
    file: totp('" FIRST'),
    answer: '{code+100}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step}+100', '" FIRST'),
  },
  {
    title: 'blanks before a value',
    file: totp('" WINDOW_SIZE \t 1'),
    answer: '{code+1}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step}+1', '" WINDOW_SIZE \t 1'),
  },
  {
    title: 'a key with something behind it is another key',
    file: totp('" WINDOW_SIZED 1'),
    answer: '{code+1}',
    ...IN,
  },
  {
    title: 'an option without its quotation mark is none',
    file: totp('WINDOW_SIZE 1'),
    answer: '{code+1}',
    ...IN,
  },
  { title: 'TOTP_AUTH with something behind it', file: lines('{secret}', '" TOTP_AUTHENTICATED'), ...IN },
  { title: 'TOTP_AUTH in the middle of a line', file: lines('{secret}', '" NOTE " TOTP_AUTH'), ...IN },
  {
    title: 'empty lines',
    file: '{secret}\n\n\n" DISALLOW_REUSE\n\n" TOTP_AUTH\n',
    ...IN,
    after: '{secret}\n\n\n" DISALLOW_REUSE {step}\n" TOTP_AUTH\n',
  },
  { title: 'lines that nobody understands', file: totp('hello', '# comment', '" '), ...IN },
  {
    title: 'bytes that are no text stay',
    file: totp('" NAME J\xfcrgen \xff', '" DISALLOW_REUSE'),
    ...IN,
    after: totp('" NAME J\xfcrgen \xff', '" DISALLOW_REUSE {step}'),
  },
];
