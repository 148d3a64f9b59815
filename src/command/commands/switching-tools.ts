import { thisMachine, type Machine } from '../doctor/machine.ts';
import { lookUpUid } from '../../host/addon.ts';
import { version } from '../../host/version.ts';
import { placesBelow, type Places } from '../switching/places.ts';
import { thisCaller, type Caller } from '../switching/who.ts';
import { CommandError } from '../session/control-client.ts';
import type { Session } from '../session/session.ts';

/** The tools of the commands that change how people log in. */
export interface SwitchingTools {
  readonly places: Places;
  readonly machine: Machine;
  readonly caller: Caller;
  readonly version: string;
}

/**
 * Makes the tools for a command. Only root gets them.
 *
 * @param session - the connection to the daemon
 * @param command - the command line, for the message
 * @returns the tools
 * @throws CommandError for others than root
 */
export function switchingTools(session: Session, command: string): SwitchingTools {
  if (process.geteuid?.() !== 0) {
    throw new CommandError('ERR_NOT_ROOT', `Only root may do that: sudo pve-google-authenticator ${command}`);
  }
  return {
    places: placesBelow(),
    machine: thisMachine((...path) => session.daemon().ask('GET', path)),
    caller: thisCaller(process.env),
    version: version(),
  };
}

/**
 * The users who must still be able to log in afterwards: root, and the user who runs the command.
 *
 * @param caller - who
 * @returns their names
 */
export async function mustGetIn({ uid }: Caller): Promise<readonly string[]> {
  const own = uid === undefined ? undefined : await lookUpUid(uid);
  return ['root', ...(own === undefined || own.uid === 0 ? [] : [own.name])];
}
