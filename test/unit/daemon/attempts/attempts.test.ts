import { beforeEach, describe, expect, it } from 'vitest';
import {
  CountedAttempts,
  type KnownOrigins,
  type LoginAttempt,
} from '../../../../src/daemon/attempts/attempts.ts';
import { inMemory } from '../../../../src/daemon/attempts/attempts-file.ts';
import { DEFAULT_LIMITS } from '../../../../src/daemon/attempts/limits.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** More than there is room for, of any kind. */
const MANY_NAMES = 20_000;
const MANY_ORIGINS = 1_000;

let now: number;
let known: Set<string>;
let attempts: CountedAttempts;

beforeEach(() => {
  now = 1_000_000;
  known = new Set();
  const origins: KnownOrigins = {
    knows: (user, origin) => known.has(`${user} ${origin}`),
    note: (user, origin) => known.add(`${user} ${origin}`),
  };
  attempts = new CountedAttempts(DEFAULT_LIMITS, origins, () => now, inMemory());
});

function begin(origin: string, user = 'alice', exists = true): LoginAttempt {
  return attempts.begin({ user, exists, origin });
}

/** Logs in with a wrong code. Returns whether it was checked. */
function wrong(origin: string, user = 'alice', exists = true): boolean {
  const attempt = begin(origin, user, exists);
  if (!attempt.admit()) {
    return false;
  }
  attempt.failed();
  return true;
}

/** Waits until nothing is throttled; returns the seconds. */
function wait(origin: string): number {
  const begun = now;
  while (!begin(origin).admit()) {
    now += SECOND;
  }
  return (now - begun) / SECOND;
}

/** Fails a number of times, each as soon as it is allowed. */
function fail(times: number, originOf: (time: number) => string): void {
  for (let time = 0; time < times; time++) {
    const attempt = begin(originOf(time));
    while (!attempt.admit()) {
      now += SECOND;
    }
    attempt.failed();
  }
}

describe('one login', () => {
  it('counts one failure, however often it is called', () => {
    known.add('alice home');
    for (let login = 1; login < DEFAULT_LIMITS.lockAfter; login++) {
      const attempt = begin('home');
      attempt.failed();
      attempt.failed();
    }
    expect(attempts.lockOf('alice')).toBe(0);
    begin('home').failed();
    expect(attempts.lockOf('alice')).toBe(DEFAULT_LIMITS.firstLock);
  });
});

describe('unknown names', () => {
  it('push out nobody who exists', () => {
    fail(DEFAULT_LIMITS.lockAfter, () => 'a');
    expect(attempts.lockOf('alice')).toBeGreaterThan(0);
    for (let name = 0; name < MANY_NAMES; name++) {
      begin('a', `nobody-${name}`, false).admit();
    }
    expect(attempts.lockOf('alice')).toBeGreaterThan(0);
  });
});

describe('the throttle', () => {
  it('lets three attempts through in 30 seconds', () => {
    expect([1, 2, 3, 4, 5].map(() => wrong('a'))).toEqual([true, true, true, false, false]);
    now += 30 * SECOND - 1;
    expect(wrong('a')).toBe(false);
    now += 1;
    expect(wrong('a')).toBe(true);
  });

  it('is not prolonged by a throttled try', () => {
    [1, 2, 3].forEach(() => wrong('a'));
    for (let second = 1; second < 30; second++) {
      now += SECOND;
      expect(wrong('a')).toBe(false);
    }
    now += SECOND;
    expect(wrong('a')).toBe(true);
  });

  it('counts when the answer arrives: of many logins that asked before, three pass', () => {
    const logins = Array.from({ length: 32 }, () => begin('a'));
    expect(logins.filter((login) => login.admit())).toHaveLength(3);
  });

  it('goes on counting when an origin becomes a known one', () => {
    const logins = Array.from({ length: 3 }, () => begin('a'));
    expect(logins.map((login) => login.admit())).toEqual([true, true, true]);
    logins[0]!.succeeded();
    expect(known).toContain('alice a');
    expect(wrong('a')).toBe(false);
    now += 30 * SECOND;
    expect([1, 2, 3, 4].map(() => wrong('a'))).toEqual([true, true, true, false]);
  });

  it('counts a login once, and also one that succeeds', () => {
    const login = begin('a');
    expect(login.admit() && login.admit()).toBe(true);
    login.succeeded();
    known.clear();
    expect([1, 2, 3].map(() => wrong('a'))).toEqual([true, true, false]);
  });

  it('keeps origins and users apart, with ten for a user over all origins', () => {
    const origins = Array.from({ length: 12 }, (_, number) => `origin ${number}`);
    expect(origins.filter((origin) => wrong(origin))).toHaveLength(10);
    expect(wrong('a', 'bob')).toBe(true);
  });

  it('throttles unknown names in the same way', () => {
    expect([1, 2, 3, 4].map(() => wrong('a', 'nobody-here', false))).toEqual([true, true, true, false]);
  });

  it('does not let invented names push out the counts of users', () => {
    [1, 2, 3].forEach(() => wrong('a'));
    for (let name = 0; name < MANY_NAMES; name++) {
      wrong('a', `invented ${name}`, false);
    }
    expect(wrong('a')).toBe(false);
  });
});

