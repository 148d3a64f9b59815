/* The user is a real one: the user who runs the tests. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { changeFactors, type FactorPorts } from '../../../../src/daemon/control/factor-requests.ts';
import { showUser } from '../../../../src/daemon/control/views.ts';
import { exportFile, importFile, removeExported } from '../../../../src/daemon/control/import-requests.ts';
import { rememberStep, useUnwritten } from '../../../../src/daemon/enrolments/home/used-codes.ts';
import type { Store } from '../../../../src/daemon/enrolments/store/store.ts';
import { storeSource } from '../../../../src/daemon/enrolments/store/store-source.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { controlPorts } from '../../fixtures/control-ports.ts';
import { InMemoryLedger } from '../../fixtures/in-memory-ledger.ts';
import type { RecordedLog } from '../../fixtures/recorded-log.ts';
import { NOW, stateFile, STEP } from '../../fixtures/state-files.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';
import { verified } from '../../fixtures/verified.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo().username;
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const BYTES = Buffer.from('12345678901234567890');
const FILE = `${SECRET}\n" WINDOW_SIZE 5\n" DISALLOW_REUSE ${STEP - 1} ${STEP}\n" TOTP_AUTH\n11111111\n22222222\n`;

let directory: string;
let store: Store;
let ledger: InMemoryLedger;
let log: RecordedLog;
let ports: FactorPorts;

beforeEach(() => {
  directory = makeDirectory();
  const made = controlPorts(directory, () => NOW);
  ({ store, ledger, log } = made);
  ports = made;
});

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const text = (file: string): string => Buffer.from(file, 'base64').toString('latin1');
const take = (file: string, more: object = {}): ReturnType<typeof importFile> =>
  importFile(ports, { uid: 0 }, ME, { file: base64(file), ...more });
const change = (changes: readonly object[]): ReturnType<typeof changeFactors> =>
  changeFactors(ports, { uid: 0 }, ME, { changes });
const addTotp = (name?: string): ReturnType<typeof change> =>
  change([{ do: 'add', factor: { kind: 'totp', name } }]);
const drop = (factor: string): ReturnType<typeof change> => change([{ do: 'remove', factor }]);
const recordFile = (): string => join(directory, 'enrolments', `${ME}.json`);
const refusal = (status: number, code: string, message: RegExp): unknown =>
  expect.objectContaining({ name: 'ControlError', status, code, message: expect.stringMatching(message) });
const codeAt = (counter: number): string =>
  hotpValue({ secret: BYTES, algorithm: 'sha1', digits: 6 }, counter).toString();

/** Types a code at a login. */
async function type(code: string): Promise<string> {
  const lookup = await storeSource(store, ledger, () => 0).lookUp({ name: ME, uid: userInfo().uid });
  if (lookup.kind !== 'enrolled') {
    return lookup.kind;
  }
  const shape = { class: 'digits', length: code.length } as const;
  const result = await verified(
    lookup.enrolment,
    ports.ledger,
    [{ shape, text: Buffer.from(code) }],
    ports.now(),
  );
  return result.kind === 'rejected' ? result.reason : result.kind;
}

