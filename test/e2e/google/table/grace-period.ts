import { IN, NOTHING, out, totp, unasked, type Scenario, CODE, lines } from '../scenario.ts';

const options = 'grace_period=300';
const rhost = '192.0.2.7';
const SPARED = { end: 'in', reason: 'grace-period', shown: NOTHING } as const;
const NOT_WRITTEN = 'a login is noted even if nothing else is to be written';

/** A file with hosts. */
function hosts(...all: readonly string[]): string {
  return totp(...all.map((host, slot) => `" LAST${slot} ${host}`));
}

const TEN = Array.from({ length: 10 }, (_, slot) => `192.0.2.${100 + slot} {now-${400 + slot}}`);

/** grace_period=. */
export const GRACE_PERIOD: readonly Scenario[] = [
  {
    title: 'a host that was there is not asked',
    options,
    rhost,
    file: hosts('192.0.2.7 {now-100}'),
    ...SPARED,
  },
  {
    title: 'a host that was there too long ago is',
    options,
    rhost,
    file: hosts('192.0.2.7 {now-300}'),
    ...IN,
    after: hosts('192.0.2.7 {now}'),
    google: { why: NOT_WRITTEN, until: '1.09', after: hosts('192.0.2.7 {now-300}') },
  },
  {
    title: 'another host is',
    options,
    rhost,
    file: hosts('192.0.2.8 {now-100}'),
    answer: '{wrong}',
    ...out('wrong-code'),
  },
  {
    title: 'without the option, too',
    rhost,
    file: hosts('192.0.2.7 {now-100}'),
    answer: '{wrong}',
    ...out('wrong-code'),
  },
  {
    title: 'no host is nobody',
    options,
    file: hosts('192.0.2.7 {now-100}'),
    answer: '{wrong}',
    ...out('wrong-code'),
  },
  { title: 'no host, the right code', options, file: hosts('192.0.2.7 {now-100}'), ...IN },
  {
    title: 'a login is noted',
    options,
    rhost,
    ...IN,
    after: '{secret}\n" LAST0 192.0.2.7 {now}\n" TOTP_AUTH\n',
    google: { why: NOT_WRITTEN, until: '1.09', after: totp() },
  },
  {
    title: 'a login is noted, and the next is spared',
    options,
    rhost,
    file: totp('" DISALLOW_REUSE'),
    ...IN,
    after: totp('" LAST0 192.0.2.7 {now}', '" DISALLOW_REUSE {step}'),
    then: [
      { rhost, ...SPARED },
      { rhost: '192.0.2.8', ...out('code-already-used') },
    ],
  },
  { title: 'a wrong code notes nothing', options, rhost, answer: '{wrong}', ...out('wrong-code') },
  {
    title: 'a second host gets the next place',
    options,
    rhost,
    file: totp('" LAST0 192.0.2.1 {now-9}', '" DISALLOW_REUSE'),
    ...IN,
    after: totp('" LAST1 192.0.2.7 {now}', '" LAST0 192.0.2.1 {now-9}', '" DISALLOW_REUSE {step}'),
  },
  {
    title: 'the eleventh gets the place of the oldest',
    options,
    rhost,
    file: totp('" DISALLOW_REUSE', ...TEN.map((host, slot) => `" LAST${slot} ${host}`)),
    ...IN,
    after: totp(
      '" DISALLOW_REUSE {step}',
      ...TEN.map((host, slot) => `" LAST${slot} ${slot === 9 ? '192.0.2.7 {now}' : host}`),
    ),
  },
  {
    title: 'an IPv6 address',
    options,
    rhost: '2001:db8::1',
    file: hosts('2001:db8::1 {now-100}'),
    ...SPARED,
  },
  { title: 'a host name', options, rhost: 'host.example', file: hosts('host.example {now-100}'), ...SPARED },
  {
    title: 'a line that nobody understands',
    options,
    rhost,
    file: hosts('192.0.2.7'),
    answer: '{wrong}',
    ...out('wrong-code'),
  },
  {
    title: 'a line that nobody understands keeps its place',
    options,
    rhost,
    file: totp('" LAST0 192.0.2.7', '" DISALLOW_REUSE'),
    ...IN,
    after: totp('" LAST1 192.0.2.7 {now}', '" LAST0 192.0.2.7', '" DISALLOW_REUSE {step}'),
  },
  {
    title: 'an IPv6 address of a link',
    options,
    rhost: 'fe80::1%eth0',
    file: hosts('fe80::1%eth0 {now-100}'),
    ...SPARED,
    google: { why: 'it took the percent sign for a directive of scanf', until: '1.11', ...IN, shown: [CODE] },
  },
  {
    title: 'where the secret is none, too',
    options,
    rhost,
    file: lines('!', '" LAST0 192.0.2.7 {now-100}', '" TOTP_AUTH'),
    ...SPARED,
  },
  {
    title: 'with a limit that is used up',
    options,
    rhost,
    file: totp('" LAST0 192.0.2.7 {now-100}', '" RATE_LIMIT 1 30 {now-1}'),
    ...SPARED,
  },
  {
    title: 'no grace: with a limit that is used up',
    options,
    rhost: '192.0.2.8',
    file: totp('" LAST0 192.0.2.7 {now-100}', '" RATE_LIMIT 1 30 {now-1}'),
    ...unasked('too-many-tries'),
    google: {
      why: 'a try that was held back does not prolong the wait',
      after: totp('" LAST0 192.0.2.7 {now-100}', '" RATE_LIMIT 1 30 {now}'),
    },
  },
  {
    title: 'a host name that would write lines',
    options,
    rhost: 'x\n99999999\ny',
    file: totp('" DISALLOW_REUSE'),
    ...IN,
    after: totp('" DISALLOW_REUSE {step}'),
    google: {
      why: 'a host name must not write lines into the file',
      after: totp('" LAST0 x\n99999999\ny {now}', '" DISALLOW_REUSE {step}'),
    },
  },
];
