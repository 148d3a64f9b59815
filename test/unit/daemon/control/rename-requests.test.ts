/* The account is that of the user who runs the tests, as if it had had another name before. */
import { renameSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { changeFactors } from '../../../../src/daemon/control/factor-requests.ts';
import { renameUser } from '../../../../src/daemon/control/rename-requests.ts';
import { showUser } from '../../../../src/daemon/control/views.ts';
import type { CodeShape } from '../../../../src/factors/code-shape.ts';
import { decodeBase32 } from '../../../../src/factors/base32.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { addRecovery } from '../../../../src/daemon/enrolments/store/add-factor.ts';
import { storeSource } from '../../../../src/daemon/enrolments/store/store-source.ts';
import { recordFileName } from '../../../../src/contracts/record-file-name.ts';
import type { EnrolmentRecord } from '../../../../src/daemon/enrolments/store/record.ts';
import { controlPorts, type TestPorts } from '../../fixtures/control-ports.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';
import { verified as checked } from '../../fixtures/verified.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo();
const ACCOUNT = { name: ME.username, uid: ME.uid };
const OLD = `Old ${ME.username}`;
const ROOT = { uid: 0 };
const NOW = Date.parse('2026-01-02T03:04:05Z');
const STEP = Math.floor(NOW / 30_000);
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const TOKEN = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const CODES = ['ABCD-EFGH-IJKL-MNOP', 'BBCD-EFGH-IJKL-MNOP'];

let directory: string;
let ports: TestPorts;

const six = (secret: string, counter: number): string =>
  hotpValue({ secret: decodeBase32(secret)!, algorithm: 'sha1', digits: 6 }, counter).toString();
const refusal = (status: number, code: string): unknown =>
  expect.objectContaining({ name: 'ControlError', status, code });

async function verified(name: string, text: string): Promise<string> {
  const looked = await storeSource(ports.store, ports.ledger, () => 0).lookUp({ name, uid: ME.uid });
  if (looked.kind !== 'enrolled') {
    return looked.kind;
  }
  const shape: CodeShape = /^\d+$/.test(text)
    ? { class: 'digits', length: 6 }
    : { class: 'recovery', length: 16 };
  const bare = Buffer.from(text.replaceAll('-', ''));
  const verification = await checked(looked.enrolment, ports.ledger, [{ shape, text: bare }], NOW);
  return verification.kind === 'rejected' ? verification.reason : verification.kind;
}

/** Somebody who was called OLD enrolled a phone, a token and codes, and used one code of each. */
beforeEach(async () => {
  directory = makeDirectory();
  ports = controlPorts(directory, () => NOW);
  // The daemon enrols only existing accounts, so this makes the record for the current name, with hashes for the old name.
  const changes = [
    { do: 'add', factor: { kind: 'totp', secret: SECRET } },
    { do: 'add', factor: { kind: 'hotp', secret: TOKEN } },
  ];
  await changeFactors(ports, ROOT, ME.username, { changes });
  const record = ports.store.read(ACCOUNT)!;
  ports.store.remove(ME.username);
  ports.store.write(withCodes({ ...record, user: OLD }));
  expect(await verified(OLD, six(SECRET, STEP))).toBe('accepted');
  expect(await verified(OLD, six(TOKEN, 0))).toBe('accepted');
  expect(await verified(OLD, CODES[0]!)).toBe('accepted');
  expect(await verified(ME.username, CODES[1]!)).toBe('blocked');
});

function withCodes(record: EnrolmentRecord): EnrolmentRecord {
  return addRecovery({ name: OLD, uid: ME.uid }, record, ports.store.recoveryKey, NOW, CODES).record;
}

async function everythingGoesOn(): Promise<void> {
  expect(ports.store.users()).toEqual([ME.username]);
  expect(await verified(ME.username, six(SECRET, STEP))).toBe('code-already-used');
  expect(await verified(ME.username, six(TOKEN, 0))).toBe('code-already-used');
  expect(await verified(ME.username, CODES[0]!)).toBe('code-already-used');
  expect((await showUser(ports, ACCOUNT)).factors).toMatchObject([{}, {}, { codesLeft: 1 }]);
  expect(await verified(ME.username, six(SECRET, STEP + 1))).toBe('accepted');
  expect(await verified(ME.username, six(TOKEN, 1))).toBe('accepted');
  expect(await verified(ME.username, CODES[1]!)).toBe('accepted');
  expect(await verified(OLD, six(TOKEN, 2))).toBe('blocked');
}

describe('renaming a user', () => {
  it('keeps all factors, and used codes used', async () => {
    ports.ledger.held.length = 0;
    expect(await renameUser(ports, OLD, { to: ME.username })).toEqual({ from: OLD, user: ME.username });
    expect(ports.log.text).toContain(`now belongs to ${ME.username}`);
    // One mark each of phone, token and recovery code: kept for the new name, released for the old.
    expect(ports.ledger.owner).toEqual({ uid: ME.uid, keep: 'always' });
    expect(new Set(ports.ledger.held).size).toBe(4);
    expect(ports.ledger.released.size).toBe(3);
    await everythingGoesOn();
  });

  it('a second time keeps the recovery codes of the first name', async () => {
    await renameUser(ports, OLD, { to: ME.username });
    const between = ports.store.read(ACCOUNT)!;
    ports.store.remove(ME.username);
    const second = `${OLD}er`;
    ports.store.write({ ...between, user: second });
    expect(await verified(second, six(TOKEN, 1))).toBe('accepted');
    await renameUser(ports, second, { to: ME.username });
    expect(await verified(ME.username, six(TOKEN, 1))).toBe('code-already-used');
    expect(await verified(ME.username, CODES[1]!)).toBe('accepted');
  });

  it('lets nobody in while it is half done, and continues when repeated', async () => {
    const move = ports.store.move.bind(ports.store);
    ports.store.move = () => {
      throw Object.assign(new Error('no'), { code: 'EIO' });
    };
    const failed = renameUser(ports, OLD, { to: ME.username });
    await expect(failed).rejects.toThrow(/Run the same command again: .* lets nobody in/);
    for (const name of [OLD, ME.username]) {
      expect(await verified(name, six(SECRET, STEP + 1))).toBe('blocked');
    }
    ports.store.move = move;
    await renameUser(ports, OLD, { to: ME.username });
    await everythingGoesOn();
  });

  it('includes codes that a login uses up meanwhile', async () => {
    const late = await storeSource(ports.store, ports.ledger, () => 0).lookUp({ name: OLD, uid: ME.uid });
    const writeUnder = ports.store.writeUnder.bind(ports.store);
    ports.store.writeUnder = (...of) => {
      const text = Buffer.from(six(SECRET, STEP + 1));
      void (
        late.kind === 'enrolled' &&
        late.enrolment.verify([{ shape: { class: 'digits', length: 6 }, text }], NOW)
      );
      writeUnder(...of);
    };
    await renameUser(ports, OLD, { to: ME.username });
    expect(await verified(ME.username, six(SECRET, STEP + 1))).toBe('code-already-used');
  });

  it('changes nothing when the ledger cannot be written', async () => {
    ports.ledger.answer = 'unavailable';
    const failed = renameUser(ports, OLD, { to: ME.username });
    await expect(failed).rejects.toThrow(/Nothing was changed/);
    expect(ports.store.users()).toEqual([OLD]);
    expect(ports.store.read({ name: OLD, uid: ME.uid })?.factors).toHaveLength(3);
  });

  it('refuses names of different people', async () => {
    const to = ME.username;
    await expect(renameUser(ports, 'Nobody', { to })).rejects.toEqual(refusal(404, 'ERR_NO_RECORD'));
    await expect(renameUser(ports, OLD, { to: 'no-such-user' })).rejects.toEqual(
      refusal(404, 'ERR_NO_SUCH_USER'),
    );
    await expect(renameUser(ports, OLD, {})).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    await expect(renameUser(ports, 'daemon', { to })).rejects.toEqual(refusal(409, 'ERR_NOT_RENAMED'));
    ports.store.write({ user: 'Other', uid: ME.uid + 1, factors: [] });
    await expect(renameUser(ports, 'Other', { to })).rejects.toEqual(refusal(409, 'ERR_NOT_RENAMED'));
    // A record that an administrator copied still names its owner.
    renameSync(
      join(directory, 'enrolments', recordFileName(OLD)),
      join(directory, 'enrolments', recordFileName('Else')),
    );
    await expect(renameUser(ports, 'Else', { to })).rejects.toEqual(refusal(409, 'ERR_NOT_RENAMED'));
  });

  it('refuses a name that has factors of its own', async () => {
    await changeFactors(ports, ROOT, ME.username, { changes: [{ do: 'add', factor: { kind: 'totp' } }] });
    const failed = renameUser(ports, OLD, { to: ME.username });
    await expect(failed).rejects.toEqual(refusal(409, 'ERR_HAS_RECORD'));
    expect(ports.store.users()).toHaveLength(2);
  });
});
