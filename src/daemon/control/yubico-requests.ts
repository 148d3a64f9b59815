import { hintFor, NETWORK_CLOSED } from '../../log/server-hints.ts';
import { z } from '../../contracts/schema.ts';
import { parseOtp, type Otp, type Validation, type ValidationSettings } from '../../yubico-otp/index.ts';
import { ControlError } from './control-error.ts';
import type { YubicoChecked, YubicoSetUp } from '../../contracts/control-requests.ts';

/** What a check of the validation servers needs. */
export interface YubicoPorts {
  readonly yubico: {
    /** How config.toml sets YubiKeys up. */
    readonly settings:
      | { readonly kind: 'off' }
      | { readonly kind: 'on'; readonly settings: ValidationSettings }
      | { readonly kind: 'unusable'; readonly why: string };
    readonly validate: (otp: Otp, settings: ValidationSettings) => Promise<Validation>;
    /** @returns an error's code when the daemon may not use the network; else undefined */
    readonly networkClosed: () => Promise<string | undefined>;
  };
}

const checkSchema = z.strictObject({ otp: z.string() });

/**
 * Says how YubiKeys are looked up, before anything is sent.
 *
 * @param ports - what config.toml says
 * @returns servers, or why nothing is looked up
 */
export async function showYubico({ yubico }: YubicoPorts): Promise<YubicoSetUp> {
  const { settings } = yubico;
  if (settings.kind !== 'on') {
    return settings;
  }
  const closed = await yubico.networkClosed();
  return closed === undefined
    ? { kind: 'on', servers: settings.settings.servers.map(({ href }) => href) }
    : { kind: 'unusable', why: `${NETWORK_CLOSED} (${closed})` };
}

/**
 * Checks one OTP for an administrator, whoever owns the key. This uses the OTP up.
 *
 * @param ports - the servers
 * @param body - `{ otp }`, not yet checked
 * @returns how it ended, and what can be done about each server that failed
 * @throws ControlError when it is not an OTP, or no server is configured
 */
export async function checkYubico({ yubico }: YubicoPorts, body: unknown): Promise<YubicoChecked> {
  const typed = checkSchema.safeParse(body).data?.otp;
  const otp = typed === undefined ? undefined : parseOtp(typed);
  if (otp === undefined) {
    throw new ControlError(
      400,
      'ERR_BAD_REQUEST',
      'That is not what a YubiKey types: is its slot set to Yubico OTP?',
    );
  }
  const { settings } = yubico;
  if (settings.kind !== 'on') {
    throw new ControlError(
      409,
      'ERR_NOT_ONLINE',
      settings.kind === 'off' ? 'No validation server is configured' : settings.why,
    );
  }
  const validation = await yubico.validate(otp, settings.settings);
  return {
    result: validation.kind,
    publicId: otp.publicId,
    countersSigned: validation.kind === 'right' && validation.counters !== undefined,
    failures: validation.failures.map(({ server, why }) => ({ server, why, hint: hintFor(why) ?? null })),
  };
}
