/** A byte order mark stays: without it a name would be another user's. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a text that came from outside.
 *
 * @param text - its bytes, or what is a text already; undefined: there is none
 * @returns the text; undefined when there is none, or it is not UTF-8
 */
export function utf8Of(text: string | Uint8Array | undefined): string | undefined {
  try {
    return typeof text === 'object' ? utf8.decode(text) : text;
  } catch {
    return undefined;
  }
}
