import { z } from 'zod';
import { MAX_DEADLINE_MS, MAX_SERVERS, YUBICLOUD } from '../yubico-otp/index.ts';

/** What config.toml says about YubiKeys that a validation server checks. */
export interface YubicoConfig {
  /** `offline`: only keys whose secrets are in the store; nothing is sent anywhere. `online`: others are looked up. */
  readonly mode: 'offline' | 'online';
  /** The client's number at the servers; undefined only when nothing is looked up. */
  readonly id: string | undefined;
  /** The API key, base64. A secret. */
  readonly key: string | undefined;
  /** A file with the API key. */
  readonly keyFile: string | undefined;
  readonly urls: readonly string[];
  /** A file with the authorities to trust, PEM. */
  readonly ca: string | undefined;
  readonly proxy: string | undefined;
  /** Per cent. */
  readonly syncLevel: number | undefined;
  readonly deadlineMs: number;
}

const MS_PER_SECOND = 1000;
const path = z.string().regex(/^\//, 'it must be an absolute path');

function address(protocol: string, what: string): z.ZodType<string, string> {
  return z.string().refine((text) => URL.canParse(text) && new URL(text).protocol === protocol, what);
}

/** The `[yubico]` table of config.toml. */
export const yubicoSchema = z
  .strictObject({
    mode: z.enum(['offline', 'online']).default('offline'),
    id: z
      .union([z.int(), z.string()], 'it must be a number')
      .transform(String)
      .refine((text) => /^[1-9]\d{0,9}$/.test(text), 'it must be a number of 1 to 10 digits')
      .optional(),
    // Its value must not come into a message.
    key: z
      .string()
      .refine(
        (text) => /^[A-Za-z0-9+/]{8,128}={0,2}$/.test(text) && text.length % 4 === 0,
        'it must be base64',
      )
      .optional(),
    key_file: path.optional(),
    urls: z
      .array(address('https:', 'an address must begin with https://'))
      .min(1, 'the list is empty')
      .max(MAX_SERVERS)
      .default([YUBICLOUD]),
    ca: path.optional(),
    proxy: address('http:', 'it must begin with http://').optional(),
    sync_level: z.int().min(1).max(100).optional(),
    deadline: z
      .number()
      .min(0.1)
      .max(MAX_DEADLINE_MS / MS_PER_SECOND)
      .default(MAX_DEADLINE_MS / MS_PER_SECOND),
  })
  .superRefine(({ mode, id, key, key_file: keyFile }, context) => {
    const issue = (name: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    if (key !== undefined && keyFile !== undefined) {
      issue('key_file', 'there is a key, too: one of them must go');
    }
    if (mode === 'online' && id === undefined) {
      issue('mode', 'online needs an id');
    }
    if (mode === 'online' && key === undefined && keyFile === undefined) {
      issue('mode', 'online needs a key or a key_file: without it, anybody could sign answers');
    }
  })
  .transform(
    ({
      mode,
      id,
      key,
      key_file: keyFile,
      urls,
      ca,
      proxy,
      sync_level: syncLevel,
      deadline,
    }): YubicoConfig => ({
      mode,
      id,
      key,
      keyFile,
      urls,
      ca,
      proxy,
      syncLevel,
      deadlineMs: deadline * MS_PER_SECOND,
    }),
  )
  .prefault({});
