/* The user is the one who runs the tests. */
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { changeFactors } from '../../../../src/daemon/control/factor-requests.ts';
import { showFactor } from '../../../../src/daemon/control/show-factor.ts';
import type { Changed } from '../../../../src/contracts/control-requests.ts';
import type { OfflineYubikeyFactor } from '../../../../src/daemon/enrolments/store/record.ts';
import type { LookedUp } from '../../../../src/daemon/enrolments/yubico/online-yubikeys.ts';
import { controlPorts, type TestPorts } from '../../fixtures/control-ports.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';
import { VirtualYubikey } from '../../fixtures/virtual-yubikey.ts';
import { verified } from '../../fixtures/verified.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo();
const ROOT = { uid: 0 };

const ACCOUNT = { name: ME.username, uid: ME.uid };

let directory: string;
let ports: TestPorts;
let yubikey: VirtualYubikey;
let asked: string[];
let serverSays: LookedUp;
/** Called while a server is asked. */
let meanwhile: () => void;

beforeEach(() => {
  yubikey = new VirtualYubikey();
  asked = [];
  serverSays = { kind: 'right', mark: 257 };
  meanwhile = () => undefined;
  directory = makeDirectory();
  ports = controlPorts(directory, () => 0, {
    lookUp: (user, otp) => {
      asked.push(`${user} ${otp.text}`);
      meanwhile();
      return Promise.resolve(serverSays);
    },
  });
});

const add = (factor: object): Promise<Changed> =>
  changeFactors(ports, ROOT, ME.username, {
    changes: [{ do: 'add', factor: { kind: 'yubikey', ...factor } }],
  });
const refusal = (status: number, code: string): unknown =>
  expect.objectContaining({ name: 'ControlError', status, code });
const line = (key = yubikey): string =>
  `1,${key.publicId},${key.privateId.toString('hex')},${key.aesKey.toString('hex')},,2026-01-02T03:04:05,`;
const verify = async (typed: string): Promise<string> => {
  const lookup = await ports.enrolments.lookUp(ACCOUNT);
  if (lookup.kind !== 'enrolled') {
    return lookup.kind;
  }
  const shape = { class: 'modhex', length: typed.length } as const;
  return (await verified(lookup.enrolment, ports.ledger, [{ shape, text: Buffer.from(typed) }], 0)).kind;
};

describe('adding a YubiKey that a server checks', () => {
  it('needs a touch that the server says is right, and that touch opens nothing', async () => {
    const otp = yubikey.touch();
    const { added } = await add({ name: 'blue', otp: `  ${otp.toUpperCase()}\n` });
    expect(asked).toEqual([`${ME.username} ${otp}`]);
    expect(added[0]).toMatchObject({
      factor: { kind: 'yubikey-online', name: 'blue', publicId: yubikey.publicId },
    });
    expect(ports.ledger.advances).toMatchObject([{ value: 257 }]);
    expect(await verify(yubikey.touch())).toBe('rejected');
    serverSays = { kind: 'right', mark: 258 };
    expect(await verify(yubikey.touch())).toBe('accepted');
    expect(ports.log.text).toContain('yubikey-online:blue added');
    expect(ports.log.text).not.toContain(otp.slice(-32));
  });

  it.each<[LookedUp, number, string]>([
    [{ kind: 'wrong' }, 403, 'ERR_WRONG_TOUCH'],
    [{ kind: 'replayed' }, 403, 'ERR_TOUCH_USED'],
    [{ kind: 'unavailable', why: 'w' }, 503, 'ERR_UNAVAILABLE'],
  ])('is refused when the server says %j', async (says, status, code) => {
    serverSays = says;
    await expect(add({ otp: yubikey.touch() })).rejects.toEqual(refusal(status, code));
    expect(ports.store.users()).toEqual([]);
  });

  it('reports used-up codes if the key is refused after the proof', async () => {
    const somebody = { name: 'nobody', uid: 65_534 };
    const changes = [{ do: 'add', factor: { kind: 'recovery' } }];
    const { added } = await changeFactors(ports, somebody, somebody.name, { changes });
    const [first, second] = added[0]!.codes!;
    const addKey = (proof: string | undefined): Promise<unknown> =>
      changeFactors(ports, somebody, somebody.name, {
        changes: [{ do: 'add', factor: { kind: 'yubikey', otp: yubikey.touch() } }],
        proof,
      });
    serverSays = { kind: 'wrong' };
    await expect(addKey(first)).rejects.toThrow(
      'The validation server does not know this YubiKey. The recovery code that you typed is used up: the next try needs another.',
    );
    serverSays = { kind: 'right', mark: 257 };
    meanwhile = () =>
      mkdirSync(join(directory, 'enrolments', `.${somebody.name}.json.new`, 'full'), { recursive: true });
    await expect(addKey(second)).rejects.toThrow(
      'No factor was changed, but the recovery code that you typed and the touch of the YubiKey are used up: the next try needs others.',
    );
  });

  it('is refused when it is no touch, or there is no public id, before anybody is asked', async () => {
    await expect(add({ otp: 'hello' })).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    const bare = new VirtualYubikey({ publicId: '' });
    await expect(add({ otp: bare.touch() })).rejects.toEqual(refusal(409, 'ERR_NO_PUBLIC_ID'));
    await expect(add({})).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    expect(asked).toEqual([]);
  });

  it('is refused when the user has this key already, before anybody is asked', async () => {
    await add({ publicId: yubikey.publicId });
    await expect(add({ otp: yubikey.touch() })).rejects.toEqual(refusal(409, 'ERR_HAS_YUBIKEY'));
    expect(asked).toEqual([]);
  });

  it('without a proof, because there is nothing to prove, is not added to factors that came meanwhile', async () => {
    // An account of Debian's base system.
    const nobody = { name: 'nobody', uid: 65_534 };
    const restored = {
      kind: 'yubikey-online',
      id: 'abcd',
      name: 'red',
      added: 0,
      publicId: 'cccccccccccb',
    } as const;
    meanwhile = () => ports.store.write({ user: nobody.name, uid: nobody.uid, factors: [restored] });
    const changes = [{ do: 'add', factor: { kind: 'yubikey', otp: yubikey.touch() } }];
    await expect(changeFactors(ports, nobody, nobody.name, { changes })).rejects.toEqual(
      refusal(409, 'ERR_CHANGED'),
    );
    expect(ports.store.read(nobody)?.factors).toEqual([restored]);
  });
});

