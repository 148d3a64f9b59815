import { z } from '../contracts/schema.ts';

/** What the module does at the login of Proxmox's own web interface. */
export const WEB_MODES = ['native', 'gate', 'concat'] as const;

/** What config.toml says about Proxmox. */
export interface ProxmoxConfig {
  /** Realms in which the users of this machine are known, the first that knows a user counts. */
  readonly realms: readonly string[];
  /**
   * At the login of the web interface: `native`: stand aside. `gate`: ask nothing, refuse whoever has no second factor there. `concat`: ask
   * whoever has none there for the password with a code at its end.
   */
  readonly web: (typeof WEB_MODES)[number];
}

const MAX_REALMS = 16;
const REALM = /^[A-Za-z][A-Za-z0-9.\-_]{1,31}$/;

/** The `[proxmox]` table of config.toml. */
export const proxmoxSchema = z.prefault(
  z.strictObject({
    realms: z._default(
      z
        .array(z.string().check(z.regex(REALM, 'it must be the name of a realm, like pam')))
        .check(z.minLength(1, 'the list is empty'), z.maxLength(MAX_REALMS)),
      ['pam'],
    ),
    web: z._default(z.enum(WEB_MODES), 'native'),
  }),
  {},
);
