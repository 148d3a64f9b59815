import { ConfigError, parseConfig, type Config } from '../../config/config.ts';
import type { Machine } from './machine.ts';
import { CONFIG } from './places.ts';

/** The current contents of config.toml, which may differ from what the daemon read. */
export type Configuration =
  | { readonly kind: 'none' }
  | { readonly kind: 'good'; readonly config: Config; readonly bytes: Buffer }
  | { readonly kind: 'faulty'; readonly why: string };

/**
 * Reads config.toml as the daemon would.
 *
 * @param machine - where
 * @returns the configuration, or what is wrong with it
 */
export function configurationOf(machine: Pick<Machine, 'read' | 'stat'>): Configuration {
  const bytes = machine.read(CONFIG);
  if (bytes === undefined) {
    return machine.stat(CONFIG) === undefined
      ? { kind: 'none' }
      : { kind: 'faulty', why: `${CONFIG}: it cannot be read` };
  }
  try {
    return { kind: 'good', config: parseConfig(bytes.toString(), CONFIG), bytes };
  } catch (error) {
    if (error instanceof ConfigError) {
      return { kind: 'faulty', why: error.message };
    }
    throw error;
  }
}

/**
 * Whether config.toml lets users' files count.
 *
 * @param machine - where
 * @returns true also if the file is unreadable, because that is the default
 */
export function homeCounts(machine: Pick<Machine, 'read' | 'stat'>): boolean {
  const found = configurationOf(machine);
  return found.kind !== 'good' || found.config.sources.home;
}
