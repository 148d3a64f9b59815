import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attempt } from '../../../../../src/daemon/enrolments/home/attempt.ts';
import { decide, type Decision } from '../../../../../src/daemon/enrolments/store/decide.ts';
import { exportedText } from '../../../../../src/daemon/enrolments/store/export-file.ts';
import {
  MAX_SCRATCH_CODES,
  readImportedFile,
  type ImportedFile,
} from '../../../../../src/daemon/enrolments/store/imported-file.ts';
import type { ImportedFactor } from '../../../../../src/daemon/enrolments/store/record.ts';
import { limitsOf, shapesOf } from '../../../../../src/daemon/enrolments/store/store-enrolment.ts';
import type { TypedCode } from '../../../../../src/factors/code-shape.ts';
import { hotpValue } from '../../../../../src/factors/hotp-value.ts';
import { NOW, stateFile, STEP } from '../../../fixtures/state-files.ts';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const BYTES = Buffer.from('12345678901234567890');

function imported(text: string): ImportedFile {
  const file = readImportedFile(text);
  return 'problems' in file ? expect.unreachable(JSON.stringify(file.problems)) : file;
}

function problemsOf(text: string): string[] {
  const file = readImportedFile(text);
  return 'problems' in file ? file.problems.map(({ line, key }) => `${line} ${key}`) : [];
}

const digits = (text: string): TypedCode => ({
  shape: { class: 'digits', length: text.length },
  text: Buffer.from(text),
});
const codeAt = (counter: number): string =>
  hotpValue({ secret: BYTES, algorithm: 'sha1', digits: 6 }, counter).toString();

/** The used codes: `decide` together with a ledger. */
class Uses {
  readonly marks = new Map<string, number>();
  readonly markOf = (key: string): number | undefined => this.marks.get(key);
  readonly #factor: ImportedFactor;

  constructor(text: string) {
    const file = imported(text);
    this.#factor = { kind: 'google-authenticator', id: 'abcdef', name: 'imported', added: 1, file };
  }

