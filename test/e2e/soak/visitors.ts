import { randomInt } from 'node:crypto';
import { decodeBase32 } from '../../../src/factors/base32.ts';
import { newRecoveryCodes } from '../../../src/factors/recovery-code.ts';
import type { OfflineYubikeyFactor } from '../../../src/daemon/enrolments/store/record.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { hotpCode } from '../harness/code.ts';
import type { Stage } from '../daemon/stage.ts';
import { enrol, sheetOwner, tokenOwner, type Account } from '../faults/factors.ts';
import { Worlds, type Came, type Expected, type Judge } from './worlds.ts';

const PERIOD = 30;
/** Steps around now that are accepted, on either side. */
const AROUND = 1;
/**
 * Among thousands of wrong six-digit codes, some would be right by chance. {@link Worlds} notices that, but eight digits are
 * better.
 */
const DIGITS = 8;
const HOME_DIGITS = 6;
/** Codes of a token that are accepted from the next one on: of the store, and of a file without WINDOW_SIZE. */
const LOOK_AHEAD = 10;
const HOME_LOOK_AHEAD = 3;
const HOME_WINDOW = 3;
const FIRST_COUNTER = 1;
const SCRATCH_CODES = 10;
const SCRATCH_CODE = /^\d{8}$/;

/** A person who logs in again and again, with every kind of answer. */
export interface Visitor extends Account {
  /** Their factors. */
  readonly kind: string;
  /** Whether their codes cannot be checked while the daemon's disk is full. */
  readonly needsDisk: boolean;
  /** A code that should let them in, undefined when they have none left; the time is the daemon's. */
  right(now: number): string | undefined;
  /** A wrong code. */
  wrong(): string;
  /** The expected result of an answer: {@link Worlds.expected}. */
  expected(typed: string, readings: readonly number[]): Expected;
  /** Records the result: {@link Worlds.learn}. */
  learn(typed: string, readings: readonly number[], came: Came): void;
}

interface Nature<S> {
  readonly kind: string;
  readonly needsDisk: boolean;
  readonly first: S;
  readonly judge: Judge<S>;
  readonly right: (state: S, now: number) => string | undefined;
  readonly wrong: () => string;
}

function visitor<S>({ name, uid }: Account, nature: Nature<S>): Visitor {
  const worlds = new Worlds(nature.judge, nature.first);
  const { kind, needsDisk, right, wrong } = nature;
  return {
    name,
    uid,
    kind,
    needsDisk,
    wrong,
    right: (now) => right(worlds.state, now),
    expected: (typed, readings) => worlds.expected(typed, readings),
    learn: (typed, readings, came) => worlds.learn(typed, readings, came),
  };
}

function stepOf(now: number): number {
  return Math.floor(now / 1000 / PERIOD);
}

function wrongDigits(digits: number): () => string {
  return () => String(randomInt(10 ** digits)).padStart(digits, '0');
}

/** The first number from a certain one on, whose code this is. */
function find(typed: string, first: number, count: number, code: (of: number) => string): number | undefined {
  return Array.from({ length: count }, (_, index) => first + index).find((of) => code(of) === typed);
}

/** An app in the store. Its state: the last step that was used. */
export function phoneOwner(stage: Stage): Visitor {
  const person = stage.person({ period: PERIOD, digits: DIGITS });
  const secret = decodeBase32(person.secret)!;
  const code = (step: number): string => hotpCode(secret, step, DIGITS);
  return visitor<number>(person, {
    kind: 'TOTP',
    needsDisk: false,
    first: -1,
    wrong: wrongDigits(DIGITS),
    right: (_, now) => code(stepOf(now)),
    judge: (last, typed, now) => {
      const step = find(typed, stepOf(now) - AROUND, 1 + 2 * AROUND, code) ?? -1;
      return { opens: step > last, after: [Math.max(step, last)] };
    },
  });
}

/** A token in the store. Its state: the next counter. */
export function tokenVisitor(stage: Stage): Visitor {
  const token = tokenOwner(stage, DIGITS);
  return visitor<number>(token, {
    kind: 'HOTP',
    needsDisk: true,
    first: 0,
    wrong: wrongDigits(DIGITS),
    right: (next) => token.code(next),
    judge: (next, typed) => {
      const counter = find(typed, next, LOOK_AHEAD, token.code);
      return { opens: counter !== undefined, after: [counter === undefined ? next : counter + 1] };
    },
  });
}

