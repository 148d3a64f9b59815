import type { Config } from '../../config/config.ts';
import { hasProxmoxVe } from '../../host/proxmox-here.ts';
import { nameService } from '../../host/name-service.ts';
import type { StateDirectory } from '../../host/state-directory.ts';
import { BudgetedLog } from '../../log/budgeted-log.ts';
import { lineTroubles } from '../../log/line-troubles.ts';
import type { Log } from '../../log/log.ts';
import { lookUpReports } from '../../log/look-up-reports.ts';
import { proxmoxReports } from '../../log/proxmox-reports.ts';
import type { LocalLedger } from '../ledger/local-ledger.ts';
import { allEnrolments } from './all-enrolments.ts';
import type { Enrolments } from './enrolment.ts';
import { FilesClient } from './home/file-access.ts';
import { homeSource } from './home/home-source.ts';
import { FileDirectories } from './home/file-directories.ts';
import { UnwrittenAttempts } from './home/rate-limit.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { lastGoodIn } from './proxmox/last-good.ts';
import { ProxmoxFilesClient } from './proxmox/proxmox-files.ts';
import { Proxmox } from './proxmox/proxmox.ts';
import { RealmYubikeys } from './proxmox/realm-yubikeys.ts';
import { sourcesInOrder } from './sources-in-order.ts';
import { storeSource } from './store/store-source.ts';
import type { Store } from './store/store.ts';
import { lineSource } from './yubico/line-source.ts';
import { newBounds } from './yubico/online-yubikeys.ts';
import { yubikeysOfConfig, type Yubikeys } from './yubico/yubikeys-of-config.ts';

/* Opens the sources that config.toml has switched on. */

/** The kernel's overflow uid, which owns no files on any Linux. */
const NOBODY_UID = 65_534;

/** What the sources of enrolments need. */
export interface SourcePorts {
  readonly runtimeDir: string;
  readonly state: StateDirectory;
  readonly store: Store;
  readonly ledger: LocalLedger;
  readonly log: Log;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
}

/** The sources of enrolments that config.toml has switched on. */
export interface Sources {
  readonly enrolments: Enrolments;
  readonly proxmox: Proxmox;
  readonly yubikeys: Yubikeys;
  /** Whether a look-up may leave this process, so that its time depends on the user. */
  readonly farAway: boolean;
}

/**
 * Opens the sources of enrolments.
 *
 * @param config - which are on
 * @param ports - what they need
 * @returns the sources
 */
export async function enrolmentsOfConfig(config: Config, ports: SourcePorts): Promise<Sources> {
  const { ledger, log, monotonic } = ports;
  const bounds = newBounds(monotonic);
  const yubikeys = yubikeysOfConfig(config, log, bounds);
  const realmYubikeys = new RealmYubikeys(lookUpReports(log), bounds);
  const proxmox = new Proxmox({
    files: new ProxmoxFilesClient(ports.runtimeDir),
    copies: (product) => lastGoodIn(ports.state.path(`${product}.last-good.json`)),
    reports: proxmoxReports(log),
    ...config.proxmox,
    on: config.sources.proxmox ?? hasProxmoxVe(),
    ledger,
    now: Date.now,
    yubikeysOf: (realm) => realmYubikeys.of(realm),
  });
  const own = storeSource(ports.store, ledger, monotonic, yubikeys.usual);
  const nobody = config.sources.home
    ? await nameService.userNumbered(NOBODY_UID).catch(() => undefined)
    : undefined;
  const files = new FilesClient(ports.runtimeDir);
  const places = new FileDirectories(ledger, Date.now);
  const home = homeSource({
    oneAtATime: new OneAtATime(),
    unwritten: new UnwrittenAttempts(),
    files,
    places,
    ledger,
    throttle: config.throttle.home,
    now: Date.now,
    nobody,
  });
  const enrolments = allEnrolments({
    own: sourcesInOrder(proxmox.source === undefined ? [own] : [own, proxmox.source]),
    yubico: lineSource({
      files,
      places,
      nobody,
      store: own,
      yubikeysOf: yubikeys.ofLine,
      trouble: lineTroubles(new BudgetedLog(log, monotonic)),
    }),
    home: config.sources.home ? home : undefined,
    notebook: ledger,
    now: Date.now,
    findUser: (user) =>
      /^[0-9]{1,10}$/.test(user) ? nameService.userNumbered(Number(user)) : nameService.userNamed(user),
  });
  const farAway = config.sources.home || proxmox.source !== undefined;
  return { enrolments, proxmox, yubikeys, farAway };
}
