import { parse, TomlError } from 'smol-toml';
import type { Rule } from '../policy/rule.ts';
import { z } from '../contracts/schema.ts';
import { proxmoxSchema, type ProxmoxConfig } from './proxmox-section.ts';
import { rulesSchema } from './rules-section.ts';
import { yubicoSchema, type YubicoConfig } from './yubico-section.ts';

/** The settings of config.toml. Everything has a safe default, so the file may be missing. */
export interface Config {
  readonly sources: {
    /**
     * Whether ~/.google_authenticator counts, or the file that the module's `secret=` names. On by default, so that a change of the
     * module's name is a migration; without the reader nobody then counts as "not enrolled".
     */
    readonly home: boolean;
    /** Whether the factors in Proxmox count; undefined: on a machine with Proxmox VE. */
    readonly proxmox: boolean | undefined;
  };
  readonly proxmox: ProxmoxConfig;
  readonly throttle: {
    /** Whether guesses are counted and held back. */
    readonly enabled: boolean;
    /** Whether this holds for the source `home`, too, beside the limit that a file may keep itself. */
    readonly home: boolean;
  };
  readonly yubico: YubicoConfig;
  /** Rules by service, user, group and network: the first one that applies decides. */
  readonly rules: readonly Rule[];
}

const yes = z._default(z.boolean(), true);

const schema = z.pipe(
  z.strictObject({
    sources: z.prefault(
      z.pipe(
        z.strictObject({ home: yes, proxmox: z.optional(z.boolean()) }),
        z.transform(({ home, proxmox }) => ({ home, proxmox })),
      ),
      {},
    ),
    proxmox: proxmoxSchema,
    throttle: z.prefault(z.strictObject({ enabled: yes, home: yes }), {}),
    yubico: yubicoSchema,
    rule: rulesSchema,
  }),
  z.transform(({ rule: rules, ...others }): Config => ({ ...others, rules })),
);

/** The settings that hold without a file. */
export const DEFAULT_CONFIG: Config = schema.parse({});

/** A configuration that cannot be used. The message names file, line and key. */
export class ConfigError extends Error {
  readonly code = 'ERR_CONFIG';
  /** @param message - what is wrong, where, and what is expected */
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/**
 * Reads a configuration.
 *
 * @param text - in TOML 1.0
 * @param file - its name, for messages
 * @returns the settings
 * @throws ConfigError when anything in it is unknown or out of range
 */
export function parseConfig(text: string, file: string): Config {
  let toml: unknown;
  try {
    toml = parse(text);
  } catch (error) {
    if (error instanceof TomlError) {
      const [what = 'it is not TOML'] = error.message.replace('Invalid TOML document: ', '').split('\n');
      throw new ConfigError(`${file}:${error.line}: ${what}`);
    }
    throw error;
  }
  const result = schema.safeParse(toml);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const path = [
    ...(issue?.path ?? []),
    ...(issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []),
  ];
  const what =
    issue?.code === 'unrecognized_keys' ? 'there is no such setting' : (issue?.message ?? 'not as expected');
  const name = path.map((part) => (typeof part === 'number' ? part + 1 : String(part))).join('.');
  throw new ConfigError(`${file}:${lineOf(text, path)}: ${name}: ${what}`);
}

/** The line where a key is set: in its table (of tables with one name, the one of this number), or the header of the table. */
function lineOf(text: string, path: readonly PropertyKey[]): number {
  const [table, ...inTable] = path;
  const number = typeof inTable[0] === 'number' ? Number(inTable.shift()) + 1 : 1;
  const key = inTable[0] === undefined ? undefined : String(inTable[0]);
  let current: string | undefined;
  let seen = 0;
  let header = 1;
  for (const [index, line] of text.split('\n').entries()) {
    const name = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (name !== undefined) {
      current = name;
      seen += name === table ? 1 : 0;
      header = name === table && seen === number ? index + 1 : header;
    }
    const assigned = /^\s*"?([A-Za-z0-9_-]+)"?\s*[.=]/.exec(line)?.[1];
    const here = current === table && seen === number && assigned === key;
    if (assigned !== undefined && (here || (current === undefined && assigned === table))) {
      return index + 1;
    }
  }
  return header;
}
