import { describe, expect, it } from 'vitest';
import { LOOK_UPS, LOOK_UPS_WITHIN_MS } from '../../../../../src/daemon/enrolments/yubico/look-up-budget.ts';
import {
  newBounds,
  noOnlineYubikeys,
  onlineYubikeys,
  type OnlineYubikeys,
} from '../../../../../src/daemon/enrolments/yubico/online-yubikeys.ts';
import { REMEMBERED_MS } from '../../../../../src/daemon/enrolments/yubico/seen-otps.ts';
import {
  parseOtp,
  type Otp,
  type Validation,
  type ValidationSettings,
} from '../../../../../src/yubico-otp/index.ts';
import { VirtualYubikey } from '../../../fixtures/virtual-yubikey.ts';

const SETTINGS: ValidationSettings = {
  clientId: '42',
  apiKey: Buffer.from('key of a test'),
  servers: [new URL('https://validation.example/')],
  ca: undefined,
  proxy: undefined,
  syncLevel: undefined,
  deadlineMs: 1000,
};
const FAILURES = [{ server: 'validation.example', why: 'ECONNREFUSED' }];
const RIGHT: Validation = { kind: 'right', counters: { sessionCounter: 2, sessionUse: 3 }, failures: [] };

/** A clock, a scripted server, and records of questions and reports. */
function scene(says: Validation = RIGHT): {
  yubikeys: OnlineYubikeys;
  asked: Otp[];
  reported: string[];
  pass: (ms: number) => void;
} {
  const asked: Otp[] = [];
  const reported: string[] = [];
  let now = 0;
  const yubikeys = onlineYubikeys(
    SETTINGS,
    {
      misconfigured: () => reported.push('misconfigured'),
      unavailable: () => reported.push('unavailable'),
      degraded: () => reported.push('degraded'),
    },
    newBounds(() => now),
    (otp) => {
      asked.push(otp);
      return Promise.resolve(says);
    },
  );
  return { yubikeys, asked, reported, pass: (ms) => (now += ms) };
}

const yubikey = new VirtualYubikey();
const otp = (): Otp => parseOtp(yubikey.touch())!;

describe('a look-up', () => {
  it.each<[Validation, object, string[]]>([
    [RIGHT, { kind: 'right', mark: 2 * 256 + 3 }, []],
    [
      { kind: 'right', counters: undefined, failures: FAILURES },
      { kind: 'right', mark: undefined },
      ['degraded'],
    ],
    [
      { kind: 'right', counters: { sessionCounter: 0x8002, sessionUse: 3 }, failures: [] },
      { kind: 'right', mark: 2 * 256 + 3 },
      [],
    ],
    [
      { kind: 'right', counters: { sessionCounter: 99_999, sessionUse: 3 }, failures: [] },
      { kind: 'right', mark: undefined },
      [],
    ],
    [{ kind: 'wrong', failures: [] }, { kind: 'wrong' }, []],
    [{ kind: 'replayed', failures: FAILURES }, { kind: 'replayed' }, ['degraded']],
    [{ kind: 'misconfigured', failures: FAILURES }, { kind: 'unavailable' }, ['misconfigured']],
    [{ kind: 'unavailable', failures: FAILURES }, { kind: 'unavailable' }, ['unavailable']],
  ])("interprets a server's %j correctly", async (validation, expected, reports) => {
    const { yubikeys, reported } = scene(validation);
    expect(await yubikeys.lookUp('alice', otp())).toMatchObject(expected);
    expect(reported).toEqual(reports);
  });

  it('is made once for each OTP, also when many come at the same moment', async () => {
    const { yubikeys, asked, pass } = scene();
    const one = otp();
    const answers = await Promise.all(Array.from({ length: 32 }, () => yubikeys.lookUp('alice', one)));
    expect(answers.filter(({ kind }) => kind === 'right')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'replayed')).toHaveLength(31);
    expect(asked).toHaveLength(1);
    // For another user it is the same OTP, which costs nothing of their budget.
    pass(REMEMBERED_MS - 1);
    expect((await yubikeys.lookUp('bob', one)).kind).toBe('replayed');
    pass(1);
    await yubikeys.lookUp('alice', one);
    expect(asked).toHaveLength(2);
  });

  it('is made at most ten times a minute for a user, and others have their own ten', async () => {
    const { yubikeys, asked, pass } = scene();
    expect([LOOK_UPS, LOOK_UPS_WITHIN_MS]).toEqual([10, 60_000]);
    for (let count = 1; count <= 15; count++) {
      const answer = await yubikeys.lookUp('alice', otp());
      expect(answer.kind, String(count)).toBe(count <= 10 ? 'right' : 'unavailable');
    }
    expect(asked).toHaveLength(10);
    expect((await yubikeys.lookUp('bob', otp())).kind).toBe('right');
    pass(59_999);
    expect((await yubikeys.lookUp('alice', otp())).kind).toBe('unavailable');
    pass(1);
    expect((await yubikeys.lookUp('alice', otp())).kind).toBe('right');
  });

  it('is not made where none is configured', async () => {
    expect(await noOnlineYubikeys('off').lookUp('alice', otp())).toEqual({ kind: 'unavailable', why: 'off' });
  });
});
