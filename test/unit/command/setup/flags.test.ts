/* Each flag of google-authenticator 1.11, alone and with others, according to its man page and messages. */
import { describe, expect, it } from 'vitest';
import { FlagError, parseFlags, type SetupFlags } from '../../../../src/command/setup/flags.ts';

const NOTHING = { confirm: true, force: false, quiet: false, ownSecret: false, json: false };
const split = (line: string): string[] => (line === '' ? [] : line.split(' '));

const GOOD: readonly [line: string, says: Partial<SetupFlags>][] = [
  ['', {}],
  ['-t', { kind: 'totp' }],
  ['--time-based', { kind: 'totp' }],
  ['-c', { kind: 'hotp' }],
  ['--counter-based', { kind: 'hotp' }],
  ['-C', { confirm: false }],
  ['-C -C --no-confirm', { confirm: false }],
  ['-t -d', { kind: 'totp', reuse: 'disallow' }],
  ['-d -t', { kind: 'totp', reuse: 'disallow' }],
  ['-t -D', { kind: 'totp', reuse: 'allow' }],
  ['--time-based --allow-reuse', { kind: 'totp', reuse: 'allow' }],
  ['-f', { force: true }],
  ['--force', { force: true }],
  ['-q', { quiet: true }],
  ['-l me', { label: 'me' }],
  ['-lme', { label: 'me' }],
  ['--label=a=b', { label: 'a=b' }],
  ['--label me', { label: 'me' }],
  ['--issuer=', { issuer: '' }],
  ['-i pve', { issuer: 'pve' }],
  ['-Q none', { qrMode: 'NONE' }],
  ['-Q ANSI', { qrMode: 'ANSI' }],
  ['--qr-mode=ansi-inverse', { qrMode: 'ANSI_INVERSE' }],
  ['--qr-mode=Ansi_Grey', { qrMode: 'ANSI_GREY' }],
  ['-Qutf8', { qrMode: 'UTF8' }],
  ['-Q utf8-inverse', { qrMode: 'UTF8_INVERSE' }],
  ['-Q UTF8_GREY', { qrMode: 'UTF8_GREY' }],
  ['-r 1 -R 15', { limit: { attempts: 1, seconds: 15 } }],
  ['--rate-time=600 --rate-limit=10', { limit: { attempts: 10, seconds: 600 } }],
  ['-u', { limit: 'none' }],
  ['-s /tmp/x', { secretFile: '/tmp/x' }],
  ['--secret=x', { secretFile: 'x' }],
  ['-S 15', { period: 15 }],
  ['-s F -S 1', { secretFile: 'F', period: 1 }],
  ['-S60', { period: 60 }],
  ['-w 1', { window: 1 }],
  ['-w 21', { window: 21 }],
  ['-W', { window: 'minimal' }],
  ['-e 0', { emergencyCodes: 0 }],
  ['--emergency-codes=10', { emergencyCodes: 10 }],
  ['-h', { show: 'help' }],
  ['--version', { show: 'version' }],
  ['-d -h', { show: 'help', reuse: 'disallow' }],
  ['-qfC', { quiet: true, force: true, confirm: false }],
  ['-tqw3', { kind: 'totp', quiet: true, window: 3 }],
  ['--time --quiet --iss=x', { kind: 'totp', quiet: true, issuer: 'x' }],
  ['--dis --ti', { kind: 'totp', reuse: 'disallow' }],
  ['-c -w 5 -r 3 -R 30', { kind: 'hotp', window: 5, limit: { attempts: 3, seconds: 30 } }],
  ['-c -S 30', { kind: 'hotp', period: 30 }],
  [
    '-t -d -f -q -r 3 -R 30 -w 3 -Q none -C -s FILE',
    {
      kind: 'totp',
      reuse: 'disallow',
      force: true,
      quiet: true,
      confirm: false,
      limit: { attempts: 3, seconds: 30 },
      window: 3,
      qrMode: 'NONE',
      secretFile: 'FILE',
    },
  ],
  // Our own.
  ['--period 120', { period: 120 }],
  ['--algorithm=SHA256', { algorithm: 'sha256' }],
  ['--digits=8', { digits: 8 }],
  ['--name=pixel-7 --user=bob', { name: 'pixel-7', user: 'bob' }],
  ['--own-secret --json', { ownSecret: true, json: true }],
  ['--plain', { qrMode: 'NONE' }],
];

