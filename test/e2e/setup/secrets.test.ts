import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { newAccount } from '../harness/person.ts';
import { run, runWell } from '../harness/run.ts';
import { atTerminal } from '../harness/terminal.ts';
import { useDaemon } from '../hosts/host.ts';

/*
 * Searches for secrets where others could look: other processes, files, the log, core files. Also runs the commands that the
 * program suggests, as printed.
 */

const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
const BIN = '/usr/local/bin/pve-google-authenticator';

/** The command under its name, as it is installed. */
function installed(): void {
  const wrapper = `#!/bin/sh\nexec ${process.execPath} ${CHECKOUT}/dist/command/main.js "$@"\n`;
  writeFileSync(BIN, wrapper, { mode: 0o755 });
}
const NOT_AGREED = 4;
const SUGGESTION = /(?:sudo )?pve-google-authenticator(?: [A-Za-z0-9@._/=-]+)*/g;

/** In Base32, 160 bits. That of the RFC is in many files, which somebody may write on this machine at any time. */
function unheardOfSecret(): string {
  return Array.from(randomBytes(32), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte & 31]).join('');
}

describeInBox('secrets of the setup', () => {
  const daemon = useDaemon();

  const as = (name: string, ...argv: readonly string[]): string[] => [
    ...['setpriv', '--reuid', name, '--regid', name, '--init-groups', 'env', `HOME=/home/${name}`],
    ...[process.execPath, `${CHECKOUT}/dist/command/main.js`, ...argv],
  ];

  test('are in no command line, environment, file or log that others see, while it asks and afterwards', async () => {
    const { name } = await newAccount();
    const own = unheardOfSecret();
    const grouped = own.match(/.{4}/g)!.join(' ');
    await runWell(['touch', '/tmp/before']);
    const setup = spawn('setpriv', as(name, '-t', '-C', '--own-secret').slice(1), { stdio: 'pipe' });
    const shown = new Log('setup', setup.stdout);
    setup.stdin.write(`${own}\n`);
    await shown.waitFor(new RegExp(grouped.slice(0, 9)));
    const codes = await shown.waitFor(/^ {2}[A-Z2-7]{4}-/, 10);
    const secrets = [own, grouped, ...codes.map((code) => code.trim())];
    expect(await seenByOthers(secrets)).toEqual([]);
    setup.stdin.end('\n\n\n');
    expect(await new Promise((resolve) => setup.on('close', resolve))).toBe(0);
    expect(await seenByOthers(secrets)).toEqual([]);
    const log = daemon().log.lines.join('\n');
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  });

  test('would be seen there', async () => {
    const secret = `PLANTED${process.pid}`;
    await runWell(['touch', '/tmp/before']);
    expect(await seenByOthers([secret])).toEqual([]);
    for (const [plant, remove] of [
      [`printf ${secret} > /var/tmp/planted`, 'rm /var/tmp/planted'],
      [`exec -a ${secret} sleep 1000 & echo $! > /root/planted.pid`, 'kill "$(cat /root/planted.pid)"'],
    ] as const) {
      // Its output goes nowhere: the end of the shell is the end of the wait.
      await runWell(['bash', '-c', `{ ${plant}; } >/dev/null 2>&1`]);
      expect(await seenByOthers([secret]), plant).toEqual([secret]);
      await runWell(['bash', '-c', remove]);
    }
  });

  test('are in no shell history after following the documents', async () => {
    const { name } = await newAccount();
    installed();
    const home = `/home/${name}`;
    const own = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    const other = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
    const third = 'KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU';
    writeFileSync(`${home}/keys.txt`, `${third}\n`);
    const shell = ['bash', '--norc', '--noprofile', '-i'];
    const prompt = /\$ $/;
    const seen = await atTerminal(
      [
        ...['setpriv', '--reuid', name, '--regid', name, '--init-groups', 'env', `HOME=${home}`],
        ...[`HISTFILE=${home}/history`, 'PS1=$ ', ...shell],
      ],
      [
        { expect: prompt, enter: 'cd; pve-google-authenticator -t -C -w 3 -u --own-secret --name=pixel-7' },
        { expect: /Your own secret.*: $/, enter: own },
        { expect: /Save this for .*\] $/, enter: '' },
        { expect: /Done: [\s\S]*\$ $/, enter: 'pve-google-authenticator import --keys -' },
        { expect: /An empty line ends the list:\s+$/, enter: `otpauth://totp/a?secret=${other}` },
        { expect: /\n$/, enter: '' },
        { expect: /Your code: $/, enter: codeOf({ secret: own }) },
        {
          expect: /imported phone[\s\S]*\$ $/,
          enter: 'pve-google-authenticator import --keys keys.txt --name=token',
        },
        { expect: /Your code: $/, enter: codeOf({ secret: other }) },
        { expect: /imported token[\s\S]*\$ $/, enter: 'pve-google-authenticator recovery' },
        { expect: /Your code: $/, enter: codeOf({ secret: third }) },
        { expect: /no longer work[\s\S]*\$ $/, enter: 'exit' },
      ],
    );
    expect(seen, seen.screen).toMatchObject({ unmet: null });
    const history = readFileSync(`${home}/history`, 'utf8');
    expect(history.split('\n')).toEqual([
      'cd; pve-google-authenticator -t -C -w 3 -u --own-secret --name=pixel-7',
      'pve-google-authenticator import --keys -',
      'pve-google-authenticator import --keys keys.txt --name=token',
      'pve-google-authenticator recovery',
      'exit',
      '',
    ]);
    const codes = seen.screen.match(/[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}/g) ?? [];
    expect(codes.length).toBeGreaterThanOrEqual(20);
    expect([own, other, third, ...codes].filter((secret) => history.includes(secret))).toEqual([]);
  });

  /** Which of the secrets somebody other than root can see; it must be none. */
  async function seenByOthers(secrets: readonly string[]): Promise<string[]> {
    writeFileSync('/root/secrets', `${secrets.join('\n')}\n`, { mode: 0o600 });
    const script = String.raw`
      patterns=$(cat)
      { cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ /proc/[0-9]*/mem 2>/dev/null
        find / -xdev \( -path /proc -o -path /sys \) -prune -o -type f -newer /tmp/before -readable -exec cat {} + 2>/dev/null
      } | grep -aoFf <(printf %s "$patterns") | sort -u`;
    const { stdout } = await run([...NOBODY, 'bash', '-c', script], readFileSync('/root/secrets'));
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('are in no core file', async () => {
    const { name } = await newAccount();
    const home = `/home/${name}`;
    const shell = `ulimit -c unlimited; cd "$HOME" && exec "$@"`;
    const [setpriv, ...rest] = as(name, '-t');
    const node = rest.indexOf(process.execPath);
    const argv = [...rest.slice(0, node), 'bash', '-c', shell, 'bash', ...rest.slice(node)];
    const setup = spawn(setpriv!, argv, { stdio: 'pipe' });
    await new Log('setup', setup.stdout).waitFor(/or type: /);
    setup.kill('SIGQUIT');
    await new Promise((resolve) => setup.on('close', resolve));
    const cores = (): string[] => readdirSync(home).filter((file) => file.startsWith('core'));
    expect(cores()).toEqual([]);
    // /proc/PID/mem and ptrace go with it: the process is not dumpable.

    // A normal program leaves one there, if the kernel writes core files into the working directory.
    if (readFileSync('/proc/sys/kernel/core_pattern', 'utf8').startsWith('core')) {
      const careless = ['bash', '-c', shell, 'bash', 'sh', '-c', 'kill -ABRT $$'];
      await run([setpriv!, ...rest.slice(0, node), ...careless]);
      expect(cores()).not.toEqual([]);
    } else {
      notRun('that another program would leave a core file', 'the kernel puts them elsewhere');
    }
  });

  test('are not read from a command line', async () => {
    const { name } = await newAccount();
    for (const argv of [['--own-secret=GEZDGNBVGY3TQOJQ'], ['--own-secret', 'GEZDGNBVGY3TQOJQ']]) {
      expect(await run(as(name, '-t', '-f', '-q', ...argv))).toMatchObject({ status: 1, stdout: '' });
    }
  });
});

