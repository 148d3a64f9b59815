/* Against the real kernel. The addon must be built (make build); tests that change the uid run only as root. */
import { type ChildProcess, type SpawnOptions, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as addon from '../../../src/host/addon.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const isRoot = process.getuid?.() === 0;
const run = promisify(execFile);

/** The files of src/host that the scripts of child processes import, and what these need. */
const LOADER = ['addon', 'arguments', 'load-addon', 'login-lines'];

/** A tree laid out like ours after the build, which another uid can read wherever the checkout lies. */
let tree: string;
/** An import of the compiled loader, for the scripts of child processes. */
let imported: string;
let sockets = 0;
const children: ChildProcess[] = [];
const acceptors: addon.Acceptor[] = [];

beforeAll(() => {
  tree = fs.mkdtempSync(path.join(os.tmpdir(), 'addon-'));
  fs.chmodSync(tree, 0o777);
  const built = 'native/addon/build/Release';
  fs.mkdirSync(path.join(tree, 'dist/host'), { recursive: true });
  fs.mkdirSync(path.join(tree, built), { recursive: true });
  fs.cpSync(
    path.join(root, built, 'pve_authenticator.node'),
    path.join(tree, built, 'pve_authenticator.node'),
  );
  fs.writeFileSync(path.join(tree, 'package.json'), '{"type":"module"}');
  for (const name of LOADER) {
    const compiled = ts.transpileModule(fs.readFileSync(path.join(root, `src/host/${name}.ts`), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
      },
    });
    fs.writeFileSync(path.join(tree, `dist/host/${name}.js`), compiled.outputText);
  }
  imported = `import * as addon from ${JSON.stringify(path.join(tree, 'dist/host/addon.js'))};
    import { openLoginLines } from ${JSON.stringify(path.join(tree, 'dist/host/login-lines.js'))};
    import net from 'node:net';
    import fs from 'node:fs';`;
});