  decide(code: string): Decision {
    const known = {
      user: 'alice',
      recoveryKey: Buffer.alloc(32),
      markOf: this.markOf,
      farAheadOf: () => undefined,
      now: NOW,
    };
    return decide(known, [this.#factor], [digits(code)]);
  }

  /** Whether a code is right, and uses it up. */
  use(code: string): boolean {
    const [match] = this.decide(code).matches;
    if (match !== undefined) {
      this.marks.set(match.key, match.mark);
    }
    return match !== undefined;
  }

  exported(): string {
    return exportedText('alice', this.#factor.file, this.markOf);
  }
}

/** pam_google_authenticator's verdict about a code. */
function peerAccepts(text: string, code: string): boolean {
  const terms = { now: NOW / 1000, adjustSkew: false, lastStep: -1, incrementCounter: true };
  return attempt(text, [{ code: Buffer.from(code) }], terms).result.kind === 'accepted';
}

describe('readImportedFile', () => {
  it('takes everything that counts', () => {
    const file = imported(
      `${SECRET}\n" RATE_LIMIT 3 30 1700000000\n" WINDOW_SIZE 17\n" STEP_SIZE 60\n" TIME_SKEW -2\n` +
        `" DISALLOW_REUSE 7 8\n" TOTP_AUTH\n11111111\n22222222\n11111111\n`,
    );
    expect(file).toMatchObject({
      token: { kind: 'totp', secret: BYTES, algorithm: 'sha1', digits: 6, period: 60, window: 17, skew: -2 },
      usedSteps: [7, 8],
      rateLimit: { attempts: 3, seconds: 30, times: [1_700_000_000] },
    });
    expect(file.scratch.codes.map(String)).toEqual(['11111111', '22222222']);
  });

  it('takes a counter before the time, as pam_google_authenticator does', () => {
    expect(imported(`${SECRET}\n" TOTP_AUTH\n" HOTP_COUNTER 5\n`).token).toMatchObject({
      kind: 'hotp',
      counter: 5,
      window: 3,
    });
    expect(imported(`${SECRET}\n" TOTP_AUTH\n" HOTP_COUNTER 0\n`).token).toMatchObject({ kind: 'totp' });
  });

  it.each([
    ['not base32!\n" TOTP_AUTH\n', ['1 secret']],
    [`${SECRET}=\n" TOTP_AUTH\n`, ['1 secret']],
    ['GEZDGNBVGY3TQ\n" TOTP_AUTH\n', ['1 secret']],
    [`${SECRET}\n" TOTP_AUTH\n\0`, ['3 a NUL byte']],
    [`${SECRET}\n" TOTP_AUTH\n" WINDOW_SIZE 101\n`, ['3 WINDOW_SIZE']],
    [`${SECRET}\n\n" TOTP_AUTH\n" STEP_SIZE x\n" WINDOW_SIZE 0\n`, ['4 STEP_SIZE', '5 WINDOW_SIZE']],
    [`${SECRET}\r\n" TOTP_AUTH\r\n" RATE_LIMIT 3 30 \r\n`, ['3 RATE_LIMIT']],
    [`${SECRET}\n" TOTP_AUTH\n" TIME_SKEW soon\n`, ['3 TIME_SKEW']],
    [`${SECRET}\n" HOTP_COUNTER 999999999999999\n`, ['2 HOTP_COUNTER']],
    [`${SECRET}\n" HOTP_COUNTER one\n`, ['2 HOTP_COUNTER']],
    [`${SECRET}\n" TOTP_AUTH\n" DISALLOW_REUSE 1 two\n`, ['3 DISALLOW_REUSE']],
    [`${SECRET}\n" WINDOW_SIZE 3\n`, ['1 TOTP_AUTH']],
    [
      `${SECRET}\n" TOTP_AUTH\n${Array.from({ length: MAX_SCRATCH_CODES + 1 }, (_, n) => 10_000_000 + n).join('\n')}\n`,
      ['1 scratch codes'],
    ],
  ])('says what is wrong in %j', (text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('does not quote the file', () => {
    const said = JSON.stringify(
      readImportedFile('SECRET-WORDS!\n" TIME_SKEW 31337x\n" HOTP_COUNTER z31337\n'),
    );
    expect(said).not.toMatch(/SECRET-WORDS|31337/);
  });

  it('never throws for other files', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), stateFile),
        fc.nat(),
        fc.string(),
        (text, at, inserted) => {
          const broken =
            text.slice(0, at % (text.length + 1)) + inserted + text.slice(at % (text.length + 1));
          readImportedFile(Buffer.from(broken).toString('latin1'));
        },
      ),
    );
  });
});

describe('an imported file', () => {
  const TOTP = `${SECRET}\n" DISALLOW_REUSE\n" TOTP_AUTH\n11111111\n22222222\n`;

  it('asks for codes of the lengths that it has', () => {
    const lengths = (text: string): number[] =>
      shapesOf([{ kind: 'google-authenticator', id: 'a', name: 'b', added: 1, file: imported(text) }]).map(
        ({ length }) => length,
      );
    expect(lengths(TOTP)).toEqual([6, 8]);
    expect(lengths(`${SECRET}\n" HOTP_COUNTER 1\n`)).toEqual([6]);
    expect(lengths(`${SECRET}\n11111111\n`)).toEqual([8]);
  });

  it('keeps its own limit of guesses', () => {
    const factor = (text: string): ImportedFactor => ({
      kind: 'google-authenticator',
      id: 'abcdef',
      name: 'imported',
      added: 1,
      file: imported(text),
    });
    expect(limitsOf([factor(`${SECRET}\n" RATE_LIMIT 2 60 5\n" TOTP_AUTH\n`)])).toMatchObject([
      { attempts: 2, seconds: 60 },
    ]);
    expect(limitsOf([factor(TOTP)])).toEqual([]);
  });

  it('opens once with each code', () => {
    const uses = new Uses(TOTP);
    for (const code of [codeAt(STEP), '22222222', '11111111']) {
      expect(uses.use(code)).toBe(true);
      expect(uses.use(code)).toBe(false);
    }
    expect(uses.decide('11111111')).toMatchObject({ matches: [], spent: 'scratch:imported' });
    expect(uses.decide('33333333')).toEqual({ matches: [], spent: undefined, farAhead: [], lookUps: [] });
  });

  it('goes by the clock of the phone', () => {
    const uses = new Uses(`${SECRET}\n" TIME_SKEW -5\n" TOTP_AUTH\n`);
    expect(uses.use(codeAt(STEP))).toBe(false);
    expect(uses.use(codeAt(STEP - 6))).toBe(true);
    expect(uses.use(codeAt(STEP - 5))).toBe(true);
  });

  it('looks as far ahead as its window says', () => {
    const uses = new Uses(`${SECRET}\n" HOTP_COUNTER 7\n" WINDOW_SIZE 4\n`);
    expect(uses.decide(codeAt(11)).matches).toEqual([]);
    expect(uses.use(codeAt(10))).toBe(true);
    expect(uses.use(codeAt(9))).toBe(false);
    expect(uses.exported()).toBe(`${SECRET}\n" HOTP_COUNTER 11\n" WINDOW_SIZE 4\n`);
  });
});

