import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { programOf } from '../../../src/command/program.ts';
import type { Session } from '../../../src/command/session/session.ts';
import { flagWords, parseFlags } from '../../../src/command/setup/flags.ts';

const root = resolve(import.meta.dirname, '../../..');
const NAME = 'pve-google-authenticator';
// Nothing of it is used as long as no command runs.
const program = programOf({} as Session, '/run');
const FOLDERS = ['guides', 'reference', 'explanation'];
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...FOLDERS.flatMap((folder) =>
    readdirSync(`${root}/docs/${folder}`).map((name) => `docs/${folder}/${name}`),
  ),
];

/** The command lines of a page, in blocks and in sentences, each without the program's name. */
function commandLines(page: string): string[] {
  const text = readFileSync(`${root}/${page}`, 'utf8');
  const blocks = [...text.matchAll(/^ *```[^\n]*\n([^]*?)^ *```/gm)].flatMap(([, block]) =>
    block!.split('\n'),
  );
  const inline = [...text.replace(/^ *```[^]*?^ *```/gm, '').matchAll(/`([^`]+)`/g)].map(([, code]) =>
    code!.replace(/\s+/g, ' '),
  );
  const own = program.commands.map((command) => command.name());
  return [
    ...[...blocks, ...inline].flatMap((line) =>
      [...line.matchAll(new RegExp(`(?:^|[ /])${NAME}(?: +([^#&;|<]*))?`, 'g'))].map(
        ([, words]) => words ?? '',
      ),
    ),
    // "run `recovery --user USER`"; a table says what may follow a command in brackets, and two for one with a comma.
    ...inline.filter((code) => own.some((name) => code.startsWith(`${name} `)) && !/[[|…]/.test(code)),
  ]
    .map((words) => words.trim())
    .filter((words) => !words.startsWith('['));
}

/** Why this is not a command line; undefined if it is one. */
function fault(words: readonly string[]): string | undefined {
  let command: Command = program;
  const rest = [...words];
  for (;;) {
    const next = command.commands.find((child) => child.name() === rest[0]);
    if (next === undefined) {
      break;
    }
    command = next;
    rest.shift();
  }
  if (command === program || command.name() === 'setup') {
    try {
      // Another parser reads lines with --proxmox.
      parseFlags(rest.filter((word) => word !== '--proxmox'));
      return undefined;
    } catch (error) {
      return String(error);
    }
  }
  let values = 0;
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (!word.startsWith('-') || word === '-') {
      values += 1;
      continue;
    }
    const [flag, value] = word.split('=');
    const option = command.options.find(({ short, long }) => flag === short || flag === long);
    if (option === undefined) {
      return flag === '--help' ? undefined : `${command.name()} has no ${flag!}`;
    }
    if (option.required && value === undefined && rest.shift() === undefined) {
      return `${flag!} needs a value`;
    }
  }
  const known = command.registeredArguments;
  const least = known.filter(({ required }) => required).length;
  const most = known.some(({ variadic }) => variadic) ? Infinity : known.length;
  return values >= least && values <= most ? undefined : `${command.name()} with ${values} words`;
}

describe('command lines', () => {
  it('finds them', () => {
    expect(pages.flatMap(commandLines).length).toBeGreaterThan(120);
    expect(fault(['remove', 'alice', 'old-phone'])).toBe('remove with 2 words');
    expect(fault(['recovery', '--users', 'alice'])).toBe('recovery has no --users');
    expect(fault(['--names=x'])).toMatch(/names/);
  });

  it.each(pages)('of %s can be typed', (page) => {
    for (const line of commandLines(page)) {
      expect(fault(line.split(/ +/).filter((word) => word !== '')), `${page}: ${line}`).toBeUndefined();
    }
  });
});

describe('docs/reference/commands.md', () => {
  const page = readFileSync(`${root}/docs/reference/commands.md`, 'utf8');
  const rows = [...page.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell!);

  it('has every command', () => {
    for (const command of program.commands.filter((each) => each.name() !== 'setup')) {
      expect(
        rows.some((cell) => new RegExp(`\`${command.name()}(?![a-z-])`).test(cell)),
        command.name(),
      ).toBe(true);
    }
  });

  it('has every option of every command, and no other', () => {
    const [, options = ''] = /^## Options\n([^]*?)^## /m.exec(page) ?? [];
    const [everywhere = '', own = ''] = options.split('These belong to one command:');
    const flagsIn = (text: string): string[] => [...text.matchAll(/`(--[a-z-]+)/g)].map(([, flag]) => flag!);
    const common = flagsIn(everywhere);
    const told = new Map<string, string[]>();
    let names: string[] = [];
    for (const [, command, flags] of own.matchAll(/^\| (.*?)\| (.*?) \|/gm)) {
      const here = [...command!.matchAll(/`([a-z -]+)`/g)].map(([, name]) => name!);
      names = here.length > 0 ? here : names;
      names.forEach((name) => told.set(name, [...(told.get(name) ?? []), ...flagsIn(flags!)]));
    }
    const visit = (command: Command, path: string): void => {
      const flags = command.options.map(({ long }) => long!).filter((flag) => !common.includes(flag));
      // One row describes "add totp" and "add hotp".
      const known = (told.get(path) ?? []).filter((flag) => !(path === 'add hotp' && flag === '--period'));
      expect(known.sort(), path).toEqual(flags.sort());
      command.commands.forEach((child) => visit(child, `${path} ${child.name()}`.trim()));
    };
    visit(program, '');
  });

  it('has every flag of the setup', () => {
    for (const flag of flagWords().filter((word) => !['-h', '--help', '--version'].includes(word))) {
      expect(
        rows.some((cell) => new RegExp(`\`${flag}(?![a-z-])`).test(cell)),
        flag,
      ).toBe(true);
    }
  });
});
