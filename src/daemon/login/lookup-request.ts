import type { LookupRequest } from '../enrolments/enrolment.ts';
import type { LoginRequest } from './login-request.ts';
import type { ModuleOptions } from '../../config/module-options.ts';
import { utf8Of } from '../../config/utf8.ts';

/**
 * Makes the request to look a user up.
 *
 * @param request - the login
 * @param options - of its line in pam.d, as far as they can be trusted
 * @returns the request for the sources
 */
export function lookupRequestOf(
  { account, gid, home, context }: LoginRequest,
  { lookup }: ModuleOptions,
): LookupRequest {
  const rhost = context.rhost === undefined ? undefined : Buffer.from(context.rhost).toString('latin1');
  return {
    account,
    gid,
    home,
    options: lookup,
    loginName: utf8Of(context.user),
    rhost: rhost === '' ? undefined : rhost,
  };
}
