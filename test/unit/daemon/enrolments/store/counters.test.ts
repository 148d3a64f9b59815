import { beforeEach, describe, expect, it } from 'vitest';
import type { Verification } from '../../../../../src/daemon/enrolments/enrolment.ts';
import type {
  HotpFactor,
  RecoveryFactor,
  StoredFactor,
} from '../../../../../src/daemon/enrolments/store/record.ts';
import { parseRecord } from '../../../../../src/daemon/enrolments/store/parse-record.ts';
import { formatRecord } from '../../../../../src/daemon/enrolments/store/record.ts';
import {
  shapesOf,
  storeEnrolment,
  type StoreContext,
} from '../../../../../src/daemon/enrolments/store/store-enrolment.ts';
import { hotpValue } from '../../../../../src/factors/hotp-value.ts';
import { LOOK_AHEAD, RESYNC_LOOK_AHEAD } from '../../../../../src/factors/hotp.ts';
import { newRecoveryCodes, recoveryHash } from '../../../../../src/factors/recovery-code.ts';
import { markKey } from '../../../../../src/daemon/ledger/mark-key.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { RECOVERY_KEY, storeContext } from '../../../fixtures/store-context.ts';
import { verified } from '../../../fixtures/verified.ts';

const TOKEN: HotpFactor = {
  kind: 'hotp',
  id: 'abcdef',
  name: 'token',
  added: 1,
  secret: Buffer.from('12345678901234567890'),
  algorithm: 'sha1',
  digits: 6,
  counter: 0,
};

let ledger: InMemoryLedger;
let clock: number;
let context: StoreContext;
beforeEach(() => {
  ledger = new InMemoryLedger();
  clock = 0;
  context = storeContext(ledger, () => clock);
});

function type(
  factors: readonly StoredFactor[],
  text: Buffer | string,
  shape = 'digits',
): Promise<Verification> {
  const bytes = Buffer.from(text);
  const reading = { shape: { class: shape as 'digits', length: shape === 'digits' ? 6 : 16 }, text: bytes };
  return verified(
    storeEnrolment('alice', factors, () => factors, context),
    ledger,
    [reading],
    0,
  );
}
const press = (counter: number): Promise<Verification> => type([TOKEN], hotpValue(TOKEN, counter));

const RIGHT = { kind: 'accepted', factor: 'hotp:token', reading: 0 };
const WRONG = { kind: 'rejected', reason: 'wrong-code' };
const USED = { kind: 'rejected', reason: 'code-already-used', factor: 'hotp:token' };

describe('recovery codes that run out', () => {
  it('are reported with every right code, from three on', async () => {
    const hashes = Array.from({ length: 5 }, (_, number) => Buffer.alloc(32, number));
    const few: StoredFactor = { kind: 'recovery', id: 'codes1', name: 'codes', added: 1, hashes };
    const use = (count: number): void =>
      hashes
        .slice(0, count)
        .forEach((hash) => ledger.marks.set(markKey('alice', 'recovery', hash), { value: 1, at: 0 }));
    use(1);
    expect(await type([TOKEN, few], hotpValue(TOKEN, 0))).toEqual(RIGHT);
    use(2);
    expect(await type([TOKEN, few], hotpValue(TOKEN, 1))).toEqual({ ...RIGHT, recoveryCodesLeft: 3 });
    expect(await type([TOKEN, few], hotpValue(TOKEN, 1))).toEqual(USED);
    use(5);
    expect(await type([TOKEN, few], hotpValue(TOKEN, 2))).toEqual({ ...RIGHT, recoveryCodesLeft: 0 });
  });
});

