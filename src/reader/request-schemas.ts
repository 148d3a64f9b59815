import { LARGEST_UID } from '../host/arguments.ts';
import { isFilePath } from '../host/file-path.ts';
import { LARGEST_FILE } from '../host/user-files.ts';
import { z } from '../contracts/schema.ts';
import type { ProxmoxRequest, ReadRequest, ReplaceRequest } from '../contracts/file-requests.ts';

/* Schemas of the requests at files.sock. */

/** LOGIN_NAME_MAX of Linux. */
const LONGEST_NAME = 256;
const BASE64_CHARACTERS = Math.ceil(LARGEST_FILE / 3) * 4;

const bytes = z.base64().check(
  z.minLength(1),
  z.maxLength(BASE64_CHARACTERS),
  z.refine((text) => Buffer.byteLength(text, 'base64') <= LARGEST_FILE),
);

const id = z.int().check(z.minimum(0), z.maximum(LARGEST_UID));
const file = {
  user: z.string().check(z.minLength(1), z.maxLength(LONGEST_NAME), z.regex(/^[^\p{Cc}:/]+$/u)),
  uid: id,
  gid: id,
  path: z.string().check(z.refine(isFilePath)),
};

const readRequest: z.ZodMiniType<ReadRequest> = z.strictObject({
  ...file,
  maxBytes: z.int().check(z.minimum(1), z.maximum(LARGEST_FILE)),
});
const replaceRequest: z.ZodMiniType<ReplaceRequest> = z.strictObject({
  ...file,
  expected: bytes,
  contents: bytes,
});
const proxmoxRequest: z.ZodMiniType<ProxmoxRequest> = z.strictObject({ product: z.enum(['pve', 'pbs']) });

/**
 * Checks the body of POST /v1/read.
 *
 * @param body - parsed JSON
 * @returns the request, or undefined if it is none
 */
export function readRequestOf(body: unknown): ReadRequest | undefined {
  return readRequest.safeParse(body).data;
}

/**
 * Checks the body of POST /v1/replace.
 *
 * @param body - parsed JSON
 * @returns the request, or undefined if it is none
 */
export function replaceRequestOf(body: unknown): ReplaceRequest | undefined {
  return replaceRequest.safeParse(body).data;
}

/**
 * Checks the body of POST /v1/proxmox.
 *
 * @param body - parsed JSON
 * @returns the request, or undefined if it is none
 */
export function proxmoxRequestOf(body: unknown): ProxmoxRequest | undefined {
  return proxmoxRequest.safeParse(body).data;
}
