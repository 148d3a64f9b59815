import type { AcceptedLogins } from '../login/accepted-logins.ts';
import type { LastLogins } from '../../contracts/control-requests.ts';

/** What it takes to say who was let in. */
export interface LoginPorts {
  readonly accepted: AcceptedLogins;
}

/**
 * Says who was let in by a code last, for each service.
 *
 * @param ports - what is remembered
 * @returns one entry for each service
 */
export function showLogins({ accepted }: LoginPorts): LastLogins {
  return { logins: accepted.all() };
}
