/* The command as a process: what it prints where, and how it ends. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
let tree: string;
let server: Server;

/** Compiled here, so that the test needs no build, and never runs an outdated one. */
beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), 'cli-'));
  chmodSync(tree, 0o755);
  writeFileSync(join(tree, 'package.json'), '{"type":"module","version":"1.2.3"}');
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  symlinkSync(join(root, 'native'), join(tree, 'native'));
  for (const room of [
    'command',
    'contracts',
    'config',
    'policy',
    'factors',
    'formats',
    'yubico-otp',
    'host',
  ]) {
    const below = readdirSync(join(root, 'src', room), { recursive: true, withFileTypes: true });
    const folders = below
      .filter((entry) => entry.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name));
    for (const folder of [join(root, 'src', room), ...folders]) {
      compile(relative(join(root, 'src'), folder));
    }
  }
  server = createServer((_request, response) => {
    response.writeHead(403).end('{"error":{"code":"ERR_NOT_ROOT","message":"Only root may do that"}}');
  });
  server.listen(join(tree, 'control.sock'));
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
  rmSync(tree, { recursive: true, force: true });
});

function compile(directory: string): void {
  mkdirSync(join(tree, 'src', directory), { recursive: true });
  for (const name of readdirSync(join(root, 'src', directory)).filter((file) => file.endsWith('.ts'))) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'src', directory, name), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(join(tree, 'src', directory, name.replace(/\.ts$/, '.js')), outputText);
  }
}

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(words: readonly string[], environment: NodeJS.ProcessEnv = {}, uid?: number): Promise<Result> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [join(tree, 'src/command/main.js'), ...words],
      { env: { ...process.env, ...environment }, ...(uid === undefined ? {} : { uid }) },
      (_error, stdout, stderr) => done({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** The command with a failing standard output, opened by a line of bash. */
function runInto(open: string, ...words: readonly string[]): { status: number | null; stderr: string } {
  const line = `${open} || exit 99; exec "$@" >&3`;
  const argv = ['-c', line, 'bash', process.execPath, join(tree, 'src/command/main.js'), ...words];
  return spawnSync('bash', argv, { encoding: 'utf8' });
}

describe('a result that cannot be written', () => {
  it('is a failure, because the lost text may have been a secret', () => {
    const { status, stderr } = runInto('exec 3>/dev/full', 'completion', 'bash');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^pve-google-authenticator: The output could not be written completely \(ENOSPC\)\./,
      ),
    ]);
    expect(runInto('exec 3>/dev/full', '--help').status).toBe(1);
  });

  it('ends silently when its reader goes away, like other programs', () => {
    const fifo = join(tree, 'nobody-reads');
    execFileSync('mkfifo', [fifo]);
    const open = `exec 4<> ${fifo} 3> ${fifo} 4>&-`;
    expect(runInto(open, 'completion', 'bash')).toMatchObject({ status: 141, stderr: '' });
    expect(runInto('exec 3>/dev/null', 'completion', 'bash')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('pve-google-authenticator', () => {
  it('ends with 2 where a command says that it was called wrongly', async () => {
    for (const words of [
      ['enable', '--nullok'],
      ['disable'],
      ['disable', '../passwd'],
      ['pause'],
      ['rename', 'a'],
    ]) {
      expect(await run(words), words.join(' ')).toMatchObject({ status: 2, stdout: '' });
    }
    expect((await run(['pause'])).stderr).toContain("missing required argument 'factor'");
  });

  it.runIf(process.geteuid?.() === 0)('refuses to run under a uid without a name', async () => {
    for (const words of [['status'], ['-t']]) {
      const { status, stderr } = await run(words, {}, 54_321);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/: The user ID 54321 has no account/)]);
    }
    expect(await run(['enable', 'sshd'], {}, 54_321)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Only root may do that') as string,
    });
  });

  it('ends with 0 after --help, on standard output', async () => {
    for (const words of [
      ['--help'],
      ['add', '--help'],
      ['add', 'totp', '--help'],
      ['help', 'list'],
      ['help', 'setup'],
      ['help'],
    ]) {
      const { status, stdout, stderr } = await run(words);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Usage: pve-google-authenticator');
    }
  });

  it.each([[['no-such-command']], [['add', 'sms']], [['remove']], [['remove', 'a', 'b', 'c']]])(
    'ends with 2 and says why after %j',
    async (words) => {
      const { status, stdout, stderr } = await run(words);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/error: |Usage: /);
    },
  );

  it('ends with 1 when the daemon is not there, and says where it looked', async () => {
    const { status, stdout, stderr } = await run(['--runtime-dir', `${tree}/none`, 'list']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^pve-google-authenticator: The daemon cannot be reached at .*\/none\/control\.sock \(ENOENT\)\. Is it running\?.*\n$/,
    );
  });

  it('ends with 1 when the daemon refuses, with its words', async () => {
    const { status, stdout, stderr } = await run(['--runtime-dir', tree, 'list', '--json']);
    expect([status, stdout, stderr]).toEqual([1, '', 'pve-google-authenticator: Only root may do that\n']);
  });

  it('takes the directory from the environment, and the option before it', async () => {
    const environment = { PVE_AUTHENTICATOR_RUNTIME_DIR: tree };
    expect((await run(['list'], environment)).stderr).toContain('Only root may do that');
    expect((await run(['--runtime-dir', '/none', 'list'], environment)).stderr).toContain(
      '/none/control.sock',
    );
  });

  it('is the setup without a command, and ends with 1 for wrong options, like google-authenticator', async () => {
    for (const words of [['--no-such-option'], ['-t', '-t'], ['setup', '-d'], ['-t', 'alice'], ['-s', '']]) {
      const { status, stdout, stderr } = await run(words);
      expect([status, stdout], words.join(' ')).toEqual([1, '']);
      expect(stderr).toMatch(/^pve-google-authenticator: .*\nSee: pve-google-authenticator setup --help\n$/);
    }
    for (const [word, says] of [
      ['--foo', "Unknown option '--foo'. --proxmox goes only with"],
      ['--qr-mode=sms', '--qr-mode must be one of'],
      ['--user=a b', '--user must be'],
      ['--name=', '--name must have'],
    ] as const) {
      const { status, stderr } = await run(['--proxmox', word]);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^pve-.*\nSee: .*--help\n$/)]);
      expect(stderr).toContain(says);
    }
    expect((await run(['--proxmox', '--help'])).stdout).toContain('--proxmox');
    expect(await run(['-q', '-h'])).toMatchObject({ status: 0, stderr: '' });
    expect((await run(['--version'])).stdout).toBe('pve-google-authenticator 1.2.3\n');
    const refused = await run(['--runtime-dir', tree]);
    expect([refused.status, refused.stderr]).toEqual([
      1,
      'pve-google-authenticator: Only root may do that\n',
    ]);
  });
});
