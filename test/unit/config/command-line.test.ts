import { expect, test } from 'vitest';
import { parseCommandLine, toldInstead, UsageError } from '../../../src/config/command-line.ts';

test('without options everything is where a system has it, and a store may be made', () => {
  expect(parseCommandLine([])).toEqual({
    runtimeDir: '/run/pve-authenticator',
    stateDir: '/var/lib/pve-authenticator',
    configFile: '/etc/pve-authenticator/config.toml',
    requireState: false,
    initState: false,
    withFiles: false,
  });
});

test('each option says what it says', () => {
  const paths = ['--runtime-dir', '/r', '--state-dir=/s', '--config', '/c.toml'];
  expect(parseCommandLine([...paths, '--require-state'])).toEqual({
    runtimeDir: '/r',
    stateDir: '/s',
    configFile: '/c.toml',
    requireState: true,
    initState: false,
    withFiles: false,
  });
  expect(parseCommandLine([...paths, '--init-state'])).toMatchObject({
    initState: true,
    requireState: false,
  });
  expect(parseCommandLine(['--with-files'])).toMatchObject({ withFiles: true });
});

test('--help names every option, and --version the version', () => {
  const options = ['runtime-dir', 'state-dir', 'config', 'require-state', 'init-state'];
  const help = toldInstead(['--with-files', '--help'], '1.2.3') ?? '';
  expect([...options, 'with-files'].filter((name) => !help.includes(`--${name} `))).toEqual([]);
  expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(toldInstead(['--version'], '1.2.3')).toBe('pve-authenticatord 1.2.3');
  expect(toldInstead(['--with-files'], '1.2.3')).toBeUndefined();
});

test.each([
  [['--state-directory', '/s'], /--state-directory/],
  [['--state-dir'], /--state-dir/],
  [['extra'], /extra/],
  [['--init-state', '--require-state'], /contradict/],
])('%j is refused', (argv, message) => {
  expect(() => parseCommandLine(argv)).toThrow(UsageError);
  expect(() => parseCommandLine(argv)).toThrow(message);
});
