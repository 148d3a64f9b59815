import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/config/config.ts';
import { yubicoCheck } from '../../../../src/command/doctor/checks/yubico.ts';
import { remedyLines } from '../../../../src/command/commands/remedy-words.ts';
import { examineAll, type Report } from '../../../../src/command/doctor/check.ts';
import { describedMachine } from '../../fixtures/described-machine.ts';

const CONFIG = '/etc/pve-authenticator/config.toml';
const SSHD = '/etc/pam.d/sshd';
const KEY = 'EHmo8FMxuhumBlTinC4uYL0Mgwg=';
const LINE = `# key=none\nauth required pam_pve_authenticator.so id=16 key=${KEY} authfile=/etc/keys\n`;
/** systemd has run its generators, and none gave the daemon a network. */
const BOOTED = { '/run/systemd/generator/some.target.wants/a.service': '' };

const examine = (files: Readonly<Record<string, string>>): Promise<readonly Report[]> =>
  examineAll([yubicoCheck], describedMachine({ files: { ...BOOTED, ...files } }));

describe("a line in pam_yubico's words", () => {
  it('is reported if the daemon has no network, without printing the key', async () => {
    const [finding, ...more] = await examine({ [SSHD]: LINE });
    expect(finding?.what).toMatch(
      /^\/etc\/pam\.d\/sshd, line 2: id= and key= .* a network only with \[yubico\] mode = "online"/,
    );
    expect(JSON.stringify([finding?.what, finding?.mend]).includes(KEY)).toBe(false);
    expect(more).toEqual([]);
  });

  it.each([
    ['no config.toml', undefined],
    ['no [yubico] in config.toml', '[throttle]\nenabled = true\n'],
    [
      'a [yubico] with a server',
      '[throttle]\nenabled = true\n\n[yubico]\nurls = ["https://own.example/v"]\n\n[proxmox]\nweb = "gate"\n',
    ],
    ['a [yubico] with all but the mode', `[yubico]\nid = 16\nkey = "${KEY}"\n`],
  ])('has a network after the fix, with %s', async (_, config) => {
    const files = { [SSHD]: LINE, ...(config === undefined ? {} : { [CONFIG]: config }) };
    const [finding] = await examine(files);
    const [act, ...more] = finding!.remedy!.acts;
    expect([more, finding!.remedy!.then]).toEqual([
      [],
      [
        ['systemctl', 'daemon-reload'],
        ['systemctl', 'restart', 'pve-authenticator.service'],
      ],
    ]);
    expect(remedyLines(finding!.remedy!).join('\n'), 'it is shown without the key').not.toContain(KEY);
    const { yubico, throttle } = parseConfig((act as { text: string }).text, CONFIG);
    expect(yubico).toMatchObject({ mode: 'online', id: '16', key: KEY });
    expect(throttle.enabled).toBe(true);
    expect(yubico.urls).toEqual([
      config?.includes('own.example') === true
        ? 'https://own.example/v'
        : 'https://api.yubico.com/wsapi/2.0/verify',
    ]);
  });

  it.each([
    ['offline is meant', { [CONFIG]: '[yubico]\nmode = "offline"\n' }],
    ['the network is open', { '/run/systemd/generator/pve-authenticator.service.d/network.conf': '' }],
    ['the line has no id', { [SSHD]: LINE.replace('id=16 ', '') }],
    ['the line has no key', { [SSHD]: LINE.replace(/ key=\S+ /, ' ') }],
    ['the id in config.toml is another', { [CONFIG]: '[yubico]\nid = 17\n' }],
    ['there are no units', { '/run/systemd/generator/some.target.wants/a.service': undefined }],
  ])('is no finding where %s', async (_, files) => {
    const all = Object.entries({ ...BOOTED, [SSHD]: LINE, ...files }).filter(
      ([, text]) => text !== undefined,
    );
    expect(
      await yubicoCheck.examine(
        describedMachine({ files: Object.fromEntries(all) as Record<string, string> }),
      ),
    ).toEqual([]);
  });
});
