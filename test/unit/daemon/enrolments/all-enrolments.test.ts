import { beforeEach, describe, expect, it } from 'vitest';
import { allEnrolments } from '../../../../src/daemon/enrolments/all-enrolments.ts';
import type {
  AccountLookup,
  Enrolment,
  Lookup,
  LookupRequest,
} from '../../../../src/daemon/enrolments/enrolment.ts';
import { forAccount } from '../../../../src/daemon/enrolments/for-account.ts';
import { DEFAULT_LOOKUP, type LookupOptions } from '../../../../src/config/lookup-options.ts';
import type { PasswdEntry } from '../../../../src/host/addon.ts';

const ABSENT = { kind: 'absent' } as const;
const FAILED = { kind: 'failed', why: 'x' } as const;
const ENTRY: PasswdEntry = { name: 'mfa', uid: 7, gid: 8, home: '/m', shell: '/bin/sh' };
const ana = { name: 'ana', uid: 1000 };

let asked: string[];
let own: AccountLookup;
let home: Lookup | undefined;
let found: PasswdEntry | undefined;
let marks: Map<string, number>;
let now: number;
beforeEach(() => {
  [asked, own, home, found, marks, now] = [[], ABSENT, ABSENT, ENTRY, new Map(), 1_000_000_000];
});

const enrolments = (): ReturnType<typeof allEnrolments> =>
  allEnrolments({
    own: {
      lookUp(account) {
        asked.push(`own ${account.name}`);
        return Promise.resolve(own);
      },
    },
    home:
      home === undefined
        ? undefined
        : {
            lookUp(seeker, owner) {
              asked.push(`home ${seeker.account?.name ?? 'nobody'} ${owner?.name ?? ''}`.trim());
              return Promise.resolve(home!);
            },
          },
    yubico: {
      lookUp(seeker) {
        asked.push(`line ${seeker.account?.name ?? 'nobody'}`);
        return Promise.resolve(own);
      },
    },
    notebook: {
      mark: (key) => (marks.has(key) ? { value: marks.get(key)!, at: 0 } : undefined),
      note: (key, value) => void marks.set(key, value),
    },
    now: () => now,
    findUser: () => (found === ENTRY ? Promise.resolve(found) : Promise.reject(new Error('no'))),
  });

async function lookUp(
  options: Partial<LookupOptions> = {},
  more: Partial<LookupRequest> = {},
): Promise<Lookup> {
  const entry = { account: ana, gid: 1000, home: '/home/ana', loginName: 'ana', rhost: undefined };
  return enrolments().lookUp({ ...entry, options: { ...DEFAULT_LOOKUP, ...options }, ...more });
}

describe('the order', () => {
  it('is store, then home; with secret= home, then store', async () => {
    expect(await lookUp()).toEqual(ABSENT);
    expect(await lookUp({ secret: '/x' })).toEqual(ABSENT);
    expect(asked).toEqual(['own ana', 'home ana', 'home ana', 'own ana']);
  });

  it("is neither with pam_yubico's options, and these go with no file of the other model", async () => {
    const yubico = { idLength: 12 };
    expect(await lookUp({ yubico })).toEqual(ABSENT);
    expect(asked).toEqual(['line ana']);
    for (const more of [{ secret: '/x' }, { user: 'mfa' }]) {
      expect(await lookUp({ yubico, ...more })).toMatchObject({ kind: 'refused', reason: 'bad-option' });
    }
    expect(asked).toEqual(['line ana']);
  });

  it('falls through nothing but absent', async () => {
    own = FAILED;
    expect(await lookUp()).toBe(FAILED);
    expect(asked).toEqual(['own ana']);
    own = ABSENT;
    for (const lookup of [
      FAILED,
      { kind: 'refused', reason: 'too-many-tries' },
      { kind: 'blocked', why: '' },
    ] as const) {
      home = lookup;
      asked = [];
      expect(await lookUp({ secret: '/x' })).toBe(lookup);
      expect(asked).toEqual(['home ana']);
    }
  });

  it('asks only the home source about unknown users', async () => {
    await lookUp({}, { account: undefined });
    expect(asked).toEqual(['home nobody']);
  });
});

