import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRecord } from '../../../../../src/daemon/enrolments/store/parse-record.ts';
import { recordFileName } from '../../../../../src/contracts/record-file-name.ts';
import {
  formatRecord,
  type EnrolmentRecord,
  type StoredFactor,
} from '../../../../../src/daemon/enrolments/store/record.ts';
import { RecordError } from '../../../../../src/daemon/enrolments/store/record-error.ts';
import { recordSchema } from './record-schema.ts';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

const FACTOR = {
  kind: 'totp',
  id: 'abcdef',
  name: 'pixel-7',
  added: 1_700_000_000,
  secret: SECRET,
  algorithm: 'sha1',
  digits: 6,
  period: 30,
  window: 3,
};
const RECORD = { schema: 1, user: 'alice', uid: 1000, factors: [FACTOR] };

function messageOf(text: string): string {
  try {
    parseRecord(text);
  } catch (error) {
    expect(error).toBeInstanceOf(RecordError);
    return (error as RecordError).message;
  }
  return expect.unreachable('the record was accepted');
}

const withFactor = (change: object): string =>
  JSON.stringify({ ...RECORD, factors: [FACTOR, { ...FACTOR, id: 'other1', name: 'other', ...change }] });
const withoutKey = (object: object, key: string): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));

describe('parseRecord', () => {
  it('reads a record', () => {
    expect(parseRecord(JSON.stringify(RECORD))).toEqual({
      user: 'alice',
      uid: 1000,
      factors: [{ ...FACTOR, secret: Buffer.from('12345678901234567890') }],
    });
  });

  it.each([
    ['', 'the file is empty'],
    ['{', 'the file is not JSON'],
    [`{"secret": "${SECRET}"`, 'the file is not JSON'],
    ['\0'.repeat(100), 'the file is not JSON'],
    ['null', 'the record'],
    ['[]', 'the record'],
    ['"text"', 'the record'],
  ])('refuses %j', (text, place) => {
    expect(messageOf(text)).toContain(place);
    expect(messageOf(text)).not.toContain(SECRET);
  });

  it.each(Object.keys(RECORD))('refuses a record without "%s"', (key) => {
    expect(messageOf(JSON.stringify(withoutKey(RECORD, key)))).toMatch(new RegExp(`^${key}:`));
  });

  it.each(Object.keys(FACTOR))('refuses a factor without "%s"', (key) => {
    const text = JSON.stringify({ ...RECORD, factors: [FACTOR, withoutKey(FACTOR, key)] });
    expect(messageOf(text)).toMatch(new RegExp(`^factors\\.1\\.${key}:`));
  });

  it('refuses what it does not know', () => {
    expect(messageOf(JSON.stringify({ ...RECORD, extra: 1 }))).toMatch(/^the record: /);
    expect(messageOf(withFactor({ extra: 1 }))).toMatch(/^factors\.1: /);
  });

  it.each([
    ['schema', [0, 2, '1', null]],
    ['user', ['', 5, null, ['alice']]],
    ['uid', [-1, 1.5, '1000', null, 2 ** 53]],
    ['factors', [null, {}, 'totp', Array.from({ length: 17 }, () => FACTOR)]],
  ])('refuses a record whose "%s" is wrong', (key, values) => {
    for (const value of values) {
      expect(messageOf(JSON.stringify({ ...RECORD, [key]: value }))).toMatch(new RegExp(`^${key}:`));
    }
  });

  it.each([
    ['kind', ['sms', 'TOTP', 1, null]],
    ['id', ['abc', 'a'.repeat(17), 'ABCDEF', 'abc-def', '', 5]],
    ['name', ['', ' ', 'a b', '.x', '-x', 'x'.repeat(33), 'ä', 'a\nb', 'a=b', 'a"b', null]],
    ['added', [-1, 1.5, '2024', null]],
    ['secret', ['', 'AAAA', 'A'.repeat(15), 'A'.repeat(207), `${SECRET}1`, `${SECRET}ſ`, 5, null]],
    ['algorithm', ['md5', 'SHA1', '', 1, null]],
    ['digits', [5, 9, '6', 6.5, null]],
    ['period', [0, 301, 1.5, '30', null]],
    ['window', [0, 101, 1.5, '3', null]],
    ['paused', [false, 'true', 1, null]],
    [
      'limit',
      [
        null,
        3,
        { attempts: 3 },
        { attempts: 0, seconds: 1 },
        { attempts: 101, seconds: 1 },
        { attempts: 1, seconds: 3_601 },
      ],
    ],
  ])('refuses a factor whose "%s" is wrong', (key, values) => {
    for (const value of values) {
      const message = messageOf(withFactor({ [key]: value }));
      expect(message).toMatch(new RegExp(`^factors\\.1\\.${key}[.:]`));
      expect(message).not.toContain(SECRET.slice(0, 8));
    }
  });

  it.each([
    ['period', [1, 300]],
    ['window', [1, 100]],
    ['digits', [6, 7, 8]],
    ['name', ['x', 'x'.repeat(32), 'A.b_c@d-e', '0']],
    ['id', ['abcd', 'a'.repeat(16)]],
    ['secret', ['A'.repeat(16), 'A'.repeat(206)]],
    ['paused', [true]],
    [
      'limit',
      [
        { attempts: 1, seconds: 1 },
        { attempts: 100, seconds: 3_600 },
      ],
    ],
  ])('takes the bounds of "%s"', (key, values) => {
    for (const value of values) {
      expect(parseRecord(withFactor({ [key]: value })).factors).toHaveLength(2);
    }
  });

  it('takes sixteen factors', () => {
    const factors = Array.from({ length: 16 }, (_, number) => ({
      ...FACTOR,
      id: `id${number + 10}`,
      name: `n${number}`,
    }));
    expect(parseRecord(JSON.stringify({ ...RECORD, factors })).factors).toHaveLength(16);
  });

  it('refuses two factors that a command could not tell apart', () => {
    expect(messageOf(withFactor({ id: FACTOR.id }))).toContain('same id');
    expect(messageOf(withFactor({ name: FACTOR.name }))).toContain('same name');
  });

  it('never quotes a secret, wherever it stands and whatever is wrong', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(FACTOR)),
        fc.constantFrom(SECRET, [SECRET], { secret: SECRET }, `${SECRET}!`),
        fc.boolean(),
        (key, value, cut) => {
          const wrong = value === SECRET ? `${SECRET}?` : value;
          const text = withFactor({ secret: `${SECRET}!`, [key]: wrong });
          expect(messageOf(cut ? text.slice(0, -1) : text)).not.toContain(SECRET);
        },
      ),
    );
  });
});

