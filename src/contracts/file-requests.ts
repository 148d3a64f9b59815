import type { NotServed } from '../host/threads.ts';
import type { FileRead, FileReplaced, FileUser } from '../host/user-files.ts';

/*
 * What the daemon and the reader say to each other through files.sock: HTTP/1.1, JSON bodies, one request on a connection. It is
 * private to the two programs of one version. Bytes are base64.
 */

/** POST /v1/read; the answer is a {@link ReadAnswer}. */
export interface ReadRequest extends FileUser {
  /** Absolute, without `..`, at most 4095 bytes. */
  readonly path: string;
  /** 1 to 65536. */
  readonly maxBytes: number;
}

/** POST /v1/replace; the answer is a {@link ReplaceAnswer}. */
export interface ReplaceRequest extends FileUser {
  /** As in {@link ReadRequest}. */
  readonly path: string;
  /** The expected contents; if they differ, the result is `changed`. 1 to 65536 bytes. */
  readonly expected: string;
  /** The new contents; 1 to 65536 bytes. */
  readonly contents: string;
}

/** {@link FileRead} with its contents as `Bytes`, which are base64 on the wire. */
export type ReadAnswer<Bytes = string> =
  | (Omit<FileRead & { kind: 'read' }, 'contents'> & { readonly contents: Bytes })
  | Exclude<FileRead, { kind: 'read' }>
  | NotServed;

/** The result, or why it is unknown. */
export type ReplaceAnswer = FileReplaced | NotServed;

/** Whose files: Proxmox VE, or Proxmox Backup Server. */
export type ProxmoxProduct = 'pve' | 'pbs';

/** POST /v1/proxmox; the answer is a {@link ProxmoxAnswer}. */
export interface ProxmoxRequest {
  readonly product: ProxmoxProduct;
}

/** One file of Proxmox. */
export type ProxmoxFile =
  | { readonly kind: 'read'; readonly contents: string }
  /** There is no such file. `directory`: whether its directory exists. */
  | { readonly kind: 'missing'; readonly directory: boolean }
  | { readonly kind: 'failed'; readonly why: string };

/** All files of a product, by their names in its directory. */
export type ProxmoxAnswer =
  { readonly kind: 'files'; readonly files: Readonly<Record<string, ProxmoxFile>> } | NotServed;

/** The body of every answer whose status is not 200. */
export interface Refusal {
  readonly error: { readonly code: 'ERR_BAD_REQUEST' | 'ERR_NO_SUCH_REQUEST' | 'ERR_UNEXPECTED' };
}
