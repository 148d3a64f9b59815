import { describe, expect, it } from 'vitest';
import { LoginSlots, type Occupant, type Origin } from '../../../../src/daemon/server/login-slots.ts';

const ROOT: Origin = { socket: 'root' };

class Login implements Occupant {
  given: string | undefined;
  readonly askedAt: number | undefined;
  constructor(askedAt?: number) {
    this.askedAt = askedAt;
  }
  giveUp(why: string): void {
    this.given = why;
  }
}

/** Fills root's places; the logins were asked at 0, 1, 2 … unless nobody was. */
function filled(places: LoginSlots, count: number, asked: boolean, remote = false): Login[] {
  return Array.from({ length: count }, (_, index) => {
    const login = new Login(asked ? index : undefined);
    expect(places.take(login, ROOT)).toBe(true);
    if (remote) {
      expect(places.markRemote(login)).toBe(true);
    }
    return login;
  });
}

const givenUp = (logins: readonly Login[]): number[] =>
  logins.flatMap(({ given }, index) => (given === undefined ? [] : [index]));

describe('LoginSlots', () => {
  it('has 512 for root; then the login that has waited longest for its person is ended', () => {
    const places = new LoginSlots();
    const logins = filled(places, 512, true);
    expect(givenUp(logins)).toEqual([]);
    expect(places.take(new Login(), ROOT)).toBe(true);
    expect(places.take(new Login(), ROOT)).toBe(true);
    expect(givenUp(logins)).toEqual([0, 1]);
    expect(places.taken).toBe(512);
  });

  it('takes the oldest by the time of the question, not by the order of coming', () => {
    const places = new LoginSlots();
    filled(places, 510, false);
    const late = new Login(900);
    const early = new Login(100);
    places.take(late, ROOT);
    places.take(early, ROOT);
    expect(places.take(new Login(), ROOT)).toBe(true);
    expect([late.given, early.given !== undefined]).toEqual([undefined, true]);
  });

  it('refuses the new one when nobody waits for a person', () => {
    const places = new LoginSlots();
    const logins = filled(places, 512, false);
    expect(places.take(new Login(), ROOT)).toBe(false);
    expect(givenUp(logins)).toEqual([]);
    places.leave(logins[7]!);
    expect(places.take(new Login(), ROOT)).toBe(true);
  });

  it('leaves eight to local terminals', () => {
    const places = new LoginSlots();
    const remote = filled(places, 504, false, true);
    const one = new Login();
    expect(places.take(one, ROOT)).toBe(true);
    expect(places.markRemote(one)).toBe(false);
    places.leave(one);
    filled(places, 8, false);
    expect(places.taken).toBe(512);
    expect(givenUp(remote)).toEqual([]);
  });

  it('lets one remote login push out another, and never a local one', () => {
    const places = new LoginSlots();
    const local = new Login(0);
    places.take(local, ROOT);
    const remote = filled(places, 504, true, true);
    const one = new Login();
    expect(places.take(one, ROOT)).toBe(true);
    expect(places.markRemote(one)).toBe(true);
    expect(givenUp(remote)).toEqual([0]);
    expect(local.given).toBeUndefined();
  });

  it('has 64 for everybody and 8 for one uid, and nobody is pushed out for them', () => {
    const places = new LoginSlots();
    const root = filled(places, 512, true, false);
    const users: Login[] = [];
    for (let uid = 1000; uid < 1008; uid++) {
      for (let count = 0; count < 8; count++) {
        const login = new Login(0);
        users.push(login);
        expect(places.take(login, { socket: 'user', uid })).toBe(true);
      }
      expect(places.take(new Login(), { socket: 'user', uid })).toBe(false);
    }
    expect(places.take(new Login(), { socket: 'user', uid: 2000 })).toBe(false);
    expect(places.taken).toBe(576);
    expect(givenUp([...root, ...users])).toEqual([]);
    // Nor are they pushed out for root's.
    expect(places.take(new Login(), ROOT)).toBe(true);
    expect(givenUp(users)).toEqual([]);
    places.leave(users[0]!);
    expect(places.take(new Login(), { socket: 'user', uid: 1000 })).toBe(true);
    expect(places.take(new Login(), { socket: 'user', uid: 1000 })).toBe(false);
  });

  it('lets a remote host that the user socket names push out nobody', () => {
    const places = new LoginSlots();
    const remote = filled(places, 504, true, true);
    const user = new Login();
    places.take(user, { socket: 'user', uid: 1000 });
    expect(places.markRemote(user)).toBe(true);
    expect(givenUp(remote)).toEqual([]);
  });

  it('forgets ended logins, and lists the others', () => {
    const places = new LoginSlots();
    const [one, two] = filled(places, 2, true, true);
    const user = new Login();
    places.take(user, { socket: 'user', uid: 5 });
    expect(places.all()).toEqual([one, two, user]);
    places.leave(one!);
    places.leave(one!);
    places.leave(user);
    expect(places.all()).toEqual([two]);
    expect(places.taken).toBe(1);
  });
});
