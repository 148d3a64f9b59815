import { loggable } from '../log/escape.ts';
import type { Log, LogFields } from '../log/log.ts';
import type { Ending } from './login.ts';

/** Where a login comes from: for the log. All of it is from outside. */
export interface LoginContext {
  readonly service: string | Uint8Array | undefined;
  /** As the host calls the user. */
  readonly user: string | Uint8Array | undefined;
  readonly tty: string | Uint8Array | undefined;
  readonly rhost: string | Uint8Array | undefined;
  readonly ruser: string | Uint8Array | undefined;
}

/**
 * Logs how a login ended. The words "Invalid verification code for USER" with `rhost=` are those that fail2ban users know.
 *
 * @param log - the log
 * @param context - where the login comes from
 * @param ending - how it ended
 * @param why - more about it, in words
 */
export function logEnding(log: Log, context: LoginContext, ending: Ending, why?: string): void {
  const user = loggable(context.user ?? '');
  const fields = { ...whereFrom(context), factor: ending.factor, verdict: ending.code };
  switch (ending.reason) {
    case 'accepted':
      log.event('info', `Accepted verification code for ${user}`, fields);
      return;
    case 'not-enrolled':
      log.event('notice', `No factor is enrolled for ${user}`, { ...fields, reason: ending.reason });
      return;
    case 'unavailable':
    case 'record-unusable':
      log.event('error', `Cannot check a verification code for ${user}`, {
        ...fields,
        reason: ending.reason,
        why,
      });
      return;
    case 'cancelled':
      log.event('info', `No verification code from ${user}`, { ...fields, reason: ending.reason, why });
      return;
    case 'wrong-code':
    case 'no-code':
    case 'code-already-used':
    case 'user-unknown':
    case 'too-many-tries':
      log.event('notice', `Invalid verification code for ${user}`, { ...fields, reason: ending.reason });
      return;
  }
}

/**
 * Logs an argument in pam.d that is not an option.
 *
 * @param log - the log
 * @param context - where the login comes from
 * @param argument - the argument as it stands there
 */
export function logOptionError(log: Log, context: LoginContext, argument: string): void {
  const name = argument.split('=', 1)[0] ?? '';
  log.event('error', `Unrecognized option ${loggable(name)} in pam.d: nobody is let in`, {
    ...whereFrom(context),
    verdict: 'denied',
    reason: 'bad-option',
  });
}

function whereFrom({ service, rhost, tty, ruser }: LoginContext): LogFields {
  return { service, rhost, tty, ruser };
}
