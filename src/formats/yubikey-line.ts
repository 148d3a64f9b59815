import { isPublicId } from '../yubico-otp/index.ts';
import type { OfflineYubikey } from '../factors/yubikey.ts';

const PRIVATE_ID = /^[0-9a-f]{12}$/i;
const AES_KEY = /^[0-9a-f]{32}$/i;
/** Longer lines are none of these. */
const MAX_LINE = 512;
const MAX_FIELDS = 32;
/** How the Personalization Tool's own format names the configuration in the first field. */
const TRADITIONAL = 'yubico otp';
/** The lines that hold no key: comments of yubikey-ksm, and the first line of the Personalization Tool's log. */
const NO_KEY = /^(?:#.*|logging start,.*)?$/i;

/** A line that should hold a key and does not. The message names the place and what is expected there, never the content. */
export class YubikeyLineError extends Error {
  readonly code = 'ERR_YUBIKEY_LINE';
  /** @param message - what is wrong */
  constructor(message: string) {
    super(message);
    this.name = 'YubikeyLineError';
  }
}

/**
 * Reads a line that describes a YubiKey with its secrets, as the programs write it that set the secrets:
 *
 * - `ykman otp yubiotp --config-output` and the Personalization Tool's "Yubico format":
 *   `serial,publicId,privateId,aesKey,accessCode,timestamp,`
 * - yubikey-ksm's `ykksm-gen-keys`: the same fields, then more
 * - the Personalization Tool's "traditional format": `Yubico OTP,timestamp,slot,publicId,privateId,aesKey,…`
 *
 * The public id is modhex, the other two are hexadecimal. What else is in the line does not matter.
 *
 * @param line - without or with its end
 * @returns the key; undefined for an empty line, a comment, and the beginning of a log
 * @throws YubikeyLineError for everything else
 */
export function parseYubikeyLine(line: string): OfflineYubikey | undefined {
  const text = line.trim();
  if (text.length > MAX_LINE) {
    throw new YubikeyLineError(`the line is longer than ${MAX_LINE} characters`);
  }
  if (NO_KEY.test(text)) {
    return undefined;
  }
  const fields = text.split(',', MAX_FIELDS).map((field) => field.trim());
  const first = fields[0]?.toLowerCase() === TRADITIONAL ? 3 : 1;
  const [publicId = '', privateId = '', aesKey = ''] = fields.slice(first, first + 3);
  if (!isPublicId(publicId.toLowerCase())) {
    throw new YubikeyLineError(`field ${first + 1} must be the public id: up to 16 letters of modhex`);
  }
  if (!PRIVATE_ID.test(privateId)) {
    throw new YubikeyLineError(`field ${first + 2} must be the private id: 12 hexadecimal digits`);
  }
  if (!AES_KEY.test(aesKey)) {
    throw new YubikeyLineError(`field ${first + 3} must be the AES key: 32 hexadecimal digits`);
  }
  return {
    publicId: publicId.toLowerCase(),
    privateId: Buffer.from(privateId, 'hex'),
    aesKey: Buffer.from(aesKey, 'hex'),
  };
}
