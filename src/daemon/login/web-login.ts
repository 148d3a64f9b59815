import type { Account } from '../enrolments/enrolment.ts';
import type { Standing } from '../enrolments/proxmox/standing.ts';
import { webProduct, webVerdict, type WebMode } from '../enrolments/proxmox/web-login.ts';
import type { Ending } from './login.ts';
import type { LoginRequest } from './login-request.ts';

/** What the daemon does at the login of Proxmox's own web interface, and what it knows there. */
export interface WebLogins {
  readonly mode: WebMode;
  /**
   * What Proxmox wants of a user of the realm pam.
   *
   * @param product - Proxmox VE, or Proxmox Backup Server
   * @param account - who
   * @returns undefined: it could not be found out, with the reason in `why`. It never rejects.
   */
  standingOf(product: 'pve' | 'pbs', account: Account): Promise<Standing | { kind: 'failed'; why: string }>;
}

/** Where nothing is said: Proxmox asks, and the module does not. */
export const NATIVE: WebLogins = {
  mode: 'native',
  standingOf: () => Promise.resolve({ kind: 'failed', why: 'it is not looked at' }),
};

type WebRequest = Pick<LoginRequest, 'context' | 'account' | 'trustedHost'>;

/**
 * Decides about a login to the web interface, before anybody is asked. Proxmox asks for its own factors, and answers every question with
 * the password: two challenges for one login cannot work.
 *
 * What a program says that is not root is not believed: it may name any service.
 *
 * @param request - who, where
 * @param web - what to do there
 * @returns how the login ends; undefined: as at any other service
 */
export async function webEnding(request: WebRequest, web: WebLogins): Promise<Ending | undefined> {
  const { context, account, trustedHost } = request;
  const product = webProduct(Buffer.from(context.service ?? '').toString());
  if (product === undefined || !trustedHost) {
    return undefined;
  }
  if (web.mode === 'native') {
    return leftToProxmox('Proxmox itself asks for the second factor');
  }
  // Whoever does not exist has nothing in Proxmox, but the same work is done.
  const standing = await web.standingOf(product, account ?? NOBODY);
  if (standing.kind === 'failed') {
    return { code: 'unavailable', reason: 'unavailable', why: standing.why };
  }
  const verdict = webVerdict(web.mode, account === undefined ? { kind: 'unknown' } : standing);
  switch (verdict.kind) {
    case 'stand-aside':
      return leftToProxmox(verdict.why);
    case 'refuse':
      return { code: 'denied', reason: 'no-factor-in-proxmox', why: verdict.why };
    case 'ask':
      return undefined;
  }
}

const NOBODY: Account = { name: '', uid: 0 };

function leftToProxmox(why: string): Ending {
  return { code: 'exempt', reason: 'left-to-proxmox', why };
}
