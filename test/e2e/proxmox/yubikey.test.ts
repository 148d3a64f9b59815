/* A realm that requires a YubiKey: at SSH and the console, it is looked up at the server in domains.cfg. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../unit/fixtures/certificates.ts';
import { ValidationServer } from '../../unit/fixtures/validation-server.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { logIn, PAM } from '../daemon/pam-login.ts';
import { NO_THROTTLE, type Person } from '../daemon/stage.ts';
import { entry, phone, useProxmox } from './proxmox-stage.ts';

const API_KEY = randomBytes(20);
const proxmox = useProxmox(NO_THROTTLE);
const yubikey = new VirtualYubikey();
const other = new VirtualYubikey();
let server: ValidationServer;
let service: string;

beforeAll(async () => {
  const { stage } = proxmox;
  const certificate = makeCertificate('IP:127.0.0.1');
  server = await new ValidationServer(certificate, API_KEY, [yubikey, other]).listen();
  // domains.cfg names no authorities: those that Node.js trusts count.
  writeFileSync(`${stage.dir}/ca.pem`, certificate.cert, { mode: 0o644 });
  await proxmox.daemon.stop();
  stage.around = ['env', `NODE_EXTRA_CA_CERTS=${stage.dir}/ca.pem`];
  proxmox.daemon = await stage.start();
  realm();
  service = stage.service('nullok');
});
afterAll(() => server.close());

/** The factor that the realm requires. */
function realm({ id = '42', key = API_KEY.toString('base64'), url = server.url.href } = {}): void {
  proxmox.write('domains.cfg', `pam: pam\n\tdefault 1\n\ttfa type=yubico,id=${id},key=${key},url=${url}\n`);
}

const withKey = ({ publicId }: VirtualYubikey): Person =>
  proxmox.person(() => ({ yubico: [entry(publicId)] }));
const typed = async ({ name }: Person, answer: string): Promise<number> =>
  (await logIn(proxmox.stage, name, answer, { service })).rc;

test('the key of the web interface opens, each touch once, and nobody else is asked about', async () => {
  const person = withKey(yubikey);
  const otp = yubikey.touch();
  expect(await typed(person, otp)).toBe(PAM.success);
  await proxmox.daemon.log.waitFor(new RegExp(`Accepted .* ${person.name} .*factor=yubikey:proxmox:phone`));
  expect(await typed(person, otp)).toBe(PAM.denied);
  await proxmox.daemon.log.waitFor(new RegExp(`Invalid .* ${person.name} .*reason=code-already-used`));
  const asked = server.requests.length;
  expect(await typed(person, other.touch())).toBe(PAM.denied);
  expect(server.requests.length).toBe(asked);
  expect(await typed(person, yubikey.touch())).toBe(PAM.success);
});

test("a phone's code does not count there, and users without a key are refused", async () => {
  const both = proxmox.person((who) => ({ ...phone(who), yubico: [entry(yubikey.publicId)] }));
  expect(await typed(both, both.code())).toBe(PAM.denied);
  expect(await typed(both, yubikey.touch())).toBe(PAM.success);
  const keyless = proxmox.person(phone);
  expect(await typed(keyless, keyless.code())).toBe(PAM.denied);
  await proxmox.daemon.log.waitFor(/reason=record-unusable.*the realm requires a YubiKey/);
});

test('an old key of user.cfg opens, too', async () => {
  const person = proxmox.person();
  proxmox.write('user.cfg', `user:${person.name}@pam:1:0:::::${yubikey.publicId}:\n`);
  expect(await typed(person, yubikey.touch())).toBe(PAM.success);
  proxmox.writeFiles();
});

test('a server that lies lets nobody in', async () => {
  const person = withKey(yubikey);
  server.lie = (honest, response) => response.end(honest.body().replace(/^h=.*$/m, `h=${'A'.repeat(27)}=`));
  expect(await typed(person, yubikey.touch())).toBe(PAM.systemError);
  await proxmox.daemon.log.waitFor(/the signature of the answer is missing or wrong/);
  server.lie = undefined;
  expect(await typed(person, yubikey.touch())).toBe(PAM.success);
});

test.each([
  ['http', { url: 'http://127.0.0.1/verify' }],
  ['a key of no bytes', { key: '=' }],
])(
  'a realm with %s instead of the right settings lets nobody in, and the log says what to fix',
  async (_, wrong) => {
    const person = withKey(yubikey);
    realm(wrong);
    expect(await typed(person, yubikey.touch())).toBe(PAM.systemError);
    await proxmox.daemon.log.waitFor(
      /the tfa line of the realm in domains\.cfg cannot be used: id, key and an https url/,
    );
    realm();
    expect(await typed(person, yubikey.touch())).toBe(PAM.success);
  },
);