describe('adding a YubiKey with its secrets', () => {
  it('checks the touch here, sets the floor, and never shows the secrets', async () => {
    const older = yubikey.touch();
    const otp = yubikey.touch();
    const { added } = await add({ otp, secrets: line() });
    expect(asked).toEqual([]);
    expect(added[0]).toMatchObject({ factor: { kind: 'yubikey-offline', name: 'yubikey' } });
    for (const used of [older, otp]) {
      expect(await verify(used)).toBe('rejected');
    }
    expect(await verify(yubikey.touch())).toBe('accepted');
    const factor = ports.store.read(ACCOUNT)!.factors[0] as OfflineYubikeyFactor;
    expect(factor.aesKey).toEqual(yubikey.aesKey);
    await expect(showFactor(ports, ROOT, ME.username, 'yubikey', {})).rejects.toEqual(
      refusal(409, 'ERR_NOT_SHOWN'),
    );
    for (const secret of [yubikey.aesKey, yubikey.privateId]) {
      expect(JSON.stringify(added) + ports.log.text).not.toContain(secret.toString('hex'));
    }
  });

  it('is refused when the touch is of another key, or was used', async () => {
    const twin = new VirtualYubikey({ publicId: yubikey.publicId });
    await expect(add({ otp: twin.touch(), secrets: line() })).rejects.toEqual(
      refusal(403, 'ERR_WRONG_TOUCH'),
    );
    const otp = yubikey.touch();
    await add({ otp, secrets: line() });
    await changeFactors(ports, ROOT, ME.username, { changes: [{ do: 'remove', factor: 'yubikey' }] });
    await expect(add({ otp, secrets: line() })).rejects.toEqual(refusal(403, 'ERR_TOUCH_USED'));
    expect(ports.store.users()).toEqual([]);
  });

  it('is refused when the first touch cannot be recorded', async () => {
    ports.ledger.answer = 'unavailable';
    await expect(add({ otp: yubikey.touch(), secrets: line() })).rejects.toEqual(refusal(503, 'ERR_STORE'));
    expect(ports.store.users()).toEqual([]);
  });

  it('is refused with an invalid line, and the message does not quote it', async () => {
    const broken = line().replace(/,,.*/, 'x');
    const adding = add({ otp: yubikey.touch(), secrets: broken });
    await expect(adding).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
    await expect(adding).rejects.toThrow('field 4 must be the AES key');
    await expect(add({ secrets: '# comment' })).rejects.toEqual(refusal(400, 'ERR_BAD_REQUEST'));
  });
});

describe('adding a YubiKey that is not touched', () => {
  it('is for root: by its public id, or with its secrets', async () => {
    await add({ publicId: 'ccccccbcgujh' });
    await add({ secrets: line() });
    expect(ports.store.read(ACCOUNT)!.factors.map(({ kind }) => kind)).toEqual([
      'yubikey-online',
      'yubikey-offline',
    ]);
    expect(asked).toEqual([]);
  });

  it('is refused for others', async () => {
    // An account of Debian's base system.
    const nobody = { name: 'nobody', uid: 65_534 };
    for (const factor of [{ publicId: 'ccccccbcgujh' }, { secrets: line() }]) {
      const changes = [{ do: 'add', factor: { kind: 'yubikey', ...factor } }];
      await expect(changeFactors(ports, nobody, nobody.name, { changes })).rejects.toEqual(
        refusal(403, 'ERR_TOUCH_NEEDED'),
      );
    }
  });
});