afterEach(() => {
  for (const acceptor of acceptors.splice(0)) acceptor.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(() => fs.rmSync(tree, { recursive: true, force: true }));

function socketPath(): string {
  return path.join(tree, `${++sockets}.sock`);
}

function start(command: string, args: string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  children.push(child);
  return child;
}

function startNode(script: string, options: SpawnOptions = {}): ChildProcess {
  return start(process.execPath, ['--input-type=module', '-e', imported + script], options);
}

const lines = new WeakMap<ChildProcess, AsyncIterator<string>>();

async function nextLine(child: ChildProcess): Promise<string> {
  const reader = lines.get(child) ?? createInterface(child.stdout!)[Symbol.asyncIterator]();
  lines.set(child, reader);
  const { value, done } = await reader.next();
  if (done === true) throw new Error('the child ended without a word');
  return value;
}

/** A python that connects, prints the uid, pid and gid of the listener as it sees them, and waits. */
const CLIENT = `
import socket, struct, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
pid, uid, gid = struct.unpack('3i', s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
print(uid, pid, gid, flush=True); s.recv(1)`;

interface Arrival {
  socket: net.Socket;
  peer: addon.Peer;
}

function collect(fd: number): { arrivals: Arrival[]; errors: string[]; acceptor: addon.Acceptor } {
  const arrivals: Arrival[] = [];
  const errors: string[] = [];
  const acceptor = addon.acceptFrom(
    fd,
    (accepted, peer) => {
      const socket = new net.Socket({ fd: accepted });
      socket.on('error', () => undefined);
      arrivals.push({ socket, peer });
    },
    (code) => errors.push(code),
  );
  acceptors.push(acceptor);
  return { arrivals, errors, acceptor };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await sleep(10);
  expect(condition()).toBe(true);
}

function connect(file: string): net.Socket {
  return net.connect(file).on('error', () => undefined);
}

function openFds(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

function fdFlags(fd: number): number {
  return parseInt(/flags:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8);
}

function errorOf(action: () => unknown): NodeJS.ErrnoException {
  try {
    action();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('nothing was thrown');
}

describe('loading', () => {
  it('says how to build what is missing', async () => {
    const elsewhere = path.join(tree, 'unbuilt/dist/host');
    fs.mkdirSync(elsewhere, { recursive: true });
    for (const name of LOADER) {
      fs.copyFileSync(path.join(tree, `dist/host/${name}.js`), path.join(elsewhere, `${name}.js`));
    }
    const script = `const { hardenProcess } = await import(${JSON.stringify(path.join(elsewhere, 'addon.js'))});
      try { hardenProcess(); } catch (error) { console.log(error.message); }`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toContain('unbuilt/native/addon/build/Release/pve_authenticator.node');
    expect(stdout).toContain('make build');
  });
});

describe('listenOn', () => {
  it('makes a socket with exactly the mode, whatever the umask', async () => {
    const script = `process.umask(Number(process.argv[1]));
      addon.listenOn(process.argv[2], 0o640, 8);
      console.log((fs.statSync(process.argv[2]).mode & 0o7777).toString(8));`;
    for (const umask of [0, 0o022, 0o777]) {
      const args = ['--input-type=module', '-e', imported + script, String(umask), socketPath()];
      expect((await run(process.execPath, args)).stdout.trim()).toBe('640');
    }
  });

  it('never shows the file with a wider mode than asked for', async () => {
    const file = socketPath();
    const watcher = startNode(
      `const seen = new Set(); console.log('ready');
       for (let done = false; !done;) {
         done = fs.existsSync(${JSON.stringify(`${file}.done`)});
         const stat = fs.statSync(${JSON.stringify(file)}, { throwIfNoEntry: false });
         if (stat) seen.add((stat.mode & 0o777).toString(8));
       }
       console.log([...seen].join());`,
    );
    await nextLine(watcher);
    // Many rounds, so that the watcher meets the moments between the system calls too.
    const opener = startNode(
      `process.umask(0);
       for (let i = 0; i < 3000; i++) {
         if (i > 0) fs.unlinkSync(${JSON.stringify(file)});
         fs.closeSync(addon.listenOn(${JSON.stringify(file)}, 0o600, 8));
       }
       fs.writeFileSync(${JSON.stringify(`${file}.done`)}, '');`,
    );
    await once(opener, 'exit');
    expect(await nextLine(watcher)).toBe('600');
  });

  it('returns a listening, non-blocking, close-on-exec descriptor', async () => {
    const file = socketPath();
    const fd = addon.listenOn(file, 0o600, 8);
    expect(fdFlags(fd) & fs.constants.O_NONBLOCK).not.toBe(0);
    expect(fdFlags(fd) & 0o2000000 /* O_CLOEXEC */).not.toBe(0);
    const client = connect(file);
    await once(client, 'connect');
    client.destroy();
    fs.closeSync(fd);
  });

  it('takes a path of 107 bytes and no more', () => {
    const longest = path.join(tree, 'x'.repeat(106 - Buffer.byteLength(tree)));
    expect(Buffer.byteLength(longest)).toBe(107);
    fs.closeSync(addon.listenOn(longest, 0o600, 8));
    expect(() => addon.listenOn(longest + 'x', 0o600, 8)).toThrow(/108 bytes.*at most 107/);
  });

  it('leaves alone what is there, and leaks nothing on errors', () => {
    const file = socketPath();
    fs.writeFileSync(file, 'kept');
    const before = openFds();
    expect(errorOf(() => addon.listenOn(file, 0o600, 8))).toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'bind',
    });
    expect(errorOf(() => addon.listenOn(file + '/x', 0o600, 8))).toMatchObject({ code: 'ENOTDIR' });
    expect(openFds()).toBe(before);
    expect(fs.readFileSync(file, 'utf8')).toBe('kept');
  });

  it.each([
    [TypeError, () => addon.listenOn(7 as never, 0o600, 8)],
    [RangeError, () => addon.listenOn('', 0o600, 8)],
    [RangeError, () => addon.listenOn('\0abstract', 0o600, 8)],
    [RangeError, () => addon.listenOn('x', 0o1000, 8)],
    [TypeError, () => addon.listenOn('x', '600' as never, 8)],
    [RangeError, () => addon.listenOn('x', 0o600, 0)],
    [RangeError, () => addon.listenOn('x', 0o600, 1.5)],
  ])('refuses an argument with %o', (kind, call) => {
    expect(call).toThrow(kind);
  });
});

describe('acceptFrom', () => {
  it('tells who connected', async () => {
    const file = socketPath();
    const { arrivals } = collect(addon.listenOn(file, 0o666, 8));
    const child = start('python3', ['-c', CLIENT, file]);
    await until(() => arrivals.length === 1);
    expect(arrivals[0]!.peer).toEqual({ pid: child.pid, uid: process.getuid!(), gid: process.getgid!() });
  });

  it.runIf(isRoot)('tells the uid and gid of a client of another user', async () => {
    const file = socketPath();
    const { arrivals } = collect(addon.listenOn(file, 0o666, 8));
    const child = start(
      'setpriv',
      [
        '--reuid',
        '12345',
        '--regid',
        '23456',
        '--clear-groups',
        '/usr/bin/env',
        'python3',
        '-c',
        CLIENT,
        file,
      ],
      { env: { PATH: '/usr/bin:/bin' } },
    );
    await until(() => arrivals.length === 1);
    expect(arrivals[0]!.peer).toEqual({ pid: child.pid, uid: 12345, gid: 23456 });
  });

  // As under systemd: root listens, an unprivileged process accepts. With server.listen({ fd: 3 }) in place of
  // acceptFrom every client that connects after it sees 65534 where it should see 0, as the second of these tests
  // shows: listen() stores the credentials of its caller anew.
  const AS_NOBODY = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.listen(8)
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.execv(sys.argv[2], sys.argv[2:])`;

  async function listenersSeen(accept: string): Promise<string[]> {
    const file = socketPath();
    const script = `${imported} const sockets = []; ${accept} console.log('uid', process.getuid());`;
    const args = ['-c', AS_NOBODY, file, process.execPath, '--input-type=module', '-e', script];
    const server = start('/usr/bin/env', ['python3', ...args], {
      env: { PATH: '/usr/bin:/bin' },
      cwd: tree,
    });
    expect(await nextLine(server)).toBe('uid 65534');
    const seen: string[] = [];
    for (let i = 0; i < 3; i++) {
      seen.push((await nextLine(start('python3', ['-c', CLIENT, file]))).split(' ')[0]!);
    }
    return seen;
  }

  it.runIf(isRoot)('lets every client see the uid of the process that opened the socket', async () => {
    const accept = `addon.acceptFrom(3, (fd) => sockets.push(new net.Socket({ fd })), console.error);`;
    expect(await listenersSeen(accept)).toEqual(['0', '0', '0']);
  });

  it.runIf(isRoot)("is needed, because Node's own listen changes that uid", async () => {
    const accept = `await new Promise((done) => net.createServer((s) => sockets.push(s)).listen({ fd: 3 }, done));`;
    expect(await listenersSeen(accept)).toEqual(['65534', '65534', '65534']);
  });

  it('hands over descriptors that are non-blocking and close-on-exec', async () => {
    const file = socketPath();
    let flags = 0;
    const acceptor = addon.acceptFrom(
      addon.listenOn(file, 0o600, 8),
      (fd) => {
        flags = fdFlags(fd);
        fs.closeSync(fd);
      },
      () => undefined,
    );
    acceptors.push(acceptor);
    connect(file);
    await until(() => flags !== 0);
    expect(flags & fs.constants.O_NONBLOCK).not.toBe(0);
    expect(flags & 0o2000000).not.toBe(0);
  });

  it('makes an inherited descriptor non-blocking and close-on-exec', async () => {
    const file = socketPath();
    const script = `addon.acceptFrom(3, () => {}, () => {}); console.log(
      /flags:.*/.exec(fs.readFileSync('/proc/self/fdinfo/3', 'utf8'))[0]);`;
    const inherit = `import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8)
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.execv(sys.argv[2], sys.argv[2:])`;
    const child = start('python3', [
      ...['-c', inherit, file, process.execPath, '--input-type=module', '-e', imported + script],
    ]);
    const flags = parseInt(/flags:\s*(\d+)/.exec(await nextLine(child))![1]!, 8);
    expect(flags & fs.constants.O_NONBLOCK).not.toBe(0);
    expect(flags & 0o2000000).not.toBe(0);
  });

  it('loses none of 1,000 connections', async () => {
    const file = socketPath();
    const { arrivals, errors } = collect(addon.listenOn(file, 0o600, 128));
    const clients = startNode(
      `let open = 0;
       const sockets = Array.from({ length: 1000 }, (_, i) => i).map(async (i) => {
         for (;;) {
           const socket = net.connect(${JSON.stringify(file)});
           try {
             // A full backlog says EAGAIN to a non-blocking connect().
             await new Promise((yes, no) => socket.once('connect', yes).once('error', no));
           } catch { await new Promise((again) => setTimeout(again, 5)); continue; }
           socket.end(String(i)); return;
         }
       });
       await Promise.all(sockets); console.log('done');`,
    );
    await nextLine(clients);
    await until(() => arrivals.length >= 1000);
    const said = await Promise.all(
      arrivals.map(async ({ socket }) => Buffer.concat((await socket.toArray()) as Buffer[]).toString()),
    );
    expect(said.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(errors).toEqual([]);
    expect(arrivals.every(({ peer }) => peer.pid === clients.pid)).toBe(true);
  });

  it('accepts nothing while paused, and what queued meanwhile afterwards', async () => {
    const file = socketPath();
    const { arrivals, acceptor } = collect(addon.listenOn(file, 0o600, 8));
    acceptor.pause();
    const clients = [connect(file), connect(file)];
    await Promise.all(clients.map((client) => once(client, 'connect')));
    await sleep(50);
    expect(arrivals).toEqual([]);
    acceptor.resume();
    acceptor.resume();
    await until(() => arrivals.length === 2);
  });

  it.each(['pause', 'close'] as const)('stops at once on %s() inside a callback', async (act) => {
    const file = socketPath();
    const before = openFds();
    let calls = 0;
    const acceptor: addon.Acceptor = addon.acceptFrom(
      addon.listenOn(file, 0o600, 8),
      (fd) => {
        calls++;
        fs.closeSync(fd);
        acceptor[act]();
      },
      () => undefined,
    );
    acceptors.push(acceptor);
    acceptor.pause();
    const clients = [connect(file), connect(file), connect(file)];
    await Promise.all(clients.map((client) => once(client, 'connect')));
    acceptor.resume();
    await sleep(50);
    expect(calls).toBe(1);
    acceptor.close();
    for (const client of clients) client.destroy();
    await until(() => openFds() <= before);
  });

  it('may be closed twice, and paused and resumed after that', () => {
    const { acceptor } = collect(addon.listenOn(socketPath(), 0o600, 8));
    acceptor.close();
    acceptor.pause();
    acceptor.resume();
    acceptor.close();
  });

  it('turns what a callback throws into an uncaught exception and goes on', async () => {
    const file = socketPath();
    const child = startNode(
      `process.on('uncaughtException', (error) => console.log(error.message));
       let count = 0;
       addon.acceptFrom(addon.listenOn(${JSON.stringify(file)}, 0o600, 8), (fd) => {
         fs.closeSync(fd); throw new Error('callback ' + ++count);
       }, () => {});
       console.log('ready');`,
    );
    await nextLine(child);
    for (const expected of ['callback 1', 'callback 2']) {
      connect(file);
      expect(await nextLine(child)).toBe(expected);
    }
  });

  it('ends a process that does not handle the exception, like any other', async () => {
    const file = socketPath();
    const child = startNode(
      `addon.acceptFrom(addon.listenOn(${JSON.stringify(file)}, 0o600, 8), () => { throw new Error('on purpose'); }, () => {});
       console.log('ready');`,
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    let stderr = '';
    child.stderr!.on('data', (data: Buffer) => (stderr += data.toString()));
    await nextLine(child);
    connect(file);
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(stderr).toContain('on purpose');
  });

  it('runs promises and ticks after each connection', async () => {
    const file = socketPath();
    let ran = false;
    const acceptor = addon.acceptFrom(
      addon.listenOn(file, 0o600, 8),
      (fd) => {
        fs.closeSync(fd);
        void Promise.resolve().then(() => (ran = true));
      },
      () => undefined,
    );
    acceptors.push(acceptor);
    connect(file);
    await until(() => ran);
  });

  it('reports EMFILE, keeps the connection, and takes it after a resume', async () => {
    const file = socketPath();
    const child = start('python3', [
      '-c',
      `import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); os.execv(sys.argv[1], sys.argv[1:])`,
      ...[process.execPath, '--input-type=module', '-e'],
      `${imported}
       const taken = [];
       const acceptor = addon.acceptFrom(addon.listenOn(${JSON.stringify(file)}, 0o600, 8), (fd) => {
         console.log('accepted'); fs.closeSync(fd);
       }, (code) => {
         console.log(code); acceptor.pause();
         for (const fd of taken) fs.closeSync(fd);
         setTimeout(() => acceptor.resume(), 50);
       });
       try { for (;;) taken.push(fs.openSync('/dev/null')); } catch {}
       process.stdout.write('ready\\n');`,
    ]);
    await nextLine(child);
    connect(file);
    expect(await nextLine(child)).toBe('EMFILE');
    expect(await nextLine(child)).toBe('accepted');
  });

  it('ends with its worker thread, also with connections in the queue, and closes the socket', async () => {
    for (const way of ['process.exit()', 'parentPort.postMessage("ready")']) {
      const file = socketPath();
      const before = openFds();
      const worker = new Worker(
        `import { parentPort } from 'node:worker_threads';
         ${imported}
         addon.acceptFrom(addon.listenOn(${JSON.stringify(file)}, 0o600, 64), (fd) => {
           fs.closeSync(fd); ${way};
           // Holds the loop, so that more connections wait when the end comes.
           Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
         }, () => {});
         parentPort.postMessage('listening');`,
        { eval: true, execArgv: ['--input-type=module'] },
      );
      await once(worker, 'message');
      const exited = once(worker, 'exit');
      const clients = Array.from({ length: 20 }, () => connect(file));
      if (!way.includes('exit')) {
        await once(worker, 'message');
        await worker.terminate();
      }
      await exited;
      const late = net.connect(file);
      const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNREFUSED');
      for (const client of clients) client.destroy();
      await until(() => openFds() <= before);
    }
  });

  it('refuses what is not a listening Unix socket', () => {
    const file = fs.openSync('/dev/null', 'r');
    const nothing = (): void => undefined;
    expect(errorOf(() => addon.acceptFrom(file, nothing, nothing))).toMatchObject({ code: 'ENOTSOCK' });
    fs.closeSync(file);
    expect(errorOf(() => addon.acceptFrom(file, nothing, nothing))).toMatchObject({ code: 'EBADF' });
    expect(() => addon.acceptFrom(-1, nothing, nothing)).toThrow(RangeError);
    expect(() => addon.acceptFrom(0, undefined as never, nothing)).toThrow(TypeError);
    expect(() => addon.acceptFrom(0, nothing, {} as never)).toThrow(TypeError);
  });

  it('refuses a second acceptor on the same descriptor', () => {
    const fd = addon.listenOn(socketPath(), 0o600, 8);
    collect(fd);
    expect(errorOf(() => collect(fd))).toMatchObject({ code: 'EEXIST' });
  });
});

describe('openLoginLines', () => {
  const LISTENER = `const listener = (changes) => ({
    opened() {}, message() {}, ended() {}, notAccepted() {}, batchEnded() {}, ...changes });`;

  it('ends with its worker thread, and hangs up', async () => {
    const file = socketPath();
    const worker = new Worker(
      `import { parentPort } from 'node:worker_threads';
       ${imported}${LISTENER}
       openLoginLines(listener({ opened: () => parentPort.postMessage('open') }))
         .listen(addon.listenOn(${JSON.stringify(file)}, 0o600, 8), 0);
       parentPort.postMessage('listening');`,
      { eval: true, execArgv: ['--input-type=module'] },
    );
    await once(worker, 'message');
    const client = connect(file);
    await once(worker, 'message');
    client.resume();
    const ended = once(client, 'close');
    await worker.terminate();
    await ended;
  });

  // systemd hands over sockets that block.
  it('never waits at a socket that was left blocking', async () => {
    const file = socketPath();
    const script = `${imported}${LISTENER}
      openLoginLines(listener({ opened() { setImmediate(() => console.log('goes on')); } })).listen(3, 0);
      console.log('listening');`;
    const listen = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8)
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.execv(sys.argv[2], sys.argv[2:])`;
    const server = start('python3', [
      ...['-c', listen, file],
      ...[process.execPath, '--input-type=module', '-e', script],
    ]);
    expect(await nextLine(server)).toBe('listening');
    connect(file);
    expect(await nextLine(server)).toBe('goes on');
  });

  it('turns an exception of a listener into an uncaught exception', async () => {
    const file = socketPath();
    const child = startNode(
      `${LISTENER}
       openLoginLines(listener({ opened() { throw new Error('on purpose'); } }))
         .listen(addon.listenOn(${JSON.stringify(file)}, 0o600, 8), 0);
       process.on('uncaughtException', ({ message }) => { console.log(message); process.exit(); });
       console.log('listening');`,
    );
    await nextLine(child);
    connect(file);
    expect(await nextLine(child)).toBe('on purpose');
  });
});

