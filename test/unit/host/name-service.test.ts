import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PasswdEntry } from '../../../src/host/addon.ts';
import { NameService, NameServiceError } from '../../../src/host/name-service.ts';

/** For a login that root's program conducts, and for programs that are not root. */
const THREADS = { root: 8, others: 4 };
const DEADLINE_MS = 2_000;

let names: NameService;
let reports: string[];
/** The running look-ups, in order; the test ends each. */
let running: { readonly what: string; answer(found?: unknown): void }[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  reports = [];
  running = [];
  const reporting = (pool: string): ConstructorParameters<typeof NameService>[0] => ({
    hung: (who) => reports.push(`${pool} hung ${who}`),
    returned: (who) => reports.push(`${pool} returned ${who}`),
    exhausted: () => reports.push(`${pool} exhausted`),
  });
  const asked = (what: string): Promise<never> =>
    new Promise((resolve) => running.push({ what, answer: resolve }));
  const others = reporting('others');
  names = new NameService(
    reporting('root'),
    { ...others, hung: (uid) => others.hung(String(uid)), returned: (uid) => others.returned(String(uid)) },
    {
      lookUpUser: (name) => asked(`user ${name}`),
      lookUpUid: (uid) => asked(`uid ${uid}`),
      groupsOf: (name, gid) => asked(`groups ${name} ${gid}`),
    },
  );
});
afterEach(() => vi.useRealTimers());

/** Time goes by, and then one turn of the event loop: no look-up is given up sooner. */
async function passed(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await setImmediate();
}
const outcome = (lookUp: Promise<unknown>): Promise<string> =>
  lookUp.then(
    (found) => (found === undefined ? 'none' : JSON.stringify(found)),
    (error: unknown) => (error instanceof NameServiceError ? error.message : String(error)),
  );

describe('NameService', () => {
  it('says what the system says', async () => {
    const entry: Partial<PasswdEntry> = { name: 'alice', uid: 1000 };
    const user = outcome(names.userNamed('Alice'));
    const nobody = outcome(names.userNumbered(1001));
    const groups = outcome(names.groupsOf('bob', 100));
    await passed(0);
    expect(running.map(({ what }) => what)).toEqual(['user Alice', 'uid 1001', 'groups bob 100']);
    running[0]!.answer(entry);
    running[1]!.answer();
    running[2]!.answer(['Domain Users']);
    expect(await Promise.all([user, nobody, groups])).toEqual([
      JSON.stringify(entry),
      'none',
      '["Domain Users"]',
    ]);
    expect(reports).toEqual([]);
  });

  it('gives up after two seconds, and refuses the same person at once until it answers', async () => {
    const first = outcome(names.groupsOf('alice', 100));
    await passed(DEADLINE_MS);
    expect(await first).toBe('the name service does not answer');
    expect(await outcome(names.groupsOf('alice', 100))).toBe('the name service does not answer');
    running[0]!.answer([]);
    await passed(0);
    expect(reports).toEqual(['root hung alice', 'root returned alice']);
    void names.groupsOf('alice', 100);
    await passed(0);
    expect(running).toHaveLength(2);
  });

  it('asks once at a time for a person', async () => {
    void outcome(names.groupsOf('alice', 100));
    const second = outcome(names.groupsOf('alice', 100));
    await passed(0);
    expect(running).toHaveLength(1);
    running[0]!.answer([]);
    await passed(0);
    running[1]!.answer(['staff']);
    expect(await second).toBe('["staff"]');
  });

  it('says busy at once when all its threads hang', async () => {
    for (let person = 0; person < THREADS.root; person++) {
      void outcome(names.groupsOf(`user-${person}`, 100));
    }
    await passed(DEADLINE_MS);
    expect(running).toHaveLength(THREADS.root);
    expect(await outcome(names.groupsOf('late', 100))).toBe('too many look-ups wait for the name service');
    expect(reports).toContain('root exhausted');
  });

  it('gives each uid one thread, and never a thread of logins', async () => {
    for (let name = 0; name < 20; name++) {
      void outcome(names.userNamed(`name-${name}`, { uid: 1000 }));
    }
    for (let uid = 2000; uid < 2020; uid++) {
      void outcome(names.userNumbered(uid, { uid }));
    }
    await passed(0);
    expect(running).toHaveLength(THREADS.others);
    const login = outcome(names.groupsOf('alice', 100));
    const command = outcome(names.userNamed('bob', { uid: 0 }));
    await passed(0);
    running.find(({ what }) => what === 'groups alice 100')!.answer(['staff']);
    running.find(({ what }) => what === 'user bob')!.answer();
    expect([await login, await command]).toEqual(['["staff"]', 'none']);
  });

  it('lets a list of everybody wait for one look-up only', async () => {
    const first = outcome(names.userNamed('a', { uid: 0 }));
    const second = outcome(names.userNamed('b', { uid: 0 }));
    await passed(DEADLINE_MS);
    expect([await first, await second]).toEqual([
      'the name service does not answer',
      'too many look-ups wait for the name service',
    ]);
    expect(running).toHaveLength(1);
  });
});