describe('importFile', () => {
  it('imports a file: phone, scratch codes, and used codes', async () => {
    expect(await take(FILE)).toEqual({
      user: ME,
      outcome: 'added',
      factor: expect.objectContaining({
        kind: 'google-authenticator',
        name: 'imported',
        codes: 'totp',
        digits: 6,
        period: 30,
        codesLeft: 2,
      }),
    });
    expect(await type(codeAt(STEP - 1))).toBe('code-already-used');
    expect(await type(codeAt(STEP))).toBe('code-already-used');
    expect(await type(codeAt(STEP + 1))).toBe('accepted');
    expect(await type('22222222')).toBe('accepted');
    expect(await type('22222222')).toBe('code-already-used');
    expect(await type('33333333')).toBe('wrong-code');
    expect((await showUser(ports, { name: ME, uid: userInfo().uid })).factors[0]).toMatchObject({
      codesLeft: 1,
    });
    expect(JSON.stringify(await showUser(ports, { name: ME, uid: userInfo().uid })) + log.text).not.toMatch(
      /GEZDG|11111111/,
    );
    expect(log.events.map(({ message }) => message)).toEqual([
      `Factor google-authenticator:imported imported for ${ME}`,
    ]);
  });

  it('releases the marks of a replaced file, and keeps those of one that comes back', async () => {
    await take(FILE);
    expect(await type(codeAt(STEP + 1))).toBe('accepted');
    expect(await type('22222222')).toBe('accepted');
    await take(`${SECRET.slice(0, -1)}B\n" TOTP_AUTH\n`, { replace: true });
    expect(ledger.released.size).toBe(2);
    ledger.held.length = 0;
    await take(FILE, { replace: true });
    expect([...ledger.released.keys()].every((key) => ledger.held.includes(key))).toBe(true);
    expect(await type('22222222')).toBe('code-already-used');
  });

  it('imports a counter, even below an earlier one', async () => {
    await take(`${SECRET}\n" HOTP_COUNTER 7\n`);
    expect(await type(codeAt(6))).not.toBe('accepted');
    expect(await type(codeAt(7))).toBe('accepted');
    await drop('imported');
    await take(`${SECRET}\n" HOTP_COUNTER 3\n`);
    expect(await type(codeAt(5))).not.toBe('accepted');
    expect(await type(codeAt(7))).toBe('code-already-used');
    expect(await type(codeAt(8))).toBe('accepted');
  });

  it('refuses steps that were used with another clock, without locking the user out', async () => {
    const skewed = FILE.replace(`${STEP - 1} ${STEP}`, `${STEP - 9} ${STEP + 9}`);
    await take(skewed);
    expect(await type(codeAt(STEP))).toBe('accepted');
    ports = { ...ports, now: () => NOW + 9 * 30_000 };
    expect(await type(codeAt(STEP + 9))).toBe('code-already-used');
    expect(text((await exportFile(ports, ME)).file)).toContain(
      `DISALLOW_REUSE ${[-4, -3, -2, -1, 0, 9].map((n) => STEP + n).join(' ')}\n`,
    );
    expect(await type(codeAt(STEP + 10))).toBe('accepted');
  });

  it('takes no code that was used while the file could not be written', async () => {
    const owner = { user: ME, secret: BYTES };
    const before = FILE.replace(`DISALLOW_REUSE ${STEP - 1} ${STEP}`, 'DISALLOW_REUSE');
    const scratch = { kind: 'accepted', factor: 'scratch', reading: 0, steps: [] } as const;
    const unwritten = before.replace('11111111\n', '');
    await useUnwritten(
      ledger,
      owner,
      before,
      { text: unwritten, accepted: scratch },
      Buffer.from('11111111'),
    );
    await rememberStep(ledger, owner, before, {
      kind: 'accepted',
      factor: 'totp',
      reading: 0,
      steps: [STEP],
    });
    await take(before);
    expect(await type('11111111')).toBe('wrong-code');
    expect(await type(codeAt(STEP))).toBe('code-already-used');
    expect(await type('22222222')).toBe('accepted');
  });

  it('has the same result twice: one factor, and no used code works again', async () => {
    const first = await take(FILE);
    expect(await type('11111111')).toBe('accepted');
    const record = readFileSync(recordFile(), 'utf8');
    const again = await take(FILE);
    expect(again).toMatchObject({ outcome: 'again', factor: { id: first.factor.id, codesLeft: 1 } });
    expect(readFileSync(recordFile(), 'utf8')).toBe(record);
    expect(await type('11111111')).toBe('code-already-used');
  });

  it('follows the current file, if its secret is the same', async () => {
    await take(FILE);
    await take(FILE.replace('11111111\n', '').replace(` ${STEP}`, ` ${STEP} ${STEP + 1}`));
    expect(await type('11111111')).toBe('wrong-code');
    expect(await type(codeAt(STEP + 1))).toBe('code-already-used');
  });

  it('replaces a file with another secret only when told to', async () => {
    await take(FILE);
    const other = FILE.replace('GEZ', 'AAA');
    await expect(take(other)).rejects.toEqual(refusal(409, 'ERR_HAS_IMPORTED_FILE', /--replace/));
    expect(await type('11111111')).toBe('accepted');
    expect(await take(other, { replace: true })).toMatchObject({ outcome: 'replaced' });
    expect((await showUser(ports, { name: ME, uid: userInfo().uid })).factors).toHaveLength(1);
    expect(await type('22222222')).toBe('accepted');
    expect(await type(codeAt(STEP + 1))).toBe('wrong-code');
  });

  it('leaves the other factors of a user alone', async () => {
    await addTotp('imported');
    await take(FILE);
    expect(
      (await showUser(ports, { name: ME, uid: userInfo().uid })).factors.map(({ name }) => name),
    ).toEqual(['imported', 'imported-2']);
  });

  it.each([
    [
      'a bad line',
      FILE.replace('" WINDOW_SIZE 5', '" WINDOW_SIZE none'),
      /^line 2, WINDOW_SIZE: it has to be/,
    ],
    ['two bad lines', `!\n" TIME_SKEW x\n`, /^line 1, secret: .*\nline 2, TIME_SKEW: /],
  ])('imports nothing from a file with %s', async (_what, file, message) => {
    await expect(take(file)).rejects.toEqual(refusal(400, 'ERR_BAD_FILE', message));
    expect(await type('11111111')).toBe('absent');
    expect(ledger.advances).toEqual([]);
  });

  it('imports nothing if the used codes cannot be recorded', async () => {
    ledger.answer = 'unavailable';
    await expect(take(FILE)).rejects.toEqual(refusal(503, 'ERR_STORE', /Nothing was imported/));
    expect(await type('11111111')).toBe('absent');
  });

  it('records the used codes before it adds the factor', async () => {
    const seen: boolean[] = [];
    const advance = ledger.advance.bind(ledger);
    ledger.advance = (key, value) => {
      seen.push(store.users().length === 0);
      return advance(key, value);
    };
    await take(FILE);
    expect(seen).toEqual([true]);
  });

  it('imports nothing if the store cannot be written', async () => {
    rmSync(join(directory, 'enrolments'), { recursive: true });
    mkdirSync(join(directory, 'enrolments', `.${ME}.json.new`), { recursive: true });
    await expect(take(FILE)).rejects.toEqual(refusal(503, 'ERR_STORE', /Nothing was changed/));
    expect(await type('11111111')).toBe('absent');
  });

  it.each([
    ['nothing', undefined],
    ['no file', {}],
    ['an empty file', { file: '' }],
    ['too large a file', { file: base64('A'.repeat(65_537)) }],
    ['what is not base64', { file: 'a file' }],
    ['a key that nobody knows', { file: base64(FILE), path: '/etc/shadow' }],
  ])('refuses %s', async (_what, body) => {
    await expect(importFile(ports, { uid: 0 }, ME, body)).rejects.toEqual(
      refusal(400, 'ERR_BAD_REQUEST', /./),
    );
  });
});

