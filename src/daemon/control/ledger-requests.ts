import type { Log } from '../../log/log.ts';
import { ControlError } from './control-error.ts';
import type { Repaired } from '../../contracts/control-requests.ts';

/** What a repair needs. */
export interface RepairPorts {
  readonly log: Log;
  readonly ledger: {
    readonly condition: Repaired['condition'];
    repair(): Promise<boolean>;
  };
}

/**
 * Repairs the ledger of used codes, and gives up its damaged parts.
 *
 * @param ports - ledger and log
 * @returns what was done
 * @throws ControlError when the ledger is damaged and the disk does not take a new one
 */
export async function repairLedger({ ledger, log }: RepairPorts): Promise<Repaired> {
  const damaged = ledger.condition === 'damaged';
  const repaired = await ledger.repair();
  if (damaged && !repaired) {
    throw new ControlError(
      503,
      'ERR_STORE',
      'The ledger cannot be written: is the disk full or read-only? Nothing was changed.',
    );
  }
  if (repaired) {
    log.audit('warning', 'The ledger of used codes was repaired; damaged files are kept beside it');
  }
  return { repaired, condition: ledger.condition };
}
