import { readFileSync } from 'node:fs';
import { assertValidationSettings, type ValidationSettings } from '../yubico-otp/index.ts';
import type { YubicoConfig } from './yubico-section.ts';

const MAX_FILE_BYTES = 256 * 1024;

/** Whether YubiKeys are looked up, and how. */
export type YubicoSettings =
  | { readonly kind: 'off' }
  | { readonly kind: 'on'; readonly settings: ValidationSettings }
  /** They should be looked up, but that is impossible. */
  | { readonly kind: 'unusable'; readonly why: string };

/**
 * Reads the files that the configuration names. An unusable file does not prevent the start: other factors keep working, and only
 * YubiKeys that need a look-up are refused.
 *
 * @param config - the `[yubico]` table
 * @returns how YubiKeys are looked up
 */
export function yubicoSettings(config: YubicoConfig): YubicoSettings {
  return config.mode === 'online' ? usable(config) : { kind: 'off' };
}

/** The settings on a line in pam.d, in place of those in config.toml. */
export interface LineSettings {
  readonly clientId?: string | undefined;
  /** Base64. */
  readonly key?: string | undefined;
  readonly urls?: readonly string[] | undefined;
  readonly ca?: string | undefined;
  readonly proxy?: string | undefined;
}

/**
 * How YubiKeys are looked up for a line with pam_yubico's options. Left-out options come from config.toml, but never a key for
 * another id. `mode = "offline"` forbids all look-ups.
 *
 * @param config - the `[yubico]` table
 * @param line - what the line says
 * @returns how YubiKeys are looked up
 */
export function lineSettings(config: YubicoConfig, line: LineSettings): YubicoSettings {
  const { clientId, key, urls, ca, proxy } = line;
  if (config.mode === 'offline') {
    return {
      kind: 'unusable',
      why: 'config.toml has mode = "offline", so no server is asked',
    };
  }
  const id = clientId ?? config.id;
  const sameClient = id !== undefined && id === config.id;
  const keyed = key ?? (sameClient ? config.key : undefined);
  const keyFile = key === undefined && sameClient ? config.keyFile : undefined;
  if (id === undefined || (keyed === undefined && keyFile === undefined)) {
    const missing = id === undefined ? 'id' : 'key';
    return {
      kind: 'unusable',
      why: `the ${missing} is missing, both on the line in pam.d and in [yubico] of config.toml${id === undefined ? '' : ': without it, anybody could sign answers'}`,
    };
  }
  return usable({
    ...config,
    id,
    key: keyed,
    keyFile,
    urls: urls ?? config.urls,
    ca: ca ?? config.ca,
    proxy: proxy ?? config.proxy,
  });
}

function usable(config: YubicoConfig): YubicoSettings {
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
    throw new Error(`${file}: it holds no PEM certificate`);
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
