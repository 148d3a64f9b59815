import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { draw, linesOf, textLines, type Frame } from '../../../scripts/pictures/draw.ts';
import { readScreen } from '../../../scripts/pictures/screen.ts';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run, runWell } from '../harness/run.ts';
import { guard, unguard, useDaemon } from '../hosts/host.ts';
import { startSshServer, type SshServer } from '../hosts/ssh-server.ts';
import { photograph, readQr } from '../setup/qr-reader.ts';
import { Tmux } from '../setup/tmux.ts';

/*
 * The pictures of README and guides: a login and the setup, on the screen of a real terminal. Each is recorded again, and must
 * equal the picture in docs/pictures. With PICTURES=DIRECTORY, as scripts/record-pictures sets it, they are written there.
 */

const TARGET = process.env['PICTURES'];
const HOST = 'pve1';
const PASSWORD = 'correct-horse';
const HOME = '/home/alice';
const COLUMNS = 80;
const COMMAND = '/usr/local/bin/pve-google-authenticator';
const canSee = ['tmux', 'zbarimg'].every((program) => spawnSync('which', [program]).status === 0);

if (!canSee) {
  notRun('the pictures of the documents', 'this needs tmux and zbar-tools');
}

/** The parts that differ between recordings. */
const masked = (line: string): string =>
  line
    .replace(/([A-Z2-7]{4}[- ]){3,}[A-Z2-7]{4}/g, 'SECRET')
    .replace(/\b\d{6}\b/g, 'CODE')
    .replace(/\([a-z0-9]{6}\)/, '(ID)');

/** Compares a recording with the picture, or draws the picture. */
function compare(name: string, title: string, columns: number, frames: readonly Frame[]): void {
  if (TARGET !== undefined) {
    mkdirSync(TARGET, { recursive: true });
    writeFileSync(`${TARGET}/${name}.svg`, draw(title, columns, frames));
  }
  const picture = readFileSync(`${TARGET ?? `${CHECKOUT}/docs/pictures`}/${name}.svg`, 'utf8');
  expect(linesOf(picture).map((lines) => lines.map(masked))).toEqual(
    frames.map(({ screen }) => textLines(screen).map(masked)),
  );
}