describe('ringAfter', () => {
  it('calls back once each, the sooner one first, and takes no descriptor afterwards', async () => {
    const before = openFds();
    const rung: string[] = [];
    addon.ringAfter(50_000, () => rung.push('later'));
    addon.ringAfter(1, () => rung.push('sooner'));
    await until(() => rung.includes('later'));
    expect(rung).toEqual(['sooner', 'later']);
    await until(() => openFds() <= before);
  });

  it('says that there are no descriptors left', async () => {
    const child = start('bash', [
      '-c',
      `ulimit -n 40; exec ${process.execPath} --input-type=module -e "$0"`,
      `${imported}
       fs.readFileSync('/dev/null');
       let code; try { for (;;) addon.ringAfter(1000000, () => {}); } catch (error) { code = error.code; }
       process.stdout.write(code + '\\n', () => process.exit());`,
    ]);
    expect(await nextLine(child)).toBe('EMFILE');
  });

  it('refuses what cannot work', () => {
    const nothing = (): void => undefined;
    for (const wrong of [0, -1, 0.5, NaN, 1_000_001]) {
      expect(() => addon.ringAfter(wrong, nothing)).toThrow(RangeError);
    }
    expect(() => addon.ringAfter(1, undefined as never)).toThrow(TypeError);
  });
});

