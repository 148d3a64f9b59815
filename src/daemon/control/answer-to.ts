import { BodyError } from '../../host/one-request.ts';
import type { Reply } from '../../host/send-reply.ts';
import { ControlError } from './control-error.ts';
import { accountFor, assertRoot, isRoot, ownAccount, type Caller } from './callers.ts';
import { changeFactors, unlockUser, type FactorPorts } from './factor-requests.ts';
import { forgetPlaces } from './home-requests.ts';
import { exportFile, importFile, MAX_IMPORT_BODY_BYTES, removeExported } from './import-requests.ts';
import { showLogins, type LoginPorts } from './login-requests.ts';
import { repairLedger, type RepairPorts } from './ledger-requests.ts';
import { showHealth, type HealthPorts } from './health-requests.ts';
import { renameUser } from './rename-requests.ts';
import { testRules, type RulePorts } from './rule-requests.ts';
import type { About, UserView } from '../../contracts/control-requests.ts';
import { routeOf, type Route } from './routes.ts';
import { showFactor } from './show-factor.ts';
import { checkYubico, showYubico, type YubicoPorts } from './yubico-requests.ts';
import { showUser, usersShown } from './views.ts';

/** What requests need. */
export type ControlPorts = FactorPorts &
  RepairPorts &
  RulePorts &
  YubicoPorts &
  LoginPorts &
  HealthPorts &
  About;

/** The parts of a request that decide what is asked. */
export interface Asked {
  readonly method: string;
  /** The path in percent-encoding, as it was sent. */
  readonly target: string;
  /**
   * @param maxBytes - a longer body is refused
   * @returns the parsed JSON of the body
   * @throws BodyError when it is too long or not JSON
   */
  json(maxBytes: number): unknown;
}

/** A request's body is small: names and numbers. */
const MAX_BODY_BYTES = 16 * 1024;

/**
 * Carries out a request, if its caller is allowed to.
 *
 * @param ports - what requests need
 * @param caller - who asks, according to the kernel
 * @param asked - what
 * @returns the answer
 * @throws ControlError when it is refused
 */
export async function answerTo(ports: ControlPorts, caller: Caller, asked: Asked): Promise<Reply> {
  const route = routeOf(asked.method, asked.target);
  if (route?.is === 'users') {
    // Callers other than root see only themselves in the list.
    const list = isRoot(caller) ? usersShown(ports) : one(await showUser(ports, await ownAccount(caller)));
    return { status: 200, list };
  }
  return { status: 200, body: await bodyFor(ports, caller, asked, route) };
}

async function* one(view: UserView): AsyncGenerator<UserView> {
  yield await Promise.resolve(view);
}

async function bodyFor(
  ports: ControlPorts,
  caller: Caller,
  asked: Asked,
  known: Route | undefined,
): Promise<unknown> {
  switch (known?.is) {
    case 'user':
      return showUser(ports, await accountFor(caller, known.user));
    case 'changes':
      return changeFactors(ports, caller, known.user, bodyOf(asked));
    case 'show':
      return showFactor(ports, caller, known.user, known.factor, bodyOf(asked));
    case 'unlock':
      return unlockUser(ports, caller, known.user, bodyOf(asked));
    case 'import':
      return importFile(ports, caller, known.user, bodyOf(asked, MAX_IMPORT_BODY_BYTES));
    case 'export':
      assertRoot(caller);
      return exportFile(ports, known.user);
    case 'remove-exported':
      assertRoot(caller);
      return removeExported(ports, known.user, bodyOf(asked, MAX_IMPORT_BODY_BYTES));
    case 'forget':
      assertRoot(caller);
      return forgetPlaces(ports, known.user);
    case 'rename':
      assertRoot(caller);
      return renameUser(ports, known.user, bodyOf(asked));
    case 'rules':
      assertRoot(caller);
      return testRules(ports, known.service, known.user, known.address);
    case 'about':
      return { version: ports.version } satisfies About;
    case 'logins':
      assertRoot(caller);
      return showLogins(ports);
    case 'yubico':
      assertRoot(caller);
      return showYubico(ports);
    case 'yubico-check':
      assertRoot(caller);
      return checkYubico(ports, bodyOf(asked));
    case 'health':
      assertRoot(caller);
      return showHealth(ports);
    case 'repair':
      assertRoot(caller);
      return repairLedger(ports);
    case 'users':
    case undefined:
      throw new ControlError(
        404,
        'ERR_NO_SUCH_REQUEST',
        'This daemon does not know that request: has it the same version as the command?',
      );
  }
}

function bodyOf(asked: Asked, maxBytes = MAX_BODY_BYTES): unknown {
  try {
    return asked.json(maxBytes);
  } catch (error) {
    if (error instanceof BodyError) {
      throw error.code === 'ERR_TOO_LONG'
        ? new ControlError(413, 'ERR_BAD_REQUEST', `The request is longer than ${maxBytes} bytes`)
        : new ControlError(400, 'ERR_BAD_REQUEST', 'The request is not JSON');
    }
    throw error;
  }
}
