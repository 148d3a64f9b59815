import { createDecipheriv, timingSafeEqual } from 'node:crypto';
import { crc16, CRC_RESIDUE } from './crc16.ts';

/** Bytes of the AES key. */
export const AES_KEY_BYTES = 16;
/** Bytes of the private id. */
export const PRIVATE_ID_BYTES = 6;
/** Bytes of the encrypted part. */
const TOKEN_BYTES = 16;
/** The session counter's last value. It stops there, so new OTPs cannot be told from old ones. */
export const LAST_SESSION = 0x7fff;

/** Where the fields of the block are, in bytes; numbers are little-endian. */
const OFFSET = { counter: 6, timestampLow: 8, timestampHigh: 10, use: 11, random: 12 } as const;
/** Bit 15 of the session counter is a flag (the OTP was triggered by caps lock), which says nothing about the order of OTPs. */
const COUNTER_BITS = 0x7fff;

/** The secrets that a YubiKey shares with the verifier of its OTPs. */
export interface KeySecrets {
  /** 16 bytes. */
  readonly aesKey: Buffer;
  /** 6 bytes, "uid" in Yubico's documents. */
  readonly privateId: Buffer;
}

/** The contents of an OTP. */
export interface Token {
  /** How often the key was plugged in and used: 0 to 32767. It only grows. */
  readonly sessionCounter: number;
  /** How many OTPs came since it was plugged in: 0 to 255. */
  readonly sessionUse: number;
  /** Ticks of about an eighth of a second since it was plugged in, from a random start: 24 bits. */
  readonly timestamp: number;
  /** A random number that makes OTPs differ. */
  readonly random: number;
}

/**
 * Decrypts an OTP with the key's secrets and checks that it is from this key: by the CRC, and by the private id, compared in
 * constant time. The CRC alone would let one in 65,536 through.
 *
 * The caller must check that the OTP is new: (session counter, session use) must be larger than all before.
 *
 * @param token - the encrypted part of the OTP, 16 bytes
 * @param secrets - of the key
 * @returns its contents, or undefined if it is not from this key
 * @throws RangeError when the token or a secret has another length
 */
export function decryptToken(token: Uint8Array, secrets: KeySecrets): Token | undefined {
  assertLength('token', token, TOKEN_BYTES);
  assertLength('AES key', secrets.aesKey, AES_KEY_BYTES);
  assertLength('private id', secrets.privateId, PRIVATE_ID_BYTES);
  const decipher = createDecipheriv('aes-128-ecb', secrets.aesKey, null).setAutoPadding(false);
  const block = Buffer.concat([decipher.update(token), decipher.final()]);
  const intact = crc16(block) === CRC_RESIDUE;
  const fromThisKey = timingSafeEqual(block.subarray(0, PRIVATE_ID_BYTES), secrets.privateId);
  const content: Token = {
    sessionCounter: block.readUInt16LE(OFFSET.counter) & COUNTER_BITS,
    sessionUse: block.readUInt8(OFFSET.use),
    timestamp: block.readUInt16LE(OFFSET.timestampLow) | (block.readUInt8(OFFSET.timestampHigh) << 16),
    random: block.readUInt16LE(OFFSET.random),
  };
  block.fill(0);
  return intact && fromThisKey ? content : undefined;
}

function assertLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new RangeError(`The ${name} must have ${length} bytes, this one has ${bytes.length}`);
  }
}
