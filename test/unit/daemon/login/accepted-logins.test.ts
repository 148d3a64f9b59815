import { beforeEach, expect, it } from 'vitest';
import { AcceptedLogins } from '../../../../src/daemon/login/accepted-logins.ts';

let now: number;
let accepted: AcceptedLogins;
const login = { user: Buffer.from('alice'), tty: 'ssh', rhost: '', ruser: undefined };

beforeEach(() => {
  now = 100;
  accepted = new AcceptedLogins(() => now, 'only a rehearsal');
});

it('remembers the last login of each service', () => {
  accepted.note({ ...login, service: 'sshd' });
  now = 200;
  accepted.note({ ...login, service: 'su' });
  accepted.note({ ...login, service: 'sshd', user: 'bob' });
  expect(accepted.all()).toEqual([
    { service: 'su', user: 'alice', at: 200 },
    { service: 'sshd', user: 'bob', at: 200 },
  ]);
});

it('takes no rehearsal for a login', () => {
  accepted.note({ ...login, service: 'sshd', ruser: Buffer.from('only a rehearsal') });
  accepted.note({ ...login, service: undefined });
  expect(accepted.all()).toEqual([]);
});

it('forgets the oldest of too many services', () => {
  for (let count = 0; count < 300; count += 1) {
    accepted.note({ ...login, service: `service-${count}` });
  }
  expect(accepted.all()).toHaveLength(256);
  expect(accepted.all()[0]?.service).toBe('service-44');
});
