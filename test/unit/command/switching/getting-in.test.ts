import { expect, it } from 'vitest';
import { whyLockedOut, withoutFactor } from '../../../../src/command/switching/getting-in.ts';
import { describedMachine } from '../../fixtures/described-machine.ts';

const SSHD = { service: 'sshd', rootExempt: false };
const CONSOLE = { service: 'login', rootExempt: true };

const why = (
  enrolled: string,
  action?: string,
  nullok = false,
  user = 'alice',
  door = SSHD,
): Promise<unknown> => {
  const holds = action === undefined ? null : 2;
  const rules = action === undefined ? [] : [{ number: 2, action }];
  const daemon = { [`users/${user}`]: { enrolled }, [`rules/${door.service}/${user}`]: { rules, holds } };
  return whyLockedOut(describedMachine({ daemon }), user, [door], nullok);
};

it.each([
  ['store', undefined, false, undefined],
  ['elsewhere', undefined, false, undefined],
  ['store', 'both', false, undefined],
  ['none', 'skip', false, undefined],
  ['none', undefined, true, undefined],
  ['none', undefined, false, /there is no factor.*pve-google-authenticator --user=alice.*say --nullok/],
  // An unusable enrolment keeps its user out, and the message does not suggest --nullok.
  ['unusable', undefined, true, /what is enrolled cannot be used(?!.*--nullok)/],
  ['unknown', undefined, true, /cannot read what is enrolled/],
  ['store', 'deny', true, /rule 2 of config\.toml denies it/],
])('with %s enrolled, rule %s, nullok %s: %s', async (enrolled, action, nullok, says) => {
  expect(await why(enrolled, action, nullok)).toEqual(
    says === undefined ? undefined : expect.stringMatching(says),
  );
});

it('looks at root where root is not exempt', async () => {
  expect(await why('none', undefined, false, 'root', CONSOLE)).toBeUndefined();
  expect(await why('none', undefined, false, 'alice', CONSOLE)).toContain('through login');
  expect(await why('none', undefined, false, 'root')).toContain('root could not get in through sshd');
});

it('names the people without a factor, not the accounts of the system', async () => {
  const passwd = [
    'root:x:0:0::/root:/bin/sh',
    'daemon:x:1:1::/:/bin/sh',
    'alice:x:1000:1000::/home/alice:/bin/sh',
    'bob:x:1001:1001::/home/bob:/bin/sh',
    'carol:x:1002:1002::/home/carol:/bin/sh',
    'mail:x:1003:1003::/:/usr/sbin/nologin',
    'nobody:x:65534:65534::/:/bin/sh',
  ].join('\n');
  const daemon = { 'users/alice': { enrolled: 'none' }, 'users/bob': { enrolled: 'store' } };
  expect(await withoutFactor(describedMachine({ files: { '/etc/passwd': passwd }, daemon }))).toEqual([
    'alice',
  ]);
});

it.each([
  ['prohibit-password', undefined],
  ['without-password', undefined],
  ['no', undefined],
  ['yes', /^root could not get in through sshd any more/],
])('asks sshd what holds for root: PermitRootLogin %s', async (permit, says) => {
  const daemon = { 'users/root': { enrolled: 'none' }, 'rules/sshd/root': { rules: [], holds: null } };
  const programs = {
    'sshd -T -C user=root,host=localhost,addr=127.0.0.1': `port 22\npermitrootlogin ${permit}\n`,
  };
  const found = await whyLockedOut(describedMachine({ daemon, programs }), 'root', [SSHD], false);
  expect(found).toEqual(says === undefined ? undefined : expect.stringMatching(says));
});
