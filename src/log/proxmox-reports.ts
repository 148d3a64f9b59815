import type { Log } from './log.ts';

/** Receives reports about the files of Proxmox. */
interface Reports {
  trouble(why: string, served: boolean, doubted: boolean): void;
  recovered(): void;
}

/**
 * Logs what goes wrong with the files of Proxmox.
 *
 * @param log - the log
 * @returns the logger of one product
 */
export function proxmoxReports(log: Log): (product: string) => Reports {
  return (product) => ({
    trouble: (why, served, doubted) =>
      log.event(
        'alert',
        !served
          ? 'The files of Proxmox cannot be used, and there is no copy: users who may have a factor there are refused'
          : doubted
            ? 'The files of Proxmox cannot be used: the last good copy counts, and users without a factor are refused'
            : 'The files of Proxmox cannot be used: the last good copy counts',
        { product, why },
      ),
    recovered: () => log.event('notice', 'The files of Proxmox can be used again', { product }),
  });
}
