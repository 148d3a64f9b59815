import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { SETUP_HELP } from '../../../src/command/setup/help.ts';

const root = resolve(import.meta.dirname, '../../..');
const manual = readFileSync(`${root}/docs/man/pve-google-authenticator.1`, 'utf8').replaceAll('\\-', '-');
const flags = [...readFileSync(`${root}/src/command/setup/flags.ts`, 'utf8').matchAll(/long: '([a-z-]+)'/g)];
const commands = [
  ...readFileSync(`${root}/src/command/program.ts`, 'utf8').matchAll(/\b([a-z]+)Commands?(?=[,\]])/g),
];

it('has every flag of the setup, as its help does', () => {
  expect(flags.length).toBeGreaterThan(20);
  for (const [, flag] of flags) {
    expect(manual, flag).toContain(`--${flag}`);
    expect(['help', 'version'].includes(flag!) || SETUP_HELP.includes(`--${flag}`), flag).toBe(true);
  }
});

it('has every command', () => {
  expect(commands.length).toBeGreaterThan(20);
  for (const [, name] of commands) {
    expect(manual, name).toMatch(new RegExp(`^\\.B.*\\b${name}\\b`, 'm'));
  }
});
