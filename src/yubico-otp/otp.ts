import { ALPHABET, decodeModhex } from './modhex.ts';

/** Characters of the encrypted part: one block of AES. */
export const TOKEN_LENGTH = 32;
/** The longest public id: 16 characters. YubiKeys leave the factory with 12. */
export const MAX_PUBLIC_ID_LENGTH = 16;

/** The letters that the same keys type on the US-Dvorak layout, in the same order. */
const DVORAK = 'jxe.uidchtnbpygk';

/** The longest typed text that is considered: an OTP and generous white space. */
const MAX_TYPED_LENGTH = 128;

const PRINTABLE = /^[\t\n\r\x20-\x7e]*$/;
const MODHEX_OTP = /^[cbdefghijklnrtuv]{32,48}$/;
const DVORAK_OTP = /^[jxe.uidchtnbpygk]{32,48}$/;
const MODHEX_PUBLIC_ID = /^[cbdefghijklnrtuv]{0,16}$/;

/** A one-time password of a YubiKey. */
export interface Otp {
  /** All of it in small modhex letters: 32 to 48. A secret until it is used up. */
  readonly text: string;
  /** The public id of its key: 0 to 16 modhex letters. Not a secret. */
  readonly publicId: string;
  /** The encrypted part, 16 bytes. */
  readonly token: Buffer;
}

/**
 * Reads an OTP as a YubiKey types it: white space around it is dropped, capitals become small letters, and text from a US-Dvorak
 * layout is translated (only if all letters fit that layout, and the text is not modhex already).
 *
 * @param typed - what was typed
 * @returns the OTP, or undefined if it is not one
 * @example
 * parseOtp('  DTEFFUJEHKNHFJBRJNLNLDNHCUJVDDBIKNGJRTGH\n')?.publicId; // 'dteffuje'
 */
export function parseOtp(typed: string): Otp | undefined {
  const text = normalize(typed);
  if (text === undefined) {
    return undefined;
  }
  const publicId = text.slice(0, -TOKEN_LENGTH);
  const token = decodeModhex(text.slice(-TOKEN_LENGTH));
  return token === undefined ? undefined : { text, publicId, token };
}

/**
 * Whether a text is a public id, in small modhex letters.
 *
 * @param text - the text
 * @returns true for 0 to 16 letters of modhex
 */
export function isPublicId(text: string): boolean {
  return MODHEX_PUBLIC_ID.test(text);
}

function normalize(typed: string): string | undefined {
  // Only ASCII is allowed, because lower-casing turns the Kelvin sign into "k".
  if (typed.length > MAX_TYPED_LENGTH || !PRINTABLE.test(typed)) {
    return undefined;
  }
  const text = typed.trim().toLowerCase();
  if (MODHEX_OTP.test(text)) {
    return text;
  }
  return DVORAK_OTP.test(text) ? fromDvorak(text) : undefined;
}

function fromDvorak(text: string): string {
  return Array.from(text, (letter) => ALPHABET.charAt(DVORAK.indexOf(letter))).join('');
}