describe('options', () => {
  it('passes on the account of user=, and refuses everybody if it does not exist', async () => {
    await lookUp({ user: 'mfa', secret: '/x' });
    expect(asked[0]).toBe('home ana mfa');
    found = undefined;
    asked = [];
    expect(await lookUp({ user: '0day' })).toMatchObject({ kind: 'refused', reason: 'bad-option' });
    expect(asked).toEqual([]);
  });

  it('does not let the store stand in for secret= when the source is switched off', async () => {
    home = undefined;
    expect(await lookUp({ secret: '/x' })).toMatchObject({ kind: 'refused', reason: 'bad-option' });
    expect(asked).toEqual([]);
    expect(await lookUp()).toEqual(ABSENT);
  });
});

describe('a grace period for factors in the store', () => {
  const verify =
    (kind: 'accepted' | 'rejected'): Enrolment['verify'] =>
    () =>
      Promise.resolve(
        kind === 'accepted' ? { kind, factor: 'totp', reading: 0 } : { kind, reason: 'wrong-code' },
      );
  const graced = (rhost: string | undefined, gracePeriod = 60): Promise<Lookup> =>
    lookUp({ gracePeriod }, { rhost });
  async function logIn(rhost: string | undefined, gracePeriod?: number): Promise<void> {
    const lookup = await graced(rhost, gracePeriod);
    expect(lookup.kind).toBe('enrolled');
    await (lookup as Extract<Lookup, { kind: 'enrolled' }>).enrolment.verify([], now);
  }
  const enrolled = (kind: 'accepted' | 'rejected'): AccountLookup => ({
    kind: 'enrolled',
    enrolment: { shapes: [], verify: verify(kind) },
  });

  it('spares who logged in from there, for so long', async () => {
    own = enrolled('accepted');
    await logIn('192.0.2.1');
    expect(await graced('192.0.2.1')).toEqual({ kind: 'spared', factor: 'grace-period' });
    expect((await graced('192.0.2.2')).kind).toBe('enrolled');
    expect((await graced('192.0.2.1', 0)).kind).toBe('enrolled');
    now += 60_000;
    expect((await graced('192.0.2.1')).kind).toBe('enrolled');
    now -= 120_000;
    expect((await graced('192.0.2.1')).kind).toBe('enrolled');
  });

  it('spares nobody after a wrong code, without a host, without the option, or without an enrolment', async () => {
    own = enrolled('rejected');
    await logIn('192.0.2.1');
    own = enrolled('accepted');
    await logIn(undefined);
    await logIn('192.0.2.1', 0);
    expect((await graced('192.0.2.1')).kind).toBe('enrolled');
    await logIn('192.0.2.1');
    own = { kind: 'blocked', why: '' };
    expect((await graced('192.0.2.1')).kind).toBe('blocked');
  });
});

describe('an account without a line of pam.d', () => {
  it('is looked up with its own home, and never let in without a check', async () => {
    const source = async (entry: PasswdEntry | undefined): Promise<AccountLookup> =>
      forAccount(enrolments(), () => Promise.resolve(entry)).lookUp({ name: 'mfa', uid: 7 });
    home = { kind: 'spared', factor: 'x' };
    expect((await source(ENTRY)).kind).toBe('failed');
    home = { kind: 'refused', reason: 'too-many-tries' };
    expect((await source(ENTRY)).kind).toBe('failed');
    home = FAILED;
    expect(await source(undefined)).toBe(FAILED);
    const broken = forAccount(enrolments(), () => Promise.reject(new Error('NSS')));
    expect((await broken.lookUp({ name: 'mfa', uid: 7 })).kind).toBe('failed');
  });
});