describe('exportedText', () => {
  it('is the file that was imported, byte for byte, when nothing was used', () => {
    fc.assert(
      fc.property(stateFile, (text) => {
        expect(new Uses(text).exported()).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves out used codes, and nothing else', () => {
    const text = `${SECRET}\n" WINDOW_SIZE 3\n" DISALLOW_REUSE 5\n" TOTP_AUTH\n11111111\n22222222\n33333333\n`;
    const uses = new Uses(text);
    expect([uses.use('22222222'), uses.use(codeAt(STEP - 1))]).toEqual([true, true]);
    const steps = [STEP - 3, STEP - 2, STEP - 1].join(' ');
    expect(uses.exported()).toBe(
      `${SECRET}\n" WINDOW_SIZE 3\n" DISALLOW_REUSE ${steps}\n" TOTP_AUTH\n11111111\n33333333\n`,
    );
  });

  it('is a file in which nothing that was used counts, and all else does', () => {
    const window = fc.integer({ min: 1, max: 20 });
    const steps = fc.array(fc.integer({ min: -10, max: 10 }), { maxLength: 8 });
    const codes = fc.constantFrom('11111111', '22222222', '33333333');
    fc.assert(
      fc.property(window, steps, fc.array(codes, { maxLength: 3 }), (width, offsets, scratched) => {
        const uses = new Uses(
          `${SECRET}\n" WINDOW_SIZE ${width}\n" DISALLOW_REUSE\n" TOTP_AUTH\n11111111\n22222222\n33333333\n`,
        );
        const used = [...offsets.map((offset) => codeAt(STEP + offset)), ...scratched].filter((code) =>
          uses.use(code),
        );
        const text = uses.exported();
        for (const code of used) {
          expect(peerAccepts(text, code)).toBe(false);
        }
        for (const code of ['11111111', '22222222', '33333333']) {
          expect(peerAccepts(text, code)).toBe(!(scratched as string[]).includes(code));
        }
        const newest = Math.max(STEP - 11, ...uses.marks.values());
        const next = newest + 1;
        const inWindow = next >= STEP - Math.floor((width - 1) / 2) && next <= STEP + Math.floor(width / 2);
        expect(peerAccepts(text, codeAt(next))).toBe(inWindow);
      }),
    );
  });

  it('removes a scratch code wherever it stands', () => {
    const uses = new Uses(`${SECRET}\n" TOTP_AUTH\n11111111\n22222222\n11111111\n`);
    expect(uses.use('11111111')).toBe(true);
    expect(uses.exported()).toBe(`${SECRET}\n" TOTP_AUTH\n22222222\n`);
  });

  it('leaves a file that allows reuse as it is', () => {
    const text = `${SECRET}\n" TOTP_AUTH\n`;
    const uses = new Uses(text);
    expect([uses.use(codeAt(STEP)), uses.use(codeAt(STEP))]).toEqual([true, false]);
    expect(uses.exported()).toBe(text);
  });
});