const BAD: readonly [line: string, why: RegExp][] = [
  ...['-t -t', '-t -c', '-c -t', '-c -c'].map((line): [string, RegExp] => [
    line,
    /^Duplicate -[tc] option detected$/,
  ]),
  ...['-t -d -d', '-t -d -D', '-t -D -d'].map((line): [string, RegExp] => [line, /^Duplicate -[dD] option/]),
  ...['-f -f', '-q -q', '-u -u'].map((line): [string, RegExp] => [line, /^Duplicate -[fqu] option/]),
  ['-l a -l b', /^Duplicate -l/],
  ['-i a -i b', /^Duplicate -i/],
  ['-Q none -Q none', /^Duplicate -Q/],
  ['-r 3 -r 3 -R 30', /^Duplicate -r/],
  ['-r 3 -R 30 -R 30', /^Duplicate -R/],
  ['-s a -s b', /^Duplicate -s/],
  ['-S 30 -S 30', /^Duplicate -S/],
  ['-S 5', /^-S must be a number from 15 to 60: .* --secret takes 1 to 60$/],
  ['--period 10', /^--period must be a number from 15 to 120/],
  ['-w 3 -w 3', /^Duplicate -w/],
  ['-w 3 -W', /^Duplicate -W/],
  ['-W -w 3', /^Duplicate -w/],
  ['-e 1 -e 1', /^Duplicate -e/],
  ['-qfq', /^Duplicate -q/],
  ['-S 30 --period=30', /^Duplicate --period/],
  ['-c -d', /not a meaningful parameter in counter-based mode/],
  ['-c -D', /not a meaningful parameter in counter-based mode/],
  ['-d', /Must select time-based mode, when using -d or -D/],
  ['-D', /Must select time-based mode, when using -d or -D/],
  ['-r 3', /-r and -R go together/],
  ['-R 30', /-r and -R go together/],
  ['-u -r 3 -R 30', /-u does not go with/],
  ['-u -R 30', /-u does not go with/],
  ...['-r 0 -R 30', '-r 11 -R 30', '-r x -R 30', '-r 3.5 -R 30', '-r -1 -R 30'].map(
    (line): [string, RegExp] => [line, /^-r must be a number from 1 to 10$/],
  ),
  ...['-r 3 -R 14', '-r 3 -R 601'].map((line): [string, RegExp] => [line, /^-R must .* from 15 to 600$/]),
  ...['-S 0', '-S 61', '-S 0x10'].map((line): [string, RegExp] => [line, /^-S must .* from 1 to 60$/]),
  ...['-w 0', '-w 22', '-w 3a'].map((line): [string, RegExp] => [line, /^-w must .* from 1 to 21$/]),
  ...['-e 11', '-e -1', '-e='].map((line): [string, RegExp] => [line, /^-e must .* from 0 to 10$/]),
  ['--secret=', /^--secret must not be empty$/],
  ['-Q svg', /^-Q must be one of NONE, ANSI/],
  ['-Q', /^-Q needs a value$/],
  ['--label', /^--label needs a value$/],
  ['--quiet=yes', /takes no value/],
  ['-x', /^unknown option -x$/],
  ['-tx', /^unknown option -x$/],
  ['--colour', /^unknown option --colour$/],
  ['--rate=3', /^--rate may be --rate-limit or --rate-time$/],
  ['-t alice', /^unexpected argument "alice"/],
  ['-', /^unexpected argument "-"/],
  ['--', /^unexpected argument "--"/],
  ['-s F --algorithm=sha256', /knows SHA-1 only/],
  ['-s F --digits=8', /knows codes of 6 digits only/],
  ['-s F --period=90', /1 to 60 seconds/],
  ['-s F --user=bob', /are for the store/],
  ['--digits=9', /must be a number from 6 to 8/],
  ['--period=121', /from 1 to 120/],
];

describe('parseFlags', () => {
  it.each(GOOD)('reads %j', (line, says) => {
    expect(parseFlags(split(line))).toEqual({ ...NOTHING, ...says });
  });

  it.each(BAD)('refuses %j', (line, why) => {
    expect(() => parseFlags(split(line))).toThrow(FlagError);
    expect(() => parseFlags(split(line))).toThrow(why);
  });

  it('refuses an empty -s', () => {
    expect(() => parseFlags(['-s', ''])).toThrow('-s must not be empty');
  });
});
