import { beforeEach, describe, expect, it } from 'vitest';
import type {
  Enrolment,
  Lookup,
  LookupRequest,
  Verification,
} from '../../../../../src/daemon/enrolments/enrolment.ts';
import { homeSource } from '../../../../../src/daemon/enrolments/home/home-source.ts';
import { OneAtATime } from '../../../../../src/daemon/enrolments/one-at-a-time.ts';
import { UnwrittenAttempts } from '../../../../../src/daemon/enrolments/home/rate-limit.ts';
import { FileDirectories } from '../../../../../src/daemon/enrolments/home/file-directories.ts';
import { secretOf } from '../../../../../src/daemon/enrolments/home/settings.ts';
import { DEFAULT_LOOKUP, type LookupOptions } from '../../../../../src/config/lookup-options.ts';
import { hotpCode } from '../../../../e2e/harness/code.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { DIRECTORY, OneHomeFile } from '../../../fixtures/one-home-file.ts';
import { verified } from '../../../fixtures/verified.ts';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const STEP = 56_666_666;
const FILE = '/home/ana/.google_authenticator';
const REUSE = `${SECRET}\n" DISALLOW_REUSE\n" TOTP_AUTH\n12345678\n23456789\n`;
const HOTP = `${SECRET}\n" HOTP_COUNTER 5\n`;
const NO_ROOM = { kind: 'failed', step: 'create', code: 'EROFS' } as const;

let files: OneHomeFile;
let ledger: InMemoryLedger;
let now: number;
let throttle: boolean;
let unwritten: UnwrittenAttempts;
beforeEach(() => {
  files = new OneHomeFile(REUSE);
  ledger = new InMemoryLedger();
  now = STEP * 30_000;
  throttle = true;
  unwritten = new UnwrittenAttempts();
});

const codeOf = (counter: number): string => hotpCode(secretOf(`${SECRET}\n`)!, counter);

function seeker(options: Partial<LookupOptions> = {}, rhost?: string): LookupRequest {
  return {
    account: { name: 'ana', uid: 1000 },
    gid: 1000,
    home: '/home/ana',
    loginName: 'ana',
    rhost,
    options: { ...DEFAULT_LOOKUP, ...options },
  };
}

function lookUp(who = seeker(), fixed?: { name: string; uid: number; gid: number }): Promise<Lookup> {
  const source = homeSource({
    files,
    ledger,
    throttle,
    now: () => now,
    nobody: { name: 'nobody', uid: 65_534, gid: 65_534 },
    unwritten,
    oneAtATime: new OneAtATime(),
    places: new FileDirectories(ledger, () => now),
  });
  return source.lookUp(who, fixed);
}

async function enrolment(who = seeker()): Promise<Enrolment> {
  const lookup = await lookUp(who);
  expect(lookup.kind).toBe('enrolled');
  return (lookup as Extract<Lookup, { kind: 'enrolled' }>).enrolment;
}

/** Types a code in a separate login. */
async function type(code: string, who = seeker()): Promise<Verification> {
  return check(await enrolment(who), code);
}

function check(into: Enrolment, code: string, more = false): Promise<Verification> {
  const readings = into.shapes
    .filter(({ length }) => length <= code.length)
    .map((shape) => ({ shape, text: Buffer.from(code.slice(-shape.length)) }));
  return verified(into, new InMemoryLedger(), readings, now, more);
}

const ACCEPTED = { kind: 'accepted' };
const rejected = (reason: string): object => ({ kind: 'rejected', reason });

