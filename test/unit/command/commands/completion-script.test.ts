import { execFileSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { expect, it } from 'vitest';
import {
  bashCompletion,
  completionsOf,
  zshCompletion,
} from '../../../../src/command/commands/completion-script.ts';

const program = new Command('pve-google-authenticator').option('--runtime-dir <directory>', "it's where");
const add = program.command('add').description('Add: a factor');
add
  .command('totp')
  .option('--user <user>', 'whose')
  .addOption(new Option('--digits <n>').choices(['6', '7', '8']));
program.command('enable').argument('[service...]', 'services');
program.command('rehearse').argument('<service>', 'which').option('--user <user>', 'who');
program.command('rename-user').argument('<old>', 'was').argument('<user>', 'is');
program.command('list').option('-j, --json', 'as JSON');
const completions = completionsOf(program, ['-t', '--time-based']);

/** The words that bash offers for the last of these. */
function offered(...words: string[]): string[] {
  const script = [
    bashCompletion(completions),
    `COMP_WORDS=(pve-google-authenticator ${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length}`,
    '_pve_google_authenticator',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  return execFileSync('bash', ['-euc', script], { encoding: 'utf8' }).trim().split('\n');
}

it('offers commands, flags of the setup, subcommands, and the flags of each', () => {
  expect(offered('')).toEqual(['add', 'enable', 'rehearse', 'rename-user', 'list']);
  expect(offered('l')).toEqual(['list']);
  expect(offered('--t')).toEqual(['--time-based']);
  expect(offered('-')).toContain('--runtime-dir');
  expect(offered('add', 'to')).toEqual(['totp']);
  expect(offered('add', 'totp', '--d')).toEqual(['--digits']);
  expect(offered('list', '--')).toEqual(['--json', '--help']);
});

it('offers the values that a flag may have', () => {
  expect(offered('add', 'totp', '--digits', '')).toEqual(['6', '7', '8']);
});

it('offers users behind --user, with a blank or without one, and where a name stands alone', () => {
  expect(offered('add', 'totp', '--user', 'roo')).toEqual(['root']);
  expect(offered('add', 'totp', '--user', '=', 'roo')).toEqual(['root']);
  expect(offered('rehearse', 'login', '--user', '=')).toContain('root');
  expect(offered('add', 'totp', '--u')).toEqual(['--user']);
  expect(offered('--user', 'roo')).toEqual(['root']);
  expect(offered('add', 'totp', 'roo')).toEqual(['']);
  expect(offered('rename-user', 'roo')).toEqual(['root']);
});

it('offers services', () => {
  expect(offered('enable', 'log')).toEqual(['login']);
  expect(offered('enable', 'login', 'log')).toEqual(['login']);
  expect(offered('enable', 'common-')).toEqual(['']);
  expect(offered('rehearse', 'logi')).toEqual(['login']);
  expect(offered('rehearse', 'roo')).toEqual(['']);
  expect(offered('rehearse', 'login', 'roo')).toEqual(['']);
});

it('has the same for zsh, with what each means', () => {
  const zsh = zshCompletion(completions);
  expect(zsh).toMatch(/^#compdef pve-google-authenticator\n/);
  expect(zsh).toContain("'add:Add\\: a factor'");
  expect(zsh).toContain("'--runtime-dir:it’s where'");
  expect(zsh).toContain("('add totp') place='add totp' ;;");
  expect(zsh).toContain('(--digits) compadd -- 6 7 8; return ;;');
  expect(zsh).toContain('(--user) _users; return ;;');
});
