/* The users are real users of this machine: root, and the user who runs the tests. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { changeFactors, unlockUser } from '../../../../src/daemon/control/factor-requests.ts';
import { showFactor } from '../../../../src/daemon/control/show-factor.ts';
import type { Changed, NewFactor, UserView } from '../../../../src/contracts/control-requests.ts';
import { showUser, usersShown, type ViewPorts } from '../../../../src/daemon/control/views.ts';
import { decodeBase32 } from '../../../../src/factors/base32.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { markKey } from '../../../../src/daemon/ledger/mark-key.ts';
import { controlPorts, type TestPorts } from '../../fixtures/control-ports.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';
import { verified } from '../../fixtures/verified.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo();
const ACCOUNT = { name: ME.username, uid: ME.uid };
const ROOT = { uid: 0 };
const NOW = Date.parse('2026-01-02T03:04:05Z');
const STEP = Math.floor(NOW / 30_000);

let directory: string;
let ports: TestPorts;

beforeEach(() => {
  directory = makeDirectory();
  ports = controlPorts(directory, () => NOW);
});

async function showUsers(of: ViewPorts): Promise<UserView[]> {
  const views: UserView[] = [];
  for await (const view of usersShown(of)) {
    views.push(view);
  }
  return views;
}
const change = (...changes: unknown[]): Promise<Changed> =>
  changeFactors(ports, ROOT, ME.username, { changes });
const add = async (factor: object = {}): Promise<Changed['added'][number]> =>
  (await change({ do: 'add', factor: { kind: 'totp', ...factor } })).added[0]!;
const refusal = (status: number, code: string): unknown =>
  expect.objectContaining({ name: 'ControlError', status, code });
const recordFile = (): string => join(directory, 'enrolments', `${ME.username}.json`);
const names = (): string[] | undefined => ports.store.read(ACCOUNT)?.factors.map(({ name }) => name);

describe('adding', () => {
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
        window: 3,
        paused: false,
        added: '2026-01-02T03:04:05.000Z',
        lastUsed: null,
      },
    });
    expect(added.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(added.uri).toContain(`secret=${added.secret}&`);
    expect(added.uri).toContain(`otpauth://totp/${encodeURIComponent(hostname())}:${ME.username}?`);
    const later = JSON.stringify([
      await showUser(ports, ACCOUNT),
      await showUsers(ports),
      await change({ do: 'remove', factor: 'pixel-7' }),
    ]);
    expect(later + ports.log.text).not.toContain(added.secret);
    expect(later).not.toContain('secret');
    expect(ports.log.events.map(({ message }) => message)).toEqual([
      `Factor totp:pixel-7 added for ${ME.username}`,
      `Factor totp:pixel-7 removed for ${ME.username}`,
    ]);
  });

  it("accepts the wanted settings, and the user's own secret", async () => {
    const wanted = {
      algorithm: 'sha512',
      digits: 8,
      period: 60,
      window: 17,
      limit: { attempts: 3, seconds: 30 },
    };
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    const added = await add({ ...wanted, secret: secret.toLowerCase() });
    expect(added.factor).toMatchObject(wanted);
    expect(added.secret).toBe(secret);
    const token = await add({ kind: 'hotp', counter: 5, window: 21 });
    expect(token.factor).toMatchObject({ kind: 'hotp', window: 21 });
    expect(token.uri).toContain('counter=5');
  });

  it('uses the code up that the phone was tried with', async () => {
    const { secret } = await add({ usedStep: STEP });
    const key = markKey(ME.username, 'totp/30', decodeBase32(secret!)!);
    expect(ports.ledger.marks.get(key)?.value).toBe(STEP);
    await expect(add({ usedStep: STEP + 4 })).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    ports.ledger.answer = 'unavailable';
    await expect(add({ usedStep: STEP })).rejects.toEqual(refusal(503, 'ERR_STORE'));
    expect(names()).toEqual(['phone']);
  });

  it('leaves no mark for a factor that the same request removes', async () => {
    const phones = Array.from({ length: 8 }, (_, number) => `phone-${number}`);
    const twice = [
      ...phones.map((name) => ({ do: 'add', factor: { kind: 'totp', name, usedStep: STEP } })),
      ...phones.map((name) => ({ do: 'remove', factor: name })),
    ];
    await change(...twice);
    expect(ports.ledger.advances).toEqual([]);
    const kept = { kind: 'totp', name: 'kept', usedStep: STEP };
    await change(...twice, { do: 'add', factor: kept });
    expect(ports.ledger.marks.size).toBe(1);
    expect(ports.ledger.owner).toEqual({ uid: ME.uid, keep: 'always' });
  });

  it('keeps marks permanently again if a secret comes back', async () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    const key = markKey(ME.username, 'totp/30', decodeBase32(secret)!);
    await add({ secret, name: 'phone', usedStep: STEP });
    ports.ledger.held.length = 0;
    await change({ do: 'remove', factor: 'phone' });
    // Until long after its codes could count, even with a different clock.
    expect(ports.ledger.released).toEqual(new Map([[key, NOW / 1_000 + 3 * 86_400]]));
    await add({ secret, name: 'phone' });
    expect(ports.ledger.held).toEqual([key]);
    ports.ledger.answer = 'unavailable';
    await change({ do: 'remove', factor: 'phone' });
    await expect(add({ secret, name: 'phone' })).rejects.toEqual(refusal(503, 'ERR_STORE'));
  });

  it('releases the marks of removed factors only', async () => {
    const { secret } = await add({ name: 'phone', usedStep: STEP });
    await add({ kind: 'hotp', name: 'token', secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' });
    const token = markKey(ME.username, 'hotp', Buffer.from('12345678901234567890'));
    ports.ledger.marks.set(token, { value: 6, at: 0 });
    await change({ do: 'rename', factor: 'phone', name: 'tablet' });
    await change({ do: 'remove', factor: 'token' });
    expect(ports.ledger.released).toEqual(new Map([[token, undefined]]));
    await change({ do: 'remove', factor: 'tablet' });
    expect([...ports.ledger.released.keys()]).toEqual([
      token,
      markKey(ME.username, 'totp/30', decodeBase32(secret!)!),
    ]);
  });

  it("accepts a phone's existing settings, but no secret twice", async () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    await expect(add({ secret, period: 300 })).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    await expect(add({ secret, period: 301, imported: true })).rejects.toEqual(
      refusal(400, 'ERR_BAD_REQUEST'),
    );
    expect((await add({ secret, period: 300, imported: true })).factor).toMatchObject({ period: 300 });
    for (const factor of [{ secret }, { kind: 'hotp', secret }]) {
      await expect(add(factor)).rejects.toEqual(refusal(409, 'ERR_HAS_SECRET'));
    }
    const other = { kind: 'totp', secret: 'JBSWY3DPEHPK3PXP' };
    const twice = change({ do: 'add', factor: other }, { do: 'add', factor: other });
    await expect(twice).rejects.toEqual(refusal(409, 'ERR_HAS_SECRET'));
    expect(names()).toEqual(['phone']);
  });

  it('takes recovery codes that were made before', async () => {
    const codes = ['ABCD-EFGH-IJKL-MNOP', 'abcdefghijklmnoq'];
    const added = await add({ kind: 'recovery', codes } satisfies NewFactor);
    expect(added.factor).toMatchObject({ kind: 'recovery', codesLeft: 2 });
    const enrolled = await ports.enrolments.lookUp(ACCOUNT);
    const shape = { class: 'recovery', length: 16 } as const;
    const verify = async (text: string): Promise<unknown> =>
      enrolled.kind === 'enrolled' &&
      verified(enrolled.enrolment, ports.ledger, [{ shape, text: Buffer.from(text) }], NOW);
    expect(await verify('ABCDEFGHIJKLMNOQ')).toMatchObject({ kind: 'accepted' });
    expect(await verify('ABCDEFGHIJKLMNOR')).toMatchObject({ kind: 'rejected' });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'totp'],
    ['a list', []],
    ['no kind', {}],
    ['another kind', { kind: 'sms' }],
    ['something more', { kind: 'totp', sécret: 'AAAA' }],
    ['a short secret', { kind: 'totp', secret: 'AAAAAAAAAAAAAAA' }],
    ['a secret that is none', { kind: 'totp', secret: '1'.repeat(32) }],
    ['a bad name', { kind: 'totp', name: 'a b' }],
    ['an empty name', { kind: 'totp', name: '' }],
    ['a name with a line end', { kind: 'totp', name: 'a\n' }],
    ['a long name', { kind: 'totp', name: 'x'.repeat(33) }],
    ['another hash', { kind: 'totp', algorithm: 'md5' }],
    ['five digits', { kind: 'totp', digits: 5 }],
    ['digits in a text', { kind: 'totp', digits: '6' }],
    ['a short period', { kind: 'totp', period: 14 }],
    ['a long period', { kind: 'totp', period: 121 }],
    ['no window', { kind: 'totp', window: 0 }],
    ['half a limit', { kind: 'totp', limit: { attempts: 3 } }],
    ['a period for a counter', { kind: 'hotp', period: 30 }],
    ['no codes', { kind: 'recovery', codes: [] }],
    [
      'eleven codes',
      { kind: 'recovery', codes: Array.from({ length: 11 }, (_, n) => `AAAAAAAAAAAAAAA${'ABCDEFGHIJK'[n]}`) },
    ],
    ['the same code twice', { kind: 'recovery', codes: ['A'.repeat(16), 'a'.repeat(16)] }],
    ['a short code', { kind: 'recovery', codes: ['A'.repeat(15)] }],
  ])('refuses %s', async (_name, factor) => {
    await expect(change({ do: 'add', factor })).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    expect(ports.store.empty).toBe(true);
  });

  it.each([[[]], [Array.from({ length: 33 }, () => ({ do: 'remove', factor: 'x' }))], [{ do: 'sing' }]])(
    'refuses the changes %j',
    async (changes) => {
      const body = { changes };
      await expect(changeFactors(ports, ROOT, ME.username, body)).rejects.toEqual(
        refusal(400, 'ERR_BAD_REQUEST'),
      );
    },
  );

  it.each(['no-such-user-here', '', 'a\0b', '../x'])('refuses the user %j', async (user) => {
    const body = { changes: [{ do: 'add', factor: { kind: 'totp' } }] };
    await expect(changeFactors(ports, ROOT, user, body)).rejects.toEqual(refusal(404, 'ERR_NO_SUCH_USER'));
    expect(ports.store.empty).toBe(true);
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
    expect(ports.store.empty).toBe(true);
  });

  it('says when the disk does not take it', async () => {
    mkdirSync(join(directory, 'enrolments', `.${ME.username}.json.new`));
    await expect(add()).rejects.toEqual(refusal(503, 'ERR_STORE'));
    await expect(add()).rejects.toThrow('The store cannot be written');
    expect(ports.log.events).toEqual([]);
  });
});

describe('other changes', () => {
  it('remove by id or name, and with the last factor the record', async () => {
    const one = await add({ name: 'one' });
    await add({ name: 'two' });
    const { view } = await change({ do: 'remove', factor: one.factor.id });
    expect(view.factors).toMatchObject([{ name: 'two' }]);
    expect((await change({ do: 'remove', factor: 'two' })).view).toMatchObject({
      factors: [],
      enrolled: 'none',
    });
    expect(ports.store.read(ACCOUNT)).toBeUndefined();
  });

  it('rename, pause and resume, each with a line in the log', async () => {
    await add({ name: 'one' });
    await add({ name: 'two' });
    await change({ do: 'rename', factor: 'one', name: 'pixel-7' });
    await expect(change({ do: 'rename', factor: 'two', name: 'pixel-7' })).rejects.toEqual(
      refusal(409, 'ERR_NAME_TAKEN'),
    );
    await change({ do: 'pause', factor: 'two' });
    expect((await showUser(ports, ACCOUNT)).factors.map(({ paused }) => paused)).toEqual([false, true]);
    await change({ do: 'resume', factor: 'two' });
    expect((await showUser(ports, ACCOUNT)).factors.map(({ paused }) => paused)).toEqual([false, false]);
    expect(ports.log.events.slice(2).map(({ message }) => message)).toEqual([
      `Factor totp:pixel-7 (before: one) renamed for ${ME.username}`,
      `Factor totp:two paused for ${ME.username}`,
      `Factor totp:two resumed for ${ME.username}`,
    ]);
  });

  it('leave nobody with paused factors only', async () => {
    await add({ name: 'one' });
    await expect(change({ do: 'pause', factor: 'one' })).rejects.toEqual(refusal(409, 'ERR_NOTHING_ACTIVE'));
    await add({ name: 'two' });
    await change({ do: 'pause', factor: 'one' });
    await expect(change({ do: 'remove', factor: 'two' })).rejects.toEqual(refusal(409, 'ERR_NOTHING_ACTIVE'));
    expect(names()).toEqual(['one', 'two']);
  });

  it('happen all or none', async () => {
    await add({ name: 'old' });
    const swap = [
      { do: 'remove', factor: 'old' },
      { do: 'add', factor: { kind: 'totp', name: 'new' } },
    ];
    await expect(change(...swap, { do: 'remove', factor: 'none' })).rejects.toEqual(
      refusal(404, 'ERR_NO_SUCH_FACTOR'),
    );
    expect(names()).toEqual(['old']);
    await change(...swap);
    expect(names()).toEqual(['new']);
  });
});

describe('showFactor', () => {
  const show = (which: string): ReturnType<typeof showFactor> =>
    showFactor(ports, ROOT, ME.username, which, {});

  it('shows a secret again, and the counter that comes next', async () => {
    const phone = await add({ name: 'phone', digits: 8 });
    expect(await show('phone')).toMatchObject({ secret: phone.secret, uri: phone.uri });
    const token = await add({ kind: 'hotp', name: 'token' });
    ports.ledger.marks.set(markKey(ME.username, 'hotp', decodeBase32(token.secret!)!), { value: 6, at: 0 });
    const shown = await show('token');
    expect(shown.counter).toBe(7);
    expect(shown.uri).toContain('counter=7');
    expect(ports.log.text).toContain(`Factor hotp:token shown for ${ME.username} id=${token.factor.id} by=0`);
    expect(ports.log.text).not.toContain(phone.secret);
  });

  it('never shows recovery codes or missing factors', async () => {
    await add({ kind: 'recovery' });
    await expect(show('codes')).rejects.toEqual(refusal(409, 'ERR_NOT_SHOWN'));
    await expect(show('phone')).rejects.toEqual(refusal(404, 'ERR_NO_SUCH_FACTOR'));
  });
});

describe('a caller other than root', () => {
  // A uid other than 0 with an account; the record is its own.
  const SOMEBODY = { uid: 1 };
  const NAME = 'daemon';
  const ask = (changes: unknown[], proof?: string): Promise<Changed> =>
    changeFactors(ports, SOMEBODY, NAME, { changes, proof });
  const codeOf = (secret: string | undefined, step: number): string =>
    hotpValue({ secret: decodeBase32(secret!)!, algorithm: 'sha1', digits: 6 }, step).toString();
  const ADD = { do: 'add', factor: { kind: 'totp' } };

  it('needs no proof for the first factor, and one for every other change', async () => {
    const [phone] = (await ask([ADD])).added;
    const requests = [
      () => ask([ADD]),
      () => ask([{ do: 'remove', factor: 'phone' }]),
      () => ask([{ do: 'rename', factor: 'phone', name: 'x' }]),
      () => ask([{ do: 'add', factor: { kind: 'recovery' } }]),
      () => showFactor(ports, SOMEBODY, NAME, 'phone', {}),
      () => unlockUser(ports, SOMEBODY, NAME, {}),
    ];
    for (const request of requests) {
      await expect(request()).rejects.toEqual(refusal(401, 'ERR_PROOF_NEEDED'));
    }
    const code = codeOf(phone!.secret, STEP);
    await ask([ADD], ` ${code.slice(0, 3)}-${code.slice(3)}`);
    await expect(ask([ADD], code), 'a code proves once').rejects.toEqual(refusal(403, 'ERR_CODE_USED'));
    await expect(ask([ADD], 'abc')).rejects.toEqual(refusal(403, 'ERR_WRONG_CODE'));
    expect(
      await showFactor(ports, SOMEBODY, NAME, 'phone', { proof: codeOf(phone!.secret, STEP + 1) }),
    ).toMatchObject({ secret: phone!.secret });
    expect(ports.log.text).toContain(
      `Accepted verification code for ${NAME} service=control factor=totp:phone`,
    );
    expect(ports.log.text).not.toContain(code);
  });

  it('says of a request that is only checked whether it needs a proof, and changes nothing', async () => {
    const check = (caller: { uid: number }, ...changes: unknown[]): Promise<Changed> =>
      changeFactors(ports, caller, NAME, { changes, check: true });
    expect(await check(SOMEBODY, ADD)).toMatchObject({ added: [], needsProof: false, view: { factors: [] } });
    await ask([ADD]);
    expect(await check(SOMEBODY, ADD)).toMatchObject({ added: [], needsProof: true });
    expect(await check(ROOT, ADD)).toMatchObject({ added: [], needsProof: false });
    const touch = { do: 'add', factor: { kind: 'yubikey', publicId: 'u'.repeat(16) } };
    expect(await check(SOMEBODY, touch)).toMatchObject({ needsProof: true });
    await expect(check(SOMEBODY, { do: 'remove', factor: 'none' })).rejects.toEqual(
      refusal(404, 'ERR_NO_SUCH_FACTOR'),
    );
    await expect(check({ uid: 65_534 }, ADD)).rejects.toEqual(refusal(403, 'ERR_NOT_ALLOWED'));
    expect((await showUser(ports, { name: NAME, uid: SOMEBODY.uid })).factors).toHaveLength(1);
  });

  it('uses up no code for an impossible request', async () => {
    const [phone] = (await ask([ADD])).added;
    const code = codeOf(phone!.secret, STEP);
    await expect(ask([{ do: 'remove', factor: 'none' }], code)).rejects.toEqual(
      refusal(404, 'ERR_NO_SUCH_FACTOR'),
    );
    await expect(ask([{ do: 'remove', factor: 'phone' }], code)).resolves.toBeDefined();
  });

  it('says that the code is used up when the disk takes nothing after that', async () => {
    const [phone, codes] = (await ask([ADD, { do: 'add', factor: { kind: 'recovery' } }])).added;
    const [recovery] = codes!.codes!;
    // A directory at the file's place makes writing fail.
    mkdirSync(join(directory, 'enrolments', `.${NAME}.json.new`, 'full'), { recursive: true });
    await expect(ask([ADD], recovery)).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: expect.stringMatching(
        /^The store cannot be written \(E\w+\)\. No factor was changed, but the recovery code that you typed is used up: the next try needs another\.$/,
      ) as string,
    });
    await expect(ask([ADD], codeOf(phone!.secret, STEP))).rejects.toThrow(
      /No factor was changed, but the code that you typed is used up/,
    );
    await expect(changeFactors(ports, ROOT, NAME, { changes: [ADD] }), 'nothing was').rejects.toThrow(
      /^The store cannot be written \(E\w+\)\. Nothing was changed\.$/,
    );
    rmSync(join(directory, 'enrolments', `.${NAME}.json.new`), { recursive: true });
    await expect(ask([ADD], recovery)).rejects.toEqual(refusal(403, 'ERR_CODE_USED'));
    await expect(ask([ADD], codes!.codes![1])).resolves.toBeDefined();
  });

  it('distinguishes an unreadable store from an empty one', async () => {
    rmSync(join(directory, 'enrolments'), { recursive: true });
    writeFileSync(join(directory, 'enrolments'), '');
    await expect(showUsers(ports)).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: expect.stringMatching(/^The store cannot be read \(ENOTDIR\), .* doctor$/) as string,
    });
  });

  it('never says that nothing was changed after something was', async () => {
    const [phone] = (await ask([ADD])).added;
    ports.attempts.unlock = () => {
      ports.store.read = () => {
        throw Object.assign(new Error(), { code: 'EIO' });
      };
    };
    await expect(unlockUser(ports, SOMEBODY, NAME, { proof: codeOf(phone!.secret, STEP) })).rejects.toThrow(
      /^The change was made, but its result cannot be shown\. .* The store cannot be read \(EIO\), /,
    );
    Reflect.deleteProperty(ports.store, 'read');
  });

  it('is throttled after three guesses, for all of these requests', async () => {
    const [phone] = (await ask([ADD])).added;
    const wrong = codeOf(phone!.secret, STEP + 1_000);
    for (let time = 0; time < 3; time++) {
      await expect(ask([ADD], wrong)).rejects.toEqual(refusal(403, 'ERR_WRONG_CODE'));
    }
    await expect(ask([ADD], codeOf(phone!.secret, STEP))).rejects.toEqual(refusal(429, 'ERR_TOO_MANY_TRIES'));
    await expect(unlockUser(ports, SOMEBODY, NAME, { proof: codeOf(phone!.secret, STEP) })).rejects.toEqual(
      refusal(429, 'ERR_TOO_MANY_TRIES'),
    );
    await unlockUser(ports, ROOT, NAME, {});
    await expect(ask([ADD], codeOf(phone!.secret, STEP))).resolves.toBeDefined();
  });

  it('unlocks only the proven factors, not a file that only a line of pam.d names', async () => {
    const source = `${ACCOUNT.uid} /etc/secrets/${NAME}`;
    const guess = (): boolean => {
      const attempt = ports.attempts.begin({ user: NAME, exists: true, origin: 'tty pts/1', source });
      const admitted = attempt.admit();
      attempt.failed();
      return admitted;
    };
    expect([guess(), guess(), guess(), guess()]).toEqual([true, true, true, false]);
    const [own] = (await ask([ADD])).added;
    await unlockUser(ports, SOMEBODY, NAME, { proof: codeOf(own!.secret, STEP) });
    expect(guess()).toBe(false);
    await unlockUser(ports, ROOT, NAME, {});
    expect(guess()).toBe(true);
  });

  it('proves by recovery code, however many guesses there were', async () => {
    const [, codes] = (await ask([ADD, { do: 'add', factor: { kind: 'recovery' } }])).added;
    for (const refused of [403, 403, 403, 429]) {
      await expect(ask([ADD], '000000')).rejects.toMatchObject({ status: refused });
    }
    await expect(ask([ADD], codes!.codes![0])).resolves.toBeDefined();
  });

  it('is refused if its enrolment is unknown or unusable', async () => {
    const lookUp = ports.enrolments.lookUp.bind(ports.enrolments);
    for (const [kind, status, code] of [
      ['blocked', 403, 'ERR_UNUSABLE'],
      ['failed', 503, 'ERR_UNAVAILABLE'],
    ] as const) {
      ports.enrolments.lookUp = () => Promise.resolve({ kind, why: 'some words' });
      await expect(ask([ADD], '123456')).rejects.toEqual(refusal(status, code));
      expect(ports.store.empty).toBe(true);
    }
    ports.enrolments.lookUp = lookUp;
    const [phone] = (await ask([ADD])).added;
    ports.ledger.answer = 'unavailable';
    await expect(ask([ADD], codeOf(phone!.secret, STEP))).rejects.toEqual(refusal(503, 'ERR_UNAVAILABLE'));
  });

  it('proves a factor of another source before it adds one to the store', async () => {
    const { store } = ports;
    const elsewhere = controlPorts(makeDirectory(), () => NOW);
    const [phone] = (await changeFactors(elsewhere, SOMEBODY, NAME, { changes: [ADD] })).added;
    ports = { ...ports, enrolments: elsewhere.enrolments };
    await expect(ask([ADD])).rejects.toEqual(refusal(401, 'ERR_PROOF_NEEDED'));
    expect(store.empty).toBe(true);
    await expect(ask([ADD], codeOf(phone!.secret, STEP))).resolves.toMatchObject({ added: [{ user: NAME }] });
  });

  it('gets only one first factor, of many simultaneous requests', async () => {
    const ended = await Promise.allSettled(Array.from({ length: 8 }, () => ask([ADD])));
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('showUser and showUsers', () => {
  it('show when a factor was last used', async () => {
    const { factor, secret } = await add();
    ports.ledger.marks.set(markKey(ME.username, `totp/${factor.period}`, decodeBase32(secret!)!), {
      value: 1,
      at: NOW / 1000,
    });
    const [view] = (await showUser(ports, ACCOUNT)).factors;
    expect(view).toMatchObject({ id: factor.id, lastUsed: '2026-01-02T03:04:05.000Z' });
  });

  it('show nobody where nobody is enrolled', async () => {
    expect(await showUsers(ports)).toEqual([]);
    expect(await showUser(ports, ACCOUNT)).toEqual({
      user: ME.username,
      uid: ME.uid,
      factors: [],
      enrolled: 'none',
      lockedUntil: null,
    });
  });

  it('show where somebody is enrolled, and until when they are locked', async () => {
    for (const [kind, enrolled] of [
      ['blocked', 'unusable'],
      ['failed', 'unknown'],
    ] as const) {
      ports.enrolments.lookUp = () => Promise.resolve({ kind, why: 'some words' });
      expect(await showUser(ports, ACCOUNT)).toMatchObject({ enrolled });
    }
    const attempts = { ...ports.attempts, lockOf: () => 60_000 };
    expect((await showUser({ ...ports, attempts }, ACCOUNT)).lockedUntil).toBe('2026-01-02T03:05:05.000Z');
  });

  it('say what is wrong with one record, and show the others', async () => {
    await add();
    ports.store.write({ user: 'gone-by-now', uid: 5, factors: [] });
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
