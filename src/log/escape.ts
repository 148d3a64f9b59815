/** Longer values are cut in the log: a name of a megabyte shall not fill the disk. */
const MAX_LOGGED_CHARACTERS = 256;

/** What may stand in a log line without quotes. */
const PLAIN = /^[A-Za-z0-9._:@/%+,-]+$/;

/**
 * Control characters, and those that change how a terminal or an editor shows the rest: C0, DEL, C1, the line and paragraph
 * separators, bidirectional controls, zero-width characters, surrogates that stand alone.
 */
const UNSAFE = new RegExp(
  [
    String.raw`[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb`,
    String.raw`\ud800-\udfff]`,
  ].join(''),
);

/**
 * Makes a value from outside safe for a log line: it can neither end the line nor look like another field of it.
 *
 * @param value - any text, or bytes that are read as UTF-8
 * @returns the value as it is when it is plain, else in double quotes with escapes as in JSON
 */
export function loggable(value: string | Uint8Array): string {
  const text = typeof value === 'string' ? value : Buffer.from(value).toString();
  const characters = Array.from(text.slice(0, MAX_LOGGED_CHARACTERS));
  const cut = text.length > MAX_LOGGED_CHARACTERS ? '...' : '';
  if (cut === '' && PLAIN.test(text)) {
    return text;
  }
  return `"${characters.map(escaped).join('')}${cut}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') {
    return `\\${character}`;
  }
  if (!UNSAFE.test(character) || isPair(character)) {
    return character;
  }
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A code point beyond the basic plane is two surrogates that belong together. */
function isPair(character: string): boolean {
  return character.length === 2;
}
