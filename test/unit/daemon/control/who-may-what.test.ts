/* Every request, for every kind of caller. The owner has an account in the passwd database. */
import { userInfo } from 'node:os';
import { beforeEach, describe, expect, it } from 'vitest';
import { answerTo, type ControlPorts } from '../../../../src/daemon/control/answer-to.ts';
import { ControlError } from '../../../../src/daemon/control/control-error.ts';
import { changeFactors } from '../../../../src/daemon/control/factor-requests.ts';
import { allEnrolments } from '../../../../src/daemon/enrolments/all-enrolments.ts';
import type { AccountLookup, Enrolment } from '../../../../src/daemon/enrolments/enrolment.ts';
import { forAccount } from '../../../../src/daemon/enrolments/for-account.ts';
import { noOnlineYubikeys } from '../../../../src/daemon/enrolments/yubico/online-yubikeys.ts';
import { sourcesInOrder } from '../../../../src/daemon/enrolments/sources-in-order.ts';
import { storeSource } from '../../../../src/daemon/enrolments/store/store-source.ts';
import { lookUpUid, lookUpUser } from '../../../../src/host/addon.ts';
import { controlPorts, type TestPorts } from '../../fixtures/control-ports.ts';
import { OTHER_UID } from '../../fixtures/other-user.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const ROOT_UID = 0;
const UID = userInfo().uid === ROOT_UID ? OTHER_UID : userInfo().uid;
const RIGHT = '123456';
const FILE = Buffer.from('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n" TOTP_AUTH\n').toString('base64');

let ports: TestPorts;
let owner: string;

beforeEach(async () => {
  ports = controlPorts(makeDirectory());
  owner = (await lookUpUid(UID))!.name;
});

/** Accepts one code again and again: this test is only about permissions. */
const enrolment: Enrolment = {
  shapes: [{ class: 'digits', length: 6 }],
  verify: ([reading]) =>
    Promise.resolve(
      reading?.text.toString() === RIGHT
        ? { kind: 'accepted', factor: 'totp:phone', reading: 0 }
        : { kind: 'rejected', reason: 'wrong-code' },
    ),
};

/** All sources as the daemon has them. A factor that only a line of pam.d names is in none of the sources that a request sees. */
function withSources(
  from: ControlPorts,
  found: { home?: AccountLookup; proxmox?: AccountLookup },
): ControlPorts {
  const absent = { kind: 'absent' } as const;
  const own = storeSource(ports.store, ports.ledger, () => 0, noOnlineYubikeys('there is none'));
  const proxmox = { lookUp: () => Promise.resolve(found.proxmox ?? absent) };
  const onLine = (): Promise<AccountLookup> => Promise.resolve({ kind: 'enrolled', enrolment });
  const all = allEnrolments({
    own: sourcesInOrder([own, proxmox]),
    home: {
      lookUp: ({ options }) =>
        options.secret === undefined ? Promise.resolve(found.home ?? absent) : onLine(),
    },
    yubico: { lookUp: onLine },
    notebook: { mark: () => undefined, note: () => undefined },
    now: Date.now,
    findUser: lookUpUser,
  });
  return { ...from, enrolments: forAccount(all, ({ name }) => lookUpUser(name)) };
}

/** The requests, with what they need besides a proof. */
const REQUESTS: readonly (readonly [what: string, method: string, path: string, body: object | undefined])[] =
  [
    ['about', 'GET', '/v1/about', undefined],
    ['users', 'GET', '/v1/users', undefined],
    ['user', 'GET', '/v1/users/USER', undefined],
    [
      'add',
      'POST',
      '/v1/users/USER/changes',
      { changes: [{ do: 'add', factor: { kind: 'totp', name: 'new' } }] },
    ],
    ['remove', 'POST', '/v1/users/USER/changes', { changes: [{ do: 'remove', factor: 'phone' }] }],
    ['rename', 'POST', '/v1/users/USER/changes', { changes: [{ do: 'rename', factor: 'phone', name: 'x' }] }],
    ['pause', 'POST', '/v1/users/USER/changes', { changes: [{ do: 'pause', factor: 'phone' }] }],
    ['show', 'POST', '/v1/users/USER/factors/phone/show', {}],
    ['unlock', 'POST', '/v1/users/USER/unlock', {}],
    ['import', 'POST', '/v1/users/USER/import', { file: FILE }],
    ['export', 'POST', '/v1/users/USER/export', {}],
    ['remove-exported', 'POST', '/v1/users/USER/export/remove', { file: FILE }],
    ['forget', 'POST', '/v1/users/USER/forget', {}],
    ['rules', 'GET', '/v1/rules/sshd/USER', undefined],
    ['logins', 'GET', '/v1/logins', undefined],
    ['health', 'GET', '/v1/health', undefined],
    ['yubico', 'GET', '/v1/yubico', undefined],
    ['yubico-check', 'POST', '/v1/yubico/check', { otp: 'c'.repeat(44) }],
    ['repair', 'POST', '/v1/ledger/repair', {}],
  ];

