import { CODE_LENGTHS, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../../../factors/hotp-value.ts';
import { MAX_PERIOD } from '../../../factors/totp.ts';
import type { DomainsConfig } from './domains-config.ts';
import { oathEntries, yubicoEntries } from './legacy-keys.ts';
import type { RealmTfa } from './realm-tfa.ts';
import {
  NO_ENTRIES,
  type ProxmoxTotp,
  type ProxmoxYubico,
  type TfaConfig,
  type TfaUser,
} from './tfa-config.ts';
import type { UserConfig } from './user-config.ts';
import { realmOf } from './user-id.ts';

/* A user's standing: what Proxmox itself would require at its own login. Pure. */

/** The parsed files of Proxmox. */
export interface ProxmoxConfig {
  readonly tfa: TfaConfig;
  readonly users: UserConfig;
  readonly domains: DomainsConfig;
}

/** What Proxmox would require from a user, and which of it can be checked outside Proxmox. */
export type Standing =
  /** Neither user.cfg nor tfa.cfg names the user. */
  | { readonly kind: 'unknown' }
  /** Proxmox asks for no second factor. */
  | { readonly kind: 'unprotected' }
  | {
      readonly kind: 'usable';
      readonly totp: readonly ProxmoxTotp[];
      /** With the realm, which has the server to look them up. */
      readonly yubico: readonly ProxmoxYubico[];
      readonly realm: RealmTfa | undefined;
    }
  /** Proxmox asks or refuses, and nothing that it would accept can be checked here. */
  | { readonly kind: 'unusable'; readonly why: string }
  /** It is unclear whether Proxmox would ask, refuse, or let in. */
  | { readonly kind: 'unclear'; readonly why: string };

/**
 * What Proxmox would require from a user at its own login. The rules are those of its authenticate_2nd_new and of proxmox-tfa.
 *
 * @param config - its files
 * @param userId - `name@realm`
 * @param now - seconds since 1970
 * @returns the requirement
 */
export function standingOf(config: ProxmoxConfig, userId: string, now: number): Standing {
  const user = config.users.get(userId);
  const found = config.tfa.get(userId);
  if (user === undefined && found === undefined) {
    return { kind: 'unknown' };
  }
  const settings = config.domains.get(realmOf(userId));
  const realm = settings?.tfa;
  const keys = user === undefined || MARKER.test(user.keys) ? '' : user.keys;
  const entries = withOldKeys(found ?? NO_ENTRIES, keys, realm);
  if (realm?.type === 'unreadable' && !isChallenged(entries)) {
    return { kind: 'unclear', why: 'the tfa line of the realm in domains.cfg cannot be read' };
  }
  if (realm === undefined && !isChallenged(entries)) {
    return settings === undefined
      ? unusable('domains.cfg has no such realm, so Proxmox refuses the user')
      : { kind: 'unprotected' };
  }
  if (entries.lockedUntil > now) {
    return unusable('too many failures: Proxmox has locked all factors of the user for a time');
  }
  const totp = realm?.type === 'yubico' ? [] : enabled(entries.totp);
  const yubico = realm?.type === 'yubico' ? enabled(entries.yubico) : [];
  if (totp.length + yubico.length === 0) {
    return unusable(
      realm === undefined
        ? othersOnly(entries)
        : realm.type === 'unreadable'
          ? `${othersOnly(entries)}; the tfa line of the realm in domains.cfg cannot be read`
          : missingForRealm(realm),
    );
  }
  if (totp.length > 0 && entries.totpLocked) {
    return unusable('too many wrong codes: Proxmox has locked the codes of the user (pveum user tfa unlock)');
  }
  const codes = totp.filter(isCheckable);
  const yubikeys = yubico.filter(({ publicId }) => publicId !== undefined);
  return codes.length + yubikeys.length === 0
    ? unusable(
        totp.length > 0
          ? 'the secret, digits or period of the code is out of range here'
          : 'Proxmox has an invalid public id for the YubiKey',
      )
    : { kind: 'usable', totp: withoutTwins(codes), yubico: yubikeys, realm };
}

/**
 * The standing while a file of Proxmox exists but cannot be parsed. Proxmox then refuses everybody, and users who were enrolled
 * meanwhile are missing in the copy.
 *
 * @param standing - by the last good copy
 * @param doubt - why the copy may be wrong; undefined if it is right
 * @returns the same, or unclear for a user without a factor in the copy
 */
export function doubted(standing: Standing, doubt: string | undefined): Standing {
  const isWithout = standing.kind === 'unknown' || standing.kind === 'unprotected';
  return doubt !== undefined && isWithout ? { kind: 'unclear', why: doubt } : standing;
}

/** The text that Proxmox writes in place of keys, to mark that there is a second factor. */
const MARKER = /^x(?:!.*)?$/;

/** Old keys count only if the realm says what they are. */
function withOldKeys(entries: TfaUser, keys: string, realm: RealmTfa | undefined): TfaUser {
  switch (realm?.type) {
    case 'oath':
      return {
        ...entries,
        totp: [...entries.totp, ...oathEntries(keys, { digits: realm.digits, period: realm.step })],
      };
    case 'yubico':
      return { ...entries, yubico: [...entries.yubico, ...yubicoEntries(keys)] };
    case 'unreadable':
    case undefined:
      return entries;
  }
}

/** Proxmox still asks for a used-up set of recovery keys. */
function isChallenged({ totp, u2f, webauthn, yubico, recovery }: TfaUser): boolean {
  return recovery !== undefined || [totp, u2f, webauthn, yubico].some((list) => enabled(list).length > 0);
}

function enabled<T extends { readonly enabled: boolean }>(entries: readonly T[]): T[] {
  return entries.filter((entry) => entry.enabled);
}

/** Proxmox accepts some entries that cannot be checked here. */
function isCheckable({ secret, digits, period }: ProxmoxTotp): boolean {
  return (
    secret.length >= MIN_SECRET_BYTES &&
    secret.length <= MAX_SECRET_BYTES &&
    CODE_LENGTHS.some((length) => length === digits) &&
    period >= 1 &&
    period <= MAX_PERIOD
  );
}

/** Proxmox writes an old key again at each login. This merges entries with the same secret, and keeps the last used step. */
function withoutTwins(entries: readonly ProxmoxTotp[]): ProxmoxTotp[] {
  const known = new Map<string, ProxmoxTotp>();
  for (const entry of entries) {
    const { secret, algorithm, digits, period } = entry;
    const key = `${secret.toString('hex')} ${algorithm} ${digits} ${period}`;
    const twin = known.get(key);
    known.set(
      key,
      twin === undefined ? entry : { ...twin, lastCount: later(twin.lastCount, entry.lastCount) },
    );
  }
  return [...known.values()];
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

function unusable(why: string): Standing {
  return { kind: 'unusable', why };
}

function othersOnly(entries: TfaUser): string {
  const kinds = [
    ...(enabled(entries.webauthn).length > 0 ? ['WebAuthn keys'] : []),
    ...(enabled(entries.u2f).length > 0 ? ['U2F keys'] : []),
    ...(enabled(entries.yubico).length > 0 ? ['YubiKeys without a server in the realm'] : []),
    ...(entries.recovery === undefined ? [] : ['recovery keys']),
  ];
  return `the user has only ${kinds.join(' and ')} in Proxmox, which work only there`;
}

function missingForRealm({ type }: Pick<RealmTfa, 'type'>): string {
  return type === 'oath'
    ? 'the realm requires codes, and the user has no phone in Proxmox'
    : 'the realm requires a YubiKey, and the user has none in Proxmox';
}
