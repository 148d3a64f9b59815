import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { logIn, PAM, type LoginEnd } from '../daemon/pam-login.ts';
import { FULL, NO_THROTTLE, type Person } from '../daemon/stage.ts';
import { Ground, notRun } from '../files/ground.ts';
import { phone, useProxmox } from './proxmox-stage.ts';
import { silentMount } from './silent-mount.ts';

const proxmox = useProxmox(NO_THROTTLE);
const noFuse = await Ground.impossible();
if (noFuse !== undefined) {
  notRun(noFuse);
}

const typed = (person: Person, code: string): Promise<LoginEnd> =>
  logIn(proxmox.stage, person.name, code, { service: proxmox.stage.service('nullok') });

/** Checks the logins while nothing new can be read. */
async function expectAsBefore(enrolled: Person, stranger: Person): Promise<string> {
  const code = enrolled.code(1);
  expect((await typed(enrolled, enrolled.wrongCode())).rc).toBe(PAM.denied);
  expect((await typed(enrolled, '')).rc).toBe(PAM.denied);
  expect((await typed(enrolled, code)).rc).toBe(PAM.success);
  expect((await typed(enrolled, code)).rc).toBe(PAM.denied);
  expect(await typed(stranger, '')).toMatchObject({ rc: PAM.ignored, shown: [] });
  return code;
}

async function known(): Promise<readonly [Person, Person]> {
  const enrolled = proxmox.person(phone);
  const stranger = proxmox.person();
  expect((await typed(enrolled, enrolled.code())).rc).toBe(PAM.success);
  return [enrolled, stranger];
}

describe('while /etc/pve', () => {
  test('is gone, logins go on, and no code works twice', async () => {
    const [enrolled, stranger] = await known();
    proxmox.unmount();
    try {
      const code = await expectAsBefore(enrolled, stranger);
      await proxmox.daemon.log.waitFor(/last good copy counts .*is its file system mounted/);
      await proxmox.restart();
      expect((await typed(enrolled, code)).rc).toBe(PAM.denied);
      expect(await typed(stranger, '')).toMatchObject({ rc: PAM.ignored });
    } finally {
      proxmox.mount();
    }
    proxmox.change(enrolled, undefined);
    expect(await typed(enrolled, '')).toMatchObject({ rc: PAM.ignored, shown: [] });
  });

  test('disappears after tfa.cfg was torn: users who may have a factor there are refused, also after a restart', async () => {
    const [enrolled, stranger] = await known();
    writeFileSync(`${proxmox.stage.pveDir}/priv/tfa.cfg`, '{');
    expect((await typed(stranger, '')).rc).toBe(PAM.denied);
    const copy = `${proxmox.stage.stateDir}/pve.last-good.json`;
    await expect.poll(() => readFileSync(copy, 'utf8')).toContain('"doubts":{"priv/tfa.cfg"');
    proxmox.unmount();
    try {
      await proxmox.restart();
      expect((await typed(stranger, '')).rc).toBe(PAM.denied);
      expect((await typed(enrolled, enrolled.code(1))).rc).toBe(PAM.success);
    } finally {
      proxmox.mount();
    }
    proxmox.writeFiles();
    expect(await typed(stranger, '')).toMatchObject({ rc: PAM.ignored, shown: [] });
  });

  test('can only be read, as without a quorum', async () => {
    const [enrolled, stranger] = await known();
    for (const [name, mode] of [
      ['priv/tfa.cfg', 0o400],
      ['user.cfg', 0o400],
      ['priv', 0o500],
      ['.', 0o500],
    ] as const) {
      chmodSync(`${proxmox.stage.pveDir}/${name}`, mode);
    }
    try {
      await expectAsBefore(enrolled, stranger);
    } finally {
      chmodSync(proxmox.stage.pveDir, 0o755);
      chmodSync(`${proxmox.stage.pveDir}/priv`, 0o700);
    }
  });

  test.skipIf(noFuse !== undefined)('hangs, logins go on', async () => {
    const [enrolled, stranger] = await known();
    const mount = await silentMount(proxmox.stage, proxmox.stage.pveDir);
    try {
      await expectAsBefore(enrolled, stranger);
      await proxmox.daemon.log.waitFor(/last good copy counts .*does not answer/);
    } finally {
      await mount.end();
    }
    proxmox.change(stranger, phone(stranger));
    // The reader recovers with the mount; until then the copy is used.
    await expect.poll(async () => (await typed(stranger, '')).rc, { timeout: 120_000 }).toBe(PAM.denied);
  });
});

const LOGINS = FULL ? 1_000 : 60;
/** Logins of one person, and how many persons log in at once. */
const EACH = 4;
const LANES = 4;

test(`tfa.cfg replaced ${LOGINS} times during ${LOGINS} logins: none fails that should not`, async () => {
  const people = Array.from({ length: LOGINS / EACH }, () => proxmox.person(phone));
  const service = proxmox.stage.service();
  const during = { logins: true };
  let ended = 0;
  let renames = 0;
  const renaming = (async () => {
    while (during.logins || renames < LOGINS) {
      proxmox.writeFiles();
      renames++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const attempt = async (person: Person, code: string, rc: number): Promise<void> => {
    expect((await logIn(proxmox.stage, person.name, code, { service })).rc).toBe(rc);
    ended++;
  };
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    for (const person of people.filter((_person, index) => index % LANES === lane)) {
      const code = person.code();
      await attempt(person, code, PAM.success);
      await attempt(person, code, PAM.denied);
      for (let more = 2; more < EACH; more++) {
        await attempt(person, person.wrongCode(), PAM.denied);
      }
    }
  });
  try {
    await Promise.all(lanes);
  } finally {
    during.logins = false;
  }
  await renaming;
  expect(ended).toBe(LOGINS);
  console.log(`tfa.cfg was replaced ${renames} times during ${ended} logins`);
}, 600_000);