async function outcome(
  of: ControlPorts,
  uid: number,
  what: string,
  user: string,
  proof?: string,
): Promise<string> {
  const [, method, path, body] = REQUESTS.find(([name]) => name === what)!;
  const target = path.replace('USER', user);
  const proven = proof === undefined || body === undefined ? body : { ...body, proof };
  try {
    const reply = await answerTo(of, { uid }, { method, target, json: () => proven });
    if ('list' in reply) {
      for await (const view of reply.list) {
        expect(view).toBeDefined();
      }
    }
    return 'done';
  } catch (error) {
    return error instanceof ControlError ? error.code : String(error);
  }
}

const enrolled: AccountLookup = { kind: 'enrolled', enrolment };
const FOR_ROOT = [
  'export',
  'remove-exported',
  'forget',
  'rules',
  'logins',
  'health',
  'yubico',
  'yubico-check',
  'repair',
];
const FREE = ['about', 'users', 'user'];
const OF_A_USER = REQUESTS.filter(([, , path]) => path.includes('USER')).map(([what]) => what);
const OF_PHONE = ['remove', 'rename', 'pause', 'show'];
const PROVEN = ['add', 'unlock', 'import'];

/** The kinds of enrolments, as a request sees them. */
const OWNERS = [
  ['a factor in the home', { home: enrolled }],
  ['a factor in Proxmox', { proxmox: enrolled }],
] as const;
/** No factor that can be looked up. */
const WITHOUT = ['nothing', 'a file that secret= names', 'YubiKeys that a line names'];

it('knows every request that the daemon does', () => {
  expect([...FOR_ROOT, ...FREE, ...OF_PHONE, ...PROVEN].sort()).toEqual(
    REQUESTS.map(([what]) => what).sort(),
  );
});

describe('root', () => {
  it.each(REQUESTS.map(([what]) => what))('may do %s without a code', async (what) => {
    await changeFactors(ports, { uid: ROOT_UID }, owner, {
      changes: ['phone', 'spare'].map((name) => ({ do: 'add', factor: { kind: 'totp', name } })),
    });
    const result = await outcome(ports, ROOT_UID, what, owner);
    // Without an imported file, and without servers, there is nothing to do.
    const without: Record<string, string> = {
      export: 'ERR_NOT_IMPORTED',
      'remove-exported': 'ERR_NOT_IMPORTED',
      'yubico-check': 'ERR_NOT_ONLINE',
    };
    expect(result).toBe(without[what] ?? 'done');
  });
});

describe('another user', () => {
  it.each(OF_A_USER)('may not %s, whatever the code', async (what) => {
    const before = ports.log.events.length;
    const codes = await Promise.all(
      ['root', 'nobody-of-this-name'].map((user) => outcome(ports, UID, what, user, RIGHT)),
    );
    expect(codes).toEqual(codes.map(() => (FOR_ROOT.includes(what) ? 'ERR_NOT_ROOT' : 'ERR_NOT_ALLOWED')));
    expect(ports.log.events).toHaveLength(before);
  });
});

describe.each(OWNERS)('an owner with %s', (_what, found) => {
  it.each(FOR_ROOT)('may not %s', async (what) => {
    expect(await outcome(withSources(ports, found), UID, what, owner, RIGHT)).toBe('ERR_NOT_ROOT');
  });
  it.each(FREE)('may %s', async (what) => {
    expect(await outcome(withSources(ports, found), UID, what, owner)).toBe('done');
  });
  it.each(PROVEN)('proves it to %s', async (what) => {
    const all = withSources(ports, found);
    expect(await outcome(all, UID, what, owner)).toBe('ERR_PROOF_NEEDED');
    expect(await outcome(all, UID, what, owner, '654321')).toBe('ERR_WRONG_CODE');
    expect(ports.store.empty).toBe(true);
    expect(await outcome(all, UID, what, owner, RIGHT)).toBe('done');
  });
});

describe.each(WITHOUT)('an owner with %s', () => {
  it.each(FOR_ROOT)('may not %s', async (what) => {
    expect(await outcome(withSources(ports, {}), UID, what, owner)).toBe('ERR_NOT_ROOT');
  });
  it.each(FREE)('may %s', async (what) => {
    expect(await outcome(withSources(ports, {}), UID, what, owner)).toBe('done');
  });
  it.each(['add', 'import'])('enrols with %s', async (what) => {
    expect(await outcome(withSources(ports, {}), UID, what, owner)).toBe('done');
  });
  it('may not unlock with any code, because that proves nothing', async () => {
    const all = withSources(ports, {});
    for (const proof of [undefined, RIGHT, '', '0']) {
      expect(await outcome(all, UID, 'unlock', owner, proof)).toBe('ERR_NOTHING_TO_PROVE');
    }
    expect(ports.log.text).not.toContain('forgotten');
  });
});

describe('an owner with a phone in the store', () => {
  beforeEach(async () => {
    await changeFactors(ports, { uid: ROOT_UID }, owner, {
      changes: ['phone', 'spare'].map((name) => ({ do: 'add', factor: { kind: 'totp', name } })),
    });
  });
  it.each([...OF_PHONE, ...PROVEN])('proves it to %s', async (what) => {
    const all = withSources(ports, {});
    expect(await outcome(all, UID, what, owner)).toBe('ERR_PROOF_NEEDED');
    expect(await outcome(all, UID, what, owner, 'XXXXXX')).toBe('ERR_WRONG_CODE');
    const right = { ...all, enrolments: { lookUp: () => Promise.resolve(enrolled) } };
    expect(await outcome(right, UID, what, owner, RIGHT)).toBe('done');
  });
});
