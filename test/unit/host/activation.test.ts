import { describe, expect, it } from 'vitest';
import { activatedSockets } from '../../../src/host/activation.ts';

const PID = 4711;
const environment = (count: string, names: string, pid = String(PID)): NodeJS.ProcessEnv => ({
  LISTEN_PID: pid,
  LISTEN_FDS: count,
  LISTEN_FDNAMES: names,
  PATH: '/bin',
});

describe('activatedSockets', () => {
  it('numbers the sockets from 3 on, in the order of their names', () => {
    expect(activatedSockets(environment('3', 'pam:user:control'), PID)).toEqual(
      new Map([
        ['pam', 3],
        ['user', 4],
        ['control', 5],
      ]),
    );
  });

  it('finds none when there are none, or they are for another process', () => {
    expect(activatedSockets({}, PID)).toEqual(new Map());
    expect(activatedSockets(environment('1', 'pam', '4712'), PID)).toEqual(new Map());
    expect(activatedSockets(environment('1', 'pam', `0${PID}`), PID)).toEqual(new Map());
    expect(activatedSockets({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'pam' }, PID)).toEqual(new Map());
  });

  it('takes the variables away from the children, also when they are wrong', () => {
    for (const variables of [environment('1', 'pam'), environment('1', 'pam', '1')]) {
      activatedSockets(variables, PID);
      expect(variables).toEqual({ PATH: '/bin' });
    }
    const wrong = environment('2', 'pam');
    expect(() => activatedSockets(wrong, PID)).toThrow(/disagree/);
    expect(wrong).toEqual({ PATH: '/bin' });
  });

  it.each([
    ['2', 'pam'],
    ['1', 'pam:user'],
    ['x', 'pam'],
    ['1.5', 'pam'],
    ['-1', 'pam'],
    ['2', 'pam:pam'],
  ])('refuses %s sockets with the names %s', (count, names) => {
    expect(() => activatedSockets(environment(count, names), PID)).toThrow();
  });
});