describeInBox('the pictures of the documents', () => {
  useDaemon();
  let server: SshServer;
  let hostname: string;

  beforeAll(async () => {
    hostname = (await runWell(['hostname'])).trim();
    await runWell(['hostname', HOST]);
    await runWell(['sh', '-c', `echo '127.0.0.1 ${HOST}' >>/etc/hosts`]);
    guard('sshd');
    server = await startSshServer('sshd', [
      'AuthenticationMethods keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PasswordAuthentication no',
      'PrintMotd no',
      'PrintLastLog no',
    ]);
    await runWell(['useradd', '--create-home', '--shell', '/bin/bash', 'alice']);
    await runWell(['chpasswd'], `alice:${PASSWORD}\n`);
    writeFileSync(`${HOME}/.bashrc`, String.raw`PS1='alice@${HOST}:~$ '` + '\n');
    writeFileSync(`${HOME}/.profile`, `. ${HOME}/.bashrc\n`);
    writeFileSync(`${HOME}/.hushlogin`, '');
    writeFileSync('/tmp/laptop.bashrc', String.raw`PS1='alice@laptop:~$ '` + '\n');
    writeFileSync(
      '/tmp/ssh_config',
      `Host ${HOST}\n  Port ${server.port}\n  User alice\n  UserKnownHostsFile /dev/null\n` +
        '  StrictHostKeyChecking no\n  LogLevel ERROR\n  NumberOfPasswordPrompts 1\n',
    );
    writeFileSync('/usr/local/bin/ssh', '#!/bin/sh\nexec /usr/bin/ssh -F /tmp/ssh_config "$@"\n', {
      mode: 0o755,
    });
    writeFileSync(COMMAND, `#!/bin/sh\nexec ${process.execPath} ${CHECKOUT}/dist/command/main.js "$@"\n`, {
      mode: 0o755,
    });
  });
  afterAll(async () => {
    await server.stop();
    unguard('sshd');
    await runWell(['rm', '-f', COMMAND, '/usr/local/bin/ssh']);
    await run(['userdel', '--force', '--remove', 'alice']);
    await runWell(['hostname', hostname]);
  });

  /** A shell of alice's; what is before the first prompt is cleared. */
  const shell = (rc: string, rows: number): Promise<Tmux> =>
    Tmux.start(
      [
        ...['setpriv', '--reuid=alice', '--regid=alice', '--init-groups'],
        ...['env', '-i', `HOME=${HOME}`, 'TERM=tmux-256color', 'LANG=C.UTF-8'],
        ...['PATH=/usr/local/bin:/usr/bin:/bin', 'bash', '--noprofile', '--rcfile', rc],
      ],
      COLUMNS,
      rows,
    );
  const frame = async (tmux: Tmux, seconds: number): Promise<Frame> => ({
    screen: readScreen(await tmux.coloured()),
    seconds,
  });

  test.runIf(canSee)('the setup with its QR code, then a login with password and code', async () => {
    const setup: Frame[] = [];
    const rows = 60;
    const tmux = await shell(`${HOME}/.bashrc`, rows);
    await tmux.waitFor(/alice@pve1:~\$\s*$/m);
    await tmux.enter('pve-google-authenticator -t --name=my-phone');
    await tmux.waitFor(/Code from your app .*:\s*$/m);
    setup.push(await frame(tmux, 5));
    const photo = photograph(await tmux.coloured(), { columns: COLUMNS, rows, darkWriting: false });
    const uri = new URL((await readQr(photo))!);
    const secret = uri.searchParams.get('secret')!;
    await tmux.enter(codeOf({ secret }));
    await tmux.waitFor(/Save this for .*\[y\]\s*$/m);
    setup.push(await frame(tmux, 4));
    for (const question of [/Enlarge that to [^]*\[n\]\s*$/m, /Limit tries .*\[y\]\s*$/m, /^Done: /m]) {
      await tmux.enter('');
      await tmux.waitFor(question);
    }
    await tmux.waitFor(/^Done: [^]*alice@pve1:~\$\s*$/m);
    setup.push(await frame(tmux, 8));
    await tmux.end();
    compare('setup', 'alice sets up her phone', COLUMNS, setup);

    const login: Frame[] = [];
    const laptop = await shell('/tmp/laptop.bashrc', 12);
    await laptop.waitFor(/alice@laptop:~\$\s*$/m);
    // The code that the phone was tried with is used up: the next one opens.
    const code = codeOf({ secret }, 1);
    for (const times of [1, 2]) {
      const shows = (prompt: string): Promise<string> =>
        laptop.waitFor(new RegExp(`^(?:[^]*${prompt}){${times}}\\s*$`));
      await laptop.enter(`ssh ${HOST}`);
      await shows('Password:');
      login.push(await frame(laptop, 2));
      await laptop.enter(PASSWORD);
      await shows('Verification code:');
      login.push(await frame(laptop, 2));
      await laptop.enter(code);
      if (times === 1) {
        await laptop.waitFor(/^alice@pve1:~\$\s*$/m);
        login.push(await frame(laptop, 3));
        await laptop.enter('exit');
        await laptop.waitFor(/logout[^]*alice@laptop:~\$\s*$/);
        await laptop.enter('# the same code once more:');
        await laptop.waitFor(/more:[^]*alice@laptop:~\$\s*$/);
      } else {
        await laptop.waitFor(/Permission denied[^]*alice@laptop:~\$\s*$/);
        login.push(await frame(laptop, 8));
      }
    }
    await laptop.end();
    compare('login', 'alice logs in with her password and a code', COLUMNS, login);
  });
});
