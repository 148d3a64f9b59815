import { beforeEach, describe, expect, it } from 'vitest';
import type { Verification } from '../../../../../src/daemon/enrolments/enrolment.ts';
import { parseRecord } from '../../../../../src/daemon/enrolments/store/parse-record.ts';
import { formatRecord, type StoredFactor } from '../../../../../src/daemon/enrolments/store/record.ts';
import { shapesOf, storeEnrolment } from '../../../../../src/daemon/enrolments/store/store-enrolment.ts';
import type { LookedUp } from '../../../../../src/daemon/enrolments/yubico/online-yubikeys.ts';
import type { Otp } from '../../../../../src/yubico-otp/index.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { storeContext } from '../../../fixtures/store-context.ts';
import { VirtualYubikey } from '../../../fixtures/virtual-yubikey.ts';
import { verified } from '../../../fixtures/verified.ts';

const STORED = { id: 'abcd', name: 'blue', added: 1 };

let ledger: InMemoryLedger;
let yubikey: VirtualYubikey;
let asked: { user: string; otp: Otp }[];
let serverSays: LookedUp;

beforeEach(() => {
  ledger = new InMemoryLedger();
  yubikey = new VirtualYubikey();
  asked = [];
  serverSays = { kind: 'right', mark: 257 };
});

function offline(): StoredFactor {
  const { publicId, privateId, aesKey } = yubikey;
  return { kind: 'yubikey-offline', ...STORED, publicId, privateId, aesKey };
}

function online(): StoredFactor {
  return { kind: 'yubikey-online', ...STORED, publicId: yubikey.publicId };
}

function verify(factors: readonly StoredFactor[], typed: string, user = 'alice'): Promise<Verification> {
  const context = storeContext(ledger, () => 0, {
    lookUp: (whose, otp) => {
      asked.push({ user: whose, otp });
      return Promise.resolve(serverSays);
    },
  });
  const enrolment = storeEnrolment(user, factors, () => factors, context);
  const shape = { class: 'modhex', length: typed.length } as const;
  return verified(enrolment, ledger, [{ shape, text: Buffer.from(typed) }], 0);
}

const ACCEPTED = { kind: 'accepted', factor: 'yubikey:blue', reading: 0 };
const USED = { kind: 'rejected', reason: 'code-already-used', factor: 'yubikey:blue' };
const WRONG = { kind: 'rejected', reason: 'wrong-code' };

describe('a YubiKey whose secrets are in the store', () => {
  it('is accepted, each OTP once and none that is older', async () => {
    const [first, second, third] = [yubikey.touch(), yubikey.touch(), yubikey.plugIn().touch()];
    expect(await verify([offline()], second)).toEqual(ACCEPTED);
    expect(await verify([offline()], second)).toEqual(USED);
    expect(await verify([offline()], first)).toEqual(USED);
    expect(await verify([offline()], third)).toEqual(ACCEPTED);
    expect(asked).toEqual([]);
  });

  it('is accepted in capitals', async () => {
    expect(await verify([offline()], yubikey.touch().toUpperCase())).toEqual(ACCEPTED);
  });

  it('is not locked out by bit 15 of its counter', async () => {
    expect(await verify([offline()], yubikey.otp({ counter: 0x8019, use: 1 }))).toEqual(ACCEPTED);
    expect(await verify([offline()], yubikey.otp({ counter: 0x19, use: 1 }))).toEqual(USED);
    expect(await verify([offline()], yubikey.otp({ counter: 0x1a, use: 1 }))).toEqual(ACCEPTED);
  });

  it('is wrong for another key, and no server is asked', async () => {
    expect(await verify([offline()], new VirtualYubikey().touch())).toEqual(WRONG);
    const twin = new VirtualYubikey({ publicId: yubikey.publicId });
    expect(await verify([offline()], twin.touch())).toEqual(WRONG);
    expect(asked).toEqual([]);
    expect(ledger.advances).toEqual([]);
  });

  it('is not accepted when its use cannot be recorded', async () => {
    ledger.answer = 'unavailable';
    expect(await verify([offline()], yubikey.touch())).toMatchObject({ kind: 'unavailable' });
  });

  it('with its counter at the end is recognised', async () => {
    expect(await verify([offline()], yubikey.otp({ counter: 0x7fff, use: 1 }))).toMatchObject({
      kind: 'unavailable',
      why: expect.stringContaining('last session'),
    });
    expect(ledger.advances).toEqual([]);
  });

  it('has one mark, also when it is removed and added again, and another one for another user', async () => {
    const otp = yubikey.touch();
    expect(await verify([offline()], otp)).toEqual(ACCEPTED);
    expect(await verify([{ ...offline(), id: 'wxyz', added: 2 }], otp)).toEqual(USED);
    expect(await verify([offline()], otp, 'bob')).toEqual(ACCEPTED);
    expect(ledger.marks.size).toBe(2);
  });
});

