/* The reader wipes a user's file from memory, whatever happens to the request. */
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFile, replaceFile, type FilePorts } from '../../../src/reader/file-requests.ts';
import { Threads, type NotServed, type Work } from '../../../src/host/threads.ts';
import { BudgetedLog } from '../../../src/log/budgeted-log.ts';
import { RecordedBuffers } from '../fixtures/recorded-buffers.ts';
import { RecordedLog } from '../fixtures/recorded-log.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const SECRET = 'ABCDEFGHIJKLMNOP\n';
const newDirectory = temporaryDirectories();
const ME = userInfo();
const wanted = (): boolean => true;
let request: { user: string; uid: number; gid: number; path: string; maxBytes: number };
/** The results of the threads. */
let results: unknown[];

beforeEach(() => {
  const path = `${newDirectory()}/.google_authenticator`;
  writeFileSync(path, SECRET, { mode: 0o400 });
  request = { user: ME.username, uid: ME.uid, gid: ME.gid, path, maxBytes: 1_000 };
  results = [];
});

/** Threads with recorded results; `late`: after the deadline. */
class ObservedThreads extends Threads {
  readonly #late: boolean;

  constructor(late: boolean) {
    super({ hung: () => undefined, returned: () => undefined, exhausted: () => undefined });
    this.#late = late;
  }

  override async run<T>(_uid: number, work: Work<T>): Promise<T | NotServed> {
    const result = await work.start();
    results.push(result);
    if (!this.#late) {
      return result;
    }
    work.discard(result);
    return { kind: 'hung' };
  }
}

function ports(late = false): FilePorts {
  return { threads: new ObservedThreads(late), log: new BudgetedLog(new RecordedLog(), () => 0) };
}

const isWiped = (): boolean =>
  results.every((result) => (result as { contents: Buffer }).contents.every((byte) => byte === 0));

describe('reading', () => {
  it('leaves the contents in the answer only', async () => {
    const answer = await readFile(ports(), request, wanted);
    expect(answer).toMatchObject({ kind: 'read', contents: Buffer.from(SECRET).toString('base64') });
    expect(isWiped()).toBe(true);
  });

  it('wipes a result that came too late', async () => {
    expect(await readFile(ports(true), request, wanted)).toEqual({ kind: 'hung' });
    expect(results).toMatchObject([{ kind: 'read' }]);
    expect(isWiped()).toBe(true);
  });
});

describe('replacing', () => {
  it.each([
    [SECRET, 'replaced'],
    ['something else', 'changed'],
  ])('wipes the old and the new contents: %j', async (expected, kind) => {
    const contents = `${SECRET}" TOTP_AUTH\n`;
    const body = {
      ...request,
      expected: Buffer.from(expected).toString('base64'),
      contents: Buffer.from(contents).toString('base64'),
    };
    const made = new RecordedBuffers();
    expect(await replaceFile(ports(), body, wanted)).toMatchObject({ kind });
    expect([made.holding('ABCDEFGH'), made.holding('something else')]).toEqual([0, 0]);
    expect(readFileSync(request.path, 'utf8')).toBe(kind === 'replaced' ? contents : SECRET);
  });
});
