import type { Health } from '../../contracts/control-requests.ts';

/** What a health request needs. */
export interface HealthPorts {
  /** What the start found out. */
  readonly atStart: Pick<Health, 'configDigest' | 'configProblem' | 'yubico'>;
  readonly store: { readonly initialised: boolean };
  readonly ledger: {
    readonly condition: Health['ledger'];
    readonly full: boolean;
    tryAgain(): Promise<void>;
  };
}

/**
 * What the start found out.
 *
 * @param config - SHA-256 of config.toml as it was read, in hex, and why another configuration is used instead
 * @param yubico - whether YubiKeys can be looked up
 * @returns the same, in the form of the answer
 */
export function foundAtStart(
  config: { readonly digest: string | undefined; readonly problem: string | undefined },
  yubico: { readonly kind: 'unusable'; readonly why: string } | { readonly kind: 'on' | 'off' },
): HealthPorts['atStart'] {
  return {
    configDigest: config.digest ?? null,
    configProblem: config.problem ?? null,
    yubico: yubico.kind === 'unusable' ? yubico.why : null,
  };
}

/**
 * Says what the daemon knows about itself. If the ledger could not be written, this tries it once more, as the next login would.
 *
 * @param ports - what the start found out, store and ledger
 * @returns what is wrong
 */
export async function showHealth({ atStart, store, ledger }: HealthPorts): Promise<Health> {
  await ledger.tryAgain();
  return { ...atStart, store: store.initialised, ledger: ledger.condition, ledgerFull: ledger.full };
}
