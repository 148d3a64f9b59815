import type { Command } from 'commander';
import type { ProxmoxUserView, UserView } from '../../contracts/control-requests.ts';
import { askWithProof } from '../session/ask-with-proof.ts';
import { examples } from './examples.ts';
import { pveum } from '../proxmox/programs.ts';
import type { Session } from '../session/session.ts';
import { userOption, type ForUser } from '../session/whose.ts';

/**
 * `unlock`: forgets the failures that were counted of a user.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function unlockCommand(program: Command, session: Session): void {
  program
    .command('unlock')
    .description("Forget failed tries, and end a user's throttle and lock")
    .addOption(userOption())
    .option('--json', "print the user's factors as JSON")
    .addHelpText('after', examples('sudo pve-google-authenticator unlock --user alice'))
    .action(async (options: ForUser & { readonly json?: true }) => {
      const user = options.user ?? session.self();
      const view = await askWithProof<UserView>(session, ['users', user, 'unlock']);
      if (view.proxmox !== undefined && isLocked(view.proxmox)) {
        // Only on this node: each node of a cluster counts its own failures.
        await pveum('user', 'tfa', 'unlock', view.proxmox.userId);
      }
      session.output.line(options.json === true ? JSON.stringify(view) : `${view.user} is not locked.`);
    });
}

function isLocked({ totpLocked, lockedUntil }: ProxmoxUserView): boolean {
  return totpLocked || lockedUntil !== null;
}