describe('HOTP', () => {
  it('accepts each code once, in their order', async () => {
    expect(await press(0)).toEqual(RIGHT);
    expect(await press(0)).toEqual(USED);
    expect(await press(1)).toEqual(RIGHT);
    expect(await press(0)).toEqual(WRONG);
  });

  it('begins with the counter of the enrolment', async () => {
    const later = { ...TOKEN, counter: 50 };
    expect(await type([later], hotpValue(TOKEN, 49))).toEqual(WRONG);
    expect(await type([later], hotpValue(TOKEN, 50))).toEqual(RIGHT);
  });

  it('forgives codes that were not typed, up to the look-ahead', async () => {
    expect(await press(LOOK_AHEAD)).toEqual(WRONG);
    expect(await press(LOOK_AHEAD - 1)).toEqual(RIGHT);
    expect(await press(LOOK_AHEAD - 2)).toEqual(WRONG);
  });

  it('forgives as many as the factor says', async () => {
    const narrow = { ...TOKEN, window: 1 };
    expect(await type([narrow], hotpValue(TOKEN, 1))).toEqual(WRONG);
    expect(await type([narrow], hotpValue(TOKEN, 0))).toEqual(RIGHT);
    const wide = { ...TOKEN, window: 21 };
    expect(await type([wide], hotpValue(TOKEN, 21))).toEqual(RIGHT);
  });

  it('resynchronises with two codes in a row', async () => {
    expect(await press(50)).toEqual(WRONG);
    expect(await press(51)).toEqual(RIGHT);
    expect(await press(50)).toEqual(WRONG);
    expect(await press(51)).toEqual(USED);
    expect(await press(52)).toEqual(RIGHT);
  });

  it('does not resynchronise with other codes, too late, or too far', async () => {
    await press(50);
    expect(await press(52), 'not the next one').toEqual(WRONG);
    expect(await press(53), 'the next after the last one typed').toEqual(RIGHT);
    await press(100);
    clock += 5 * 60_000 + 1;
    expect(await press(101), 'after five minutes').toEqual(WRONG);
    const far = 54 + LOOK_AHEAD + RESYNC_LOOK_AHEAD;
    await press(far);
    expect(await press(far + 1), 'out of reach').toEqual(WRONG);
  });

  it('does not resynchronise one user with the code of another', async () => {
    await press(50);
    const bob = storeEnrolment('bob', [TOKEN], () => [TOKEN], context);
    const reading = { shape: { class: 'digits', length: 6 } as const, text: hotpValue(TOKEN, 51) };
    expect(await bob.verify([reading], 0)).toEqual(WRONG);
  });

  it('is refused when the use cannot be recorded', async () => {
    ledger.answer = 'unavailable';
    expect(await press(0)).toMatchObject({ kind: 'unavailable', factor: 'hotp:token' });
  });
});

describe('recovery codes', () => {
  const CODES = newRecoveryCodes();
  const SET: RecoveryFactor = {
    kind: 'recovery',
    id: 'ghijkm',
    name: 'codes',
    added: 1,
    hashes: CODES.map((code) => recoveryHash(RECOVERY_KEY, 'alice', code)),
  };
  const typed = (code: string): Promise<Verification> => type([TOKEN, SET], code, 'recovery');

  it('are ten, of 16 base32 characters in four groups, all different', () => {
    expect(CODES).toHaveLength(10);
    expect(new Set(CODES).size).toBe(10);
    for (const code of CODES) {
      expect(code).toMatch(/^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
    }
  });

  it('work once each, however they are written', async () => {
    const accepted = { kind: 'accepted', factor: 'recovery:codes', reading: 0 };
    expect(await typed(CODES[0]!)).toEqual(accepted);
    expect(await typed(CODES[1]!.replaceAll('-', '').toLowerCase())).toEqual(accepted);
    expect(await typed(CODES[2]!.replaceAll('-', ' '))).toEqual(accepted);
    for (const code of CODES.slice(0, 3)) {
      expect(await typed(code)).toEqual({
        kind: 'rejected',
        reason: 'code-already-used',
        factor: 'recovery:codes',
      });
    }
    expect(await typed('AAAABBBBCCCCDDDD')).toEqual(WRONG);
  });

  it('of one user do not work for another', async () => {
    const bob = storeEnrolment('bob', [SET], () => [SET], context);
    const text = Buffer.from(CODES[4]!);
    expect(await bob.verify([{ shape: { class: 'recovery', length: 16 }, text }], 0)).toEqual(WRONG);
  });

  it('are asked for beside other codes, and kept as hashes only', () => {
    expect(shapesOf([SET, TOKEN])).toEqual([
      { class: 'digits', length: 6 },
      { class: 'recovery', length: 16 },
    ]);
    const text = formatRecord({ user: 'alice', uid: 1, factors: [TOKEN, SET] });
    for (const code of CODES) {
      expect(text).not.toContain(code.slice(0, 4));
    }
    expect(parseRecord(text).factors).toEqual([TOKEN, SET]);
  });
});
