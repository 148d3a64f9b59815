import { CODE_LENGTHS } from '../../../factors/hotp-value.ts';
import { RECOVERY_KEY_BYTES } from '../../../factors/recovery-code.ts';
import { DEFAULT_WINDOW } from '../../../factors/totp.ts';
import type { Ledger, WholeLedger } from '../../ledger/ledger.ts';
import type { Account, Enrolment } from '../enrolment.ts';
import { totpKey } from '../store/factor-keys.ts';
import type { OnlineYubikeyFactor, StoredFactor, TotpFactor } from '../store/record.ts';
import { Resynchronisation } from '../store/resynchronisation.ts';
import { shapesOf, storeEnrolment } from '../store/store-enrolment.ts';
import type { OnlineYubikeys } from '../yubico/online-yubikeys.ts';
import type { RealmTfa } from './realm-tfa.ts';
import type { Standing } from './standing.ts';
import type { ProxmoxTotp, ProxmoxYubico } from './tfa-config.ts';

/** What factors in Proxmox are checked with. */
export interface ProxmoxContext {
  /** Where codes are used up. Proxmox never learns of it. */
  readonly ledger: WholeLedger;
  /** Looks up the YubiKeys of a realm. */
  readonly yubikeysOf: (realm: RealmTfa | undefined) => OnlineYubikeys;
}

type Usable = Extract<Standing, { kind: 'usable' }>;

/**
 * An enrolment whose factors are in Proxmox.
 *
 * @param account - whose
 * @param standing - the factors that count now
 * @param standingNow - reads them again; it never rejects
 * @param context - what factors are checked with
 * @returns the enrolment
 */
export function proxmoxEnrolment(
  { name: user, uid }: Account,
  standing: Usable,
  standingNow: () => Promise<Standing | undefined>,
  context: ProxmoxContext,
): Enrolment {
  return {
    shapes: shapesOf(factorsOf(standing)),
    async verify(readings, now) {
      const current = await standingNow();
      if (current?.kind !== 'usable') {
        const why = current?.kind === 'unusable' ? current.why : 'the user has no factor in Proxmox any more';
        return { kind: 'rejected', reason: 'record-unusable', why };
      }
      const factors = factorsOf(current);
      const checking = storeEnrolment(user, factors, () => factors, {
        // The daemon is not told when a factor is removed there.
        ledger: withLastCounts(context.ledger.of({ uid, keep: 'while-room' }), user, current.totp),
        resynchronisation: new Resynchronisation(() => 0),
        recoveryKey: () => Buffer.alloc(RECOVERY_KEY_BYTES),
        yubikeys: context.yubikeysOf(current.realm),
      });
      return checking.verify(readings, now);
    },
  };
}

function factorsOf({ totp, yubico }: Usable): StoredFactor[] {
  return [...totp.flatMap(totpFactor), ...yubico.flatMap(yubikeyFactor)];
}

function totpFactor(entry: ProxmoxTotp): TotpFactor[] {
  const { id, created, secret, algorithm, period } = entry;
  // All usable factors have such a length.
  const digits = CODE_LENGTHS.find((length) => length === entry.digits);
  if (digits === undefined) {
    return [];
  }
  return [
    {
      kind: 'totp',
      id,
      name: nameOf(entry),
      added: created,
      secret,
      algorithm,
      digits,
      period,
      // Proxmox accepts the step before, the current one and the next.
      window: DEFAULT_WINDOW,
    },
  ];
}

function yubikeyFactor(entry: ProxmoxYubico): OnlineYubikeyFactor[] {
  const { id, created, publicId } = entry;
  // All usable keys have one.
  return publicId === undefined
    ? []
    : [{ kind: 'yubikey-online', id, name: nameOf(entry), added: created, publicId }];
}

function nameOf({ id, description }: { readonly id: string; readonly description: string }): string {
  return `proxmox:${description === '' ? id : description}`;
}

/** A step that Proxmox has used is used up here, too. */
function withLastCounts(ledger: Ledger, user: string, entries: readonly ProxmoxTotp[]): Ledger {
  const used = new Map<string, number>();
  for (const { secret, algorithm, digits, period, lastCount } of entries) {
    const [factor] = totpFactor({
      id: '',
      description: '',
      created: 0,
      enabled: true,
      secret,
      algorithm,
      digits,
      period,
      lastCount,
    });
    if (factor !== undefined && lastCount !== undefined) {
      const key = totpKey(user, factor);
      used.set(key, Math.max(lastCount, used.get(key) ?? lastCount));
    }
  }
  return {
    mark(key) {
      const own = ledger.mark(key);
      const theirs = used.get(key);
      return theirs === undefined || (own !== undefined && own.value >= theirs)
        ? own
        : { value: theirs, at: own?.at ?? 0 };
    },
    claim: (key, value, kind) => ledger.claim(key, value, kind),
    advance: (key, value, kind) => ledger.advance(key, value, kind),
  };
}
