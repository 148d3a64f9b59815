import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allChecks } from '../../../src/command/doctor/all-checks.ts';
import { logLinesOf, moduleLinesOf } from './log-lines.ts';

const root = resolve(import.meta.dirname, '../../..');
const pageOf = (name: string): string => readFileSync(`${root}/docs/${name}`, 'utf8');
const LOG_EVENTS = pageOf('reference/log-events.md');
const DOCTOR = pageOf('reference/doctor.md');
const FAILURES = pageOf('guides/when-logins-fail.md');

/** A section of a page: from its headline to the next one of the same level. */
function part(page: string, headline: string): string {
  const rank = headline.split(' ')[0]!;
  const from = page.indexOf(`\n${headline}\n`);
  expect(from, headline).toBeGreaterThan(0);
  const to = page.slice(from + 1).search(new RegExp(`\\n#{1,${rank.length}} `));
  return page.slice(from, to === -1 ? undefined : from + 1 + to);
}
/** The first column of its table, without the quotes. */
const firstColumn = (page: string, headline: string): string[] =>
  [...part(page, headline).matchAll(/^\| `(.+?)` \|/gm)].map(([, cell]) => cell!).sort();

describe('docs/', () => {
  it('has every line that daemon and reader can log, and no other', () => {
    const daemon = firstColumn(LOG_EVENTS, '### The daemon');
    const reader = firstColumn(LOG_EVENTS, "### The reader of users' files");
    expect([...new Set([...daemon, ...reader])].sort(), 'each line of the log is explained there').toEqual(
      [...logLinesOf(`${root}/src`)].sort(),
    );
    expect(daemon.length, 'it finds the lines').toBeGreaterThan(40);
    const ofReader = [...logLinesOf(`${root}/src/reader`)];
    expect(ofReader.length).toBeGreaterThan(5);
    expect(ofReader.filter((line) => !reader.includes(line))).toEqual([]);
  });

  it('has every line that the module can log, and no other', () => {
    expect(
      firstColumn(LOG_EVENTS, '### The module, in the log of the program that asks (sshd, login, sudo)'),
    ).toEqual([...moduleLinesOf(`${root}/native/pam`)].sort());
  });

  it('has every check of doctor, and no other', () => {
    const names = allChecks('1').map(({ name }) => name);
    expect(firstColumn(DOCTOR, '## Checks').sort()).toEqual([...new Set(names)].sort());
  });

  it('names no line in its table of failures that is not explained', () => {
    const said = [...part(FAILURES, '## Every failure').matchAll(/`([A-Z][^`]*: |[A-Z][^`]*)`/g)].map(
      ([, text]) => text!,
    );
    const known = [
      ...logLinesOf(`${root}/src`),
      ...[...readFileSync(`${root}/src/daemon/login/texts.ts`, 'utf8').matchAll(/'([^'\n]+)'/g)].map(
        ([, text]) => text!,
      ),
      'Permission denied',
      'You have … recovery codes left.',
      'PAM unable to dlopen(pam_pve_authenticator.so)',
    ];
    expect(said.length).toBeGreaterThan(15);
    const begins = (text: string): string => text.replace(/…$/, '').trim();
    for (const text of said) {
      expect(
        known.some((line) => line.startsWith(begins(text))),
        text,
      ).toBe(true);
    }
  });
});
