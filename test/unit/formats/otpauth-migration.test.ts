import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MigrationError, readMigrationUri } from '../../../src/formats/otpauth-migration.ts';

const SECRET = Buffer.from('12345678901234567890');

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, value: Buffer | string): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(Buffer.byteLength(value)), Buffer.from(value)]);

interface Written {
  secret?: Buffer;
  name?: string;
  issuer?: string;
  algorithm?: number;
  digits?: number;
  type?: number;
  counter?: number;
}

/** An account as the app writes it, without fields that are 0 or empty. */
function account({ secret, name, issuer, algorithm, digits, type, counter }: Written): Buffer {
  const numbers = [algorithm, digits, type, counter];
  return Buffer.concat([
    ...[secret, name, issuer].map((value, index) =>
      value === undefined ? Buffer.alloc(0) : bytes(index + 1, value),
    ),
    ...numbers.map((value, index) => (value === undefined ? Buffer.alloc(0) : number(index + 4, value))),
  ]);
}

function uri(...parts: Buffer[]): string {
  return `otpauth-migration://offline?data=${encodeURIComponent(Buffer.concat(parts).toString('base64'))}`;
}

const export1 = (...written: Written[]): string => uri(...written.map((one) => bytes(1, account(one))));

describe('an export of the app', () => {
  it('is read as a public example of one is', () => {
    // The example that is quoted most.
    const text =
      'otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC';
    expect(readMigrationUri(text)).toEqual({
      accounts: [
        {
          name: 'Example:alice@google.com',
          issuer: 'Example',
          factor: {
            secret: Buffer.from('48656c6c6f21deadbeef', 'hex'),
            algorithm: 'sha1',
            digits: 6,
            period: 30,
            window: 3,
          },
        },
      ],
      part: 1,
      parts: 1,
    });
  });

  it('has time-based and counter-based accounts, of every algorithm and length', () => {
    const { accounts } = readMigrationUri(
      export1(
        { secret: SECRET, name: 'a', algorithm: 2, digits: 2, type: 2 },
        { secret: SECRET, name: 'b', algorithm: 3, digits: 1, type: 1, counter: 300 },
      ),
    );
    expect(accounts).toEqual([
      {
        name: 'a',
        issuer: '',
        factor: { secret: SECRET, algorithm: 'sha256', digits: 8, period: 30, window: 3 },
      },
      { name: 'b', issuer: '', factor: { secret: SECRET, algorithm: 'sha512', digits: 6, counter: 300 } },
    ]);
  });

  it('says which of several QR codes it is', () => {
    const text = uri(
      bytes(1, account({ secret: SECRET })),
      number(2, 1),
      number(3, 3),
      number(4, 1),
      number(5, 77),
    );
    expect(readMigrationUri(text)).toMatchObject({ part: 2, parts: 3 });
  });

  it('is read with plus signs that became blanks, and in the other base64', () => {
    const secret = Buffer.from('+/+/+/+/+/+/', 'base64').subarray(0, 9);
    const whole = Buffer.concat([secret, SECRET]);
    // Six bytes come before the secret, so its base64 groups of three begin where those of the export do.
    const text = uri(number(2, 1), bytes(1, account({ secret: whole })));
    const blanks = text.replaceAll('%2B', ' ');
    const other = text.replaceAll('%2B', '-').replaceAll('%2F', '_');
    for (const same of [blanks, other]) {
      expect(same).not.toBe(text);
      expect(readMigrationUri(same).accounts[0]?.factor.secret).toEqual(whole);
    }
  });

  it.each([
    ['something else', 'otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ', /must begin with/],
    ['without data', 'otpauth-migration://offline?', /must begin with/],
    ['not base64', 'otpauth-migration://offline?data=a,b', /not base64/],
    ['empty', uri(number(2, 1)), /no account/],
    [
      'a short secret',
      export1({ secret: SECRET.subarray(0, 9) }),
      /account 1: a secret must have 10 to 128 bytes, not 9/,
    ],
    ['no secret', export1({ secret: SECRET }, { name: 'x' }), /account 2: a secret must have/],
    ['MD5', export1({ secret: SECRET, algorithm: 4 }), /algorithm/],
    ['a strange length', export1({ secret: SECRET, digits: 9 }), /6 nor 8/],
    [
      'a counter that no token reaches',
      export1({ secret: SECRET, type: 1, counter: 2 ** 48 + 1 }),
      /counter is larger/,
    ],
    ['a strange type', export1({ secret: SECRET, type: 3 }), /neither time-based/],
    [
      'a number for a text',
      uri(bytes(1, Buffer.concat([account({ secret: SECRET }), number(2, 1)]))),
      /ends in the middle/,
    ],
    ['129 accounts', export1(...Array.from({ length: 129 }, () => ({ secret: SECRET }))), /more than 128/],
  ])('that is wrong is refused: %s', (_, text, message) => {
    expect(() => readMigrationUri(text)).toThrow(MigrationError);
    expect(() => readMigrationUri(text)).toThrow(message);
  });

  it('that is cut anywhere is refused', () => {
    const whole = bytes(1, account({ secret: SECRET, name: 'alice', issuer: 'x', type: 2 }));
    for (let length = 0; length < whole.length; length++) {
      expect(() => readMigrationUri(uri(whole.subarray(0, length)))).toThrow(MigrationError);
    }
  });

  it('never makes anything but a MigrationError of random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        try {
          readMigrationUri(uri(Buffer.from(random)));
        } catch (error) {
          expect(error).toBeInstanceOf(MigrationError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('gives back what was written', () => {
    const written = fc.record({
      secret: fc.uint8Array({ minLength: 10, maxLength: 128 }).map((random) => Buffer.from(random)),
      name: fc.string({ unit: 'binary', maxLength: 40 }),
      issuer: fc.string({ unit: 'binary', maxLength: 40 }),
      type: fc.constantFrom(1, 2),
      counter: fc.nat({ max: 2 ** 31 - 1 }),
    });
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 10 }), (list) => {
        const { accounts } = readMigrationUri(export1(...list));
        expect(
          accounts.map(({ name, issuer, factor }) => [
            name,
            issuer,
            factor.secret,
            'counter' in factor ? factor.counter : 'time',
          ]),
        ).toEqual(
          list.map(({ name, issuer, secret, type, counter }) => [
            name,
            issuer,
            secret,
            type === 1 ? counter : 'time',
          ]),
        );
      }),
    );
  });
});
