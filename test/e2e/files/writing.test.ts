import { chmodSync, chownSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FILE_NAME, Ground, notRun } from './ground.ts';

/* Disks that are full or read-only, other writers, and the reader killed while it writes. */

const why = await Ground.impossible();
if (why !== undefined) {
  notRun(why);
}

const KILLS = process.env['ROUNDS'] === 'full' ? 200 : 15;
const UID = 61_001;
const ANA = { user: 'ana', uid: UID, gid: UID };
const OLD = Buffer.from('old contents\n');
const NEW = Buffer.from('new contents\n');
let ground: Ground;

describe.skipIf(why !== undefined)('replacing a file', () => {
  beforeEach(async () => {
    ground = await Ground.build();
  });
  afterEach(() => ground.clear());

  test('on a full file system leaves the old one whole, and no other', async () => {
    const { client } = ground;
    const home = `${ground.dir}/full`;
    const path = `${home}/${FILE_NAME}`;
    await ground.inside(
      `mkdir ${home}; mount -t tmpfs -o size=64k,mode=755 full ${home}; printf 'old contents\\n' >${path};
       chown -R ${UID}:${UID} ${home}; chmod 400 ${path}; cat /dev/zero >${home}/filler 2>/dev/null || true`,
    );
    await ground.reader();
    const read = await client.read({ ...ANA, path, maxBytes: 100 });
    expect(read).toMatchObject({ kind: 'read', contents: OLD });
    const replaced = await client.replace({ ...ANA, path, expected: OLD, contents: NEW });
    expect(replaced).toEqual({ kind: 'failed', step: 'write', code: 'ENOSPC' });
    expect(readFileSync(ground.seen(path))).toEqual(OLD);
    expect(readdirSync(ground.seen(home)).sort()).toEqual([FILE_NAME, 'filler']);

    await ground.inside(`rm ${home}/filler`);
    expect(await client.replace({ ...ANA, path, expected: OLD, contents: NEW })).toMatchObject({
      kind: 'replaced',
      file: { mode: 0o400, uid: UID, gid: UID, size: NEW.length },
    });
    expect(readFileSync(ground.seen(path))).toEqual(NEW);
  });

  test('on a read-only file system fails, and reading works', async () => {
    const { client } = ground;
    const path = ground.home(UID, OLD.toString());
    const home = dirname(path);
    await ground.inside(`mount --bind ${home} ${home}; mount -o remount,bind,ro ${home}`);
    await ground.reader();
    expect((await client.read({ ...ANA, path, maxBytes: 100 })).kind).toBe('read');
    expect(await client.replace({ ...ANA, path, expected: OLD, contents: NEW })).toEqual({
      kind: 'failed',
      step: 'create',
      code: 'EROFS',
    });
    expect(readdirSync(home)).toEqual([FILE_NAME]);
  });

  test('gives way to whoever changes it meanwhile, by rename or in place', async () => {
    // The reader's sync takes half a second: time for others between its comparison and its rename.
    const slow = ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', '-e', 'signal=none'];
    await ground.reader(...slow, '-e', 'inject=fsync:delay_enter=500000');
    const { client } = ground;
    const path = ground.home(UID, OLD.toString());
    const changes = [
      `printf 'old contents!' >${path}.x; chown ${UID} ${path}.x; mv ${path}.x ${path}`,
      // Same size and time of modification.
      `touch -r ${path} ${path}.t; printf 'OLD CONTENTS\\n' >${path}; touch -r ${path}.t ${path}; rm ${path}.t`,
      `rm ${path}`,
    ];
    for (const change of changes) {
      writeFileSync(path, OLD);
      const replacing = client.replace({ ...ANA, path, expected: OLD, contents: NEW });
      await until(() => readdirSync(dirname(path)).length === 2);
      await ground.inside(change);
      expect(await replacing).toEqual({ kind: 'changed' });
      expect(readdirSync(dirname(path)).filter((name) => name !== FILE_NAME)).toEqual([]);
    }
    writeFileSync(path, OLD);
    chownSync(path, UID, UID);
    expect((await client.replace({ ...ANA, path, expected: OLD, contents: NEW })).kind).toBe('replaced');
  });

  test(`leaves the old or the new one when the reader is killed (${KILLS} times)`, async () => {
    const { client } = ground;
    const path = ground.home(UID, 'version 0\n');
    const seen = { old: 0, new: 0 };
    for (let round = 0; round < KILLS; round++) {
      const reader = await ground.reader();
      let current = readFileSync(path);
      let next = Buffer.alloc(0);
      setTimeout(() => reader.signal('SIGKILL'), 20 + Math.random() * 30);
      for (let count = 1, kind = 'replaced'; kind === 'replaced'; count++) {
        current = next.length > 0 ? next : current;
        next = Buffer.from(`version ${round}.${count} `.padEnd(40_000, String(count % 10)));
        ({ kind } = await client.replace({ ...ANA, path, expected: current, contents: next }));
      }
      await reader.ended;
      const left = readFileSync(path);
      expect(left.equals(current) || left.equals(next)).toBe(true);
      seen[left.equals(current) ? 'old' : 'new']++;
    }
    console.log(`killed ${KILLS} times: ${seen.old} times the old file, ${seen.new} times the new one`);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) {
    await sleep(10);
  }
  expect(condition()).toBe(true);
}

describe.skipIf(why !== undefined)('files.sock and the rights of users', () => {
  beforeEach(async () => {
    ground = await Ground.build();
  });
  afterEach(() => ground.clear());

  test('a file of a group is for its members, and nobody can claim a foreign group', async () => {
    const { client } = ground;
    const reader = await ground.reader();
    const path = `${ground.dir}/of-the-team`;
    await ground.inside(`printf shared >${path}; chown root:team ${path}; chmod 640 ${path}`);
    const as = (user: string, uid: number, gid = uid): ReturnType<typeof client.read> =>
      client.read({ user, uid, gid, path, maxBytes: 100 });
    expect(await as('ana', 61_001)).toMatchObject({ kind: 'read', contents: Buffer.from('shared') });
    expect(await as('ben', 61_002)).toEqual({ kind: 'failed', step: 'open', code: 'EACCES' });
    const refused = { kind: 'failed', step: 'identity', code: 'EPERM' };
    // Somebody else's name, somebody else's group, a name that is none, root without being root, a group of the system, a user of a container.
    expect(await as('ana', 61_002)).toEqual(refused);
    expect(await as('ben', 61_002, 61_100)).toEqual(refused);
    expect(await as('nobody-such', 61_002, 61_100)).toEqual(refused);
    expect(await as('ana', 0, 0)).toEqual(refused);
    expect(await as('nobody-such', 0, 0)).toEqual(refused);
    expect(await as('nobody-such', 61_003, 42)).toEqual(refused);
    expect(await as('nobody-such', 100_000)).toEqual(refused);
    expect(await as('root', 0)).toMatchObject({ kind: 'read' });
    expect(reader.log.matching(/names a user with a wrong uid or groups/)).toHaveLength(7);
    expect(reader.log.lines.join('\n')).not.toContain('shared');
  });

  test("the socket is the daemon user's, and other users are turned away unheard even where they can connect", async () => {
    const reader = await ground.reader();
    const socket = `${ground.runtimeDir}/files.sock`;
    expect(statSync(socket)).toMatchObject({ uid: 64_321 });
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    const request = 'POST /v1/read HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}';
    const knock = (uid: number, says = request): Promise<string> =>
      ground.inside(
        `setpriv --reuid=${uid} --regid=${uid} --clear-groups /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
try:
    s.connect("${socket}")
    b"${says}" and s.sendall(b"${says}")
    print(s.recv(300).decode())
except OSError as error:
    print(type(error).__name__)'`,
      );
    expect(await knock(64_321)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await knock(61_001)).toBe('PermissionError\n');
    chmodSync(socket, 0o666);
    expect(await knock(61_001)).toMatch(/^(ConnectionResetError|BrokenPipeError|HTTP\/1\.1 403 [^]*|)\n$/);
    expect(await knock(61_001, '')).toMatch(/^HTTP\/1\.1 403 [^]*Only pve-authenticatord is served here/);
    expect(reader.log.matching(/Somebody other than the daemon.* uid=61001/)).toHaveLength(2);
    expect(statSync(`/proc/${reader.pid}/mem`).uid).toBe(0);
    expect(readFileSync(`/proc/${reader.pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 /m);
  });

  test('it serves a socket that it was given, by its name', async () => {
    const script = `import socket,os,sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1]); s.listen(8)
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="files")
os.execvp(sys.argv[2], sys.argv[2:])`;
    const socket = `${ground.runtimeDir}/files.sock`;
    await ground.reader('/usr/bin/python3', '-c', script, socket);
    const path = ground.home(UID, 'given');
    expect(await ground.client.read({ ...ANA, path, maxBytes: 100 })).toMatchObject({ kind: 'read' });
    // A second one does not take it away.
    await expect(ground.reader()).rejects.toThrow('Another daemon serves');
    expect((await ground.client.read({ ...ANA, path, maxBytes: 100 })).kind).toBe('read');
  });
});
