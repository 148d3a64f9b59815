import { decodeBase32 } from '../../../factors/base32.ts';
import { ALGORITHMS, CODE_LENGTHS, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../../../factors/hotp-value.ts';
import { MAX_COUNTER } from '../../../factors/hotp.ts';
import { RECOVERY_CODES, RECOVERY_HASH_BYTES } from '../../../factors/recovery-code.ts';
import { MAX_PERIOD, MAX_WINDOW } from '../../../factors/totp.ts';
import { AES_KEY_BYTES, isPublicId, PRIVATE_ID_BYTES } from '../../../yubico-otp/index.ts';
import { readImportedFile, type ImportedFile } from './imported-file.ts';
import {
  FACTOR_NAME,
  MAX_FACTORS,
  MAX_LIMIT_ATTEMPTS,
  MAX_LIMIT_SECONDS,
  RECORD_SCHEMA,
  type EnrolmentRecord,
  type HotpFactor,
  type RecoveryFactor,
  type StoredFactor,
} from './record.ts';
import { RecordError } from './record-error.ts';
import { hexBytes, RecordFields } from './record-fields.ts';

const KINDS = [
  'totp',
  'hotp',
  'recovery',
  'google-authenticator',
  'yubikey-online',
  'yubikey-offline',
] as const;
const NOT_EMPTY = /./s;
const ANY_TEXT = /^/;
const FACTOR_ID = /^[a-z0-9]{4,16}$/;
const BASE64 = /^(?:[0-9a-zA-Z+/]{4})*(?:[0-9a-zA-Z+/]{2}==|[0-9a-zA-Z+/]{3}=)?$/;

/**
 * Reads a record.
 *
 * @param text - the file's content
 * @returns the record; its secrets are Buffers
 * @throws RecordError when it is not a record of this schema
 */
export function parseRecord(text: string): EnrolmentRecord {
  const record = new RecordFields(parsedJson(text), '');
  record.oneOf('schema', [RECORD_SCHEMA]);
  const user = record.text('user', NOT_EMPTY);
  const uid = record.whole('uid', 0);
  const factors = record
    .list('factors', 0, MAX_FACTORS)
    .map((factor, index) => factorOf(new RecordFields(factor, `factors.${index}`)));
  record.end();
  if (!allDiffer(factors.map(({ id }) => id))) {
    record.refuse('factors', 'two factors have the same id');
  }
  if (!allDiffer(factors.map(({ name }) => name))) {
    record.refuse('factors', 'two factors have the same name');
  }
  return { user, uid, factors };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may contain a secret.
    throw new RecordError(text === '' ? 'the file is empty' : 'the file is not JSON');
  }
}

function factorOf(fields: RecordFields): StoredFactor {
  const factor = ofKind(fields);
  fields.end();
  return factor;
}

function ofKind(fields: RecordFields): StoredFactor {
  const kind = fields.oneOf('kind', KINDS);
  const common = commonOf(fields);
  switch (kind) {
    case 'totp':
      return {
        kind,
        ...common,
        ...generatorOf(fields),
        period: fields.whole('period', 1, MAX_PERIOD),
        window: fields.whole('window', 1, MAX_WINDOW),
      };
    case 'hotp':
      return { kind, ...common, ...generatorOf(fields), ...counterOf(fields) };
    case 'recovery':
      return {
        kind,
        ...common,
        hashes: hashesOf(fields),
        ...(fields.has('madeFor') ? { madeFor: fields.text('madeFor', NOT_EMPTY) } : {}),
      };
    case 'google-authenticator':
      return { kind, ...common, file: fileOf(fields) };
    case 'yubikey-online':
      return { kind, ...common, publicId: publicIdOf(fields, NOT_EMPTY) };
    case 'yubikey-offline':
      return {
        kind,
        ...common,
        publicId: publicIdOf(fields, ANY_TEXT),
        privateId: fields.hex('privateId', PRIVATE_ID_BYTES),
        aesKey: fields.hex('aesKey', AES_KEY_BYTES),
      };
  }
}

function commonOf(fields: RecordFields): Pick<StoredFactor, 'id' | 'name' | 'added' | 'paused'> {
  return {
    id: fields.text('id', FACTOR_ID),
    name: fields.text('name', FACTOR_NAME),
    added: fields.whole('added', 0),
    ...(fields.has('paused') ? { paused: fields.oneOf('paused', [true]) } : {}),
  };
}

function generatorOf(fields: RecordFields): Pick<HotpFactor, 'secret' | 'algorithm' | 'digits' | 'limit'> {
  return {
    secret: secretOf(fields),
    algorithm: fields.oneOf('algorithm', ALGORITHMS),
    digits: fields.oneOf('digits', CODE_LENGTHS),
    ...(fields.has('limit') ? { limit: limitOf(fields.object('limit')) } : {}),
  };
}

function secretOf(fields: RecordFields): Buffer {
  const secret = decodeBase32(fields.text('secret', ANY_TEXT));
  return secret !== undefined && secret.length >= MIN_SECRET_BYTES && secret.length <= MAX_SECRET_BYTES
    ? secret
    : fields.refuse('secret', `not base32 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`);
}

function limitOf(fields: RecordFields): NonNullable<HotpFactor['limit']> {
  const limit = {
    attempts: fields.whole('attempts', 1, MAX_LIMIT_ATTEMPTS),
    seconds: fields.whole('seconds', 1, MAX_LIMIT_SECONDS),
  };
  fields.end();
  return limit;
}

function counterOf(fields: RecordFields): Pick<HotpFactor, 'counter' | 'window'> {
  return {
    counter: fields.whole('counter', 0, MAX_COUNTER),
    ...(fields.has('window') ? { window: fields.whole('window', 1, MAX_WINDOW) } : {}),
  };
}

function hashesOf(fields: RecordFields): RecoveryFactor['hashes'] {
  return fields
    .list('hashes', 1, RECOVERY_CODES)
    .map(
      (hash, index) =>
        hexBytes(hash, RECOVERY_HASH_BYTES) ??
        fields.refuse(`hashes.${index}`, `not ${RECOVERY_HASH_BYTES} bytes in hexadecimal`),
    );
}

/** The file as it was imported; the ledger knows which codes were used since. */
function fileOf(fields: RecordFields): ImportedFile {
  const bytes = Buffer.from(fields.text('file', BASE64), 'base64');
  const file = readImportedFile(bytes.toString('latin1'));
  return 'problems' in file ? fields.refuse('file', 'not a file of pam_google_authenticator') : file;
}

/** Several keys may have no public id, but a key that needs a look-up must have one. */
function publicIdOf(fields: RecordFields, pattern: RegExp): string {
  const publicId = fields.text('publicId', pattern);
  return isPublicId(publicId) ? publicId : fields.refuse('publicId', 'not a public id in modhex');
}

function allDiffer(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
