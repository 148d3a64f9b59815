import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { DEFAULT_CONFIG, parseConfig } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

describe('parseConfig', () => {
  it('needs nothing to be said', () => {
    expect(parseConfig('', 'f')).toEqual(DEFAULT_CONFIG);
    expect(parseConfig('# only a comment\n[throttle]\n', 'f')).toEqual(DEFAULT_CONFIG);
    expect(DEFAULT_CONFIG.throttle.enabled).toBe(true);
    expect(DEFAULT_CONFIG.throttle.home).toBe(true);
    expect(DEFAULT_CONFIG.sources.home).toBe(true);
  });

  it('takes what is said', () => {
    expect(parseConfig('[throttle]\nenabled = false\n', 'f').throttle.enabled).toBe(false);
    expect(parseConfig('throttle.enabled = false\n', 'f').throttle.enabled).toBe(false);
    expect(parseConfig('[sources]\nhome = false\n', 'f').sources.home).toBe(false);
  });

  it.each([
    ['[throttle]\n\nenabeld = true\n', 'f:3: throttle.enabeld: there is no such setting'],
    ['\n[throtle]\nenabled = true\n', 'f:2: throtle: there is no such setting'],
    ['x = 1\n', 'f:1: x: there is no such setting'],
    ['# a\n[throttle]\nenabled = "no"\n', /^f:3: throttle\.enabled: .*boolean/],
    ['[throttle]\nenabled = false\nenabled = true\n', /^f:\d: /],
    ['[throttle\n', /^f:1: /],
    ['throttle = 3\n', /^f:1: throttle: /],
  ])('refuses %j and says where', (text, message) => {
    expect(() => parseConfig(text, 'f')).toThrow(message);
  });
});

describe('loadConfig', () => {
  const makeDirectory = temporaryDirectories();
  let file: string;
  let lastGood: string;
  beforeEach(() => {
    const directory = makeDirectory();
    file = join(directory, 'config.toml');
    lastGood = join(directory, 'last-good.toml');
  });

  it('works without a file', () => {
    expect(loadConfig(file, lastGood)).toEqual({ config: DEFAULT_CONFIG, problem: undefined });
  });

  it('goes on with the last good copy when the file is wrong, and says so', () => {
    writeFileSync(file, '[throttle]\nenabled = false\n');
    expect(loadConfig(file, lastGood).problem).toBeUndefined();
    expect(readFileSync(lastGood, 'utf8')).toBe('[throttle]\nenabled = false\n');
    writeFileSync(file, '[throttle]\nenabled = maybe\n');
    const { config, problem } = loadConfig(file, lastGood);
    expect(config.throttle.enabled).toBe(false);
    expect(problem).toMatch(/config\.toml:2: .*last good copy/);
  });

  it('refuses a wrong file when there is no good copy', () => {
    writeFileSync(file, 'x = 1\n');
    expect(() => loadConfig(file, lastGood)).toThrow(/config\.toml:1: x/);
    writeFileSync(lastGood, 'also = "wrong"\n');
    expect(() => loadConfig(file, lastGood)).toThrow(/config\.toml:1: x/);
  });

  it('does not take a file that cannot be read for none', () => {
    mkdirSync(file);
    expect(() => loadConfig(file, lastGood)).toThrow(/cannot be read \(EISDIR\)/);
    rmSync(file, { recursive: true });
    writeFileSync(file, ' '.repeat(300_000));
    expect(() => loadConfig(file, lastGood)).toThrow(/longer than/);
  });
});

describe('parseCommandLine', () => {
  it('has defaults and takes options', () => {
    expect(parseCommandLine([])).toMatchObject({ runtimeDir: '/run/pve-authenticator', requireState: false });
    expect(parseCommandLine(['--state-dir', '/s', '--require-state'])).toMatchObject({
      stateDir: '/s',
      requireState: true,
    });
  });

  it.each([[['--stat-dir', '/s']], [['extra']], [['--config']]])('refuses %j', (argv) => {
    expect(() => parseCommandLine(argv)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
