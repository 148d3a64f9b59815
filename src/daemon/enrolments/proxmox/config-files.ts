import type { FileParsers } from './current-files.ts';
import { parseDomainsConfig } from './domains-config.ts';
import type { FileTexts } from './last-good.ts';
import { parseTfaConfig, parseTfaJson } from './parse-tfa.ts';
import type { ProxmoxConfig } from './standing.ts';
import { parseUserConfig } from './user-config.ts';

/* The files of each product, with their parsers. */

const textOf = (texts: FileTexts, name: string): string => texts[name] ?? '';

/** The files of Proxmox VE, in /etc/pve. */
export const PVE_FILES: FileParsers<ProxmoxConfig> = {
  product: 'pve',
  anchor: 'priv/tfa.cfg',
  names: ['priv/tfa.cfg', 'user.cfg', 'domains.cfg'],
  parse: (texts) => ({
    tfa: parseTfaConfig(textOf(texts, 'priv/tfa.cfg')),
    users: parseUserConfig(textOf(texts, 'user.cfg')),
    domains: parseDomainsConfig(textOf(texts, 'domains.cfg')),
  }),
};

/**
 * The file of Proxmox Backup Server, in /etc/proxmox-backup: always JSON, and an empty file is not valid. No realm there can
 * require a factor.
 */
export const PBS_FILES: FileParsers<ProxmoxConfig> = {
  product: 'pbs',
  anchor: 'tfa.json',
  names: ['tfa.json'],
  parse: (texts) => ({
    tfa: parseTfaJson(texts['tfa.json'] ?? '{}'),
    users: parseUserConfig(''),
    domains: parseDomainsConfig(''),
  }),
};
