/* The dialogue of "doctor --fix", on a real file below a temporary directory. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { fixFindings } from '../../../../src/command/commands/fixing.ts';
import type { SwitchingTools } from '../../../../src/command/commands/switching-tools.ts';
import { difference } from '../../../../src/command/commands/remedy-words.ts';
import type { Session } from '../../../../src/command/session/session.ts';
import type { Report } from '../../../../src/command/doctor/check.ts';
import { placesBelow } from '../../../../src/command/switching/places.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const newDirectory = temporaryDirectories();
let file: string;
let ground: SwitchingTools;
let lines: string[];

beforeEach(() => {
  const root = newDirectory();
  file = `${root}/etc/pam.d/sshd`;
  mkdirSync(`${root}/etc/pam.d`, { recursive: true });
  mkdirSync(`${root}/etc/pve-authenticator`);
  writeFileSync(file, 'one\nwrong\nthree\n');
  lines = [];
  const machine = { run: () => Promise.resolve({ status: 0, stdout: '', stderr: '' }) };
  ground = { places: placesBelow(root), machine } as unknown as SwitchingTools;
});

/** The file is wrong while it contains the mistake; findings for a person stay. */
const examine =
  (byHand: readonly Report[] = []) =>
  (): Promise<readonly Report[]> => {
    const text = readFileSync(file, 'utf8');
    const remedy = { acts: [{ do: 'write', path: file, text: text.replace('wrong', 'right') }] } as const;
    const wrong = { check: 'order', what: 'it is wrong', mend: 'doctor --fix=order', remedy };
    return Promise.resolve([...byHand, ...(text.includes('wrong') ? [wrong] : [])]);
  };
const sessionOf = (interactive: boolean, ...answers: string[]): Session =>
  ({
    root: true,
    now: () => 0,
    questions: { interactive, ask: () => Promise.resolve(answers.shift()!) },
    output: { line: (text: string) => lines.push(text), note: () => undefined, terminal: undefined },
  }) as unknown as Session;

describe('doctor --fix', () => {
  it('shows what would change in which file, asks, and changes it', async () => {
    expect(await fixFindings(sessionOf(true, ''), ground, examine(), {})).toEqual([]);
    expect(lines).toEqual([
      'order: it is wrong',
      `  change ${file}:`,
      '    - wrong',
      '    + right',
      '  Fixed.',
    ]);
    expect(readFileSync(file, 'utf8')).toBe('one\nright\nthree\n');
  });

  it('leaves what somebody says no to', async () => {
    expect(await fixFindings(sessionOf(true, 'n'), ground, examine(), {})).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).toBe('one\nwrong\nthree\n');
  });

  it('changes nothing without a terminal, unless --yes agrees', async () => {
    await expect(fixFindings(sessionOf(false), ground, examine(), {})).rejects.toMatchObject({
      code: 'ERR_NOT_AGREED',
    });
    expect(readFileSync(file, 'utf8')).toContain('wrong');
    expect(await fixFindings(sessionOf(false), ground, examine(), { yes: true })).toEqual([]);
  });

  it('says why only a person can, and goes on', async () => {
    const byHand = { check: 'ledger', what: 'it is damaged', mend: 'pve-google-authenticator repair --yes' };
    expect(await fixFindings(sessionOf(true, 'y'), ground, examine([byHand]), {})).toEqual([byHand]);
    expect(lines.slice(0, 2)).toEqual([
      'ledger: it is damaged',
      '  Not fixed. This forgets which codes were used: decide for yourself.',
    ]);
    expect(lines[2]).toContain('pve-google-authenticator repair --yes');
    expect(lines.at(-1)).toBe('  Fixed.');
  });
});

describe('a difference', () => {
  it('has the lines that go and come, in their order', () => {
    expect(difference('a\nb\nc\n', 'a\nx\nc\nd\n')).toEqual(['- b', '+ x', '+ d']);
    expect(difference('', 'a\n')).toEqual(['+ a']);
    expect(difference('a\n', 'a\n')).toEqual([]);
  });

  it('never shows the key of a validation server', () => {
    expect(difference('key = "old"\n', '  key="new"\n')).toEqual(['- key = …', '+   key=…']);
  });
});
