import { expect, it } from 'vitest';
import { shownUser } from '../../../../../src/daemon/enrolments/proxmox/shown-entries.ts';
import { NO_ENTRIES } from '../../../../../src/daemon/enrolments/proxmox/tfa-config.ts';

it('shows nothing that steers the terminal of who looks at it', () => {
  const odd = {
    id: 'a\x1b[2J',
    description: 'key\x1b]0;x\x07\n\u202e\u2028\x9b ü',
    created: 0,
    enabled: true,
  };
  const config = {
    tfa: new Map([['ana\x1b@pam', { ...NO_ENTRIES, webauthn: [odd] }]]),
    users: new Map(),
    domains: new Map(),
  };
  const view = shownUser({ kind: 'known', config, doubt: undefined }, 'ana\x1b', ['pam'], 0);
  expect(view).toMatchObject({
    userId: 'ana?@pam',
    entries: [{ id: 'a?[2J', name: 'key?]0;x????? ü' }],
  });
});
