import { afterAll, beforeAll, expect, test } from 'vitest';
import { FilesClient } from '../../../src/daemon/enrolments/home/file-access.ts';
import { Stage } from '../daemon/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.build({ withFiles: true });
});
afterAll(() => stage.clear());

test('the reader of a stage reads the file of a person', async () => {
  const { name, uid, secret, ...person } = stage.homePerson();
  const files = new FilesClient(stage.runtimeDir);
  const path = stage.stateFile({ name });
  const read = await files.read({ user: name, uid, gid: uid, path, maxBytes: 65_536 });
  expect(read).toMatchObject({ kind: 'read', symlink: false });
  expect(read.kind === 'read' && read.contents.toString()).toBe(`${secret}\n" TOTP_AUTH\n`);
  expect(person.code()).toMatch(/^\d{6}$/);
});