describe('looking up', () => {
  it('finds the usual file, and the one that secret= names', async () => {
    expect(await lookUp()).toMatchObject({
      kind: 'enrolled',
      enrolment: { quiet: true, countsItself: false },
    });
    await lookUp(seeker({ secret: '/mfa/${USER}' }));
    expect(files.asked).toEqual([`read ${FILE}`, 'read /mfa/ana']);
  });

  it('leaves counting to the file alone where the throttle is off for it', async () => {
    throttle = false;
    expect((await enrolment()).countsItself).toBe(true);
  });

  it('knows somebody without a file', async () => {
    files.text = undefined;
    expect(await lookUp()).toEqual({ kind: 'absent' });
  });

  it.each([
    [{ kind: 'missing', directory: null, symlink: false }, /is missing.*forget --user ana/],
    [{ kind: 'missing', directory: { ...DIRECTORY, ino: '3' }, symlink: false }, /is missing/],
    [{ kind: 'missing', directory: DIRECTORY, symlink: true }, /leads nowhere/],
    [{ kind: 'hung' }, /does not answer/],
    [{ kind: 'busy' }, /too many/],
    [{ kind: 'no-reader', code: 'ECONNREFUSED' }, /is not there \(ECONNREFUSED\)/],
    [{ kind: 'no-answer', why: 'ended' }, /gave no answer/],
    [{ kind: 'failed', step: 'identity', code: 'EPERM' }, /identity: EPERM/],
  ] as const)('could not find out: %j', async (read, why) => {
    await lookUp();
    files.reads.push(read);
    expect(await lookUp()).toEqual({
      kind: 'failed',
      quiet: true,
      why: expect.stringMatching(why) as string,
    });
  });

  it('does not let a link that leads nowhere, or a missing reader, pass for nobody, seen before or not', async () => {
    files.reads.push({ kind: 'missing', directory: DIRECTORY, symlink: true });
    expect((await lookUp()).kind).toBe('failed');
    files.reads.push({ kind: 'no-reader', code: 'ENOENT' });
    expect((await lookUp()).kind).toBe('failed');
  });

  it('denies whose file cannot be used', async () => {
    files.mode = 0o644;
    expect(await lookUp()).toMatchObject({
      kind: 'blocked',
      quiet: true,
      why: expect.stringMatching(/0644/) as string,
    });
    files.mode = 0o600;
    files.uid = 0;
    expect(await lookUp()).toMatchObject({ kind: 'blocked' });
    expect(await lookUp(seeker({ strictOwner: false }))).toMatchObject({ kind: 'enrolled' });
    expect(await lookUp(seeker({ secret: 'relative' }))).toMatchObject({ kind: 'blocked' });
    files.reads.push({ kind: 'failed', step: 'open', code: 'EACCES' });
    expect(await lookUp()).toMatchObject({ kind: 'blocked' });
  });

  it("refuses without a question at the file's limit, and if the limit is invalid", async () => {
    const seconds = now / 1000;
    files.text = `${SECRET}\n" RATE_LIMIT 1 30 ${seconds - 3}\n" TOTP_AUTH\n`;
    expect(await lookUp()).toMatchObject({ kind: 'refused', reason: 'too-many-tries' });
    files.text = `${SECRET}\n" RATE_LIMIT 1\n" TOTP_AUTH\n`;
    expect(await lookUp()).toMatchObject({ kind: 'refused', reason: 'record-unusable' });
    expect(files.asked.some((asked) => asked.startsWith('replace'))).toBe(false);
  });

  it('takes as long for an unknown user, and finds nobody', async () => {
    const nobody = { ...seeker(), account: undefined };
    expect(await lookUp(nobody)).toEqual({ kind: 'absent' });
    expect(files.asked).toEqual(['read /.google_authenticator']);
  });

  it('looks into the file of user= for whoever logs in, but never into the home of somebody else', async () => {
    const fixed = { name: 'mfa', uid: 1000, gid: 1000 };
    const virtual = { ...seeker({ secret: '/mfa/${USER}' }), account: undefined, loginName: 'jim' };
    expect(await lookUp(virtual, fixed)).toMatchObject({ kind: 'enrolled' });
    expect(await lookUp({ ...virtual, loginName: '../jim' }, fixed)).toMatchObject({ kind: 'blocked' });
    expect(await lookUp({ ...virtual, loginName: undefined }, fixed)).toMatchObject({ kind: 'blocked' });
    expect(await lookUp(seeker(), fixed)).toMatchObject({ kind: 'blocked' });
    expect(files.asked).toEqual(['read /mfa/jim']);
  });
});

describe('a grace period', () => {
  const host = '192.0.2.7';
  it('spares who logged in from there shortly before, and nobody else', async () => {
    const graced = seeker({ gracePeriod: 60 }, host);
    expect(await type(codeOf(STEP), graced)).toMatchObject(ACCEPTED);
    expect(files.text).toContain(`" LAST0 ${host} ${now / 1000}\n`);
    expect(await lookUp(graced)).toMatchObject({ kind: 'spared' });
    expect(await lookUp(seeker({ gracePeriod: 60 }, '192.0.2.8'))).toMatchObject({ kind: 'enrolled' });
    expect(await lookUp(seeker({ gracePeriod: 60 }))).toMatchObject({ kind: 'enrolled' });
    expect(await lookUp(seeker({}, host))).toMatchObject({ kind: 'enrolled' });
    now += 60_000;
    expect(await lookUp(graced)).toMatchObject({ kind: 'enrolled' });
  });

  it('is not begun by a wrong code, nor by a host that would write lines', async () => {
    await type('000000', seeker({ gracePeriod: 60 }, host));
    await type(codeOf(STEP), seeker({ gracePeriod: 60 }, 'x\n99999999\ny'));
    expect(files.text).not.toContain('LAST');
    expect(files.text).not.toContain('99999999');
  });
});

