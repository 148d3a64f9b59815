import { afterAll, beforeAll, expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { command } from '../harness/daemon.ts';
import { canBeSilent, SilentHomes } from '../home/silent-homes.ts';
import { useDaemon } from '../hosts/host.ts';
import { userWith } from './people.ts';

const FILE = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n" TOTP_AUTH\n';

if (!canBeSilent) {
  notRun('an import while a home hangs', 'this needs /dev/fuse');
}

describeInBox('an import while a home hangs', () => {
  const daemon = useDaemon();
  let homes: SilentHomes;

  beforeAll(async () => {
    homes = await SilentHomes.build();
  });
  afterAll(() => homes.end());

  test.runIf(canBeSilent)('--all says whose it is, and takes the files of all others', async () => {
    const [before, hung, after] = [userWith(FILE), userWith(FILE), userWith(FILE)];
    await homes.silence(hung);
    const { status, stdout, stderr } = await command(daemon(), 'import', '--all');
    expect(status).toBe(1);
    expect(stderr).toContain(
      `${hung.name}: ${hung.file}: its file system does not answer: try again when it does`,
    );
    for (const { name } of [before, after]) {
      expect(stdout).toContain(`${name}: imported`);
    }
    const { stdout: list } = await command(daemon(), 'list', '--json');
    const enrolled = (JSON.parse(list) as { user: string }[]).map(({ user }) => user);
    expect(enrolled).toEqual(expect.arrayContaining([before.name, after.name]));
    expect(enrolled).not.toContain(hung.name);
  });
});
