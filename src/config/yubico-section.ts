import { z } from '../contracts/schema.ts';
import { MAX_DEADLINE_MS, MAX_SERVERS, YUBICLOUD } from '../yubico-otp/index.ts';

/** The settings in config.toml for YubiKeys that a validation server checks. */
export interface YubicoConfig {
  /**
   * `offline`: only keys whose secrets are in the store; nothing is sent anywhere. `online`: others are looked up. Undefined: offline,
   * unless a line in pam.d has `id=`, as pam_yubico's lines have.
   */
  readonly mode: 'offline' | 'online' | undefined;
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
const path = z.string().check(z.regex(/^\//, 'it must be an absolute path'));

function address(protocol: string, what: string): z.ZodMiniType<string, string> {
  return z
    .string()
    .check(z.refine((text) => URL.canParse(text) && new URL(text).protocol === protocol, what));
}

const id = z
  .pipe(z.union([z.int(), z.string()], 'it must be a number'), z.transform(String))
  .check(z.refine((text) => /^[1-9]\d{0,9}$/.test(text), 'it must be a number of 1 to 10 digits'));

// Its value must not come into a message.
const apiKey = z
  .string()
  .check(
    z.refine(
      (text) => /^[A-Za-z0-9+/]{8,128}={0,2}$/.test(text) && text.length % 4 === 0,
      'it must be base64',
    ),
  );

const table = z
  .strictObject({
    mode: z.optional(z.enum(['offline', 'online'])),
    id: z.optional(id),
    key: z.optional(apiKey),
    key_file: z.optional(path),
    urls: z._default(
      z
        .array(address('https:', 'an address must begin with https://'))
        .check(z.minLength(1, 'the list is empty'), z.maxLength(MAX_SERVERS)),
      [YUBICLOUD],
    ),
    ca: z.optional(path),
    proxy: z.optional(address('http:', 'it must begin with http://')),
    sync_level: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
    deadline: z._default(
      z.number().check(z.minimum(0.1), z.maximum(MAX_DEADLINE_MS / MS_PER_SECOND)),
      MAX_DEADLINE_MS / MS_PER_SECOND,
    ),
  })
  .check(
    z.superRefine(({ mode, id: number, key, key_file: keyFile }, context) => {
      const issue = (name: string, message: string): void => {
        context.addIssue({ code: 'custom', path: [name], message });
      };
      if (key !== undefined && keyFile !== undefined) {
        issue('key_file', 'key is set, too: remove one of them');
      }
      if (mode === 'online' && number === undefined) {
        issue('mode', 'online needs an id');
      }
      if (mode === 'online' && key === undefined && keyFile === undefined) {
        issue('mode', 'online needs a key or a key_file: without it, anybody could sign answers');
      }
    }),
  );

/** The `[yubico]` table of config.toml. */
export const yubicoSchema = z.prefault(
  z.pipe(
    table,
    z.transform(
      ({
        mode,
        id: number,
        key,
        key_file: keyFile,
        urls,
        ca,
        proxy,
        sync_level: syncLevel,
        deadline,
      }): YubicoConfig => ({
        mode,
        id: number,
        key,
        keyFile,
        urls,
        ca,
        proxy,
        syncLevel,
        deadlineMs: deadline * MS_PER_SECOND,
      }),
    ),
  ),
  {},
);
