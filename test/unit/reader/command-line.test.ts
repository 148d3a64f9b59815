import { describe, expect, it } from 'vitest';
import { parseCommandLine, toldInstead } from '../../../src/reader/command-line.ts';

describe("the reader's command line", () => {
  it('has defaults', () => {
    expect(parseCommandLine([])).toEqual({
      runtimeDir: '/run/pve-authenticator',
      daemon: undefined,
      attached: false,
      proxmox: { pve: '/etc/pve', pbs: '/etc/proxmox-backup' },
    });
  });

  it('says where, and who may ask', () => {
    expect(parseCommandLine(['--runtime-dir', '/r', '--daemon-uid', '0'])).toEqual({
      runtimeDir: '/r',
      daemon: 0,
      attached: false,
      proxmox: { pve: '/etc/pve', pbs: '/etc/proxmox-backup' },
    });
    expect(parseCommandLine(['--daemon-user', 'ana', '--attached'])).toMatchObject({
      daemon: 'ana',
      attached: true,
    });
  });

  it('tells its options and its version', () => {
    const help = toldInstead(['--help'], '1.2.3') ?? '';
    for (const name of ['runtime-dir', 'daemon-user', 'daemon-uid', 'attached', 'pve-dir', 'pbs-dir']) {
      expect(help).toContain(`--${name} `);
    }
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(toldInstead(['--version'], '1.2.3')).toBe('pve-authenticator-files 1.2.3');
    expect(toldInstead([], '1.2.3')).toBeUndefined();
  });

  it.each([
    ['--nope'],
    ['more'],
    ['--runtime-dir'],
    ['--daemon-uid', '-1'],
    ['--daemon-uid', '01'],
    ['--daemon-uid', '0day'],
    ['--daemon-uid', ''],
    ['--pve-dir', 'pve'],
    ['--pbs-dir', '/'],
    ['--daemon-uid', '1', '--daemon-user', 'ana'],
  ])('refuses %s %s', (...argv) => {
    expect(() => parseCommandLine(argv)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