describe('a YubiKey that a server checks', () => {
  it('is accepted when the server says so, and its counters are kept', async () => {
    const otp = yubikey.touch();
    expect(await verify([online()], otp)).toEqual(ACCEPTED);
    expect(asked).toEqual([{ user: 'alice', otp: expect.objectContaining({ text: otp }) }]);
    expect(ledger.advances).toEqual([{ key: expect.any(String), value: 257 }]);
  });

  it('is refused when the server lets counters through that are not new', async () => {
    await verify([online()], yubikey.touch());
    expect(await verify([online()], yubikey.touch())).toEqual(USED);
    serverSays = { kind: 'right', mark: 256 };
    expect(await verify([online()], yubikey.touch())).toEqual(USED);
  });

  it('is accepted from a server that tells no counters, and while the ledger cannot be written', async () => {
    serverSays = { kind: 'right', mark: undefined };
    expect(await verify([online()], yubikey.touch())).toEqual(ACCEPTED);
    expect(ledger.advances).toEqual([]);
    ledger.answer = 'unavailable';
    serverSays = { kind: 'right', mark: 300 };
    expect(await verify([online()], yubikey.touch())).toEqual(ACCEPTED);
  });

  it.each<[LookedUp, object]>([
    [{ kind: 'wrong' }, WRONG],
    [{ kind: 'replayed' }, USED],
    [
      { kind: 'unavailable', why: 'w' },
      { kind: 'unavailable', factor: 'yubikey:blue', why: 'w', tryAnother: true },
    ],
  ])('is not accepted when the server says %j', async (says, expected) => {
    serverSays = says;
    expect(await verify([online()], yubikey.touch())).toEqual(expected);
    expect(ledger.advances).toEqual([]);
  });

  it('is never asked about with the OTP of somebody else', async () => {
    expect(await verify([online()], new VirtualYubikey().touch())).toEqual(WRONG);
    expect(asked).toEqual([]);
  });

  it('finds the touched one of several', async () => {
    const other: StoredFactor = {
      ...online(),
      kind: 'yubikey-online',
      id: 'wxyz',
      name: 'red',
      publicId: 'cccccccccccb',
    };
    expect(await verify([other, online()], yubikey.touch())).toEqual(ACCEPTED);
    expect(asked).toHaveLength(1);
  });
});

describe('a YubiKey that is there twice, with its secrets and without', () => {
  const both = (): StoredFactor[] => [{ ...online(), id: 'wxyz', name: 'red' }, offline()];

  it('is checked here, and a used OTP is not taken to a server that has not seen it', async () => {
    const otp = yubikey.touch();
    expect(await verify(both(), otp)).toEqual(ACCEPTED);
    expect(await verify(both(), otp)).toEqual(USED);
    expect(asked).toEqual([]);
  });
});

describe('shapes', () => {
  it('of YubiKeys are their lengths, each once, after those of digits and before recovery codes', () => {
    const short: StoredFactor = { ...online(), kind: 'yubikey-online', publicId: 'cb' };
    const recovery: StoredFactor = { kind: 'recovery', ...STORED, hashes: [Buffer.alloc(32)] };
    expect(shapesOf([recovery, online(), short, offline()])).toEqual([
      { class: 'modhex', length: 34 },
      { class: 'modhex', length: 44 },
      { class: 'recovery', length: 16 },
    ]);
  });
});

describe('a record', () => {
  it('keeps YubiKeys as they are', () => {
    const factors = [offline(), { ...online(), id: 'wxyz', name: 'red' }] as StoredFactor[];
    const record = { user: 'alice', uid: 1000, factors };
    expect(parseRecord(formatRecord(record))).toEqual(record);
  });

  it.each([
    ['publicId', 'CCCCCCCCCCCB'],
    ['publicId', 'c'.repeat(17)],
    ['aesKey', 'ab'.repeat(15)],
    ['aesKey', `${'ab'.repeat(15)}xy`],
    ['privateId', 'ab'.repeat(7)],
  ])('with the %s %j is refused, without quoting the value', (field, value) => {
    const text = formatRecord({ user: 'alice', uid: 1000, factors: [offline()] });
    const json = JSON.parse(text) as { factors: Record<string, unknown>[] };
    json.factors[0]![field] = value;
    const parse = (): unknown => parseRecord(JSON.stringify(json));
    expect(parse).toThrow(new RegExp(`^factors\\.0\\.${field}: `));
    expect(parse).not.toThrow(value);
  });

  it('with an online key without public id is refused: it would name every key', () => {
    const text = formatRecord({ user: 'alice', uid: 1000, factors: [online()] });
    expect(() => parseRecord(text.replace(yubikey.publicId, ''))).toThrow('factors.0.publicId');
  });
});
