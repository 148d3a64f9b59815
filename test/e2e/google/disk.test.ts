import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { run, runWell } from '../harness/run.ts';
import type { BoxAccount } from './account.ts';
import { FileUser } from './file-user.ts';
import type { Module } from './module.ts';
import { useModules } from './modules.ts';
import { CODE, hotp, lines, totp } from './scenario.ts';

/** The smallest file system of memory. */
const SIZE = '64k';
const BIG = Buffer.alloc(1 << 20);

/** A fault of a home directory's file system. */
const FAULTS = [
  { fault: 'full', message: 'No space left on device', begin: fill, end: empty },
  { fault: 'read-only', message: 'Read-only file system', begin: remount('ro'), end: remount('rw') },
] as const;

const CODES = [
  { kind: 'time-based', file: totp('" DISALLOW_REUSE'), first: '{code}', second: '{code+1}' },
  { kind: 'scratch', file: lines('{secret}', '12345678', '87654321'), first: '12345678', second: '87654321' },
  // Each wrong code advances the counter.
  { kind: 'counter-based', file: hotp(1), first: '{hotp:1}', second: '{hotp:5}' },
] as const;

/** Somebody whose home is on a file system of its own. */
function resident(module: Module, file: string, answer: string, options = ''): Promise<FileUser> {
  const prepare = ({ home, uid }: BoxAccount): Promise<string> =>
    runWell(['mount', '-t', 'tmpfs', '-o', `size=${SIZE},mode=700,uid=${uid},gid=${uid}`, 'home', home]);
  return FileUser.make(module, file, { options, answer, prepare });
}

async function leave({ account }: FileUser): Promise<void> {
  await runWell(['umount', account.home]);
}

describeInBox('a state file where nothing can be written', () => {
  const modules = useModules('full disks');

  describe.for(FAULTS)('a file system that is $fault', ({ message, begin, end }) => {
    const told = `error: Error "${message}" while writing config`;

    test.for(CODES)('a $kind code is refused, and good when it can be written', async (code) => {
      const { google, ours } = modules();
      for (const module of google === undefined ? [ours] : [google, ours]) {
        const who = await resident(module, code.file, code.first);
        await begin(who.account);
        expect(await who.logIn(code.first)).toEqual({ end: 'out', shown: [CODE, told] });
        expect(who.text).toBe(who.fill(code.file));
        await end(who.account);
        expect(await who.logIn(code.first)).toEqual({ end: 'in', shown: [CODE] });
        expect(who.text).not.toBe(who.fill(code.file));
        await leave(who);
      }
    });

    test.for(CODES)('allow_readonly: a $kind code is good, once', async (code) => {
      const who = await resident(modules().ours, code.file, code.first, 'allow_readonly');
      await begin(who.account);
      expect(await who.logIn(code.first)).toEqual({ end: 'in', shown: [CODE, told] });
      expect((await who.logIn(code.first)).end).toBe('out');
      await modules().ours.restart();
      expect((await who.logIn(code.first)).end).toBe('out');
      expect(who.text).toBe(who.fill(code.file));
      await end(who.account);
      expect((await who.logIn(code.first)).end).toBe('out');
      expect((await who.logIn(code.second)).end).toBe('in');
      expect((await who.logIn(code.first)).end).toBe('out');
      expect((await who.logIn(code.second)).end).toBe('out');
      await leave(who);
    });

    test.for(CODES)("allow_readonly: Debian's module takes a $kind code again and again", async (code) => {
      const { google } = modules();
      if (google !== undefined) {
        const who = await resident(google, code.file, code.first, 'allow_readonly');
        await begin(who.account);
        expect(await who.logIn(code.first)).toEqual({ end: 'in', shown: [CODE, told] });
        expect(await who.logIn(code.first)).toEqual({ end: 'in', shown: [CODE, told] });
        expect(who.text).toBe(who.fill(code.file));
        await end(who.account);
        await leave(who);
      }
    });
  });
});

async function fill({ home }: BoxAccount): Promise<void> {
  // Until nothing more fits.
  expect(() => writeFileSync(`${home}/filler`, BIG)).toThrow('ENOSPC');
  expect((await run(['sh', '-c', `: >${home}/another && echo x >${home}/another`])).status).not.toBe(0);
  rmSync(`${home}/another`);
}

function empty({ home }: BoxAccount): void {
  rmSync(`${home}/filler`);
}

function remount(mode: 'ro' | 'rw') {
  return async ({ home }: BoxAccount): Promise<void> => {
    await runWell(['mount', '-o', `remount,${mode}`, home]);
  };
}
