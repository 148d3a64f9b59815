import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PAM } from '../daemon/pam-login.ts';
import { AS_ROOT, asUser, notRun, Stage, STRANGER_UID, type Daemon, type Person } from '../daemon/stage.ts';
import { Door, showLog } from '../faults/fault-stage.ts';
import { codeOf } from '../harness/code.ts';
import { CHECKOUT, command, enrolTotp } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { run } from '../harness/run.ts';

/*
 * A stranger with an account and a program on this machine: which data of others, and of the own factors, the program can see and
 * change.
 */

/** The account of this uid in this machine's passwd database. */
const STRANGER = 'nobody';
/** Files of a process that show or contain its memory. */
const OF_A_PROCESS = [
  'mem',
  'environ',
  'maps',
  'smaps',
  'auxv',
  'fd',
  'fdinfo',
  'map_files',
  'stack',
  'syscall',
  'io',
];
const IDLE_CONNECTIONS = 100;

if (!AS_ROOT) {
  notRun('a stranger with an account', 'this needs root');
}

describe.runIf(AS_ROOT)('a stranger with an account', () => {
  let stage: Stage;
  let daemon: Daemon;
  let victim: Person;
  let secret: string;

  beforeAll(async () => {
    stage = await Stage.build({ withFiles: true });
    daemon = await stage.start();
    victim = stage.person();
    secret = (await enrolTotp(stage, STRANGER)).secret;
  });
  afterEach(({ task }) => showLog(daemon, task.result?.state === 'fail'));
  afterAll(() => stage.clear());

  /** Returns the paths that the stranger can read or list. */
  async function readable(paths: readonly string[]): Promise<string[]> {
    const script =
      'for path; do { ls -A "$path/" || head -c 1 "$path"; } 2>/dev/null | grep -qa "" && echo "$path"; done; true';
    const { stdout, status } = await run([...asUser(STRANGER_UID), 'bash', '-c', script, 'bash', ...paths]);
    expect(status).toBe(0);
    return stdout.split('\n').filter((line) => line !== '');
  }
  const ofProcess = (pid: number): string[] => OF_A_PROCESS.map((name) => `/proc/${pid}/${name}`);
  const everythingIn = (directory: string): string[] => [
    directory,
    ...readdirSync(directory, { recursive: true }).map((name) => `${directory}/${String(name)}`),
  ];

  test('reads no file of the store, and nothing of the daemon or its reader', async () => {
    const reader = Number(
      (await run(['pgrep', '-f', `reader/main.js --attached --runtime-dir ${stage.runtimeDir}`])).stdout,
    );
    const files = everythingIn(stage.stateDir);
    expect(files).toContain(`${stage.stateDir}/enrolments/${STRANGER}.json`);
    expect(await readable([...files, ...ofProcess(daemon.pid), ...ofProcess(reader)])).toEqual([]);
    // The data that everybody sees of every process.
    for (const pid of [daemon.pid, reader]) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain(secret);
    }
    // This check would notice it.
    expect(await readable([`/proc/${daemon.pid}/cmdline`, '/etc/passwd', '/etc'])).toHaveLength(3);
  });

  test('finds no door of the module or of the reader open', async () => {
    const connect = `const s = require('net').connect(process.argv[1]);
      s.on('connect', () => { console.log('open'); s.destroy(); }).on('error', (e) => console.log(e.code));`;
    const knock = async (name: string): Promise<string> =>
      (
        await run([
          ...asUser(STRANGER_UID),
          process.execPath,
          '-e',
          connect,
          `${stage.runtimeDir}/${name}.sock`,
        ])
      ).stdout;
    expect(await knock('pam')).toBe('EACCES\n');
    expect(await knock('files')).toBe('EACCES\n');
    expect(await knock('control')).toBe('open\n');
  });

  test('reads no memory of a running setup, not even of its own', async () => {
    const argv = [
      process.execPath,
      `${CHECKOUT}/dist/command/main.js`,
      '--runtime-dir',
      stage.runtimeDir,
      '-t',
    ];
    const setup = spawn(asUser(STRANGER_UID)[0]!, [...asUser(STRANGER_UID).slice(1), ...argv], {
      stdio: 'pipe',
    });
    const own = spawn(asUser(STRANGER_UID)[0]!, [...asUser(STRANGER_UID).slice(1), 'sleep', '1000']);
    try {
      await new Log('setup', setup.stdout).waitFor(/or type: /);
      expect(await readable(ofProcess(setup.pid!))).toEqual([]);
      // With any other program of its own, it would.
      expect(await readable([`/proc/${own.pid!}/maps`, `/proc/${own.pid!}/environ`])).toHaveLength(2);
    } finally {
      setup.kill('SIGKILL');
      own.kill('SIGKILL');
    }
  });

  const NEW = { do: 'add', factor: { kind: 'totp' } };
  /** Every request about a user, and whether it needs a proof for the own account, or is for root only. */
  const DOORS: readonly (readonly [path: string, body: unknown, own: 401 | 403])[] = [
    ...[
      NEW,
      { do: 'add', factor: { kind: 'recovery' } },
      { do: 'remove', factor: 'phone' },
      { do: 'rename', factor: 'phone', name: 'mine' },
    ].map((change) => ['changes', { changes: [change] }, 401] as const),
    ['changes', { changes: [NEW, { do: 'pause', factor: 'phone' }] }, 401],
    ['factors/phone/show', {}, 401],
    ['unlock', {}, 401],
    ['import', { file: Buffer.from('GEZDGNBVGY3TQOJQ\n" TOTP_AUTH\n').toString('base64') }, 401],
    ['export', {}, 403],
    ['export/remove', { file: 'AAAA' }, 403],
    ['forget', {}, 403],
  ];

  /** Sends requests as the stranger: the status of each answer, and the answers. */
  async function send(
    requests: readonly (readonly [path: string, body: unknown])[],
  ): Promise<{ statuses: number[]; text: string }> {
    const script = `const http = require('http');
      (async () => {
        for (const [path, body] of JSON.parse(process.argv[2])) {
          await new Promise((resolve) => {
            const method = body === null ? 'GET' : 'POST';
            const request = http.request({ socketPath: process.argv[1], method, path: '/v1/' + path }, (response) => {
              let text = '';
              response.on('data', (data) => (text += data)).on('end', () => { console.log(response.statusCode + ' ' + text); resolve(); });
            });
            request.end(body === null ? undefined : JSON.stringify(body));
          });
        }
      })();`;
    const argv = [process.execPath, '-e', script, stage.socket('control'), JSON.stringify(requests)];
    const { stdout, stderr } = await run([...asUser(STRANGER_UID), ...argv]);
    expect(stderr).toBe('');
    return {
      statuses: stdout
        .trimEnd()
        .split(/\n+/)
        .map((line) => parseInt(line)),
      text: stdout,
    };
  }

  const fingerprint = (): string => {
    const hash = createHash('sha256');
    for (const file of readdirSync(`${stage.stateDir}/enrolments`).sort()) {
      hash.update(file).update(readFileSync(`${stage.stateDir}/enrolments/${file}`));
    }
    return hash.digest('hex');
  };

  test('no request shows or changes data of others', async () => {
    const before = fingerprint();
    for (const user of [victim.name, 'root', 'nobody-of-this-name']) {
      const own = [
        ...DOORS.map(([path, body]) => [`users/${user}/${path}`, body] as const),
        [`users/${user}`, null] as const,
      ];
      const { statuses, text } = await send(own);
      expect(statuses).toEqual(own.map(() => 403));
      expect(text).not.toContain(victim.secret);
      // The answer about an existing account is the same as about an unknown one.
      expect(new Set(text.trimEnd().split(/\n+/)).size).toBeLessThanOrEqual(2);
    }
    const { statuses, text } = await send([
      ['users', null],
      ['ledger/repair', {}],
      [`rules/sshd/${victim.name}`, null],
    ]);
    expect(statuses).toEqual([200, 403, 403]);
    expect(text).not.toContain(victim.name);
    expect(fingerprint()).toBe(before);
  });

  test('changes its own factors only with a proof', async () => {
    const before = fingerprint();
    const requests = DOORS.map(([path, body]) => [`users/${STRANGER}/${path}`, body] as const);
    const { statuses, text } = await send(requests);
    expect(statuses).toEqual(DOORS.map(([, , status]) => status));
    expect(text).not.toContain(secret);
    expect(fingerprint()).toBe(before);
    const proven = { changes: [{ do: 'rename', factor: 'phone', name: 'mine' }], proof: codeOf({ secret }) };
    expect((await send([[`users/${STRANGER}/changes`, proven]])).statuses).toEqual([200]);
    expect(fingerprint()).not.toBe(before);
    expect((await command(stage, 'rename', 'mine', 'phone', '--user', STRANGER)).status).toBe(0);
  });

  test('who keeps a hundred connections open keeps nobody else away', async () => {
    const script = `const net = require('net');
      let open = 0;
      for (let n = 0; n < ${IDLE_CONNECTIONS}; n++) {
        const s = net.connect(process.argv[1]);
        s.on('connect', () => { s.write('GET /v1/users HTTP/1.1\\r\\n'); if (++open === ${IDLE_CONNECTIONS}) console.log('open'); });
        s.on('error', () => undefined);
      }
      setInterval(() => undefined, 1000);`;
    const crowd: ChildProcess = spawn(
      asUser(STRANGER_UID)[0]!,
      [...asUser(STRANGER_UID).slice(1), process.execPath, '-e', script, stage.socket('control')],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    try {
      await new Log('crowd', crowd.stdout!).waitFor(/open/);
      const daemonUid = statSync(stage.stateDir).uid;
      expect(daemonUid).not.toBe(STRANGER_UID);
      // Somebody else, who has no account: the answer comes from the daemon.
      const other = await run([
        ...asUser(daemonUid),
        ...[process.execPath, `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', stage.runtimeDir, 'list'],
      ]);
      expect(other.stderr).toContain('There is no account with your uid');
      expect((await command(stage, 'list', '--user', victim.name)).status).toBe(0);
      expect((await new Door(stage).try(victim, victim.code())).rc).toBe(PAM.success);
    } finally {
      crowd.kill('SIGKILL');
    }
  });
});
