import { asRoot } from './as-root.ts';
import { readFileSync } from 'node:fs';
import { packageFile } from '../../host/package-root.ts';
import type { Ended, Machine } from '../doctor/machine.ts';
import type { Places } from './places.ts';
import { SwitchError } from './switch-error.ts';
import { hasSystemd } from './who.ts';

const UNDO = 'pve-authenticator-undo';

/**
 * Makes sure that systemd will undo an unconfirmed change at the next boot.
 *
 * @param machine - runs systemctl
 * @throws SwitchError when it will not
 */
export async function assertUndoAtBoot(machine: Pick<Machine, 'run'>): Promise<void> {
  if (!hasSystemd()) {
    throw new SwitchError(
      'systemd does not run here, and only systemd can undo a change that nobody confirms. Write the line yourself: docs/guides/switch-on-and-off.md, "A line that you write by hand"',
    );
  }
  const { stdout } = await machine.run('systemctl', 'is-enabled', `${UNDO}.service`);
  if (stdout.trim() !== 'enabled') {
    throw new SwitchError(
      `${UNDO}.service is not enabled (${stdout.trim() || 'not there'}), so nothing would be undone after a reboot. To fix it: ${asRoot(`systemctl enable ${UNDO}.service`)}`,
    );
  }
}

/**
 * Has systemd run the undo once, as a test (it finds that it is too early), and start its timer.
 *
 * @param machine - runs systemctl
 * @param places - where the undo records that it ran
 * @param id - of the change that waits
 * @throws SwitchError when it did not run, or could not write
 */
export async function arm(machine: Pick<Machine, 'run'>, { run }: Places, id: string): Promise<void> {
  await machine.run('systemctl', 'start', `${UNDO}.service`);
  let tried: string;
  try {
    tried = readFileSync(`${run}/tried`, 'latin1').trim();
  } catch {
    tried = '';
  }
  if (tried !== id) {
    throw new SwitchError(
      `The undo was tried and does not work, so no service was changed. See: ${asRoot(`journalctl -u ${UNDO}.service`)}`,
    );
  }
  await machine.run('systemctl', 'start', `${UNDO}.timer`);
  const { stdout } = await machine.run('systemctl', 'is-active', `${UNDO}.timer`);
  if (stdout.trim() !== 'active') {
    throw new SwitchError(
      `The timer of the undo does not start, so no service was changed. See: systemctl status ${UNDO}.timer`,
    );
  }
}

/**
 * Stops the timer: nothing waits any more.
 *
 * @param machine - runs systemctl
 */
export async function disarm(machine: Pick<Machine, 'run'>): Promise<void> {
  await machine.run('systemctl', 'stop', `${UNDO}.timer`);
}

/**
 * Runs the undo as a person would.
 *
 * @param machine - runs it
 * @param argv - its arguments
 * @returns how it ended
 */
export function undo(machine: Pick<Machine, 'run'>, ...argv: readonly string[]): Promise<Ended> {
  const script = packageFile(`scripts/${UNDO}`);
  return machine.run('sh', script, ...argv);
}
