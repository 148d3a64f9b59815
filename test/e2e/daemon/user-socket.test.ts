import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logIn, PAM } from './pam-login.ts';
import { NO_THROTTLE, AS_ROOT, notRun, Stage, STRANGER_UID, type Daemon } from './stage.ts';

/* A host that is not root, such as a screen locker. Without root we are one ourselves. */

const HOST_UID = AS_ROOT ? 200_001 : process.getuid!();
const NOT_ENROLLED_UID = 200_002;

let stage: Stage;
let daemon: Daemon;
let service: string;
let withNullok: string;

beforeAll(async () => {
  stage = await Stage.build();
  // All persons here are the same account, which would soon have too many tries.
  stage.configure(NO_THROTTLE);
  daemon = await stage.start();
  // Like the installed module: first root's socket, then the other one if that is closed.
  const first = AS_ROOT ? [`socket=${stage.socket('pam')}`] : [];
  service = stage.service(...first, `socket=${stage.socket('user')}`);
  withNullok = stage.service(...first, `socket=${stage.socket('user')}`, 'nullok');
});
afterAll(() => stage.clear());

describe('a host that is not root', () => {
  test('is served for its own account', async () => {
    const own = stage.person({ uid: HOST_UID, period: 120 });
    const code = own.code();
    const denied = await logIn(stage, own.name, own.wrongCode(), { service, uid: HOST_UID });
    expect(denied.rc).toBe(PAM.denied);
    expect((await logIn(stage, own.name, code, { service, uid: HOST_UID })).rc).toBe(PAM.success);
    expect((await logIn(stage, own.name, code, { service, uid: HOST_UID })).rc).toBe(PAM.denied);
    await daemon.log.waitFor(new RegExp(`Accepted verification code for ${own.name} `));
  });

  test('is not served for the account of another: asked, and refused, with the right code too', async () => {
    const other = stage.person();
    const code = other.code();
    for (const wanted of [service, withNullok]) {
      const end = await logIn(stage, other.name, code, { service: wanted, uid: HOST_UID });
      expect(end.rc).toBe(PAM.userUnknown);
      expect(end.shown).toEqual(['Verification code: ']);
    }
    // It also used up none of their codes.
    expect((await logIn(stage, other.name, code, { service: stage.service() })).rc).toBe(PAM.success);
    expect(daemon.log.matching(new RegExp(`Accepted .* ${other.name} `))).toHaveLength(1);
  });

  test('cannot choose its origin', async () => {
    const own = stage.person({ uid: HOST_UID });
    const options = { service, uid: HOST_UID, items: ['RHOST=192.0.2.77', 'TTY=tty-of-mine'] };
    expect((await logIn(stage, own.name, own.wrongCode(), options)).rc).toBe(PAM.denied);
    const [line] = await daemon.log.waitFor(/tty=tty-of-mine/);
    expect(line).not.toContain('rhost');
  });

  test('is asked with nullok too, and lets in only after that', async () => {
    if (!AS_ROOT) {
      notRun('a host of a user without a factor', 'this needs root');
      return;
    }
    const bare = stage.person({ uid: NOT_ENROLLED_UID, enrolled: false });
    const plain = await logIn(stage, bare.name, '123456', { service, uid: NOT_ENROLLED_UID });
    const nullok = await logIn(stage, bare.name, '123456', { service: withNullok, uid: NOT_ENROLLED_UID });
    expect([plain.rc, nullok.rc]).toEqual([PAM.denied, PAM.ignored]);
    expect([plain.shown, nullok.shown]).toEqual([['Verification code: '], ['Verification code: ']]);
    // Root is trusted: no question there.
    const root = await logIn(stage, bare.name, '123456', { service: stage.service('nullok') });
    expect([root.rc, root.shown]).toEqual([PAM.ignored, []]);
  });

  test('does not reach the socket of root', async () => {
    if (!AS_ROOT) {
      notRun('a stranger at the socket of root', 'this needs root');
      return;
    }
    const stranger = stage.person({ uid: STRANGER_UID });
    const options = { service: stage.service(), uid: STRANGER_UID };
    expect((await logIn(stage, stranger.name, stranger.code(), options)).rc).toBe(PAM.systemError);
  });
});