describe('importFile by a caller other than root', () => {
  const NOBODY = { uid: 65_534 };
  const own = (file: string, more: object = {}): ReturnType<typeof importFile> =>
    importFile(ports, NOBODY, 'nobody', { file: base64(file), ...more });

  it('is for themselves only', async () => {
    await expect(importFile(ports, NOBODY, ME, { file: base64(FILE) })).rejects.toEqual(
      refusal(403, 'ERR_NOT_ALLOWED', /only for yourself/),
    );
  });

  it('needs no proof for the first factor, nor for the same file with less in it', async () => {
    expect(await own(FILE)).toMatchObject({ user: 'nobody', outcome: 'added' });
    expect(await own(FILE)).toMatchObject({ outcome: 'again' });
    const used = FILE.replace('11111111\n', '').replace(` ${STEP}`, ` ${STEP} ${STEP + 1}`);
    expect(await own(used)).toMatchObject({ outcome: 'again', factor: { codesLeft: 1 } });
  });

  it.each([
    ['another secret', FILE.replace('GEZ', 'AAA')],
    ['a scratch code more', `${FILE}33333333\n`],
    ['a wider window', FILE.replace('SIZE 5', 'SIZE 6')],
    ['another clock', FILE.replace('" TOTP_AUTH', '" TIME_SKEW 1000\n" TOTP_AUTH')],
    ['a counter', FILE.replace('TOTP_AUTH', 'HOTP_COUNTER 1')],
    ['a limit that is gone', FILE.replace('" TOTP_AUTH', '" RATE_LIMIT 9 9\n" TOTP_AUTH')],
  ])('needs one for %s', async (_what, file) => {
    await own(FILE);
    const record = join(directory, 'enrolments', 'nobody.json');
    const before = readFileSync(record, 'utf8');
    await expect(own(file, { replace: true })).rejects.toEqual(refusal(401, 'ERR_PROOF_NEEDED', /code/));
    await expect(own(file, { replace: true, proof: '33333333' })).rejects.toEqual(
      refusal(403, 'ERR_WRONG_CODE', /wrong/),
    );
    expect(readFileSync(record, 'utf8')).toBe(before);
    expect(await own(file, { replace: true, proof: '22222222' })).toMatchObject({ user: 'nobody' });
  });

  it('needs one for a counter that goes back', async () => {
    const at = (counter: number): string => `${SECRET}\n" HOTP_COUNTER ${counter}\n`;
    await own(at(7));
    expect(await own(at(8))).toMatchObject({ outcome: 'again' });
    await expect(own(at(7))).rejects.toEqual(refusal(401, 'ERR_PROOF_NEEDED', /code/));
  });
});

