import type { FileParsers } from './current-files.ts';
import { parseDatacenterConfig, type DatacenterConfig } from './datacenter-config.ts';
import { parseDomainsConfig } from './domains-config.ts';
import type { FileTexts } from './last-good.ts';
import { parseTfaConfig } from './parse-tfa.ts';
import type { ProxmoxConfig } from './standing.ts';
import { parseUserConfig } from './user-config.ts';

/** All that is known of Proxmox VE. */
export interface PveConfig extends ProxmoxConfig {
  readonly datacenter: DatacenterConfig;
}

const textOf = (texts: FileTexts, name: string): string => texts[name] ?? '';

/** The files of Proxmox VE, in /etc/pve. */
export const PVE_FILES: FileParsers<PveConfig> = {
  product: 'pve',
  anchor: 'priv/tfa.cfg',
  names: ['priv/tfa.cfg', 'user.cfg', 'domains.cfg', 'datacenter.cfg'],
  parse: (texts) => ({
    tfa: parseTfaConfig(textOf(texts, 'priv/tfa.cfg')),
    users: parseUserConfig(textOf(texts, 'user.cfg')),
    domains: parseDomainsConfig(textOf(texts, 'domains.cfg')),
    datacenter: parseDatacenterConfig(textOf(texts, 'datacenter.cfg')),
  }),
};

/** The file of Proxmox Backup Server, in /etc/proxmox-backup. No realm of it can want a factor of everybody. */
export const PBS_FILES: FileParsers<ProxmoxConfig> = {
  product: 'pbs',
  anchor: 'tfa.json',
  names: ['tfa.json'],
  parse: (texts) => ({
    tfa: parseTfaConfig(textOf(texts, 'tfa.json')),
    users: parseUserConfig(''),
    domains: parseDomainsConfig(''),
  }),
};