/** A sheet of recovery codes. Its state: those that were used. */
export function sheetVisitor(stage: Stage): Visitor {
  const sheet = sheetOwner(stage);
  return visitor<readonly string[]>(sheet, {
    kind: 'recovery code',
    needsDisk: true,
    first: [],
    wrong: () => newRecoveryCodes()[0]!,
    right: (used) => sheet.codes.find((code) => !used.includes(code)),
    judge: (used, typed) => {
      const opens = sheet.codes.includes(typed) && !used.includes(typed);
      return { opens, after: [opens ? [...used, typed] : used] };
    },
  });
}

/** A YubiKey whose secrets the store has. Its state: the number of the last touch that was used. */
export function yubikeyOwner(stage: Stage): Visitor {
  const account = stage.person({ enrolled: false });
  const [own, stranger] = [new VirtualYubikey(), new VirtualYubikey()];
  const { publicId, privateId, aesKey } = own;
  const factor: OfflineYubikeyFactor = {
    kind: 'yubikey-offline',
    id: 'e2e5',
    name: 'yubikey',
    added: 0,
    publicId,
    privateId,
    aesKey,
  };
  enrol(stage, account, [factor]);
  const touches: string[] = [];
  return visitor<number>(account, {
    kind: 'YubiKey',
    needsDisk: true,
    first: -1,
    wrong: () => stranger.plugIn().touch(),
    right: () => {
      const touch = randomInt(3) === 0 ? own.plugIn().touch() : own.otp(next(own));
      touches.push(touch);
      return touch;
    },
    judge: (last, typed) => {
      const touch = touches.indexOf(typed);
      return { opens: touch > last, after: [Math.max(touch, last)] };
    },
  });
}

/** The key is plugged in again before its session count ends. */
function next(yubikey: VirtualYubikey): { counter: number; use: number } {
  yubikey.touch();
  if (yubikey.counters.use > 200) {
    yubikey.plugIn().touch();
  }
  return yubikey.counters;
}

interface HomePhone {
  /** DISALLOW_REUSE, as the file lists it. */
  readonly listed: readonly number[];
  /** The largest step that ever was accepted: the ledger knows it. */
  readonly last: number;
  readonly scratched: readonly string[];
}

/** An app and scratch codes in a file of pam_google_authenticator, which works each code once. */
export function homePhoneOwner(stage: Stage): Visitor {
  const scratchCodes = Array.from({ length: SCRATCH_CODES }, () => String(randomInt(1e7, 1e8)));
  const person = stage.homePerson('" DISALLOW_REUSE', '" TOTP_AUTH', ...scratchCodes);
  const secret = decodeBase32(person.secret)!;
  const code = (step: number): string => hotpCode(secret, step, HOME_DIGITS);
  const scratch = (state: HomePhone, typed: string): ReturnType<Judge<HomePhone>> => {
    const opens = scratchCodes.includes(typed) && !state.scratched.includes(typed);
    return { opens, after: [opens ? { ...state, scratched: [...state.scratched, typed] } : state] };
  };
  return visitor<HomePhone>(person, {
    kind: 'home TOTP',
    needsDisk: false,
    wrong: wrongDigits(HOME_DIGITS),
    first: { listed: [], last: -1, scratched: [] },
    right: ({ scratched }, now) =>
      randomInt(8) === 0
        ? scratchCodes.find((one) => !scratched.includes(one))
        : code(stepOf(now) + randomInt(-AROUND, AROUND + 1)),
    judge: (state, typed, now) => {
      if (SCRATCH_CODE.test(typed)) {
        return scratch(state, typed);
      }
      const step = find(typed, stepOf(now) - AROUND, HOME_WINDOW, code);
      const old = step === undefined || step <= state.last - HOME_WINDOW || state.listed.includes(step);
      if (old) {
        return { opens: false, after: [state] };
      }
      const near = state.listed.filter((used) => Math.abs(used - step) < HOME_WINDOW);
      const listed = [...near, step];
      // The file is written first, then the ledger.
      return {
        opens: true,
        after: [
          { ...state, listed, last: Math.max(state.last, step) },
          { ...state, listed },
        ],
      };
    },
  });
}

/** A token in such a file, where a wrong code advances the counter. Its state: the counter. */
export function homeTokenOwner(stage: Stage): Visitor {
  const person = stage.homePerson(`" HOTP_COUNTER ${FIRST_COUNTER}`);
  const secret = decodeBase32(person.secret)!;
  const code = (counter: number): string => hotpCode(secret, counter, HOME_DIGITS);
  return visitor<number>(person, {
    kind: 'home HOTP',
    needsDisk: false,
    first: FIRST_COUNTER,
    wrong: wrongDigits(HOME_DIGITS),
    right: (counter) => code(counter),
    judge: (counter, typed) => {
      const matched = find(typed, counter, HOME_LOOK_AHEAD, code);
      return { opens: matched !== undefined, after: [(matched ?? counter) + 1] };
    },
  });
}
