import { describe, expect, it } from 'vitest';
import { examineAll, type Check, type Report } from '../../../../src/command/doctor/check.ts';
import { proxmoxClusterCheck } from '../../../../src/command/doctor/checks/proxmox-cluster.ts';
import { proxmoxWebCheck } from '../../../../src/command/doctor/checks/proxmox-web.ts';
import { nodeAddresses, sshdExemption } from '../../../../src/command/doctor/corosync.ts';
import { marked } from '../../../../src/command/doctor/sshd-settings.ts';
import { describedMachine, type Described } from '../../fixtures/described-machine.ts';

const findings = (check: Check, described: Described): Promise<readonly Report[]> =>
  examineAll([check], describedMachine(described));

const COROSYNC = `logging {
  debug: off
}

nodelist {
  node {
    name: pve1
    nodeid: 1
    quorum_votes: 1
    ring0_addr: 192.0.2.11
    ring1_addr: 2001:db8::11
  }
  node {
    name: pve2
    nodeid: 2
    ring0_addr: 192.0.2.12
    # ring1_addr: 192.0.2.99
  }
  node {
    ring0_addr: pve3
  }
}

totem {
  cluster_name: test
  interface {
    ring0_addr: 192.0.2.98
  }
}
`;

describe('corosync.conf', () => {
  it('names the nodes', () => {
    expect(nodeAddresses(COROSYNC)).toEqual({
      addresses: ['192.0.2.11', '2001:db8::11', '192.0.2.12'],
      names: ['pve3'],
    });
    expect(nodeAddresses('')).toEqual({ addresses: [], names: [] });
  });

  it('gives lines for sshd', () => {
    expect(sshdExemption(['192.0.2.11', '2001:db8::11'])).toContain(
      marked('Match User root Address 192.0.2.11,2001:db8::11') +
        `\n${marked('    AuthenticationMethods publickey')}\n${marked('Match all')}\n`,
    );
  });
});

describe('the cluster', () => {
  const files = { '/etc/pve/corosync.conf': COROSYNC.replace(/^ +ring0_addr: pve3$/m, '') };
  const asked = (methods: string): Record<string, string> =>
    Object.fromEntries(
      ['192.0.2.11', '2001:db8::11', '192.0.2.12'].map((address) => [
        `sshd -T -C user=root,host=${address},addr=${address}`,
        `usepam yes\nauthenticationmethods ${methods}\n`,
      ]),
    );

  it.each(['any', 'publickey', 'publickey,keyboard-interactive publickey'])(
    'gets in with a key: %s',
    async (methods) => {
      expect(await findings(proxmoxClusterCheck, { files, programs: asked(methods) })).toEqual([]);
    },
  );

  it('does not, if sshd requires more', async () => {
    const [only, ...more] = await findings(proxmoxClusterCheck, {
      files,
      programs: asked('publickey,keyboard-interactive'),
    });
    expect(more).toEqual([]);
    expect(only!.what).toContain('192.0.2.11 and 2001:db8::11 and 192.0.2.12');
    expect(only!.remedy!.acts).toMatchObject([
      {
        text: expect.stringContaining(
          'Match User root Address 192.0.2.11,2001:db8::11,192.0.2.12 # by',
        ) as string,
      },
    ]);
  });

  it('reports names, and nothing without a cluster', async () => {
    const named = { '/etc/corosync/corosync.conf': 'nodelist {\n node {\n ring0_addr: pve3\n }\n}\n' };
    expect(await findings(proxmoxClusterCheck, { files: named })).toHaveLength(1);
    expect(await findings(proxmoxClusterCheck, {})).toEqual([]);
  });
});

describe('the web interface', () => {
  const other = { '/etc/pam.d/other': '@include common-auth\n', '/usr/bin/pveproxy': '' };
  const naive = 'auth [success=1 default=ignore] pam_unix.so nullok\nauth required pam_permit.so\n';
  const withLine = (module: string): Record<string, string> => ({
    ...other,
    '/etc/pam.d/common-auth': `${naive}auth required ${module} nullok\n`,
  });

  it.each(['pam_pve_authenticator.so', '/usr/lib/security/pam_google_authenticator.so'])(
    'meets a line in common-auth: %s',
    async (module) => {
      const found = await findings(proxmoxWebCheck, { files: withLine(module) });
      expect(found).toMatchObject([
        { remedy: { acts: [{ do: 'write', path: '/etc/pam.d/proxmox-ve-auth' }] } },
      ]);
      expect(found[0]!.what).toContain('/etc/pam.d/common-auth, line 3');
    },
  );

  it('does not, with the stock files, with its own file, and without Proxmox', async () => {
    const files = withLine('pam_pve_authenticator.so');
    expect(await findings(proxmoxWebCheck, { files: { ...other, '/etc/pam.d/common-auth': naive } })).toEqual(
      [],
    );
    const explicit =
      'auth required pam_pve_authenticator.so forward_pass nullok\nauth required pam_unix.so\n';
    expect(
      await findings(proxmoxWebCheck, { files: { ...files, '/etc/pam.d/proxmox-ve-auth': explicit } }),
    ).toEqual([]);
    expect(
      await findings(proxmoxWebCheck, {
        files: { ...files, '/etc/pam.d/proxmox-ve-auth': '@include common-auth\n' },
      }),
    ).toHaveLength(1);
    const elsewhere = Object.entries(files).filter(([path]) => path !== '/usr/bin/pveproxy');
    expect(await findings(proxmoxWebCheck, { files: Object.fromEntries(elsewhere) })).toEqual([]);
  });
});
