import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FilesClient } from '../../../src/daemon/enrolments/home/file-access.ts';
import { Ground, notRun } from './ground.ts';

/* Homes that never answer: a file system over /dev/fuse that reads no request. */

const why = await Ground.impossible();
if (why !== undefined) {
  notRun(why);
}

const FIRST_UID = 61_300;
const READS = 1_000;
let ground: Ground;

const ask = (client: FilesClient, uid: number, path: string): ReturnType<FilesClient['read']> =>
  client.read({ user: `files-${uid}`, uid, gid: uid, path, maxBytes: 65_536 });

async function timed<T>(action: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const begun = performance.now();
  const result = await action();
  return { result, ms: performance.now() - begun };
}

describe.skipIf(why !== undefined)('a home that never answers', () => {
  beforeEach(async () => {
    ground = await Ground.build();
    await ground.compileSilentFuse();
  });
  afterEach(() => ground.clear());

  test('is refused to its owner after the deadline, stalls nobody else, and is served when it answers', async () => {
    const reader = await ground.reader();
    const { client } = ground;
    const path = ground.home(FIRST_UID, 'answers');
    const thousand = async (): Promise<void> => {
      for (let i = 0; i < READS; i++) {
        expect((await ask(client, FIRST_UID, path)).kind).toBe('read');
      }
    };
    await thousand();
    const without = await timed(thousand);

    const silent = await ground.silentHome(61_400);
    const threads = (): number => readdirSync(`/proc/${reader.pid}/task`).length;
    const before = threads();
    const hanging = ask(client, 61_400, silent.path);
    await vi.waitFor(() => expect(threads()).toBe(before + 1), { timeout: 60_000 });
    const behind = ask(client, 61_400, silent.path);
    const beside = await timed(thousand);
    console.log(
      `${READS} reads of another user: ${Math.round(without.ms)} ms, while a home hangs ${Math.round(beside.ms)} ms, ratio ${(beside.ms / without.ms).toFixed(2)}`,
    );
    // It waits for the thread. Its own time may be up first, or the thread's.
    expect(['busy', 'hung']).toContain((await behind).kind);
    expect(await hanging).toEqual({ kind: 'hung' });
    expect(await ask(client, 61_400, silent.path)).toEqual({ kind: 'hung' });
    // A new request for this user takes no further thread.
    expect(threads()).toBe(before + 1);
    await reader.log.waitFor(/do not answer.* uid=61400/);
    expect(reader.log.matching(/do not answer.* uid=61400/)).toHaveLength(1);

    await silent.answer();
    await reader.log.waitFor(/answer again uid=61400/);
    expect(await ask(client, 61_400, silent.path)).toMatchObject({
      kind: 'read',
      contents: Buffer.from('written on FUSE\n'),
    });
  });

  test('eight of them occupy all threads: a ninth user is refused at once, until one answers', async () => {
    const reader = await ground.reader();
    const { client } = ground;
    const path = ground.home(FIRST_UID, 'answers');
    expect((await ask(client, FIRST_UID, path)).kind).toBe('read');
    const threads = (): number => readdirSync(`/proc/${reader.pid}/task`).length;
    const before = threads();

    const uids = Array.from({ length: 8 }, (_, i) => FIRST_UID + 1 + i);
    const homes = await Promise.all(uids.map((uid) => ground.silentHome(uid)));
    const kinds = await Promise.all(
      uids.map(async (uid, i) => (await ask(client, uid, homes[i]!.path)).kind),
    );
    expect(kinds).toEqual(Array(8).fill('hung'));
    expect(threads()).toBe(before + 8);

    expect(await ask(client, FIRST_UID, path)).toEqual({ kind: 'busy' });
    await Promise.all(
      uids.flatMap((uid, i) => Array.from({ length: 10 }, () => ask(client, uid, homes[i]!.path))),
    );
    expect(threads()).toBe(before + 8);
    await reader.log.waitFor(/All threads wait/);
    expect(reader.log.matching(/All threads wait/)).toHaveLength(1);

    await homes[3]!.answer();
    await reader.log.waitFor(/answer again/);
    expect((await ask(client, FIRST_UID, path)).kind).toBe('read');
    expect((await ask(client, uids[3]!, homes[3]!.path)).kind).toBe('read');
    expect((await ask(client, uids[2]!, homes[2]!.path)).kind).toBe('hung');
  });

  test('does not keep the reader from ending', async () => {
    const reader = await ground.reader();
    const silent = await ground.silentHome(61_400);
    expect(await ask(ground.client, 61_400, silent.path)).toEqual({ kind: 'hung' });
    reader.signal('SIGTERM');
    expect(await reader.ended).toBe(0);
  });
});
