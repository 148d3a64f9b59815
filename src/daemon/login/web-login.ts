import type { Account } from '../enrolments/enrolment.ts';
import type { Standing } from '../enrolments/proxmox/standing.ts';
import { webProduct, webVerdict, type WebMode } from '../enrolments/proxmox/web-login.ts';
import type { Ending } from './login.ts';
import type { LoginRequest } from './login-request.ts';

/** The settings for logins to Proxmox's web interface, and the look-up that they need. */
export interface WebLogins {
  readonly mode: WebMode;
  /**
   * What Proxmox requires from a user of the realm pam.
   *
   * @param product - Proxmox VE, or Proxmox Backup Server
   * @param account - who
   * @returns the requirement; undefined if the look-up failed, with the reason in `why`. It never rejects.
   */
  standingOf(product: 'pve' | 'pbs', account: Account): Promise<Standing | { kind: 'failed'; why: string }>;
}

/** The default: Proxmox asks, and the module does not. */
export const NATIVE: WebLogins = {
  mode: 'native',
  standingOf: () => Promise.resolve({ kind: 'failed', why: 'it is not looked at' }),
};

type WebRequest = Pick<LoginRequest, 'context' | 'account' | 'trustedHost'>;

/**
 * Decides about a login to the web interface, before anybody is asked. Proxmox asks for its own factors, and answers every question with
 * the password: so two challenges in one login cannot work.
 *
 * A program that is not root is not trusted, because it can name any service.
 *
 * @param request - who, where
 * @param web - the settings
 * @returns how the login ends; undefined if it goes on as at any other service
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
  // A user who does not exist has no factor in Proxmox, but the same work is done.
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
