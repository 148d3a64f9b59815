import type { Log } from './log.ts';

/** What is told of the files of Proxmox. */
interface Reports {
  trouble(why: string, served: boolean, doubted: boolean): void;
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
    trouble: (why, served, doubted) =>
      log.event(
        'alert',
        !served
          ? 'The files of Proxmox cannot be used, and there is no copy: whoever may be enrolled there is refused'
          : doubted
            ? 'The files of Proxmox cannot be used: their last good copy serves, and refuses users without a factor'
            : 'The files of Proxmox cannot be used: their last good copy serves',
        { product, why },
      ),
    recovered: () => log.event('notice', 'The files of Proxmox can be used again', { product }),
  });
}
