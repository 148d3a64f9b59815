import { nameService } from '../../host/name-service.ts';
import type { LoginRequest } from '../login/login-request.ts';
import { resultOf, type Steps } from '../login/steps.ts';
import { utf8Of } from '../../config/utf8.ts';
import type { Start } from '../wire/start.ts';
import type { Origin } from './login-slots.ts';

/* Makes a login request of a START, with only what can be trusted. */

/**
 * Who wants to log in, as far as the source can be trusted.
 *
 * @param start - what the module says
 * @param origin - through which socket it came
 * @returns the request
 */
export function* requestOf(start: Start, origin: Origin): Steps<LoginRequest> {
  const account = accountOf(start);
  const context = {
    service: start.service,
    user: start.user,
    tty: start.tty,
    rhost: start.rhost,
    ruser: start.ruser,
  };
  if (origin.socket === 'root') {
    const { moduleArguments, gid } = start;
    return { context, moduleArguments, account, gid, home: utf8Of(start.home), trustedHost: true };
  }
  // A program that is not root cannot say who it is: the kernel does.
  const own =
    account === undefined ? undefined : yield* resultOf(nameService.userNamed(account.name, origin));
  return {
    context: { ...context, rhost: undefined },
    moduleArguments: start.moduleArguments,
    ...(own?.uid === origin.uid
      ? { account: { name: own.name, uid: own.uid }, gid: own.gid, home: own.home }
      : { account: undefined }),
    trustedHost: false,
  };
}

/** Only the canonical name with its uid identifies a user. A name that is not UTF-8 cannot be enrolled. */
function accountOf({ canonicalUser, uid }: Start): LoginRequest['account'] {
  const name = utf8Of(canonicalUser);
  return name === undefined || name === '' || uid === undefined ? undefined : { name, uid };
}