describe('the lock', () => {
  it('comes after twenty failures in a row from an origin, and doubles from one minute to fifteen', () => {
    fail(20, () => 'a');
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      const waited = wait('a');
      begin('a').failed();
      return waited;
    });
    expect(waits).toEqual([60, 120, 240, 480, 900, 900]);
  });

  it('is not prolonged by throttled tries, and ends with a success', () => {
    fail(20, () => 'a');
    for (let second = 0; second < 59; second++) {
      now += SECOND;
      expect(wrong('a')).toBe(false);
    }
    now += SECOND;
    const login = begin('a');
    expect(login.admit()).toBe(true);
    login.succeeded();
    fail(19, () => 'a');
    now += MINUTE / 2;
    expect(wrong('a')).toBe(true);
  });

  it('does not concern other origins below the ceiling of a hundred', () => {
    fail(20, () => 'a');
    now += MINUTE / 2;
    expect(wrong('b')).toBe(true);
    fail(79, (time) => `origin ${time}`);
    now += MINUTE / 2;
    expect(wrong('new'), 'the ceiling is reached').toBe(false);
    now += MINUTE / 2;
    expect(wrong('new')).toBe(true);
  });

  it('does not let strangers lock out an owner who comes from a known place', () => {
    const owner = begin('home');
    owner.admit();
    owner.succeeded();
    for (let time = 0; time < 2_000; time++) {
      wrong(`stranger ${time % 20}`);
      now += SECOND;
    }
    expect(wrong('stranger 1')).toBe(false);
    expect(wrong('another place')).toBe(false);
    expect([1, 2, 3, 4].map(() => begin('home').admit())).toEqual([true, true, true, false]);
  });

  it('keeps the count of a known origin, whatever strangers do', () => {
    known.add('alice home');
    fail(20, () => 'home');
    for (let time = 0; time < MANY_ORIGINS; time++) {
      wrong(`stranger ${time}`);
    }
    expect(begin('home').admit()).toBe(false);
  });

  it('is opened for strangers by a success that cannot be guessed', () => {
    fail(100, (time) => `origin ${time}`);
    expect(begin('travelling').admit()).toBe(false);
    begin('travelling').succeeded();
    expect(begin('travelling').admit()).toBe(true);
  });
});

describe("a factor's own limit", () => {
  const LIMIT = [{ attempts: 2, seconds: 600 }];
  const admitted = (origin: string): boolean =>
    attempts.begin({ user: 'alice', exists: true, origin }, LIMIT).admit();

  it('is stricter than the usual one, for each origin apart', () => {
    expect([1, 2, 3].map(() => admitted('a'))).toEqual([true, true, false]);
    expect(admitted('b')).toBe(true);
    now += 600 * SECOND - 1;
    expect(admitted('a')).toBe(false);
    now += 1;
    expect(admitted('a')).toBe(true);
  });

  it('does not make it looser', () => {
    const wide = [{ attempts: 100, seconds: 1 }];
    const login = (): boolean => attempts.begin({ user: 'alice', exists: true, origin: 'a' }, wide).admit();
    expect([1, 2, 3, 4].map(login)).toEqual([true, true, true, false]);
  });
});

describe('an origin that always is a stranger', () => {
  const subject = { user: 'alice', exists: true, origin: 'control', alwaysStranger: true } as const;

  it("never becomes known, and keeps the stranger's limits after a success", () => {
    const login = attempts.begin(subject);
    expect(login.admit()).toBe(true);
    login.succeeded();
    expect(known.size).toBe(0);
    known.add('alice control');
    fail(100, (time) => `origin ${time}`);
    expect(attempts.begin(subject).admit()).toBe(false);
  });
});

describe('lockOf and unlock', () => {
  it('say how long a user is locked, and forget it', () => {
    expect(attempts.lockOf('alice')).toBe(0);
    fail(20, () => 'a');
    expect(attempts.lockOf('alice')).toBe(MINUTE);
    expect(attempts.lockOf('bob')).toBe(0);
    now += MINUTE;
    expect(attempts.lockOf('alice')).toBe(0);
    fail(1, () => 'a');
    attempts.unlock('alice');
    expect(attempts.lockOf('alice')).toBe(0);
    expect(wrong('a')).toBe(true);
  });

  it('include a known origin, too', () => {
    known.add('alice home');
    fail(20, () => 'home');
    expect(attempts.lockOf('alice')).toBe(MINUTE);
  });
});

