import type { AcceptedLogins } from '../login/accepted-logins.ts';
import type { LastLogins } from '../../contracts/control-requests.ts';

/** What a request about logins needs. */
export interface LoginPorts {
  readonly accepted: AcceptedLogins;
}

/**
 * For each service: the last user who logged in with a code.
 *
 * @param ports - what is remembered
 * @returns one entry for each service
 */
export function showLogins({ accepted }: LoginPorts): LastLogins {
  return { logins: accepted.all() };
}
