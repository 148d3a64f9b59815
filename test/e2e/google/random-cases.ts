import fc from 'fast-check';

/** A state file, options, and logins one after the other; texts have places to fill in, see template.ts. */
export interface RandomCase {
  readonly file: string;
  readonly options: string;
  readonly logins: readonly RandomLogin[];
}

/** One login. */
export interface RandomLogin {
  readonly answer: string;
  readonly rhost: string | undefined;
  readonly password: string | undefined;
}

/*
 * Times are at least a minute away from any limit, because the two modules may read the clock some seconds apart.
 */

const SECRETS = ['{grouped}', '{secret}=', '{secret}!', 'A', ''] as const;

const VALUES: Readonly<Record<string, readonly string[]>> = {
  HOTP_COUNTER: ['0', '1', '5', '-1', 'one', '1 x'],
  DISALLOW_REUSE: ['', '{step}', '{step-1} {step+1}', ' {step-90}\t{step-2} {step-1}', '{step+100}', 'yes'],
  RATE_LIMIT: [
    ...['3 600', '2 600 {now-300}', '2 600 {now-300} {now-200}', '9 3600 {now-300} {now-200} {now-9000}'],
    ...['1 3600 {now-9000}', '2 600 {now+500}', '3', '0 30', '101 30', '3 3601', '3 600 ', 'x'],
  ],
  WINDOW_SIZE: ['1', '2', '3', '6', '17', '+6', '\t 1', '0', '101', 'x', ''],
  STEP_SIZE: ['30', '60', '0', '61', 'x'],
  TIME_SKEW: ['40', '-40', '1', 'x', ''],
  RESETTING_TIME_SKEW: [
    ...[
      '{step-2}+100 {step-1}+100',
      '{step-2}-100 {step-1}-101',
      '{step-1}+100',
      '{step-4}+100 {step-1}+100',
    ],
    ...['{step-9}+5 {step-2}+100 {step-1}+100', ''],
  ],
  LAST0: ['192.0.2.7 {now-100}', '192.0.2.7 {now-900}', '192.0.2.8 {now-100}', '192.0.2.7'],
  LAST3: ['192.0.2.8 {now-100}', '192.0.2.7 {now-900}'],
};

const OTHER_LINES = [
  ...['# comment', 'hello', '', '" ', '" UNKNOWN one', '" WINDOW_SIZED 1', 'WINDOW_SIZE 1'],
  ...['12345678', '12345678', '87654321', ' \t12345678', '1234567', '123456789', '12345678 ', '01234567'],
];

const ANSWERS = [
  ...[
    '{code}',
    '{code}',
    '{code+1}',
    '{code-1}',
    '{code+2}',
    '{code-2}',
    '{code+3}',
    '{code+40}',
    '{code-40}',
  ],
  ...['{code+100}', '{code-100}', '{hotp:1}', '{hotp:2}', '{hotp:5}', '{hotp:7}', '{wrong}', '{wrong}'],
  ...[
    '12345678',
    '87654321',
    '99999999',
    '',
    'hello',
    '1234567',
    '123456789',
    '{code}x',
    'x{code}',
    'pw12345678',
  ],
  ...[' {code} ', '1234-5678'],
];

const PASSWORDS = ['pw', 'pw{code}', 'pw{code+1}', '{code}', 'pw{wrong}', 'pw12345678'];
const HOSTS = ['192.0.2.7', '192.0.2.8'];
const FLAGS = ['nullok', 'noskewadj', 'no_increment_hotp', 'echo_verification_code', 'debug', 'forward_pass'];

/** Picks one of the likely values with this probability. */
const mostly = <T>(likely: T, weight: number, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(likely) }, { weight: 1, arbitrary: others });

const option = fc
  .constantFrom(...Object.keys(VALUES))
  .chain((key) =>
    fc.constantFrom(...VALUES[key]!).map((value) => `" ${key}${value === '' ? '' : ' '}${value}`),
  );
const line = fc.oneof(option, option, fc.constantFrom(...OTHER_LINES));

const file = fc
  .record({
    secret: mostly<string>('{secret}', 12, fc.constantFrom(...SECRETS)),
    before: fc.array(line, { maxLength: 4 }),
    mode: mostly('" TOTP_AUTH', 8, line),
    after: fc.array(line, { maxLength: 3 }),
    lineEnd: mostly('\n', 6, fc.constant('\r\n')),
    ended: mostly(true, 8, fc.constant(false)),
  })
  .map(({ secret, before, mode, after, lineEnd, ended }) =>
    [secret, ...before, mode, ...after].join(lineEnd).concat(ended ? lineEnd : ''),
  );

const options = fc
  .record({
    flags: fc.subarray(FLAGS, { maxLength: 2 }),
    stacked: mostly('', 4, fc.constantFrom('try_first_pass', 'use_first_pass')),
    grace: mostly('', 3, fc.constant('grace_period=300')),
  })
  .map(({ flags, stacked, grace }) => [...flags, stacked, grace].filter((word) => word !== '').join(' '));

const login: fc.Arbitrary<RandomLogin> = fc.record({
  answer: fc.oneof(
    fc.constantFrom(...ANSWERS),
    fc.constantFrom(...ANSWERS).map((text) => (/^[{0-9]/.test(text) ? `pw${text}` : text)),
  ),
  rhost: fc.oneof(fc.constant(undefined), fc.constantFrom(...HOSTS)),
  password: mostly<string | undefined>(undefined, 2, fc.constantFrom(...PASSWORDS)),
});

/** Cases without end. */
export const randomCase: fc.Arbitrary<RandomCase> = fc.record({
  file,
  options,
  logins: fc.array(login, { minLength: 1, maxLength: 4 }),
});