describe('more names and places than there is room for', () => {
  it('never remove a count that limits guesses at a user', () => {
    for (let user = 0; user < 2_000; user++) {
      begin('a', `user ${user}`).admit();
    }
    // The last lock is the longest one, so it still holds when bob's begins.
    fail(110, (time) => `origin ${time}`);
    known.add('bob home');
    fail20('home', 'bob');
    for (let name = 0; name < 6_000; name++) {
      attempts.begin({ user: `user ${name % 2_000}`, exists: true, origin: `rhost ${name}` }).admit();
      if (name % 10 === 0) {
        begin(`rhost ${name}`, `invented ${name}`, false).admit();
      }
    }
    expect(begin('new').admit(), 'all strangers share a lock').toBe(false);
    expect(begin('home', 'bob').admit(), 'a known place keeps its own').toBe(false);
    expect(begin('here', 'somebody new').admit(), 'nobody else is held back').toBe(true);
  });

  it('of one user remove only counts of that user', () => {
    [1, 2, 3].forEach(() => wrong('a', 'bob'));
    for (let origin = 0; origin < 5_000; origin++) {
      now += 3 * SECOND;
      wrong(`rhost ${origin}`);
    }
    now -= 5_000 * 3 * SECOND;
    expect(wrong('a', 'bob')).toBe(false);
  });
});

describe('more known origins than one user has counts', () => {
  const PLACES = 40;
  const places = Array.from({ length: PLACES }, (_, place) => `tty pts/${place}`);

  beforeEach(() => places.forEach((place) => known.add(`alice ${place}`)));

  it("give no more guesses than counted origins and the strangers' limit allow", () => {
    const { lockAfter, ceiling } = DEFAULT_LIMITS;
    let checked = 0;
    const begun = now;
    // Long enough for 20 failures everywhere, too short for a lock to end.
    for (; now - begun < 10 * MINUTE; now += 30 * SECOND) {
      for (let round = 0; round < 4; round++) {
        checked += places.filter((place) => wrong(place)).length;
      }
    }
    expect(checked).toBeGreaterThan(lockAfter);
    expect(checked).toBeLessThanOrEqual(16 * (lockAfter + 5) + ceiling + 5);
  });

  it('do not keep the owner from a new one', () => {
    for (const place of places) {
      const attempt = begin(place);
      expect(attempt.admit()).toBe(true);
      attempt.succeeded();
    }
  });
});

describe('what is guessed at', () => {
  const at = (source?: string): LoginAttempt =>
    attempts.begin({ user: 'alice', exists: true, origin: 'a', source });

  it('is counted separately, and a success or unlock of one does not affect the other', () => {
    for (let failure = 0; failure < 20; failure++) {
      const attempt = at('1000 /etc/secrets/alice');
      while (!attempt.admit()) {
        now += SECOND;
      }
      attempt.failed();
    }
    const own = at();
    expect(own.admit()).toBe(true);
    own.succeeded();
    attempts.unlock('alice', '');
    known.clear();
    expect(at('1000 /etc/secrets/alice').admit()).toBe(false);
    expect(attempts.lockOf('alice')).toBeGreaterThan(0);
    attempts.unlock('alice');
    expect(attempts.lockOf('alice')).toBe(0);
  });
});

describe('a place from which a user proved one factor', () => {
  it('is a strange one for another', () => {
    const proven = attempts.begin({ user: 'alice', exists: true, origin: 'a' });
    proven.admit();
    proven.succeeded();
    for (let guess = 0; guess < 10; guess++) {
      expect(
        attempts.begin({ user: 'alice', exists: true, origin: `b${guess}`, source: 'file' }).admit(),
      ).toBe(true);
    }
    expect(attempts.begin({ user: 'alice', exists: true, origin: 'a', source: 'file' }).admit()).toBe(false);
    expect(attempts.begin({ user: 'alice', exists: true, origin: 'a' }).admit()).toBe(true);
  });
});

describe('many attempts within an hour', () => {
  it('are counted in few bytes, never too low', () => {
    const limit = [{ attempts: 100, seconds: 3_600 }];
    let admitted = 0;
    const begun = now;
    while (now - begun < 3_600 * SECOND - SECOND) {
      const attempt = attempts.begin({ user: 'alice', exists: true, origin: 'a' }, limit);
      if (attempt.admit()) {
        admitted += 1;
        attempt.succeeded();
        known.clear();
      }
      now += 10 * SECOND;
    }
    expect(admitted).toBeLessThanOrEqual(100);
    expect(admitted).toBeGreaterThan(95);
  });
});

function fail20(origin: string, user: string): void {
  for (let failure = 0; failure < 20; failure++) {
    const attempt = begin(origin, user);
    while (!attempt.admit()) {
      now += SECOND;
    }
    attempt.failed();
  }
}