describe('parseRecord and the schema', () => {
  const added = 1_700_000_000;
  const hex = (bytes: number): string => 'a1'.repeat(bytes);
  const good = [
    FACTOR,
    { ...FACTOR, id: 'paused', name: 'p', paused: true, limit: { attempts: 3, seconds: 30 } },
    {
      ...withoutKey(withoutKey(FACTOR, 'period'), 'window'),
      kind: 'hotp',
      id: 'hotp',
      name: 'h',
      counter: 7,
    },
    { kind: 'recovery', id: 'reco', name: 'r', added, hashes: [hex(32), hex(32)] },
    {
      kind: 'google-authenticator',
      id: 'goog',
      name: 'g',
      added,
      file: Buffer.from(`${SECRET}\n" TOTP_AUTH\n12345678\n`).toString('base64'),
    },
    { kind: 'yubikey-online', id: 'yubi', name: 'y', added, publicId: 'cccccccccccb' },
    {
      kind: 'yubikey-offline',
      id: 'yubo',
      name: 'z',
      added,
      publicId: '',
      privateId: hex(6),
      aesKey: hex(16),
    },
  ];
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      {},
      [],
      '',
      0,
      -1,
      1,
      1.5,
      301,
      2 ** 53,
      ' ',
      SECRET,
      hex(6),
      hex(32),
    ),
    fc.constantFrom<unknown>('totp', 'hotp', 'recovery', 'sha1', 6, 'vvvv', 'cb', [hex(32)], {
      attempts: 1,
      seconds: 1,
    }),
    fc.jsonValue(),
  );

  /** Every object in a value, the value itself among them. */
  function objectsIn(value: unknown): object[] {
    return typeof value === 'object' && value !== null
      ? [value, ...Object.values(value).flatMap(objectsIn)]
      : [];
  }

  function accepts(text: string): unknown {
    try {
      return parseRecord(text);
    } catch (error) {
      expect(error).toBeInstanceOf(RecordError);
      return undefined;
    }
  }

  it('both take a record of every kind', () => {
    const record = { ...RECORD, factors: good };
    const { schema, ...expected } = recordSchema.parse(record);
    expect(schema).toBe(1);
    expect(parseRecord(JSON.stringify(record))).toEqual(expected);
  });

  it('agree on every record in which something is changed, missing, or too much', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(good, { minLength: 1 }),
        fc.array(fc.record({ object: fc.nat(), key: fc.nat(), value: odd, how: fc.nat(9) }), {
          maxLength: 2,
        }),
        (factors, changes) => {
          const record = JSON.parse(JSON.stringify({ ...RECORD, factors })) as object;
          for (const { object, key, value, how } of changes) {
            const objects = objectsIn(record);
            const chosen = objects[object % objects.length]!;
            const names = [
              ...Object.keys(chosen),
              ...(Array.isArray(chosen) ? [] : ['extra', 'window', 'paused']),
            ];
            const name = names[key % Math.max(names.length, 1)];
            if (name !== undefined && how === 0) {
              Reflect.deleteProperty(chosen, name);
            } else if (name !== undefined) {
              Reflect.set(chosen, name, structuredClone(value));
            }
          }
          const text = JSON.stringify(record);
          const judged = recordSchema.safeParse(JSON.parse(text));
          const expected = judged.success
            ? { user: judged.data.user, uid: judged.data.uid, factors: judged.data.factors }
            : undefined;
          expect(accepts(text)).toEqual(expected);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe('formatRecord', () => {
  const factor: fc.Arbitrary<StoredFactor> = fc.record({
    kind: fc.constant('totp'),
    id: fc.stringMatching(/^[a-z0-9]{4,16}$/),
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,31}$/),
    added: fc.nat(),
    secret: fc.uint8Array({ minLength: 10, maxLength: 128 }).map((bytes) => Buffer.from(bytes)),
    algorithm: fc.constantFrom('sha1', 'sha256', 'sha512'),
    digits: fc.constantFrom(6, 7, 8),
    period: fc.integer({ min: 1, max: 300 }),
    window: fc.integer({ min: 1, max: 100 }),
  });
  const record: fc.Arbitrary<EnrolmentRecord> = fc.record({
    user: fc.string({ unit: 'grapheme', minLength: 1 }),
    uid: fc.integer({ min: 0, max: 0xffff_fffe }),
    factors: fc
      .uniqueArray(factor, { maxLength: 16, selector: ({ id }) => id })
      .map((factors) =>
        factors.map((one, number) => ({ ...one, name: `${one.name.slice(0, 29)}-${number}` })),
      ),
  });

  it('writes what parseRecord reads', () => {
    fc.assert(
      fc.property(record, (written) => {
        expect(parseRecord(formatRecord(written))).toEqual(written);
      }),
    );
  });
});

