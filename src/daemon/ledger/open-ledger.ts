import { uptime } from 'node:os';
import type { Log } from '../../log/log.ts';
import { LedgerDirectory } from './ledger-directory.ts';
import { LocalLedger } from './local-ledger.ts';
import { VolatileMarks } from './volatile-marks.ts';

/** The places of the ledger's files. */
export interface LedgerPlaces {
  /** The directory of the durable files. */
  readonly lasting: string;
  /** The directory of marks that could not be written yet. A reboot empties it. */
  readonly volatile: string;
}

/**
 * Opens the ledger of used codes, and logs its problems.
 *
 * @param places - its files
 * @param monotonic - a clock in milliseconds that never jumps
 * @param log - where troubles go
 * @returns the ledger, read
 * @throws Error when its directory cannot be read
 */
export function openLedger(places: LedgerPlaces, monotonic: () => number, log: Log): Promise<LocalLedger> {
  return LocalLedger.open({
    directory: new LedgerDirectory(places.lasting),
    volatile: new VolatileMarks(places.volatile),
    reports: {
      trouble: (why) => log.event('alert', 'The ledger of used codes cannot be written', { why }),
      recovered: () => log.event('notice', 'The ledger of used codes can be written again'),
      noRoom: (uid, full) => {
        const whose = uid === undefined ? {} : { uid };
        if (full) {
          log.event('alert', 'The ledger of used codes is full', whose);
        } else {
          log.event('alert', 'An account has used up its room in the ledger of used codes', whose);
        }
      },
      damaged: (what) =>
        log.event('alert', 'The ledger of used codes is damaged: run "pve-google-authenticator repair"', {
          what,
        }),
    },
    now: Date.now,
    uptime,
    monotonic,
  });
}
