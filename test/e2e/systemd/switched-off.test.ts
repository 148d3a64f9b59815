import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { atTerminal, type Screen, type Step } from '../harness/terminal.ts';
import { GuardedMachine, PASSWORD } from './guarded-machine.ts';
import { CHECKOUT_THERE, whyNoMachine } from './machine.ts';

/*
 * The daemon is switched off for good, by the command of docs/guides/when-logins-fail.md. Then each service of the table there is
 * tried, and must behave as its row says. Every way in must end by itself, so a hanging login fails here.
 */

const TEST_MS = 600_000;
const PAGE = readFileSync(`${CHECKOUT}/docs/guides/when-logins-fail.md`, 'utf8');
const [, OFF = ''] = /switched off for good \(`sudo (systemctl disable [^`]+)`\)/.exec(PAGE) ?? [];
const [HEAD = [], , ...ROWS] = (/\n\| service \| `required`.*\n(?:\|.*\n)+/.exec(PAGE)?.[0] ?? '')
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()));
const [SERVICE, STRICT, LENIENT] = [1, 2, 3];
const [, CONTROL = ''] = /`(\[[^\]]+\])`/.exec(HEAD[LENIENT] ?? '') ?? [];
const [GUARDED, WEB] = ['sshd login su sudo', 'proxmox-ve-auth'];
const IN = 'came in';
const INSIDE = '/usr/local/bin/inside';

/** The output of a login; after success it has a word that only a program behind the login prints. */
type Way = () => Promise<string>;

const missing = whyNoMachine();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: services while the daemon is switched off for good: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('the daemon is switched off for good', { timeout: TEST_MS }, () => {
  let guarded: GuardedMachine;
  const shell = (line: string): Promise<string> => guarded.machine.shell(line);

  /** On a terminal of the machine; the other process keeps it open when login hangs it up. */
  const terminal = async (line: string, steps: readonly Step[]): Promise<string> => {
    const held = `setsid sleep 60 & exec ${line}`;
    const seen: Screen = await atTerminal(
      guarded.machine.inside(['script', '-qec', held, '/dev/null']),
      steps,
    );
    expect(seen.status, `${line} hangs:\n${seen.screen}`).not.toBeNull();
    return seen.screen;
  };
  const typed = (enter = PASSWORD, prompt = /[Pp]assword[^\n]*: $/): Step => ({ expect: prompt, enter });
  /** The program behind the login runs until the person leaves, so that no output is lost. */
  const leave = (refusal: RegExp): Step => ({
    expect: new RegExp(`${refusal.source}|${IN}`),
    interrupt: true,
  });
  const atConsole = async (user: string): Promise<string> =>
    terminal('login', [
      typed(user, /login: $/),
      typed(),
      { expect: new RegExp(`Login incorrect[\\s\\S]*login: $|${IN}`), hangUp: true },
    ]);
  const sudo = async (): Promise<string> =>
    terminal(`setpriv --reuid=alice --regid=alice --init-groups sudo ${INSIDE}`, [
      typed(),
      leave(/Sorry, try again\.[\s\S]*: $/),
    ]);
  const su = async (): Promise<string> =>
    terminal(`setpriv --reuid=nobody --regid=nogroup --clear-groups su alice -c ${INSIDE}`, [
      typed(),
      leave(/su: .*\n/),
    ]);
  const asRoot = async (): Promise<string> => {
    const both = [
      await terminal(`su alice -c ${INSIDE}`, [leave(/[Aa]uthentication|Sorry/)]),
      await terminal(`sudo -u alice ${INSIDE}`, [leave(/[Aa]uthentication|Sorry/)]),
    ];
    return both.every((said) => said.includes(IN)) ? IN : both.join('').replaceAll(IN, '');
  };
  const ssh = async (...options: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await guarded.ssh('alice', 'none', options);
    return stdout === 'alice\n' ? IN : stderr;
  };
  const web = async (user = 'alice'): Promise<string> => {
    const argv = [`${CHECKOUT_THERE}/test/e2e/hosts/answers-all.pl`, WEB, user];
    const { stdout } = await guarded.machine.run(argv, PASSWORD);
    return stdout.replace(/^in as .*$/m, IN);
  };
  const KEY = ['IdentityFile=/root/.ssh/key', 'IdentitiesOnly=yes'];
  const WAYS: Readonly<Record<string, Way>> = {
    'SSH with a password': () => ssh('PubkeyAuthentication=no'),
    'SSH with a key alone': () => ssh('PreferredAuthentications=publickey', ...KEY),
    'SSH with key, password and code': async () => {
      const both = '/etc/ssh/sshd_config.d/both.conf';
      await shell(
        `echo AuthenticationMethods publickey,keyboard-interactive >${both}; systemctl restart ssh`,
      );
      const said = await ssh(...KEY);
      await shell(`rm ${both}; systemctl restart ssh`);
      return said;
    },
    'console (`login`)': () => atConsole('alice'),
    'console, root after `enable --all`': () => atConsole('root'),
    '`sudo`': sudo,
    '`su`': su,
    '`sudo` and `su` of root': asRoot,
    'Proxmox web UI, `native`': async () => {
      await shell(`mv /etc/pam.d/${WEB} /root/ours; mv /root/native /etc/pam.d/${WEB}`);
      const said = await web();
      await shell(`mv /etc/pam.d/${WEB} /root/native; mv /root/ours /etc/pam.d/${WEB}`);
      return said;
    },
    'Proxmox web UI, `gate` or `concat`': web,
  };

  beforeAll(async () => {
    guarded = await GuardedMachine.boot();
    await guarded.enrol('root');
    await guarded.enrol('alice');
    await shell(`
      echo 'alice ALL=(ALL:ALL) ALL' >/etc/sudoers.d/alice
      printf '%s\\n' '#!/bin/sh' 'echo ${IN}' 'exec sleep 60' >${INSIDE}
      chmod 755 ${INSIDE}
      echo 'exec ${INSIDE}' | tee /root/.profile >/home/alice/.profile
      mkdir -p -m 700 /root/.ssh
      ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/key
      install -d -m 700 -o alice -g alice /home/alice/.ssh
      install -m 600 -o alice -g alice /root/.ssh/key.pub /home/alice/.ssh/authorized_keys
      touch /usr/bin/pveproxy`); // where it is, "enable" writes the file of the web interface
    expect(await guarded.command('enable', '--all')).toMatchObject({ status: 0 });
    await shell(`mv /etc/pam.d/${WEB} /root/native
      sed '/^#/d' ${CHECKOUT_THERE}/pam.d/${WEB} >/etc/pam.d/${WEB}
      cp -a /etc/pam.d /root/guarded`);
  }, TEST_MS);
  afterAll(() => guarded.machine.stop());

  /** Changes the control of each of our lines, and appends options. */
  const writeLines = async (control: string, options = ''): Promise<void> => {
    await shell(`
      rm -rf /etc/pam.d
      cp -a /root/guarded /etc/pam.d
      cd /etc/pam.d
      sed -Ei 's/^auth +required +pam_pve_authenticator.so/auth ${control} pam_pve_authenticator.so ${options}/' ${GUARDED} ${WEB}
      test "$(grep -lF 'auth ${control} pam_pve_authenticator.so ${options}' ${GUARDED} ${WEB} | wc -l)" = 5`);
  };
  const tryAll = async (column: number): Promise<void> => {
    for (const row of ROWS) {
      const [service, answer] = [row[SERVICE]!, row[column]!];
      const said = await WAYS[service]!();
      const [, words = ''] = /^refused: `([^`]+)`/.exec(answer) ?? [];
      const letIn = said.includes(IN);
      expect([service, letIn ? 'lets in' : 'refused', said], said).toEqual([
        service,
        answer.startsWith('lets in') ? 'lets in' : 'refused',
        expect.stringContaining(letIn ? IN : words),
      ]);
    }
  };

  test('the table says something of every service that is tried here, and of no other', () => {
    expect(ROWS.map((row) => row[SERVICE])).toEqual(Object.keys(WAYS));
    expect(ROWS.flatMap((row) => row.slice(STRICT, LENIENT + 1))).not.toContainEqual(
      expect.not.stringMatching(/^(lets in|refused)\b/),
    );
    expect([OFF, CONTROL, HEAD[STRICT]]).toEqual([
      expect.stringMatching(/^systemctl/),
      expect.stringContaining('authinfo_unavail=ignore'),
      '`required` or `requisite`',
    ]);
  });

  test('with the second control, and the daemon there, codes are asked for, and exemptions hold', async () => {
    await writeLines(CONTROL);
    expect(await ssh('PubkeyAuthentication=no')).toContain('Permission denied');
    expect((await guarded.ssh()).stdout).toBe('alice\n');
    await writeLines(CONTROL, 'nullok');
    await shell(`useradd --create-home bob; echo bob:${PASSWORD} | chpasswd`);
    expect((await guarded.ssh('bob', 'none')).stdout).toBe('bob\n');
    const { stdout } = await guarded.command('doctor', '--json');
    expect(stdout).not.toMatch(/"check": ?"(options|order|twice)"/);
  });

  test('it stays off over a reboot', async () => {
    await shell(OFF);
    await guarded.reboot();
    expect(await shell('systemctl list-units --plain --no-legend --state=active "pve-auth*"')).toBe('');
  });

  test.each([
    ['required', 'nullok'],
    ['requisite', ''],
  ])('%s %s: each service answers as the table says', async (control, options) => {
    await writeLines(control, options);
    await tryAll(STRICT);
  });

  test('the second control: each service answers as the table says', async () => {
    await writeLines(CONTROL);
    await tryAll(LENIENT);
  });

  test('pve-authenticator-undo --off gives back the password alone', async () => {
    await writeLines('required');
    await shell('pve-authenticator-undo --off');
    expect(await ssh('PubkeyAuthentication=no')).toBe(IN);
    expect(await atConsole('alice')).toContain(IN);
  });
});