describe('a code', () => {
  it('is written down before it counts', async () => {
    expect(await type(codeOf(STEP))).toEqual({ kind: 'accepted', factor: 'home:totp', reading: 0 });
    expect(files.text).toContain(`" DISALLOW_REUSE ${STEP}\n`);
    expect(await type(codeOf(STEP))).toMatchObject(rejected('code-already-used'));
  });

  it('is spent once by those who race with it, and five scratch codes all count', async () => {
    const who = await Promise.all(Array.from({ length: 8 }, () => enrolment()));
    // Each has its own queue, like two daemons, so only the comparison of the file protects them.
    const ends = await Promise.all(who.map((one) => check(one, codeOf(STEP))));
    expect(ends.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    const scratch = await Promise.all(['12345678', '23456789'].map((code) => type(code)));
    expect(scratch).toMatchObject([ACCEPTED, ACCEPTED]);
    expect(files.text).not.toMatch(/^[0-9]{8}$/m);
  });

  it('is checked afresh when somebody else wrote meanwhile', async () => {
    let times = 0;
    files.meanwhile = () => {
      if (times++ === 0) {
        files.text = REUSE.replace('DISALLOW_REUSE', `DISALLOW_REUSE ${STEP}`);
      }
    };
    expect(await type(codeOf(STEP))).toMatchObject(rejected('code-already-used'));
  });

  it('gives up on a file that changes all the time', async () => {
    let times = 0;
    files.meanwhile = () => (files.text = `${REUSE}" X ${++times}\n`);
    expect(await type(codeOf(STEP))).toMatchObject(rejected('not-recorded'));
    expect(times).toBe(8);
  });

  it('is of no use when the file is gone or unfit by then', async () => {
    const into = await enrolment();
    files.mode = 0o666;
    expect(await check(into, codeOf(STEP))).toMatchObject(rejected('record-unusable'));
    files.text = undefined;
    expect(await check(into, codeOf(STEP))).toMatchObject(rejected('record-unusable'));
    files.reads.push({ kind: 'hung' });
    expect(await check(into, codeOf(STEP))).toMatchObject({ kind: 'unavailable' });
  });

  it('is not accepted when nobody knows whether it was written', async () => {
    for (const answer of [{ kind: 'hung' }, { kind: 'no-answer', why: 'ended' }, { kind: 'busy' }] as const) {
      files.replaces.push(answer);
      expect(await type(codeOf(STEP), seeker({ allowReadOnly: true }))).toMatchObject({
        kind: 'unavailable',
      });
    }
  });
});

describe('the limit of the file', () => {
  const LIMITED = `${SECRET}\n" RATE_LIMIT 3 30\n" TOTP_AUTH\n`;

  it('counts when a code arrives: of 32 who ask at once three are looked at', async () => {
    files.text = LIMITED;
    const who = await Promise.all(Array.from({ length: 32 }, () => enrolment()));
    const ends: Verification[] = [];
    for (const one of who) {
      ends.push(await check(one, '000000'));
    }
    const reasons = ends.map((end) => (end.kind === 'rejected' ? end.reason : end.kind));
    expect(reasons.filter((reason) => reason === 'too-many-tries')).toHaveLength(29);
    expect(await check(who[0]!, codeOf(STEP))).toMatchObject(ACCEPTED);
  });

  it('counts a login once, though the stacked password was looked at first', async () => {
    files.text = LIMITED;
    const into = await enrolment();
    await check(into, '000000', true);
    await check(into, codeOf(STEP));
    expect(files.text).toContain(`" RATE_LIMIT 3 30 ${now / 1000}\n`);
  });
});

describe('a counter', () => {
  it('is not moved on by a stacked password that may be no code, but by the last word', async () => {
    files.text = HOTP;
    const into = await enrolment();
    expect(await check(into, '000000', true)).toMatchObject(rejected('wrong-code'));
    expect(files.text).toBe(HOTP);
    expect(await check(into, codeOf(5))).toMatchObject(ACCEPTED);
    expect(files.text).toContain('" HOTP_COUNTER 6\n');
    expect(await type('000000')).toMatchObject(rejected('wrong-code'));
    expect(files.text).toContain('" HOTP_COUNTER 7\n');
    await type('000000', seeker({ incrementCounter: false }));
    expect(files.text).toContain('" HOTP_COUNTER 7\n');
  });
});

describe('a file that cannot be written', () => {
  const forgiving = seeker({ allowReadOnly: true });

  it('lets nobody in, with the texts of pam_google_authenticator', async () => {
    files.replaces.push(NO_ROOM, { ...NO_ROOM, code: 'EACCES' }, NO_ROOM);
    const notice = 'Error "Read-only file system" while writing config';
    expect(await type(codeOf(STEP))).toMatchObject({ ...rejected('not-recorded'), notice });
    expect(await type(codeOf(STEP))).not.toHaveProperty('notice');
    expect(await type('12345678')).toMatchObject({ ...rejected('not-recorded'), notice });
    expect(await type(codeOf(STEP))).toMatchObject(ACCEPTED);
  });

  it.each([
    ['time-based', REUSE, codeOf(STEP)],
    ['scratch', REUSE, '23456789'],
    ['counter-based', HOTP, codeOf(6)],
  ])(
    'with allow_readonly takes a %s code once, also when the file can be written again',
    async (_, text, code) => {
      files.text = text;
      files.replaces.push(NO_ROOM, NO_ROOM);
      expect(await type(code, forgiving)).toMatchObject(ACCEPTED);
      expect(await type(code, forgiving)).toMatchObject({ kind: 'rejected' });
      expect(files.text).toBe(text);
      files.replaces.length = 0;
      expect(await type(code, forgiving)).toMatchObject({ kind: 'rejected' });
      expect(await type(code)).toMatchObject({ kind: 'rejected' });
    },
  );

  it('with allow_readonly does not take an earlier step once a later one was used', async () => {
    files.replaces.push(NO_ROOM, NO_ROOM);
    expect(await type(codeOf(STEP), forgiving)).toMatchObject(ACCEPTED);
    expect(await type(codeOf(STEP - 1), forgiving)).toMatchObject(rejected('code-already-used'));
    expect(await type(codeOf(STEP + 1), forgiving)).toMatchObject(ACCEPTED);
  });

  it('with allow_readonly forgives no conflict', async () => {
    files.replaces.push(...Array.from({ length: 8 }, () => ({ kind: 'changed' }) as const));
    expect(await type(codeOf(STEP), forgiving)).toMatchObject(rejected('not-recorded'));
  });

  it('with allow_readonly takes nothing that the ledger cannot remember either', async () => {
    files.replaces.push(NO_ROOM);
    ledger.answer = 'unavailable';
    expect(await type('12345678', forgiving)).toMatchObject(rejected('not-recorded'));
  });

  it('with allow_readonly keeps the limit of the file, though the file cannot say so', async () => {
    files.text = `${SECRET}\n" RATE_LIMIT 2 30\n" TOTP_AUTH\n`;
    files.replaces.push(...Array.from({ length: 9 }, () => NO_ROOM));
    for (let guess = 0; guess < 2; guess++) {
      expect(await type('000000', forgiving)).toMatchObject(rejected('wrong-code'));
    }
    expect(await type(codeOf(STEP), forgiving)).toMatchObject(rejected('too-many-tries'));
    now += 31_000;
    expect(await type(codeOf(STEP + 1), forgiving)).toMatchObject(ACCEPTED);
  });

  it('catches up when it can be written again', async () => {
    files.replaces.push(NO_ROOM);
    await type('12345678', forgiving);
    expect(await type('23456789', forgiving)).toMatchObject(ACCEPTED);
    expect(files.text).not.toMatch(/^[0-9]{8}$/m);
  });
});

describe('a clock that is learnt', () => {
  /** Types three codes in successive steps; returns the result of the last. */
  async function threeInARow(steps: readonly number[]): Promise<Verification> {
    let last: Verification | undefined;
    for (const step of steps) {
      last = await type(codeOf(step));
      now += 30_000;
    }
    return last!;
  }

  it('does not make old codes good for the window that it moves there', async () => {
    await type(codeOf(STEP));
    now += 150_000;
    await type(codeOf(STEP + 5));
    // The list in the file has dropped the first, and the phone counts as five steps behind.
    files.text = REUSE.replace('DISALLOW_REUSE', `DISALLOW_REUSE ${STEP + 5}\n" TIME_SKEW -5`);
    expect(await type(codeOf(STEP))).toMatchObject(rejected('code-already-used'));
  });

  it.each([
    ['before', STEP],
    ['in the future of this clock', STEP + 700],
  ])('takes no codes that were used: %s', async (_, first) => {
    files.text = REUSE.replace('" DISALLOW_REUSE\n', '" DISALLOW_REUSE\n" WINDOW_SIZE 3\n');
    if (first > STEP) {
      files.text = files.text.replace('" TOTP_AUTH', `" TIME_SKEW ${first - STEP}\n" TOTP_AUTH`);
    }
    const used = [first, first + 1, first + 2];
    expect(await threeInARow(used)).toMatchObject(ACCEPTED);
    // Somebody removed the skew, or the list in the file has dropped them after some time.
    files.text = first > STEP ? files.text.replace(/" TIME_SKEW.*\n/, '') : REUSE;
    now = (first > STEP ? first : STEP + 1_000) * 30_000;
    expect(await threeInARow(used)).toMatchObject({ kind: 'rejected' });
    const next = now / 30_000 + (first > STEP ? 3 : 0);
    now = next * 30_000;
    expect(await type(codeOf(next))).toMatchObject(ACCEPTED);
  });
});
