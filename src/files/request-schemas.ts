import { z } from 'zod';
import { LARGEST_FILE } from '../host/addon.ts';
import { isFilePath } from '../host/file-path.ts';
import type { ReadRequest, ReplaceRequest } from './requests.ts';

const LARGEST_ID = 0xffff_fffe;
/** LOGIN_NAME_MAX of Linux. */
const LONGEST_NAME = 256;
const BASE64_CHARACTERS = Math.ceil(LARGEST_FILE / 3) * 4;

const bytes = z
  .base64()
  .min(1)
  .max(BASE64_CHARACTERS)
  .refine((text) => Buffer.byteLength(text, 'base64') <= LARGEST_FILE);

const file = {
  user: z
    .string()
    .min(1)
    .max(LONGEST_NAME)
    .regex(/^[^\p{Cc}:/]+$/u),
  uid: z.int().min(0).max(LARGEST_ID),
  gid: z.int().min(0).max(LARGEST_ID),
  path: z.string().refine(isFilePath),
};

const readRequest: z.ZodType<ReadRequest> = z.strictObject({
  ...file,
  maxBytes: z.int().min(1).max(LARGEST_FILE),
});
const replaceRequest: z.ZodType<ReplaceRequest> = z.strictObject({
  ...file,
  expected: bytes,
  contents: bytes,
});

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
