import { assertText } from './arguments.ts';
import { loadAddon } from './load-addon.ts';

/** Bytes of a {@link FileIdentity}: see native/addon/small_file.h. */
const IDENTITY_BYTES = 56;
/** The addon's result for something that is not a regular file, or too long. */
const UNFIT = -1;

/** Identifies a state of a file: device, inode, size, and the times of changes of contents and inode. */
export type FileIdentity = Uint8Array & { readonly identity?: never };

/** A file that was read. */
export interface SmallFile {
  /** Its contents, decoded as UTF-8. */
  readonly text: string;
  /** Its state when it was read. */
  readonly identity: FileIdentity;
}

interface Addon {
  readSmallFile(path: string, into: Uint8Array, identity: Uint8Array): number;
  isSmallFileStill(path: string, identity: Uint8Array): boolean;
}

/** One buffer serves all reads, because its contents are wiped at once. */
let scratch = Buffer.alloc(0);

/**
 * Reads a small regular file as a whole, with its state, in one call: at most as many bytes as the file had when it was opened.
 * It never
 * follows a link to the file, and never waits for the other end of a pipe.
 *
 * @param path - where
 * @param maxBytes - longer files are not read
 * @returns the file; undefined when it is not a regular file of at most so many bytes
 * @throws Error with `code` (ENOENT, ELOOP: a link, EACCES …) and `syscall`
 */
export function readSmallFile(path: string, maxBytes: number): SmallFile | undefined {
  assertText('path', path);
  if (scratch.length < maxBytes) {
    scratch = Buffer.alloc(maxBytes);
  }
  const identity = Buffer.allocUnsafe(IDENTITY_BYTES);
  const into = scratch.length === maxBytes ? scratch : scratch.subarray(0, maxBytes);
  let length: number | undefined;
  try {
    length = (loadAddon() as Addon).readSmallFile(path, into, identity);
    return length === UNFIT ? undefined : { text: into.toString('utf8', 0, length), identity };
  } finally {
    // After an error, the number of bytes in the buffer is unknown.
    into.fill(0, 0, length === UNFIT ? 0 : length);
  }
}

/**
 * Whether a path still leads to the same file in the same state.
 *
 * @param path - where
 * @param identity - from {@link readSmallFile}
 * @returns false also if that is unknown
 */
export function isSmallFileStill(path: string, identity: FileIdentity): boolean {
  assertText('path', path);
  return (loadAddon() as Addon).isSmallFileStill(path, identity);
}
