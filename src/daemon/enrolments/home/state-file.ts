/*
 * The state file of pam_google_authenticator, `~/.google_authenticator`, as text of one character a byte. The first line is the
 * secret; every later line is an option, `" KEY VALUE`, or an emergency scratch code of eight digits. Unknown lines stay as they
 * are, and in their place.
 */

/** The characters that may follow a key: a line end or a blank. */
const AFTER_KEY = new Set(['', ' ', '\t', '\r', '\n']);
const SCRATCH_CODE = /^[ \t\v\f]*\+?0*([1-9][0-9]{7})$/;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Base32, and three digits that people mistake for letters. */
const MISREAD: Readonly<Record<string, string>> = { '0': 'O', '1': 'L', '8': 'B' };

/** The position of a line. */
interface Line {
  readonly start: number;
  /** After its last character. */
  readonly end: number;
  /** After its line ends, of which there may be several. */
  readonly next: number;
}

/**
 * The text of the secret: base32 without blanks and dashes, in capitals, with misread digits corrected.
 *
 * @param text - of the file
 * @returns the text, which may still have characters that are not base32
 */
export function secretText(text: string): string {
  const [line = ''] = text.split('\n', 1);
  return line
    .replaceAll(/[ \t\r-]/g, '')
    .replaceAll(/[018]/g, (digit) => MISREAD[digit] ?? digit)
    .toUpperCase();
}

/**
 * The value of an option: of the first line that has the key.
 *
 * @param text - of the file
 * @param key - the option's name
 * @returns the value without leading blanks, maybe empty; undefined when there is no such line
 */
export function optionValue(text: string, key: string): string | undefined {
  const [line] = linesWith(text, key);
  return line === undefined
    ? undefined
    : text.slice(line.start + 2 + key.length, line.end).replace(/^[ \t]*/, '');
}

/**
 * The line number of an option, for messages.
 *
 * @param text - of the file
 * @param key - the option's name
 * @returns the number of its line, from 1 on; undefined when there is no such line
 */
export function lineNumberOf(text: string, key: string): number | undefined {
  const [line] = linesWith(text, key);
  return line === undefined ? undefined : text.slice(0, line.start).split(/\r\n|\r|\n/).length;
}

/**
 * Sets an option. It replaces the first line with the key, or is inserted after the first line of the file. Later lines with the
 * same key are removed.
 *
 * @param text - of the file
 * @param key - the option's name
 * @param value - its value; an empty one leaves a blank after the key
 * @returns the new text
 */
export function withOption(text: string, key: string, value: string): string {
  const [place = behindFirstLine(text), ...repeated] = linesWith(text, key);
  const lineBreak = place.start > 0 && !/[\r\n]/.test(text.charAt(place.start - 1)) ? '\n' : '';
  let rest = '';
  let from = place.next;
  for (const { start, next } of repeated) {
    rest += text.slice(from, start);
    from = next;
  }
  return `${text.slice(0, place.start)}${lineBreak}" ${key} ${value}\n${rest}${text.slice(from)}`;
}

/**
 * Whether the file says that codes are time-based. The option may be anywhere in a line, as pam_google_authenticator reads it.
 *
 * @param text - of the file
 * @returns whether it does
 */
export function isTimeBased(text: string): boolean {
  return text.includes('" TOTP_AUTH');
}

/**
 * The usable scratch codes. The list ends at the first line that is neither a scratch code nor an option.
 *
 * @param text - of the file
 * @returns the codes in their order
 */
export function scratchCodes(text: string): number[] {
  return Array.from(scratchLines(text), ({ code }) => code);
}

/**
 * Removes a scratch code.
 *
 * @param text - of the file
 * @param code - the code; of several equal ones, the first is removed
 * @returns the new text, or undefined when there is no such code
 */
export function withoutScratchCode(text: string, code: number): string | undefined {
  for (const line of scratchLines(text)) {
    if (line.code === code) {
      return text.slice(0, line.start) + text.slice(line.next);
    }
  }
  return undefined;
}

function* scratchLines(text: string): Generator<Line & { readonly code: number }> {
  const newline = text.indexOf('\n');
  let start = newline < 0 ? text.length : behindLineEnds(text, newline);
  while (start < text.length) {
    const line = lineAt(text, start);
    start = line.next;
    if (text.charAt(line.start) === '"') {
      continue;
    }
    const code = SCRATCH_CODE.exec(text.slice(line.start, line.end))?.[1];
    if (code === undefined) {
      return;
    }
    yield { ...line, code: Number(code) };
  }
}

/** The lines with a key. This searches for the key, not line by line, because a user can make a file with very many lines. */
function* linesWith(text: string, key: string): Generator<Line> {
  const option = `" ${key}`;
  for (let at = text.indexOf(option); at >= 0; at = text.indexOf(option, at + 1)) {
    if ((at === 0 || isLineEnd(text, at - 1)) && AFTER_KEY.has(text.charAt(at + option.length))) {
      yield lineAt(text, at);
    }
  }
}

/** The place for a new option. If a file begins with an empty line, that is its first line. */
function behindFirstLine(text: string): Line {
  const at = lineAt(text, 0).next;
  return { start: at, end: at, next: at };
}

/** The line that begins at a place; empty lines count as part of the line end before them. */
function lineAt(text: string, start: number): Line {
  let end = start;
  while (end < text.length && !isLineEnd(text, end)) {
    end += 1;
  }
  return { start, end, next: behindLineEnds(text, end) };
}

function behindLineEnds(text: string, from: number): number {
  let at = from;
  while (isLineEnd(text, at)) {
    at += 1;
  }
  return at;
}

/** Past the end of the text there is none. */
function isLineEnd(text: string, at: number): boolean {
  const character = text.charCodeAt(at);
  return character === LINE_FEED || character === CARRIAGE_RETURN;
}
