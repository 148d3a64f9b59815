import type { AccountLookup } from '../../../../../src/daemon/enrolments/enrolment.ts';
import { PVE_FILES } from '../../../../../src/daemon/enrolments/proxmox/config-files.ts';
import { CurrentFiles } from '../../../../../src/daemon/enrolments/proxmox/current-files.ts';
import { proxmoxSource } from '../../../../../src/daemon/enrolments/proxmox/proxmox-source.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import type { ModelFiles } from './model/proxmox-model.ts';

/** The moment of these tests, in milliseconds since 1970. */
export const NOW = 1_800_000_000_000;

const read = (bytes: Buffer) => ({ kind: 'read', contents: bytes.toString('base64') }) as const;

/**
 * A source over the given files, without an earlier copy.
 *
 * @param files - as on the disk
 * @returns looks a user up
 */
export function sourceOver({ tfa, users, domains }: ModelFiles) {
  const current = new CurrentFiles(
    {
      read: () =>
        Promise.resolve({
          kind: 'files',
          files: { 'priv/tfa.cfg': read(tfa), 'user.cfg': read(users), 'domains.cfg': read(domains) },
        }),
    },
    PVE_FILES,
    { load: () => undefined, keep: () => undefined },
    { trouble: () => undefined, recovered: () => undefined },
  );
  return async (name: string, realm: string): Promise<AccountLookup> =>
    proxmoxSource({
      current: () => current.current(),
      realms: [realm],
      now: () => NOW,
      ledger: new InMemoryLedger(),
      yubikeysOf: () => ({ lookUp: () => Promise.resolve({ kind: 'unavailable', why: '' }) as never }),
    }).lookUp({ name, uid: 1000 });
}
