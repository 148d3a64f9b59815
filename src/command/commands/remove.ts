import type { Command } from 'commander';
import type { UserView } from '../../contracts/control-requests.ts';
import { CommandError } from '../session/control-client.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { change } from '../session/ask-with-proof.ts';
import { pveum } from '../proxmox/programs.ts';
import { PROXMOX_PREFIX } from '../proxmox/shown.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { userOption, type ForUser } from '../session/whose.ts';

interface RemoveOptions extends ForUser, Agreement {
  readonly json?: true;
}

/**
 * `remove FACTOR`: removes a factor.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function removeCommand(program: Command, session: Session): void {
  program
    .command('remove')
    .description('Remove a factor')
    .argument('<factor>', 'its ID or name, as "list" shows it')
    .addOption(userOption())
    .addOption(yesOption())
    .option('--json', "print the user's remaining factors as JSON")
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator remove pixel-7',
        'sudo pve-google-authenticator remove pixel-7 --user alice',
      ),
    )
    .action(async (factor: string, options: RemoveOptions) => {
      const user = options.user ?? session.self();
      if (factor.startsWith(PROXMOX_PREFIX)) {
        await removeInProxmox(session, user, factor, options);
        return;
      }
      const goes = session.root ? await whatGoes(session, user, factor) : undefined;
      if (goes !== undefined) {
        await askBeforeLoss(session, options, goes);
      }
      const { view } = await change(session, user, [{ do: 'remove', factor }]);
      if (options.json === true) {
        session.output.line(JSON.stringify(view));
        return;
      }
      session.output.line(`Factor ${factor} was removed. ${view.user} has ${whatIsLeft(view)}.`);
    });
}

/** The loss in one sentence. Undefined if there is no such factor; the daemon then says so. */
async function whatGoes(session: Session, whose: string, which: string): Promise<string | undefined> {
  const { user, factors, enrolled } = await session.daemon().ask<UserView>('GET', ['users', whose]);
  const factor = factors.find(({ id }) => id === which) ?? factors.find(({ name }) => name === which);
  if (factor === undefined) {
    return undefined;
  }
  const last = factors.length === 1 && enrolled === 'store' ? ' It is the last one.' : '';
  return `${user} loses the factor ${factor.name} (${factor.kind}, ${factor.id}).${last}`;
}

function whatIsLeft({ factors, enrolled }: UserView): string {
  if (factors.length > 0) {
    return `${factors.length} left`;
  }
  return enrolled === 'elsewhere'
    ? 'no factor left in the store. A factor outside it counts now, for example in ~/.google_authenticator'
    : 'no factor left and is no longer enrolled';
}

async function removeInProxmox(
  session: Session,
  user: string,
  factor: string,
  options: RemoveOptions,
): Promise<void> {
  const daemon = session.daemon();
  const { proxmox } = await daemon.ask<UserView>('GET', ['users', user]);
  const id = factor.slice(PROXMOX_PREFIX.length);
  const found = proxmox?.entries.find((entry) => entry.id === id);
  if (proxmox === undefined || found === undefined) {
    throw new CommandError('ERR_NO_SUCH_FACTOR', `${user} has no factor ${factor}: see "list"`);
  }
  await askBeforeLoss(
    session,
    options,
    `${proxmox.userId} loses the factor ${factor} (${found.kind}), for the web interface, too.`,
  );
  await pveum('user', 'tfa', 'delete', proxmox.userId, '--id', found.id);
  session.output.line(
    options.json === true
      ? JSON.stringify(await daemon.ask<UserView>('GET', ['users', user]))
      : `Factor ${factor} was removed from Proxmox. Its web interface no longer asks ${proxmox.userId} for it.`,
  );
}
