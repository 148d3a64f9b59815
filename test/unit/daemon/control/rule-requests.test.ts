import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/config/config.ts';
import { testRules } from '../../../../src/daemon/control/rule-requests.ts';

const ME = userInfo().username;
const { rules } = parseConfig(
  `
[[rule]]
service = "sshd"
network = "192.0.2.0/24"
action = "skip"

[[rule]]
user = "${ME}"
action = "both"
`,
  'f',
);
const ports = { rules: { rules, groupsOf: () => Promise.resolve([]) } };

describe('testRules', () => {
  it('says which rule holds, and why each does or does not', async () => {
    expect(await testRules(ports, 'sshd', ME, '192.0.2.7')).toEqual({
      userExists: true,
      rules: [
        {
          number: 1,
          action: 'skip',
          applies: true,
          because: 'the service is sshd; 192.0.2.7 is in 192.0.2.0/24',
        },
        { number: 2, action: 'both', applies: true, because: `the user is ${ME}` },
      ],
      holds: 1,
    });
    expect(await testRules(ports, 'login', ME, undefined)).toMatchObject({ holds: 2 });
  });

  it('says when none does, and when there is no such user', async () => {
    expect(await testRules(ports, 'login', 'nobody-has-this-name', undefined)).toMatchObject({
      userExists: false,
      holds: null,
      rules: [{ applies: false }, { applies: false, because: 'there is no such user' }],
    });
    expect(await testRules(ports, 'sshd', 'a\0b', 'host.example.com')).toMatchObject({
      userExists: false,
      holds: null,
    });
  });
});
