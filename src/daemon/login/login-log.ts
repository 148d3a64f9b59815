import { loggable } from '../../log/escape.ts';
import type { Log, LogFields } from '../../log/log.ts';
import type { Ending, LoginEvent, LoginTerms } from './login.ts';
import type { LoginContext, LoginRequest } from './login-request.ts';
import type { ParsedOptions } from '../../config/module-options.ts';

/** Who logs in, from where. */
type Who = Pick<LoginRequest, 'context' | 'account'>;

/**
 * Logs how a login ended. fail2ban's filter reads "Invalid verification code for USER" and `rhost=`.
 *
 * @param log - the log
 * @param who - who logs in, from where
 * @param ending - how it ended
 * @param why - more about it, in words
 */
export function logEnding(log: Log, who: Who, ending: Ending, why?: string): void {
  const user = nameOf(who);
  const fields = {
    ...typedName(who),
    ...whereFrom(who.context),
    factor: ending.factor,
    verdict: ending.code,
  };
  const because = { ...fields, reason: ending.reason, why };
  switch (ending.reason) {
    case 'accepted':
      log.audit('info', `Accepted verification code for ${user}`, fields);
      return;
    case 'grace-period':
      log.audit('info', `No verification code was asked of ${user}`, because);
      return;
    case 'not-enrolled':
      log.audit('notice', `No factor is enrolled for ${user}`, { ...fields, reason: ending.reason });
      return;
    case 'unavailable':
    case 'record-unusable':
    case 'bad-option':
      log.audit('error', `Cannot check a verification code for ${user}`, because);
      return;
    case 'account-renamed':
      log.audit('alert', `Cannot check a verification code for ${user}`, because);
      return;
    case 'not-recorded':
      log.audit('error', `A verification code for ${user} cannot be used up`, because);
      return;
    case 'cancelled':
      log.audit('info', `No verification code from ${user}`, because);
      return;
    case 'exempt-by-rule':
      log.audit('notice', `A rule exempts ${user}`, because);
      return;
    case 'denied-by-rule':
      log.audit('notice', `A rule denies ${user}`, because);
      return;
    case 'left-to-proxmox':
      log.audit('info', `Left to Proxmox: ${user}`, because);
      return;
    case 'no-factor-in-proxmox':
      log.audit('notice', `Refused at the web interface: ${user}`, because);
      return;
    case 'half-missing':
    case 'wrong-code':
    case 'no-code':
    case 'code-already-used':
    case 'user-unknown':
    case 'clock-differs':
    case 'too-many-tries':
      log.audit('notice', `Invalid verification code for ${user}`, because);
      return;
  }
}

/**
 * Logs that the look-up of groups failed that a rule depends on. The rule then counts against the user.
 *
 * @param log - the log
 * @param who - who logs in, from where
 * @param why - in words
 */
export function logGroupsUnknown(log: Log, who: Who, why: string): void {
  log.event('warning', `The groups of ${nameOf(who)} cannot be looked up`, {
    ...typedName(who),
    ...whereFrom(who.context),
    why,
  });
}

/**
 * Logs an argument in pam.d with an unknown name or an invalid value. Values are not logged.
 *
 * @param log - the log
 * @param context - where the login comes from
 * @param bad - the argument
 */
export function logOptionError(
  log: Log,
  context: LoginContext,
  { argument, wrong, hint }: Extract<ParsedOptions, { kind: 'bad' }>,
): void {
  const name = loggable(argument.split('=', 1)[0] ?? '');
  log.event(
    'error',
    wrong === 'option'
      ? `Unrecognized option ${name} in pam.d: nobody is let in`
      : `Invalid value of the option ${name} in pam.d: nobody is let in`,
    {
      ...whereFrom(context),
      verdict: 'denied',
      reason: 'bad-option',
      why: hint,
    },
  );
}

/**
 * What the module argument `debug` adds to the log: the steps of the login, but never the typed text.
 *
 * @param log - the log
 * @param terms - the options of the login; without `debug`, nothing is logged
 * @returns the logger
 */
export function courseLog(log: Log, terms: LoginTerms): (event: LoginEvent) => void {
  if (!terms.options.debug) {
    return () => undefined;
  }
  log.event('debug', 'debug: login begun', { standing: terms.standing, shapes: terms.shapes.length });
  return (event) => {
    switch (event.type) {
      case 'begun':
        break;
      case 'answered':
        log.event('debug', 'debug: answered', { readings: event.readings });
        break;
      case 'cancelled':
        log.event('debug', 'debug: cancelled', { why: event.why });
        break;
      case 'held-back':
        log.event('debug', 'debug: not checked, too many tries');
        break;
      case 'verified':
        log.event('debug', 'debug: checked', { outcome: event.verification.kind });
        break;
    }
  };
}

/** The letters that a YubiKey types, on a US and on a Dvorak layout. */
const OTP = /(?:[cbdefghijklnrtuv]{32,48}|[jxe.uidchtnbpygk]{32,48})$/i;

/**
 * The canonical name, which administrators search for. If somebody touches a YubiKey at the prompt for the name, the OTP must not
 * get into the log, because it is still valid.
 */
function nameOf({ account, context: { user = '' } }: Who): string {
  if (account !== undefined) {
    return loggable(account.name);
  }
  return OTP.test(Buffer.from(user).toString('latin1')) ? '(an OTP)' : loggable(user);
}

/** The typed name, if it differs from the canonical one, for example in capitals. */
function typedName({ account, context: { user } }: Who): LogFields {
  const same = account === undefined || user === undefined || Buffer.from(user).toString() === account.name;
  return same ? {} : { typed: user };
}

function whereFrom({ service, rhost, tty, ruser }: LoginContext): LogFields {
  return { service, rhost, tty, ruser };
}
