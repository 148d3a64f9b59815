import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { programOf } from '../../../src/command/program.ts';
import type { Session } from '../../../src/command/session/session.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/reference/json.md'), 'utf8');
/** What the first column names, each in quotes of its own. */
const rows = [...page.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) =>
  [...cell!.matchAll(/`(.*?)`/g)].map(([, name]) =>
    name!.replace('rules test SERVICE --user USER', 'rules test'),
  ),
);

/** The command lines of all that print JSON. */
function withJson(command: Command, path: string): string[] {
  return [
    ...(command.options.some(({ long }) => long === '--json') ? [path] : []),
    ...command.commands.flatMap((child) => withJson(child, `${path} ${child.name()}`.trim())),
  ];
}

it('docs/reference/json.md has every command that prints JSON, and no other', () => {
  const commands = withJson(programOf({} as Session, '/run'), '');
  expect(commands.length).toBeGreaterThan(20);
  expect(commands.filter((name) => !rows.includes(name))).toEqual([]);
  const others = ['setup', 'import --keys FILE', 'import --oath-users FILE', 'User', 'Factor', 'Finding'];
  expect(rows.filter((name) => !commands.includes(name) && !others.includes(name))).toEqual([]);
});

it('every command that prints facts can print them as JSON', () => {
  const program = programOf({} as Session, '/run');
  const silent = ['setup', 'completion', 'add', 'rules', 'yubico'];
  const without = program.commands
    .filter(({ options }) => !options.some(({ long }) => long === '--json'))
    .map((command) => command.name());
  expect(without.filter((name) => !silent.includes(name))).toEqual([]);
});