describeInBox('what the program suggests', () => {
  useDaemon();

  test('works as it is printed', async () => {
    const { name } = await newAccount();
    installed();
    const program = (...argv: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
      run(['pve-google-authenticator', ...argv]);
    const factorsOf = async (user: string): Promise<{ id: string }[]> =>
      (
        JSON.parse((await program('list', '--user', user, '--json')).stdout) as {
          factors: { id: string }[];
        }[]
      )[0]!.factors;
    const done = new Map<string, number | null>();
    const follow = async ({ stdout, stderr }: { stdout: string; stderr: string }): Promise<void> => {
      for (const [command] of `${stdout}\n${stderr}`.matchAll(SUGGESTION)) {
        if (!/^pve-google-authenticator:?$/.test(command)) {
          // Commands that remove something ask root at a terminal; without one, they need --yes.
          const asked = (await run(['sh', '-c', command], '-1\n')).status;
          const status = asked === NOT_AGREED ? (await run(['sh', '-c', `${command} --yes`])).status : asked;
          done.set(command.replaceAll(name, 'USER').replace(/(qr|remove) \S+ /, '$1 ID '), status);
        }
      }
    };
    await follow(await program('status', '--user', name));
    await follow(await program('add', 'totp', '--user', name, '--name', 'old'));
    await follow(await program('remove', 'none', '--user', name));
    await follow(await program('rotate', 'none', '--user', name));
    await follow(await program('rotate', '-C', 'old', '--user', name));
    await program('recovery', '--user', name, '--yes');
    await follow(await program('add', 'recovery', '--user', name));
    await follow(await program('qr', 'codes', '--user', name));
    await follow(await program('rotate', 'codes', '--user', name));
    await follow(await run(['pve-google-authenticator', '-t', '-f', '-C', '--user', name]));
    await follow(await program('-x'));
    await follow({ stdout: 'pve-google-authenticator repair', stderr: '' });
    // The commands that the log, and `status` after too many failures, suggest.
    await follow({ stdout: `pve-google-authenticator forget --user ${name}`, stderr: '' });
    await follow({ stdout: `pve-google-authenticator unlock --user ${name}`, stderr: '' });
    const { name: peer } = await newAccount();
    writeFileSync(`/home/${peer}/.google_authenticator`, 'GEZDGNBVGY3TQOJQ\n" TOTP_AUTH\n', { mode: 0o400 });
    await runWell(['chown', peer, `/home/${peer}/.google_authenticator`]);
    await program('import', '--user', peer);
    const [imported] = await factorsOf(peer);
    await follow(await program('qr', imported!.id, '--user', peer));
    const { secret } = JSON.parse(
      (await run(['pve-google-authenticator', 'qr', 'phone', '--user', name, '--json'])).stdout,
    ) as {
      secret: string;
    };
    expect(codeOf({ secret })).toMatch(/^\d{6}$/);
    expect(
      Object.fromEntries([...done].map(([command, status]) => [command.replace(peer, 'USER'), status])),
    ).toEqual({
      'pve-google-authenticator export --user USER': 0,
      'pve-google-authenticator forget --user USER': 0,
      'pve-google-authenticator unlock --user USER': 0,
      'pve-google-authenticator qr ID --user USER': 0,
      'pve-google-authenticator list --user USER': 0,
      'pve-google-authenticator remove ID --user USER': 0,
      'pve-google-authenticator recovery --user USER': 0,
      'pve-google-authenticator setup --help': 0,
      'pve-google-authenticator repair': 0,
    });
  });
});