describe('recordFileName', () => {
  it.each([
    ['alice', 'alice.json'],
    ['a_b-9', 'a_b-9.json'],
    ['Alice', '%41lice.json'],
    ['../x', '%2E%2E%2Fx.json'],
    ['.', '%2E.json'],
    ['a%2fb', 'a%252fb.json'],
    ['a.json', 'a%2Ejson.json'],
    ['jürgen', 'j%C3%BCrgen.json'],
    ['a b\n', 'a%20b%0A.json'],
  ])('of %j is %s', (user, name) => {
    expect(recordFileName(user)).toBe(name);
  });

  it('of a long name is as long, and not cut', () => {
    expect(recordFileName('x'.repeat(300))).toBe(`${'x'.repeat(300)}.json`);
  });

  it('is one for each name, in one directory, and leads back to the name', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      fc.stringMatching(/^[aA%41./]{1,6}$/),
    );
    fc.assert(
      fc.property(name, name, (one, other) => {
        const file = recordFileName(one);
        expect(file).toMatch(/^[a-z0-9_%A-F-]+\.json$/);
        expect(decodeURIComponent(file.slice(0, -5))).toBe(one);
        // A file system may ignore case.
        expect(file.toLowerCase() === recordFileName(other).toLowerCase()).toBe(one === other);
      }),
      { numRuns: 1_000 },
    );
  });
});
