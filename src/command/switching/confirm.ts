import type { AcceptedLogin, LastLogins } from '../../contracts/control-requests.ts';
import type { Machine } from '../doctor/machine.ts';
import { filesOf, type ReadService } from '../pam-d/stack.ts';
import { undo } from './arm.ts';
import { keep } from './enable.ts';
import { readPending, uptime, type Pending } from './pending.ts';
import type { Places } from './places.ts';
import { readerOf } from './plan.ts';
import { SwitchError } from './switch-error.ts';
import { sameLogin } from './who.ts';

/** A service, and the user who logged in through it. */
export interface Proven {
  readonly service: string;
  readonly user: string;
}

/** The parts of a change that logins have proven. */
export interface Evidence {
  readonly pending: Pending;
  readonly proven: readonly Proven[];
  /** Services through which nobody has logged in since. */
  readonly unproven: readonly string[];
}

/**
 * Finds the waiting services that a login has proven.
 *
 * @param places - where
 * @param machine - knows the daemon
 * @param login - the login that asks
 * @returns the services
 * @throws SwitchError if nothing waits, if the same login made the change, or if nobody has logged in at all
 */
export async function evidence(places: Places, machine: Machine, login: string): Promise<Evidence> {
  const pending = readPending(places);
  if (pending === undefined) {
    const report = machine.read(`${places.state}/report`)?.toString('utf8').trim() ?? '';
    throw new SwitchError(`Nothing waits to be confirmed.${report === '' ? '' : `\n${report}`}`);
  }
  if (!(uptime() < pending.due)) {
    throw new SwitchError('The time to confirm is over: it is being undone. Enable it again.');
  }
  if (sameLogin(pending.login, login)) {
    throw new SwitchError(
      `This login made the change, so it does not show that a new login works. Log in again through ${pending.services.join(', ')}, and confirm there.`,
    );
  }
  const { logins } = await machine.ask<LastLogins>('logins');
  const read = readerOf(places);
  const proofs = pending.services.map((service) => ({
    service,
    proof: logins.find((accepted) => proves(accepted, service, pending, read)),
  }));
  const proven = proofs.flatMap(({ service, proof }) =>
    proof === undefined ? [] : [{ service, user: proof.user }],
  );
  const unproven = proofs.flatMap(({ service, proof }) => (proof === undefined ? [service] : []));
  if (proven.length === 0) {
    throw new SwitchError(
      `Nobody has logged in with a code through ${unproven.join(', ')} since you switched it on. ` +
        'Log in through it, then confirm. (If the daemon was restarted since, log in once more.)',
    );
  }
  return { pending, proven, unproven };
}

/** A login through su-l proves su, which it includes. */
function proves(
  { service, at }: AcceptedLogin,
  wanted: string,
  { begun }: Pending,
  read: ReadService,
): boolean {
  return at > begun && (service === wanted || filesOf(service, read).has(wanted));
}

/**
 * Confirms: proven services stay on, the others are undone.
 *
 * @param places - where
 * @param machine - programs
 * @param found - what {@link evidence} found
 * @returns the output of the undo
 * @throws SwitchError when it was undone meanwhile, or something could not be undone
 */
export async function confirm(places: Places, machine: Machine, { unproven }: Evidence): Promise<string> {
  let said = '';
  if (unproven.length > 0) {
    const { status, stderr } = await undo(machine, '--now', ...unproven);
    said = stderr.trim();
    if (status !== 0) {
      throw new SwitchError(`Not everything could be undone, so nothing is confirmed: ${said}`);
    }
  }
  if (!(await keep(places, machine))) {
    throw new SwitchError(
      'The time to confirm ran out just now, and the change was undone. Enable it again.',
    );
  }
  return said;
}
