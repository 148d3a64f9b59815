import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, MAX_FRAME_LENGTH } from './limits.ts';
import { PayloadWriter } from './payload-writer.ts';
import { WireError } from './wire-error.ts';

/** Flags of a START: what the host passed to pam_authenticate(3). */
export const START_FLAG = { silent: 1, disallowNullAuthtok: 2 } as const;

const TAG = {
  service: 1,
  user: 2,
  tty: 3,
  rhost: 4,
  ruser: 5,
  argument: 6,
  uid: 7,
  gid: 8,
  home: 9,
  canonicalUser: 10,
} as const;

/** Version and flags come before the items: a tag and a `str` each. */
const FIRST_ITEM = 2;
const ITEM_HEADER_BYTES = 3;

/** Tags from here on may be skipped by a daemon that does not know them. */
const FIRST_SKIPPABLE_TAG = 0x80;

/** The largest valid uid and gid: 4294967295 means "none" to the kernel. */
const MAX_ID = 0xffff_fffe;

/**
 * What the module knows when a login starts. All texts are bytes from PAM. They come from outside and may have any byte but NUL.
 */
export interface Start {
  /** PAM_SILENT: show no notices. */
  readonly silent: boolean;
  /** PAM_DISALLOW_NULL_AUTHTOK: only logged, sshd always sets it. */
  readonly disallowNullAuthtok: boolean;
  /** The PAM service, for example "sshd". */
  readonly service?: Buffer;
  /** The user as the host calls it: for the log only. */
  readonly user?: Buffer;
  readonly tty?: Buffer;
  readonly rhost?: Buffer;
  readonly ruser?: Buffer;
  /** The module's arguments as they stand in pam.d, in order. */
  readonly moduleArguments: readonly Buffer[];
  /** From the passwd entry that the module looked up; absent if there is none. */
  readonly uid?: number;
  readonly gid?: number;
  readonly home?: Buffer;
  /** The name in the passwd entry: the only field that names a user to the daemon. */
  readonly canonicalUser?: Buffer;
}

/** A START of a version that this daemon does not speak: the rest of it cannot be read. */
export interface ForeignStart {
  readonly foreignVersion: number;
}

/**
 * Reads the payload of a START (docs/reference/protocol.md, START). Every login begins with it, so it is read by offsets in one pass.
 *
 * @param payload - the payload of the frame; it is copied once, and may be wiped afterwards
 * @returns the fields, or the version when it is not one that this daemon speaks
 * @throws WireError when the payload breaks the protocol
 */
export function decodeStart(payload: Buffer): Start | ForeignStart {
  const version = byteAt(payload, 0);
  if (version < OLDEST_PROTOCOL_VERSION || version > PROTOCOL_VERSION) {
    return { foreignVersion: version };
  }
  const flags = byteAt(payload, 1);
  if ((flags & ~(START_FLAG.silent | START_FLAG.disallowNullAuthtok)) !== 0) {
    throw new WireError('ERR_FIELD', `START has unknown flags: ${flags}`);
  }
  const moduleArguments: Buffer[] = [];
  const start: Fields = {
    silent: (flags & START_FLAG.silent) !== 0,
    disallowNullAuthtok: (flags & START_FLAG.disallowNullAuthtok) !== 0,
    moduleArguments,
  };
  const bytes = Buffer.from(payload);
  let seen = 0;
  let offset = FIRST_ITEM;
  while (offset < bytes.length) {
    const tag = byteAt(bytes, offset);
    const text = textAt(bytes, offset + 1);
    offset += ITEM_HEADER_BYTES + text.length;
    if (tag === TAG.argument) {
      moduleArguments.push(text);
    } else if (isKnown(tag)) {
      if ((seen & (1 << tag)) !== 0) {
        throw new WireError('ERR_FIELD', `START has tag ${tag} twice`);
      }
      seen |= 1 << tag;
      setField(start, tag, text);
    } else if (tag < FIRST_SKIPPABLE_TAG) {
      throw new WireError('ERR_FIELD', `START has the unknown tag ${tag}`);
    }
  }
  return start;
}

type Fields = { -readonly [K in keyof Start]: Start[K] };

function isKnown(tag: number): boolean {
  return tag >= TAG.service && tag <= TAG.canonicalUser;
}

function setField(fields: Fields, tag: number, text: Buffer): void {
  switch (tag) {
    case TAG.service:
      fields.service = text;
      break;
    case TAG.user:
      fields.user = text;
      break;
    case TAG.tty:
      fields.tty = text;
      break;
    case TAG.rhost:
      fields.rhost = text;
      break;
    case TAG.ruser:
      fields.ruser = text;
      break;
    case TAG.uid:
      fields.uid = idOf(text);
      break;
    case TAG.gid:
      fields.gid = idOf(text);
      break;
    case TAG.home:
      fields.home = text;
      break;
    case TAG.canonicalUser:
      fields.canonicalUser = text;
      break;
  }
}

function byteAt(bytes: Buffer, offset: number): number {
  return bytes[offset] ?? tooShort();
}

/** A `str`: its length in two bytes, and as many bytes, none of them NUL. */
function textAt(bytes: Buffer, offset: number): Buffer {
  const length = (byteAt(bytes, offset) << 8) | byteAt(bytes, offset + 1);
  const begin = offset + 2;
  if (length > MAX_FRAME_LENGTH) {
    throw new WireError(
      'ERR_FIELD',
      `A text of ${length} bytes came, at most ${MAX_FRAME_LENGTH} are allowed`,
    );
  }
  if (begin + length > bytes.length) {
    return tooShort();
  }
  const text = bytes.subarray(begin, begin + length);
  if (text.includes(0)) {
    throw new WireError('ERR_FIELD', 'A text with a NUL byte came');
  }
  return text;
}

function tooShort(): never {
  throw new WireError('ERR_PAYLOAD_SHORT', 'START ends in the middle of a field');
}

/** Ids are written in decimal, without sign and leading zeros. */
function idOf(text: Buffer): number {
  const digits = text.toString('latin1');
  const id = Number(digits);
  if (!/^(0|[1-9][0-9]{0,9})$/.test(digits) || id > MAX_ID) {
    throw new WireError('ERR_FIELD', 'START has an id that is not a decimal number from 0 to 4294967294');
  }
  return id;
}

/**
 * Writes the payload of a START: what the module does, here for tests.
 *
 * @param start - the fields
 * @param version - the protocol version to claim
 * @returns the payload
 */
export function encodeStart(start: Start, version: number = PROTOCOL_VERSION): Buffer {
  const flags =
    (start.silent ? START_FLAG.silent : 0) | (start.disallowNullAuthtok ? START_FLAG.disallowNullAuthtok : 0);
  const writer = new PayloadWriter().u8(version).u8(flags);
  const field = (tag: number, value: Uint8Array | undefined): void => {
    if (value !== undefined) {
      writer.u8(tag).str(value, MAX_FRAME_LENGTH);
    }
  };
  field(TAG.service, start.service);
  field(TAG.user, start.user);
  field(TAG.tty, start.tty);
  field(TAG.rhost, start.rhost);
  field(TAG.ruser, start.ruser);
  for (const argument of start.moduleArguments) {
    field(TAG.argument, argument);
  }
  field(TAG.uid, start.uid === undefined ? undefined : Buffer.from(String(start.uid)));
  field(TAG.gid, start.gid === undefined ? undefined : Buffer.from(String(start.gid)));
  field(TAG.home, start.home);
  field(TAG.canonicalUser, start.canonicalUser);
  return writer.bytes();
}
