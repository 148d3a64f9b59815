import { describe, expect, it } from 'vitest';
import { examineAll, type Check, type Report } from '../../../../src/command/doctor/check.ts';
import { clockCheck } from '../../../../src/command/doctor/checks/clock.ts';
import { daemonCheck } from '../../../../src/command/doctor/checks/daemon.ts';
import { moduleCheck } from '../../../../src/command/doctor/checks/module.ts';
import { sshdCheck } from '../../../../src/command/doctor/checks/sshd.ts';
import { sshdLoginsCheck } from '../../../../src/command/doctor/checks/sshd-logins.ts';
import { running } from '../../../../src/command/doctor/remedy.ts';
import { describedMachine, type Described } from '../../fixtures/described-machine.ts';

const VERSION = '1.2.3';
const DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator.conf';
const SECURITY = '/usr/lib/x86_64-linux-gnu/security';
const MODULE = `${SECURITY}/pam_pve_authenticator.so`;
const unix = { [`${SECURITY}/pam_unix.so`]: 'ELF' };

const findings = (check: Check, described: Described): Promise<readonly Report[]> =>
  examineAll([check], describedMachine(described));
const named = (text: string): string => expect.stringContaining(text) as string;

describe('the daemon', () => {
  it('answers with the version of the command', async () => {
    expect(await findings(daemonCheck(VERSION), { daemon: { about: { version: VERSION } } })).toEqual([]);
  });
  it('does not answer', async () => {
    expect(await findings(daemonCheck(VERSION), {})).toEqual([
      {
        check: 'daemon',
        what: 'nobody answers',
        mend: 'pve-google-authenticator doctor --fix=daemon',
        remedy: running(['systemctl', 'restart', 'pve-authenticator.socket', 'pve-authenticator.service']),
      },
    ]);
  });
  it('is an old one', async () => {
    expect(await findings(daemonCheck(VERSION), { daemon: { about: { version: '1.0.0' } } })).toMatchObject([
      { what: named('1.0.0'), remedy: running(['systemctl', 'restart', 'pve-authenticator.service']) },
    ]);
  });
});

describe('the module', () => {
  it.each([
    ['is not there', unix, named(MODULE)],
    ['is an old one', { ...unix, [MODULE]: 'x pve-authenticator version=1.0.0\0' }, named('1.0.0')],
    ['does not say what it is', { ...unix, [MODULE]: 'ELF' }, named('without a number')],
  ])('%s', async (_how, files, what) => {
    expect(await findings(moduleCheck(VERSION), { files })).toMatchObject([{ what }]);
  });
  it('is restored from the package, if one is installed', async () => {
    const files = { ...unix, '/var/lib/dpkg/info/pve-authenticator.list': '' };
    expect(await findings(moduleCheck(VERSION), { files })).toMatchObject([
      { mend: 'apt-get install -y --reinstall pve-authenticator' },
    ]);
    expect(await findings(moduleCheck(VERSION), { files: unix })).toMatchObject([{ mend: 'make install' }]);
  });
  it('is of the same version', async () => {
    const files = { ...unix, [MODULE]: `x\0pve-authenticator version=${VERSION}\0y` };
    expect(await findings(moduleCheck(VERSION), { files })).toEqual([]);
  });
});

describe('the clock', () => {
  const command = 'timedatectl show --property=NTPSynchronized --value';
  it('is kept by somebody', async () => {
    expect(await findings(clockCheck, { programs: { [command]: 'yes\n' } })).toEqual([]);
    expect(await findings(clockCheck, { files: { '/run/systemd/timesync/synchronized': '' } })).toEqual([]);
  });
  it.each<[string, Described]>([
    [
      'chrony',
      { programs: { 'chronyc -n tracking': 'Reference ID : C0000201\nLeap status     : Normal\n' } },
    ],
    ['ntpsec', { programs: { 'ntpq -c rv 0 leap': 'leap=00\n' } }],
    ['the host of a container', { programs: { 'systemd-detect-virt --container --quiet': '' } }],
    [
      'a hypervisor',
      { files: { '/sys/devices/system/clocksource/clocksource0/current_clocksource': 'kvm-clock\n' } },
    ],
  ])('is kept by %s', async (_who, described) => {
    expect(await findings(clockCheck, described)).toEqual([]);
  });
  it.each([
    [{ 'chronyc -n tracking': 'Leap status     : Not synchronised\n' }],
    [{ 'ntpq -c rv 0 leap': 'leap=11\n' }],
    [{}],
    [{ [command]: 'no\n' }],
  ])('is not: %j', async (programs) => {
    const files = { '/sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc\n' };
    expect(await findings(clockCheck, { programs, files })).toMatchObject([
      { what: named('--ignore=clock') },
    ]);
  });
});

describe('sshd', () => {
  it('is not installed', async () => {
    expect(await findings(sshdCheck, {})).toEqual([]);
  });
  it('asks PAM, and lets it ask', async () => {
    const programs = { 'sshd -T': 'port 22\nusepam yes\nkbdinteractiveauthentication yes\n' };
    expect(await findings(sshdCheck, { programs })).toEqual([]);
  });
  it.each(['UsePAM', 'KbdInteractiveAuthentication'])('does not: %s', async (setting) => {
    const settings = 'usepam yes\nkbdinteractiveauthentication yes\n';
    const programs = {
      'sshd -T': settings.replace(`${setting.toLowerCase()} yes`, `${setting.toLowerCase()} no`),
    };
    expect(await findings(sshdCheck, { programs })).toMatchObject([
      {
        what: named(setting),
        mend: 'pve-google-authenticator doctor --fix=sshd',
        remedy: {
          acts: [{ do: 'write', path: DROP_IN, text: `${setting} yes # by pve-google-authenticator\n` }],
        },
      },
    ]);
  });
  it('has a configuration that cannot be read', async () => {
    expect(await findings(sshdCheck, { files: { '/usr/sbin/sshd': 'ELF' } })).toMatchObject([
      { what: named('cannot use') },
    ]);
  });

  it.each([
    ['without-password', true],
    ['prohibit-password', true],
    ['yes', false],
    ['no', false],
  ])('says when its command would shut root out of SSH: PermitRootLogin %s', async (permit, shut) => {
    const settings = 'usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\n';
    const found = await findings(sshdLoginsCheck, {
      files: { '/etc/pam.d/sshd': 'auth required pam_unix.so\nauth required pam_pve_authenticator.so\n' },
      programs: {
        'sshd -T': `${settings}authenticationmethods any\npermitrootlogin yes\n`,
        // A Match block may differ for root.
        'sshd -T -C user=root,host=localhost,addr=127.0.0.1': `permitrootlogin ${permit}\n`,
      },
    });
    expect(found).toMatchObject([{ what: expect.stringContaining('an SSH key alone lets people in') }]);
    expect(found[0]!.what.includes('root can log in over SSH only')).toBe(shut);
  });
});

it('puts aside what somebody wrote into the file of ours', async () => {
  const files = { [DROP_IN]: 'UsePAM no\n' };
  const programs = { 'sshd -T': 'usepam no\nkbdinteractiveauthentication yes\n' };
  expect(await findings(sshdCheck, { files, programs })).toMatchObject([
    {
      remedy: {
        acts: [
          {
            do: 'write',
            path: DROP_IN,
            text: '# put aside by pve-google-authenticator: UsePAM no\nUsePAM yes # by pve-google-authenticator\n',
          },
        ],
        then: [['systemctl', 'try-reload-or-restart', 'ssh.service']],
      },
    },
  ]);
});
