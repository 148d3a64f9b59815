import { describe, expect, it } from 'vitest';
import type { Standing } from '../../../../src/daemon/enrolments/proxmox/standing.ts';
import type { LoginRequest } from '../../../../src/daemon/login/login-request.ts';
import { NATIVE, webEnding, type WebLogins } from '../../../../src/daemon/login/web-login.ts';

function request(change: Partial<LoginRequest> = {}, service = 'proxmox-ve-auth'): LoginRequest {
  return {
    context: {
      service: Buffer.from(service),
      user: 'alice',
      tty: undefined,
      rhost: undefined,
      ruser: undefined,
    },
    moduleArguments: [],
    account: { name: 'alice', uid: 1000 },
    trustedHost: true,
    ...change,
  };
}

const web = (mode: WebLogins['mode'], kind: 'unprotected' | 'unknown' | 'failed'): WebLogins => ({
  mode,
  standingOf: () => Promise.resolve(kind === 'failed' ? { kind, why: 'it hangs' } : { kind }),
});

describe("the web interface's own login", () => {
  it('is left to Proxmox', async () => {
    expect(await webEnding(request(), NATIVE)).toMatchObject({ code: 'exempt', reason: 'left-to-proxmox' });
  });

  it('is believed of programs of root alone: others may name any service', async () => {
    expect(await webEnding(request({ trustedHost: false }), NATIVE)).toBeUndefined();
  });

  it.each(['sshd', 'proxmox-ve-auth2', 'toString', ''])('is not the service "%s"', async (service) => {
    expect(await webEnding(request({}, service), NATIVE)).toBeUndefined();
  });

  it('with gate, refuses users without a factor in Proxmox, and unknown users', async () => {
    expect(await webEnding(request(), web('gate', 'unprotected'))).toMatchObject({ code: 'denied' });
    expect(await webEnding(request({ account: undefined }), web('gate', 'unprotected'))).toMatchObject({
      code: 'denied',
    });
  });

  it("never applies Proxmox's answer about somebody else to an unknown user", async () => {
    const usable: WebLogins = {
      mode: 'gate',
      standingOf: () => Promise.resolve({ kind: 'usable' } as unknown as Standing),
    };
    expect(await webEnding(request(), usable)).toMatchObject({ code: 'exempt' });
    expect(await webEnding(request({ account: undefined }), usable)).toMatchObject({ code: 'denied' });
  });

  it.each(['gate', 'concat'] as const)('is refused with %s while the look-up fails', async (mode) => {
    expect(await webEnding(request(), web(mode, 'failed'))).toMatchObject({ code: 'unavailable' });
  });

  it('with concat, asks users without a factor in Proxmox', async () => {
    expect(await webEnding(request(), web('concat', 'unprotected'))).toBeUndefined();
  });
});
