import { createHmac } from 'node:crypto';

/**
 * The signature of a request or an answer of the validation protocol 2.0: HMAC-SHA-1 over all parameters but `h`, sorted by
 * their names' bytes, as `name=value` with `&` between them; the values as they are, not percent-encoded.
 *
 * @param parameters - names and values; `h` is left out
 * @param apiKey - the secret shared with the validation server
 * @returns the signature in base64 with padding, 28 characters
 */
export function sign(parameters: ReadonlyMap<string, string>, apiKey: Uint8Array): string {
  const text = [...parameters]
    .filter(([name]) => name !== 'h')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return createHmac('sha1', apiKey).update(text, 'latin1').digest('base64');
}
