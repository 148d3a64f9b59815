/* The users are those of this machine: root is everywhere, and the one who runs the tests. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { addFactor, dropFactor, showUser, showUsers } from '../../../src/control/factor-requests.ts';
import { Store } from '../../../src/enrolments/store/store.ts';
import { decodeBase32 } from '../../../src/factors/base32.ts';
import { markKey } from '../../../src/ledger/mark-key.ts';
import { InMemoryLedger } from '../fixtures/in-memory-ledger.ts';
import { RecordedLog } from '../fixtures/recorded-log.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo();
const NOW = Date.parse('2026-01-02T03:04:05Z');

let directory: string;
let store: Store;
let ledger: InMemoryLedger;
let log: RecordedLog;
let ports: Parameters<typeof addFactor>[0];

beforeEach(() => {
  directory = makeDirectory();
  store = new Store({ path: (relative) => join(directory, relative) });
  store.initialise();
  ledger = new InMemoryLedger();
  log = new RecordedLog();
  ports = { store, ledger, log, now: () => NOW };
});

const add = (body: object = {}, user = ME.username): ReturnType<typeof addFactor> =>
  addFactor(ports, user, { kind: 'totp', ...body });
const refusal = (status: number, code: string): unknown =>
  expect.objectContaining({ name: 'ControlError', status, code });
const recordFile = (): string => join(directory, 'enrolments', `${ME.username}.json`);

describe('addFactor', () => {
  it('adds a factor, and its answer alone holds the secret', async () => {
    const added = await add({ name: 'pixel-7' });
    expect(added).toMatchObject({
      user: ME.username,
      factor: {
        kind: 'totp',
        name: 'pixel-7',
        algorithm: 'sha1',
        digits: 6,
        period: 30,
        added: '2026-01-02T03:04:05.000Z',
        lastUsed: null,
      },
    });
    expect(added.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(added.uri).toContain(`secret=${added.secret}&`);
    expect(added.uri).toContain(`otpauth://totp/${encodeURIComponent(hostname())}:${ME.username}?`);
    expect(store.read({ name: ME.username, uid: ME.uid })?.factors[0]).toMatchObject({
      secret: decodeBase32(added.secret!),
    });
    const later = JSON.stringify([
      await showUser(ports, ME.username),
      await showUsers(ports),
      await dropFactor(ports, ME.username, 'pixel-7'),
    ]);
    expect(later + log.text).not.toContain(added.secret);
    expect(later).not.toContain('secret');
    expect(log.events.map(({ message }) => message)).toEqual([
      `Factor totp:pixel-7 added for ${ME.username}`,
      `Factor totp:pixel-7 removed for ${ME.username}`,
    ]);
  });

  it('takes what is wanted', async () => {
    const wanted = { algorithm: 'sha512', digits: 8, period: 60 };
    expect((await add(wanted)).factor).toMatchObject(wanted);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'totp'],
    ['a list', []],
    ['no kind', {}],
    ['another kind', { kind: 'sms' }],
    ['something more', { kind: 'totp', secret: 'AAAA' }],
    ['a bad name', { kind: 'totp', name: 'a b' }],
    ['an empty name', { kind: 'totp', name: '' }],
    ['a name with a line end', { kind: 'totp', name: 'a\n' }],
    ['a long name', { kind: 'totp', name: 'x'.repeat(33) }],
    ['another hash', { kind: 'totp', algorithm: 'md5' }],
    ['five digits', { kind: 'totp', digits: 5 }],
    ['digits in a text', { kind: 'totp', digits: '6' }],
    ['a short period', { kind: 'totp', period: 14 }],
    ['a long period', { kind: 'totp', period: 121 }],
  ])('refuses %s', async (_name, body) => {
    await expect(addFactor(ports, ME.username, body)).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    expect(store.empty).toBe(true);
  });

  it.each(['no-such-user-here', '', 'a\0b', '../x'])('refuses the user %j', async (user) => {
    await expect(add({}, user)).rejects.toEqual(refusal(404, 'ERR_NO_SUCH_USER'));
    expect(store.empty).toBe(true);
  });

  it('refuses a name that is taken, and the seventeenth factor', async () => {
    await add({ name: 'one' });
    await expect(add({ name: 'one' })).rejects.toEqual(refusal(409, 'ERR_NAME_TAKEN'));
    for (let count = 1; count < 16; count++) {
      await add();
    }
    await expect(add()).rejects.toEqual(refusal(409, 'ERR_TOO_MANY_FACTORS'));
  });

  it('touches no record that it cannot read', async () => {
    writeFileSync(recordFile(), '{}');
    await expect(add()).rejects.toEqual(refusal(409, 'ERR_RECORD'));
    rmSync(recordFile());
    rmSync(join(directory, 'store.json'));
    await expect(add()).rejects.toEqual(refusal(503, 'ERR_STORE'));
    expect(store.empty).toBe(true);
  });

  it('says when the disk does not take it', async () => {
    mkdirSync(join(directory, 'enrolments', `.${ME.username}.json.new`));
    await expect(add()).rejects.toEqual(refusal(503, 'ERR_STORE'));
    await expect(add()).rejects.toThrow('The store cannot be written');
    expect(log.events).toEqual([]);
  });
});

describe('dropFactor', () => {
  it('removes by id or name, and with the last factor the record', async () => {
    const one = await add({ name: 'one' });
    await add({ name: 'two' });
    expect((await dropFactor(ports, ME.username, one.factor.id)).factors).toMatchObject([{ name: 'two' }]);
    expect(await dropFactor(ports, ME.username, 'two')).toEqual({
      user: ME.username,
      uid: ME.uid,
      factors: [],
    });
    expect(store.read({ name: ME.username, uid: ME.uid })).toBeUndefined();
  });

  it('says what is not there', async () => {
    await expect(dropFactor(ports, ME.username, 'x')).rejects.toEqual(refusal(404, 'ERR_NOT_ENROLLED'));
    await add();
    await expect(dropFactor(ports, ME.username, 'x')).rejects.toEqual(refusal(404, 'ERR_NO_SUCH_FACTOR'));
    await expect(dropFactor(ports, 'no-such-user-here', 'x')).rejects.toEqual(
      refusal(404, 'ERR_NO_SUCH_USER'),
    );
  });
});

describe('showUser and showUsers', () => {
  it('show when a factor was last used', async () => {
    const { factor, secret } = await add();
    ledger.marks.set(markKey(ME.username, `totp/${factor.period}`, decodeBase32(secret!)!), {
      value: 1,
      at: NOW / 1000,
    });
    const [view] = (await showUser(ports, ME.username)).factors;
    expect(view).toMatchObject({ id: factor.id, lastUsed: '2026-01-02T03:04:05.000Z' });
  });

  it('show nobody where nobody is enrolled', async () => {
    expect(await showUsers(ports)).toEqual([]);
    expect(await showUser(ports, ME.username)).toEqual({ user: ME.username, uid: ME.uid, factors: [] });
  });

  it('say what is wrong with one record, and show the others', async () => {
    await add();
    store.write({ user: 'gone-by-now', uid: 5, factors: [] });
    writeFileSync(join(directory, 'enrolments', 'daemon.json'), '{"secret":"HIDDEN"}');
    const views = await showUsers(ports);
    expect(views.map(({ user, problem }) => [user, problem === undefined])).toEqual(
      [
        ['daemon', false],
        ['gone-by-now', false],
        [ME.username, true],
      ].sort(),
    );
    expect(JSON.stringify(views)).not.toContain('HIDDEN');
  });
});
