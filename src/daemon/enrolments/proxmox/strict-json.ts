import { FormatError } from './format-error.ts';

/** The deepest nesting that serde_json, Proxmox's own parser, accepts. */
const MAX_DEPTH = 127;
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Numbers that serde_json does not treat as integers: with a fraction or an exponent, and minus zero. */
const FRACTION = /[.eE]|^-0$/;
const HALF_A_PAIR = /\p{Surrogate}/u;

/** An object with its members in order. The meaning of a repeated name depends on the place. */
export class JsonObject {
  readonly members: readonly (readonly [name: string, value: unknown])[];
  /** @param members - all of them */
  constructor(members: readonly (readonly [name: string, value: unknown])[]) {
    this.members = members;
  }
}

/**
 * Reads JSON (RFC 8259) as Proxmox's own parser does. Node's parser loses repeated names and the precision of numbers above 2^53,
 * and its messages quote the text, which contains secrets.
 *
 * @param text - the whole file; bytes that are not UTF-8 must be halves of surrogate pairs
 * @returns the value; objects are {@link JsonObject}, whole numbers bigints
 * @throws FormatError with line and column
 */
export function parseStrictJson(text: string): unknown {
  return new Reader(text).whole();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value(1);
    this.#skipSpace();
    return this.#at === this.#text.length ? value : this.#fail('there is more after the end');
  }

  #value(depth: number): unknown {
    this.#skipSpace();
    switch (this.#text.charAt(this.#at)) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): JsonObject {
    const members: [string, unknown][] = [];
    this.#list('}', depth, () => {
      this.#skipSpace();
      const name = this.#text[this.#at] === '"' ? this.#string() : this.#fail('a name is missing');
      this.#skipSpace();
      this.#expect(':');
      members.push([name, this.#value(depth + 1)]);
    });
    return new JsonObject(members);
  }

  #array(depth: number): unknown[] {
    const elements: unknown[] = [];
    this.#list(']', depth, () => elements.push(this.#value(depth + 1)));
    return elements;
  }

  #list(end: string, depth: number, element: () => void): void {
    if (depth > MAX_DEPTH) {
      this.#fail('it is nested too deeply');
    }
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === end) {
      this.#at++;
      return;
    }
    for (;;) {
      element();
      this.#skipSpace();
      if (this.#text[this.#at] === end) {
        this.#at++;
        return;
      }
      this.#expect(',');
    }
  }

  #string(): string {
    let end = this.#at + 1;
    while (this.#text[end] !== '"') {
      if (end >= this.#text.length) {
        this.#fail('a text does not end');
      }
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    const value = this.#unescaped(this.#text.slice(this.#at, end + 1));
    if (value === undefined || HALF_A_PAIR.test(value)) {
      return this.#fail('a text holds a character that is not allowed');
    }
    this.#at = end + 1;
    return value;
  }

  #unescaped(quoted: string): string | undefined {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return undefined;
    }
  }

  #scalar(): unknown {
    SCALAR.lastIndex = this.#at;
    const [found] = SCALAR.exec(this.#text) ?? this.#fail('this is not JSON');
    this.#at += found.length;
    return /^[-0-9]/.test(found) && !FRACTION.test(found) ? BigInt(found) : JSON.parse(found);
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) {
      this.#fail(`"${character}" is missing`);
    }
    this.#at++;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at).split('\n');
    throw new FormatError(`line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`, what);
  }
}
