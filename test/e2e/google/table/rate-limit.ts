import { CODE, IN, lines, out, totp, unasked, type Scenario, unusable, NOTHING } from '../scenario.ts';

/** A file with a limit. */
function limited(value: string): string {
  return totp(`" RATE_LIMIT ${value}`);
}

const NOT_PROLONGED = 'a try that was held back does not prolong the wait';

/** RATE_LIMIT. */
export const RATE_LIMIT: readonly Scenario[] = [
  { title: 'the first try is noted', file: limited('3 30'), ...IN, after: limited('3 30 {now}') },
  {
    title: 'a wrong code is noted',
    file: limited('3 30'),
    answer: '{wrong}',
    ...out('wrong-code'),
    after: limited('3 30 {now}'),
  },
  {
    title: 'three tries, and the fourth is not asked for',
    file: limited('3 30'),
    answer: '{wrong}',
    ...out('wrong-code'),
    after: limited('3 30 {now}'),
    then: [
      { answer: '{wrong}', ...out('wrong-code'), after: limited('3 30 {now} {now}') },
      { ...IN, after: limited('3 30 {now} {now} {now}') },
      unasked('too-many-tries'),
    ],
  },
  {
    title: 'who is held back is not counted',
    file: limited('3 30 {now-20} {now-10} {now-5}'),
    ...unasked('too-many-tries'),
    google: { why: NOT_PROLONGED, after: limited('3 30 {now-10} {now-5} {now}') },
  },
  {
    title: 'tries that are long ago are forgotten',
    file: limited('3 30 {now-90} {now-60} {now-31}'),
    ...IN,
    after: limited('3 30 {now}'),
  },
  {
    title: 'one of them still counts',
    file: limited('3 30 {now-90} {now-60} {now-9}'),
    ...IN,
    after: limited('3 30 {now-9} {now}'),
  },
  {
    title: 'tries of the future are forgotten',
    file: limited('3 30 {now+500} {now+600} {now+700}'),
    ...IN,
    after: limited('3 30 {now}'),
  },
  {
    title: 'they are sorted',
    file: limited('9 30 {now-5} {now-20} {now-9}'),
    ...IN,
    after: limited('9 30 {now-20} {now-9} {now-5} {now}'),
  },
  {
    title: 'one in an hour',
    file: limited('1 3600'),
    ...IN,
    after: limited('1 3600 {now}'),
    then: [unasked('too-many-tries')],
  },
  { title: '0 tries', file: limited('0 30'), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  { title: '101 tries', file: limited('101 30'), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  { title: '0 seconds', file: limited('3 0'), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  { title: '3601 seconds', file: limited('3 3601'), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  { title: 'words', file: limited('three thirty'), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  { title: 'one number', file: limited('3'), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  { title: 'a blank at the end', file: limited('3 30 '), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  { title: 'words at the end', file: limited('3 30 x'), ...unusable(/RATE_LIMIT/), shown: NOTHING },
  {
    title: 'where the secret is none, a try is noted, too',
    file: lines('!', '" RATE_LIMIT 3 30', '" TOTP_AUTH'),
    ...unusable(/base32/i),
    after: lines('!', '" RATE_LIMIT 3 30 {now}', '" TOTP_AUTH'),
  },
  {
    title: 'a scratch code is a try',
    file: lines('{secret}', '" RATE_LIMIT 3 30', '12345678'),
    answer: '12345678',
    ...IN,
    after: lines('{secret}', '" RATE_LIMIT 3 30 {now}'),
  },
  {
    title: 'a counter-based code is a try',
    file: lines('{secret}', '" RATE_LIMIT 3 30', '" HOTP_COUNTER 1'),
    answer: '{hotp:1}',
    ...IN,
    after: lines('{secret}', '" RATE_LIMIT 3 30 {now}', '" HOTP_COUNTER 2'),
  },
  {
    title: 'what is no code is no try',
    file: limited('3 30'),
    answer: 'hello',
    ...out('no-code'),
    google: { why: 'nothing was guessed', after: limited('3 30 {now}') },
  },
  {
    title: 'who does not answer was no try',
    file: limited('3 30'),
    answer: null,
    end: 'not-asked',
    reason: 'cancelled',
    google: {
      why: 'a try counts when the code comes, so that no number of them slips through at once',
      ...out('cancelled'),
      shown: [CODE, CODE],
      after: limited('3 30 {now}'),
    },
  },
  {
    title: 'together with DISALLOW_REUSE',
    file: totp('" RATE_LIMIT 3 30', '" DISALLOW_REUSE'),
    ...IN,
    after: totp('" RATE_LIMIT 3 30 {now}', '" DISALLOW_REUSE {step}'),
    then: [
      {
        ...out('code-already-used'),
        after: totp('" RATE_LIMIT 3 30 {now} {now}', '" DISALLOW_REUSE {step}'),
      },
    ],
  },
];
