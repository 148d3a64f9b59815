import { chmodSync, mkdtempSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newAccount } from '../google/account.ts';
import { visit, writeService, type Visited } from '../google/host.ts';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { enrolTotp } from '../harness/daemon.ts';
import { MODULE, useDaemon } from '../hosts/host.ts';
import { canBeSilent, SilentHomes } from './silent-homes.ts';

/* Homes on file systems that never answer, and logins through libpam. */

/** The reader's threads. */
const THREADS = 8;

if (!canBeSilent) {
  notRun('logins while homes hang', 'this needs /dev/fuse');
}

describeInBox('homes that hang', () => {
  const daemon = useDaemon();
  let homes: SilentHomes;
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync('/tmp/hanging-');
    chmodSync(dir, 0o755);
    writeService(dir, 'ours', MODULE);
    homes = await SilentHomes.build();
  });
  afterAll(() => homes.end());

  const logIn = (user: string, answer: string): Promise<Visited> =>
    visit({
      confdir: dir,
      service: 'ours',
      user,
      answer,
      rhost: undefined,
      password: undefined,
      hurry: false,
      environment: process.env,
    });

  test.runIf(canBeSilent)(
    'of eight, a ninth is refused without a wait for them, and users of the store notice nothing',
    async () => {
      const owners = Array.from({ length: THREADS + 1 }, newAccount);
      const last = owners.at(-1)!;
      const enrolled = newAccount();
      const phone = await enrolTotp(daemon(), enrolled.name);
      for (const owner of owners) {
        await homes.silence(owner);
      }
      // Who needed the reader would be refused, however long it takes: each of its threads waits for ever.
      const eight = owners.slice(0, THREADS).map(({ name }) => logIn(name, '000000'));
      const between = await logIn(enrolled.name, codeOf(phone));
      expect(between.end).toBe('in');
      expect((await Promise.all(eight)).map(({ end }) => end)).toEqual(
        Array.from({ length: THREADS }, () => 'unavailable'),
      );
      for (const { name } of owners.slice(0, THREADS)) {
        await daemon().log.waitFor(new RegExp(`${name} .*its file system does not answer`));
      }

      await daemon().log.waitFor(/All threads wait for files that do not answer/);
      // If the reader answers late on a busy machine, the daemon gives up first: the ninth is refused then too, but not for this reason.
      const crowded = new RegExp(`for ${last.name} .*too many other files do not answer`);
      const ends: Visited['end'][] = [];
      const ninth = async (): Promise<string[]> => {
        ends.push((await logIn(last.name, '000000')).end);
        return daemon().log.matching(crowded);
      };
      await expect.poll(ninth, { timeout: 120_000 }).not.toEqual([]);
      expect(new Set(ends)).toEqual(new Set(['unavailable']));
      expect((await logIn(enrolled.name, codeOf(phone, 1))).end).toBe('in');
    },
  );
});
