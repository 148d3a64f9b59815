#!/usr/bin/env node
/*
 * scripts/totp.js SECRET [SECONDS]
 *
 * Prints the code that an authenticator app shows now, or SECONDS later, for
 * a secret in base32 (RFC 6238: SHA-1, 6 digits, 30 s). It shares nothing
 * with the daemon.
 */
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';

const [secret = '', seconds = '0'] = process.argv.slice(2);
const bits = [...secret.replace(/=*$/, '')]
  .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
  .join('');
const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));

const step = Buffer.alloc(8);
step.writeBigUInt64BE(BigInt(Math.floor((Date.now() / 1000 + Number(seconds)) / 30)));
const mac = createHmac('sha1', key).update(step).digest();
const offset = mac[mac.length - 1] & 0x0f;
const code = (mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
process.stdout.write(`${String(code).padStart(6, '0')}\n`);
