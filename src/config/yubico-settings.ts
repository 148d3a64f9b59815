import { readFileSync } from 'node:fs';
import { assertValidationSettings, type ValidationSettings } from '../yubico-otp/index.ts';
import type { YubicoConfig } from './yubico-section.ts';

const MAX_FILE_BYTES = 256 * 1024;

/** Whether YubiKeys are looked up, and how. */
export type YubicoSettings =
  | { readonly kind: 'off' }
  | { readonly kind: 'on'; readonly settings: ValidationSettings }
  /** They should be, but it cannot be done. */
  | { readonly kind: 'unusable'; readonly why: string };

/**
 * Reads the files that the configuration names. A file that cannot be used is no reason not to start: factors of other kinds
 * go on working, and YubiKeys that would have to be looked up are not accepted.
 *
 * @param config - the `[yubico]` table
 * @returns how YubiKeys are looked up
 */
export function yubicoSettings(config: YubicoConfig): YubicoSettings {
  if (config.mode === 'offline') {
    return { kind: 'off' };
  }
  try {
    const settings: ValidationSettings = {
      clientId: config.id ?? '',
      apiKey: apiKeyOf(config),
      servers: config.urls.map((url) => new URL(url)),
      ca: config.ca === undefined ? undefined : authoritiesIn(config.ca),
      proxy: config.proxy === undefined ? undefined : new URL(config.proxy),
      syncLevel: config.syncLevel,
      deadlineMs: config.deadlineMs,
    };
    assertValidationSettings(settings);
    return { kind: 'on', settings };
  } catch (error) {
    return { kind: 'unusable', why: error instanceof Error ? error.message : 'unknown error' };
  }
}

function apiKeyOf({ key, keyFile }: YubicoConfig): Buffer {
  const text = keyFile === undefined ? (key ?? '') : read('key_file', keyFile).trim();
  const apiKey = Buffer.from(text, 'base64');
  if (apiKey.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw new Error(`${keyFile ?? 'key'}: it must hold the API key in base64, and nothing else`);
  }
  return apiKey;
}

function authoritiesIn(file: string): string {
  const text = read('ca', file);
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error(`${file}: there is no certificate in PEM in it`);
  }
  return text;
}

function read(setting: string, file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new Error(`${setting}: ${file} cannot be read (${code})`, { cause: error });
  }
  if (bytes.length > MAX_FILE_BYTES) {
    throw new Error(`${setting}: ${file} is longer than ${MAX_FILE_BYTES} bytes`);
  }
  return bytes.toString();
}
