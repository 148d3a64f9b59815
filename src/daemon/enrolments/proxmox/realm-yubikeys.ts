import { YUBICLOUD, assertValidationSettings, type ValidationSettings } from '../../../yubico-otp/index.ts';
import {
  noOnlineYubikeys,
  onlineYubikeys,
  type Bounds,
  type LookUpReports,
  type OnlineYubikeys,
} from '../yubico/online-yubikeys.ts';
import type { RealmTfa } from './realm-tfa.ts';

/** The time limit of a look-up, in milliseconds: it must end before the module gives up. */
const DEADLINE_MS = 10_000;
/** The most settings to remember; a cluster has few realms. */
const MAX_SETTINGS = 16;

/** Looks YubiKeys up at the server of their realm. */
export class RealmYubikeys {
  readonly #reports: LookUpReports;
  readonly #bounds: Bounds;
  /** By the settings. */
  readonly #known = new Map<string, OnlineYubikeys>();

  /**
   * @param reports - what to tell
   * @param bounds - of all look-ups
   */
  constructor(reports: LookUpReports, bounds: Bounds) {
    this.#reports = reports;
    this.#bounds = bounds;
  }

  /**
   * The look-up for YubiKeys of a realm.
   *
   * @param realm - its settings in domains.cfg
   * @returns the look-up
   */
  of(realm: RealmTfa | undefined): OnlineYubikeys {
    if (realm?.type !== 'yubico') {
      return noOnlineYubikeys('the realm has no validation server');
    }
    const name = JSON.stringify([realm.id, realm.key, realm.url]);
    const known = this.#known.get(name) ?? this.#make(realm);
    this.#known.delete(name);
    this.#known.set(name, known);
    for (const [oldest] of this.#known) {
      if (this.#known.size <= MAX_SETTINGS) {
        break;
      }
      this.#known.delete(oldest);
    }
    return known;
  }

  #make({ id, key, url = YUBICLOUD }: Extract<RealmTfa, { type: 'yubico' }>): OnlineYubikeys {
    try {
      const settings: ValidationSettings = {
        clientId: id ?? '',
        apiKey: Buffer.from(key ?? '', 'base64'),
        servers: [new URL(url)],
        ca: undefined,
        proxy: undefined,
        syncLevel: undefined,
        deadlineMs: DEADLINE_MS,
      };
      assertValidationSettings(settings);
      return onlineYubikeys(settings, this.#reports, this.#bounds);
    } catch {
      return noOnlineYubikeys(
        'the tfa line of the realm in domains.cfg cannot be used: id, key and an https url',
      );
    }
  }
}
