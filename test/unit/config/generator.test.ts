/*
 * scripts/systemd/pve-authenticator-generator in a directory of its own: how config.toml opens or closes the sandboxes of the
 * units. The generator reads the file with awk, and the daemon with a parser, so the generator must never open more than the
 * daemon's settings need.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { hasProxmoxVe } from '../../../src/host/proxmox-here.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const SCRIPT = resolve(import.meta.dirname, '../../../scripts/systemd/pve-authenticator-generator');
const EXAMPLE = resolve(import.meta.dirname, '../../../scripts/systemd/config.example.toml');

const DAEMON = 'pve-authenticator.service.d';
const READER = 'pve-authenticator-files.service.d';
const READER_SOCKET = 'pve-authenticator-files.socket.d';
const NETWORK = `${DAEMON}/network.conf`;
const NO_HOMES = `${READER}/no-homes.conf`;
const CLOSED = [`${READER}/closed.conf`, `${READER_SOCKET}/closed.conf`];

const ONLINE = 'mode = "online"\nid = 12345\nkey = "c2VjcmV0c2VjcmV0"\n';

const newDirectory = temporaryDirectories();
let config: string;
let units: string;

beforeEach(() => {
  const root = newDirectory();
  config = `${root}/config.toml`;
  units = `${root}/generator`;
  mkdirSync(units);
});

/** The drop-ins for a config.toml; undefined for a missing file. */
function generate(text: string | undefined): string[] {
  if (text !== undefined) {
    writeFileSync(config, text);
  }
  const { status, stderr } = spawnSync('sh', [SCRIPT, units, `${units}.early`, `${units}.late`], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], PVE_AUTHENTICATOR_CONFIG: config },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect([existsSync(`${units}.early`), existsSync(`${units}.late`)]).toEqual([false, false]);
  return readdirSync(units, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.conf'))
    .sort();
}

const settings = (dropIn: string): string[] =>
  readFileSync(`${units}/${dropIn}`, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('the sandboxes stay as they are', () => {
  it.each<[string, string | undefined]>([
    ['no file', undefined],
    ['an empty file', ''],
    ['the example', readFileSync(EXAMPLE, 'utf8')],
    ['offline', '[yubico]\nmode = "offline"\n'],
    ['homes that count', '[sources]\nhome = true\nproxmox = false\n'],
    ['homes by default, without Proxmox', '[sources]\nproxmox = false\n'],
  ])('with %s', (_what, text) => {
    expect(generate(text)).toEqual([]);
  });
});

describe('the network of the daemon', () => {
  it.each([
    ['as the manual has it', `[yubico]\n${ONLINE}`],
    ['with the other quotes', `[yubico]\n${ONLINE.replaceAll('"', "'")}`],
    ['between other tables', `[sources]\nhome = true\n\n[yubico]\n${ONLINE}\n[throttle]\nhome = false\n`],
    [
      'indented, with comments',
      `  [yubico] # keys\n\tmode="online"# yes\nid = 1\nkey = "c2VjcmV0c2VjcmV0"\n`,
    ],
    ['with the line ends of Windows', `[yubico]\n${ONLINE}`.replaceAll('\n', '\r\n')],
  ])('is opened %s', (_how, text) => {
    expect(parseConfig(text, config).yubico.mode).toBe('online');
    expect(generate(text)).toEqual([NETWORK]);
    expect(settings(NETWORK)).toEqual([
      '[Service]',
      'PrivateNetwork=no',
      'RestrictAddressFamilies=AF_INET AF_INET6',
      'IPAddressDeny=',
      'IPAddressDeny=multicast',
    ]);
  });

  it.each([
    ['commented out', `#[yubico]\n#mode = "online"\n`],
    ['offline, online in a comment', `[yubico]\nmode = "offline" # "online"\n`],
    ['commented out below its table', `[yubico]\n# mode = "online"\nmode = "offline"\n`],
    ['of another key', `[yubico]\nca = "/mode = \\"online\\""\n`],
    ['in a comment of another table', `[proxmox] # [yubico]\nweb = "gate" # mode = "online"\n`],
    ['in a text of several lines', `[yubico]\nmode = "offline"\nca = """/\n[yubico]\nmode = "online"\n"""\n`],
    ['in a text of several lines before', `[yubico]\nca = """/\nmode = "online"\n"""\nmode = "offline"\n`],
    [
      'in a text of several lines, with the other quotes',
      `[yubico]\nca = '''/\nmode = "online"\n'''\nmode = "offline"\n`,
    ],
  ])('stays closed: %s', (_how, text) => {
    expect(parseConfig(text, config).yubico.mode).not.toBe('online');
    expect(generate(text)).toEqual([]);
  });

  it.each([
    ['a table of another name', `[yubico.more]\n${ONLINE}`],
    ['a list of tables', `[[yubico]]\n${ONLINE}`],
    ['another table', `[sources]\n${ONLINE}`],
    ['no table', ONLINE],
    ['a key that only begins so', `[yubico]\nmode2 = "online"\n`],
    ['a word without quotes', `[yubico]\nmode = online\n`],
    ['another value', `[yubico]\nmode = "onlinex"\n`],
    ['a text that does not end', `[yubico]\nmode = "online\n`],
  ])('stays closed where the daemon refuses the file, too: %s', (_how, text) => {
    expect(() => parseConfig(text, config)).toThrow();
    expect(generate(text)).toEqual([]);
  });
});

describe('the reader, where homes do not count', () => {
  const withoutHomes = '[sources]\nhome = false # nobody has a file\n';

  it('sees no homes, where it has the files of Proxmox to read', () => {
    expect(generate(`${withoutHomes}proxmox = true\n`)).toEqual([NO_HOMES]);
    expect(settings(NO_HOMES)).toEqual([
      '[Service]',
      'ProtectSystem=strict',
      'ProtectHome=yes',
      'PrivateTmp=yes',
    ]);
  });

  it('cannot be started, where it has nothing to read', () => {
    expect(generate(`${withoutHomes}proxmox = false\n`)).toEqual(CLOSED);
    for (const dropIn of CLOSED) {
      expect(settings(dropIn)).toContain('ConditionPathExists=!/');
    }
  });

  it('reads the files of Proxmox on a machine that has them, if nothing is said', () => {
    expect(generate(withoutHomes)).toEqual(hasProxmoxVe() ? [NO_HOMES] : CLOSED);
  });

  it.each([
    ['commented out', '[sources]\n# home = false\nproxmox = false\n'],
    ['of the throttle', '[sources]\nproxmox = false\n[throttle]\nhome = false\n'],
  ])('is left as it is: %s', (_how, text) => {
    expect(parseConfig(text, config).sources.home).toBe(true);
    expect(generate(text)).toEqual([]);
  });

  it('and the network, both', () => {
    expect(generate(`${withoutHomes}proxmox = true\n[yubico]\n${ONLINE}`)).toEqual([NO_HOMES, NETWORK]);
  });
});
