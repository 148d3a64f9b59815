import type { ProxmoxProduct } from '../../../contracts/file-requests.ts';
import type { Account, EnrolmentSource } from '../enrolment.ts';
import { PBS_FILES, PVE_FILES } from './config-files.ts';
import { CurrentFiles, type CurrentReports } from './current-files.ts';
import type { LastGood } from './last-good.ts';
import type { ProxmoxFiles } from './proxmox-files.ts';
import { proxmoxSource, type ProxmoxPorts } from './proxmox-source.ts';
import type { ShownUser } from '../../../contracts/shown-user.ts';
import { shownUser } from './shown-entries.ts';
import { doubted, standingOf, type ProxmoxConfig, type Standing } from './standing.ts';
import { realmOf } from './user-id.ts';
import type { WebMode } from './web-login.ts';

/* Puts the parts for Proxmox together. */

/** How often the copy is updated even without logins, in milliseconds. So it is never older than this when it is needed. */
const REFRESH_MS = 60_000;
/** The web interface asks PAM for users of this realm only. */
const WEB_REALM = 'pam';

/** What the parts for Proxmox need. */
export interface ProxmoxParts extends Omit<ProxmoxPorts, 'current'> {
  readonly files: ProxmoxFiles;
  readonly copies: (product: ProxmoxProduct) => LastGood;
  readonly reports: (product: ProxmoxProduct) => CurrentReports;
  /** Whether the factors in Proxmox VE count. */
  readonly on: boolean;
  /** The mode for logins to the web interface. */
  readonly web: WebMode;
}

/** Shows the factors in Proxmox, without secrets. */
export interface ProxmoxViews {
  /** @returns the user's factors there; undefined if the user is unknown. It never rejects. */
  show(name: string): Promise<ShownUser | undefined>;
  /** @returns names of possible users of this machine who have a factor there. It never rejects. */
  names(): Promise<readonly string[]>;
}

/** Proxmox on this machine: its factors as a source, and the login of its web interface. */
export class Proxmox implements ProxmoxViews {
  readonly mode: WebMode;
  /** The factors of Proxmox VE's web interface; undefined if they do not count. */
  readonly source: EnrolmentSource | undefined;
  readonly #parts: ProxmoxParts;
  readonly #pve: CurrentFiles<ProxmoxConfig>;
  readonly #pbs: CurrentFiles<ProxmoxConfig>;

  /** @param parts - files, ledger, time, settings. If it is on, the files are also read periodically. */
  constructor(parts: ProxmoxParts) {
    const { files, copies, reports, web, on } = parts;
    this.mode = web;
    this.#parts = parts;
    this.#pve = new CurrentFiles(files, PVE_FILES, copies('pve'), reports('pve'));
    this.#pbs = new CurrentFiles(files, PBS_FILES, copies('pbs'), reports('pbs'));
    this.source = on ? proxmoxSource({ ...parts, current: () => this.#pve.current() }) : undefined;
    if (on) {
      setInterval(() => void this.#pve.current(), REFRESH_MS).unref();
    }
  }

  /** Shows the factors there; undefined if they do not count. */
  get views(): ProxmoxViews | undefined {
    return this.source === undefined ? undefined : this;
  }

  async show(name: string): Promise<ShownUser | undefined> {
    return shownUser(await this.#pve.current(), name, this.#parts.realms, this.#parts.now());
  }

  async names(): Promise<readonly string[]> {
    const current = await this.#pve.current();
    return current.kind === 'failed'
      ? []
      : [...current.config.tfa.keys()].flatMap((userId) =>
          this.#parts.realms.includes(realmOf(userId)) ? userId.slice(0, userId.lastIndexOf('@')) : [],
        );
  }

  /**
   * What Proxmox requires from a user at its own login.
   *
   * @param product - whose login
   * @param account - a user of the realm pam
   * @returns the requirement, or why it is unknown; it never rejects
   */
  async standingOf(
    product: ProxmoxProduct,
    { name }: Account,
  ): Promise<Standing | { readonly kind: 'failed'; readonly why: string }> {
    const current = await (product === 'pve' ? this.#pve.current() : this.#pbs.current());
    if (current.kind === 'failed') {
      return current;
    }
    const userId = `${name}@${WEB_REALM}`;
    return doubted(standingOf(current.config, userId, Math.floor(this.#parts.now() / 1000)), current.doubt);
  }
}