describe('lockExclusively', () => {
  it('has one holder, until that is killed', async () => {
    const file = path.join(tree, 'lock');
    const holder = startNode(
      `console.log(addon.lockExclusively(fs.openSync(${JSON.stringify(file)}, 'a'))); setInterval(() => {}, 1000);`,
    );
    expect(await nextLine(holder)).toBe('true');
    const fd = fs.openSync(file, 'a');
    expect(addon.lockExclusively(fd)).toBe(false);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(addon.lockExclusively(fd)).toBe(true);
    expect(addon.lockExclusively(fd)).toBe(true);
    fs.closeSync(fd);
  });

  it('says why it cannot', () => {
    const fd = fs.openSync('/dev/null', 'r');
    fs.closeSync(fd);
    expect(errorOf(() => addon.lockExclusively(fd))).toMatchObject({ code: 'EBADF', syscall: 'flock' });
    expect(() => addon.lockExclusively(1.5)).toThrow(RangeError);
    expect(() => addon.lockExclusively('3' as never)).toThrow(TypeError);
  });
});

describe('look-ups', () => {
  const superuser = { name: 'root', uid: 0, gid: 0, home: '/root' };

  it('finds by name and by uid', async () => {
    expect(await addon.lookUpUser('root')).toMatchObject(superuser);
    expect(await addon.lookUpUid(0)).toMatchObject(superuser);
    expect((await addon.lookUpUser('root'))!.shell).toMatch(/^\//);
    expect(await addon.lookUpUid(os.userInfo().uid)).toMatchObject({ name: os.userInfo().username });
  });

  it('says undefined for nobody of that name or number', async () => {
    expect(await addon.lookUpUser('no-such-user-anywhere')).toBeUndefined();
    expect(await addon.lookUpUser('röot\u{1F600}')).toBeUndefined();
    expect(await addon.lookUpUid(0xffff_fffe)).toBeUndefined();
  });

  it('serves many at once', async () => {
    const found = await Promise.all(Array.from({ length: 500 }, () => addon.lookUpUser('root')));
    expect(found.every((entry) => entry?.uid === 0)).toBe(true);
  });

  it('lets a worker thread end while look-ups are under way', async () => {
    const child = startNode(
      `import { Worker } from 'node:worker_threads';
       const file = ${JSON.stringify(path.join(tree, 'native/addon/build/Release/pve_authenticator.node'))};
       for (let i = 0; i < 30; i++) {
         const worker = new Worker(
           \`const { lookUpUser } = require(\${JSON.stringify(file)});
            for (let n = 0; n < 300; n++) lookUpUser('root');
            setTimeout(() => process.exit(), \${i % 5});\`,
           { eval: true, execArgv: [] });
         await new Promise((ended) => worker.once('exit', ended));
       }
       console.log('all ended');`,
    );
    expect(await nextLine(child)).toBe('all ended');
  });

  it.each([
    [TypeError, () => addon.lookUpUser(0 as never)],
    [RangeError, () => addon.lookUpUser('')],
    [RangeError, () => addon.lookUpUser('root\0')],
    [TypeError, () => addon.lookUpUid('0' as never)],
    [RangeError, () => addon.lookUpUid(-1)],
    [RangeError, () => addon.lookUpUid(0xffff_ffff)],
    [RangeError, () => addon.lookUpUid(NaN)],
  ])('refuses an argument with %o', (kind, call) => {
    expect(call).toThrow(kind);
  });
});

describe('hardenProcess', () => {
  it('forbids core dumps and new privileges', async () => {
    const child = startNode(
      `addon.hardenProcess(); addon.hardenProcess(); console.log('hard'); setInterval(() => {}, 1000);`,
    );
    await nextLine(child);
    const proc = `/proc/${child.pid}`;
    expect(fs.readFileSync(`${proc}/status`, 'utf8')).toMatch(/^NoNewPrivs:\t1$/m);
    expect(fs.readFileSync(`${proc}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 /m);
  });

  it.runIf(isRoot)(
    'shuts an unprivileged process off from others of its user, but not from itself',
    async () => {
      const file = socketPath();
      const child = startNode(
        `console.log('before'); process.stdin.once('data', () => {
         addon.hardenProcess(); addon.listenOn(${JSON.stringify(file)}, 0o660, 8); console.log('after'); });`,
        { uid: 65534, gid: 65534, cwd: '/' },
      );
      await nextLine(child);
      // proc(5): the files of a process that is not dumpable belong to root.
      expect(fs.statSync(`/proc/${child.pid}/mem`).uid).toBe(65534);
      child.stdin!.write('go');
      expect(await nextLine(child)).toBe('after');
      expect(fs.statSync(`/proc/${child.pid}/mem`).uid).toBe(0);
      expect(fs.statSync(file).mode & 0o777).toBe(0o660);
    },
  );
});
