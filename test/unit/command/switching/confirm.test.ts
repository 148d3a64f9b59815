import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, it } from 'vitest';
import type { AcceptedLogin } from '../../../../src/contracts/control-requests.ts';
import { machineClock } from '../../../../src/host/clocks.ts';
import { evidence } from '../../../../src/command/switching/confirm.ts';
import { begin, forget } from '../../../../src/command/switching/pending.ts';
import { placesBelow, type Places } from '../../../../src/command/switching/places.ts';
import { describedMachine } from '../../fixtures/described-machine.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const newDirectory = temporaryDirectories();
const OTHER_LOGIN = 'audit:2';
let places: Places;

beforeEach(() => {
  places = placesBelow(newDirectory());
  mkdirSync(places.pam, { recursive: true });
  mkdirSync(`${places.run}/..`, { recursive: true });
  for (const [name, text] of [
    ['sshd', 'auth required pam_unix.so\n'],
    ['su', 'auth required pam_unix.so\n'],
    ['su-l', 'auth include su\n'],
  ] as const) {
    writeFileSync(`${places.pam}/${name}`, text, { mode: 0o644 });
  }
});

const wait = (...services: string[]): number =>
  begin(
    places,
    services.map((service) => ({ service, before: '', after: '' })),
    300,
    'audit:1',
  ).begun;
const after = (...logins: AcceptedLogin[]): ReturnType<typeof evidence> =>
  evidence(places, describedMachine({ daemon: { logins: { logins } } }), OTHER_LOGIN);

it('takes a login with a code through each service, after the change', async () => {
  const begun = wait('sshd', 'su');
  expect(await after({ service: 'sshd', user: 'alice', at: begun + 1 })).toMatchObject({
    proven: [{ service: 'sshd', user: 'alice' }],
    unproven: ['su'],
  });
  // su-l includes su, so the same lines let somebody in.
  expect(await after({ service: 'su-l', user: 'root', at: begun + 1 })).toMatchObject({
    proven: [{ service: 'su', user: 'root' }],
  });
});

it('does not take one from before the change, or through another service', async () => {
  const begun = wait('sshd');
  const early = { service: 'sshd', user: 'alice', at: begun };
  const elsewhere = { service: 'login', user: 'alice', at: machineClock() + 1000 };
  await expect(after(early, elsewhere)).rejects.toThrow(
    /^Nobody has logged in with a code through sshd since/,
  );
});

it('does not take the login that made the change, nor one after the time', async () => {
  const begun = wait('sshd');
  const machine = describedMachine({
    daemon: { logins: { logins: [{ service: 'sshd', user: 'alice', at: begun + 1 }] } },
  });
  await expect(evidence(places, machine, 'audit:1')).rejects.toThrow('This login made the change');
  for (const due of ['1', 'soon', '']) {
    writeFileSync(`${places.state}/pending/due`, `${due}\n`);
    await expect(evidence(places, machine, OTHER_LOGIN), due).rejects.toThrow('The time to confirm is over');
  }
});

it('says that nothing waits', async () => {
  await expect(after()).rejects.toThrow('Nothing waits to be confirmed.');
  wait('sshd');
  forget(places);
  await expect(after()).rejects.toThrow('Nothing waits to be confirmed.');
});
