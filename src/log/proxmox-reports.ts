import type { Log } from './log.ts';

/** What is told of the files of Proxmox. */
interface Reports {
  trouble(why: string, served: boolean): void;
  recovered(): void;
}

/**
 * Logs what goes wrong with the files of Proxmox.
 *
 * @param log - the log
 * @returns who logs it, for one product
 */
export function proxmoxReports(log: Log): (product: string) => Reports {
  return (product) => ({
    trouble: (why, served) =>
      log.event(
        'alert',
        served
          ? 'The files of Proxmox cannot be used: their last good copy serves'
          : 'The files of Proxmox cannot be used, and there is no copy: whoever may be enrolled there is refused',
        { product, why },
      ),
    recovered: () => log.event('notice', 'The files of Proxmox can be used again', { product }),
  });
}