describe('exportFile', () => {
  it('gives every file back, byte for byte, through the record', async () => {
    await fc.assert(
      fc.asyncProperty(stateFile, async (file) => {
        ports = { ...ports, ledger: new InMemoryLedger() };
        await take(file);
        expect(text((await exportFile(ports, ME)).file)).toBe(file);
        await drop('imported');
      }),
      { numRuns: 200 },
    );
  });

  it('leaves out used codes', async () => {
    await take(FILE);
    await type('11111111');
    await type(codeAt(STEP + 1));
    expect(text((await exportFile(ports, ME)).file)).toBe(
      `${SECRET}\n" WINDOW_SIZE 5\n" DISALLOW_REUSE ${[-3, -2, -1, 0, 1].map((n) => STEP + n).join(' ')}\n` +
        `" TOTP_AUTH\n22222222\n`,
    );
  });

  it('says when nothing was imported', async () => {
    await expect(exportFile(ports, ME)).rejects.toEqual(refusal(404, 'ERR_NOT_IMPORTED', /No file/));
    await addTotp();
    await expect(exportFile(ports, ME)).rejects.toEqual(refusal(404, 'ERR_NOT_IMPORTED', /No file/));
  });
});

describe('removeExported', () => {
  it('removes an exported file', async () => {
    await take(FILE);
    const { file } = await exportFile(ports, ME);
    expect(await removeExported(ports, ME, { file })).toMatchObject({ user: ME, factors: [] });
    expect(await type('11111111')).toBe('absent');
  });

  it('removes nothing when a code was used since', async () => {
    await take(FILE);
    const { file } = await exportFile(ports, ME);
    await type('11111111');
    await expect(removeExported(ports, ME, { file })).rejects.toEqual(refusal(409, 'ERR_CHANGED', /again/));
    expect(await type('22222222')).toBe('accepted');
  });
});

it('a record with an invalid imported file lets nobody in', async () => {
  await take(FILE);
  const record = JSON.parse(readFileSync(recordFile(), 'utf8')) as { factors: { file: string }[] };
  record.factors[0]!.file = base64(FILE.replace('TOTP_AUTH', 'WINDOW_SIZE 0'));
  writeFileSync(recordFile(), JSON.stringify(record));
  expect(await type('22222222')).toBe('accepted');
  record.factors[0]!.file = base64(FILE.replace('WINDOW_SIZE 5', 'WINDOW_SIZE 0'));
  writeFileSync(recordFile(), JSON.stringify(record));
  expect(await type('11111111')).toBe('blocked');
});
