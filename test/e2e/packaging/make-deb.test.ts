import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { inBox } from '../harness/box.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run, runWell, type Ended } from '../harness/run.ts';
import { whyNoDeb } from '../systemd/deb.ts';

/*
 * The README's steps for a user with a checkout who is not root. There is no network: the package is built in a box inside this
 * box, which has everything that it would download.
 */

/** It compiles everything, which takes long on a busy machine. */
const TEST_MS = 1_800_000;
const BUILDER = 'builder';
const THEIRS = `/home/${BUILDER}/checkout`;
/** Reuses npm's downloads. */
const NPM_CACHE = '/root/.npm/_cacache';
const MARK = '/var/tmp/before-building';

const missing = await whyNot();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: building the package as the README says: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('in a checkout of somebody else', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    await runWell(['useradd', '--create-home', '--shell', '/bin/sh', BUILDER]);
    writeFileSync('/etc/sudoers.d/builder', `${BUILDER} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
    const built = ['node_modules', 'build', 'dist', 'native/addon/build'].map(
      (name) => `--exclude=./${name}`,
    );
    await runWell(['mkdir', THEIRS]);
    await runWell(['sh', '-c', `tar -c ${built.join(' ')} -C ${CHECKOUT} . | tar -x -C ${THEIRS}`]);
    await runWell(['sh', '-c', `mkdir /home/${BUILDER}/.npm && cp -r ${NPM_CACHE} /home/${BUILDER}/.npm/`]);
    await runWell(['chown', '-R', `${BUILDER}:`, `/home/${BUILDER}`]);
  }, TEST_MS);

  test('sudo ./scripts/make-deb leaves nothing but the package, which belongs to who called sudo', async () => {
    const packages = await runWell(['dpkg-query', '--show']);
    await runWell(['touch', MARK]);
    const made = await asBuilder('sudo ./scripts/make-deb');
    expect(made.stderr).toBe('');
    expect(made.status).toBe(0);
    const deb = /\S+\.deb$/m.exec(made.stdout)![0];
    expect(deb).toMatch(new RegExp(`^${THEIRS}/build/deb/pve-authenticator_[^/]+\\.deb$`));
    expect(await changedFiles()).toEqual([deb]);
    expect(await owners(THEIRS, `${THEIRS}/build`, `${THEIRS}/build/deb`, deb)).toEqual([BUILDER]);
    expect(await runWell(['dpkg-query', '--show'])).toBe(packages);
    expect(await runWell(['dpkg-deb', '--contents', deb])).toContain('/pam_pve_authenticator.so');
  });

  test('sudo make builds as the owner of the checkout', async () => {
    const made = await asBuilder('sudo make deps build');
    expect(made.status, made.stdout + made.stderr).toBe(0);
    const all = await runWell(['find', THEIRS, '-not', '-user', BUILDER]);
    expect(all).toBe('');
    expect(await runWell(['sh', '-c', `ls ${THEIRS}/build/native ${THEIRS}/dist`])).toContain(
      'pam_pve_authenticator.so',
    );
  });
});

/** Runs a line of shell in the checkout, as its owner. */
function asBuilder(line: string): Promise<Ended> {
  return run(['su', BUILDER, '-c', `cd ${THEIRS} && ${line}`]);
}

/** New or changed files since the mark, except in places that other processes on the machine use. */
async function changedFiles(): Promise<string[]> {
  const places = ['/etc', '/usr', '/opt', '/srv', '/home', '/tmp', '/var/lib', '/var/cache'];
  const found = await runWell(['find', ...places, '-xdev', '-type', 'f', '-cnewer', MARK, '-print']);
  return found.trim().split('\n');
}

async function owners(...paths: readonly string[]): Promise<string[]> {
  return [...new Set((await runWell(['stat', '--format=%U', ...paths])).trim().split('\n'))];
}

async function whyNot(): Promise<string | undefined> {
  if (!inBox) {
    return 'they need root and a throw-away machine: sudo ./scripts/test all';
  }
  const box = await run([`${CHECKOUT}/scripts/box`, 'true']);
  if (box.status !== 0) {
    return `there can be no box in this box (${box.stderr.trim()})`;
  }
  if ((await run(['sh', '-c', `ls ${NPM_CACHE}/index-v5`])).status !== 0) {
    return 'npm has fetched nothing here: sudo ./scripts/test all';
  }
  return whyNoDeb();
}
