import { FormatError } from './format-error.ts';

/** Deeper values are in no file of Proxmox; a bound keeps a crafted one from exhausting the stack. */
const MAX_DEPTH = 64;
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * Reads JSON (RFC 8259) as Proxmox's own parser does: a name that comes twice in one object is an error. Node's parser takes the last one,
 * and repeats the text, which holds secrets, in its messages.
 *
 * @param text - the whole file
 * @returns the value; objects are maps
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
    const value = this.#value(0);
    this.#skipSpace();
    return this.#at === this.#text.length ? value : this.#fail('there is more after the end');
  }

  #value(depth: number): unknown {
    this.#skipSpace();
    if (depth > MAX_DEPTH) {
      return this.#fail('it is nested too deeply');
    }
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

  #object(depth: number): Map<string, unknown> {
    const members = new Map<string, unknown>();
    this.#list('}', () => {
      this.#skipSpace();
      const name = this.#text[this.#at] === '"' ? this.#string() : this.#fail('a name is missing');
      if (members.has(name)) {
        this.#fail('a name comes twice');
      }
      this.#skipSpace();
      this.#expect(':');
      members.set(name, this.#value(depth + 1));
    });
    return members;
  }

  #array(depth: number): unknown[] {
    const elements: unknown[] = [];
    this.#list(']', () => elements.push(this.#value(depth + 1)));
    return elements;
  }

  #list(end: string, element: () => void): void {
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
    try {
      const value = JSON.parse(this.#text.slice(this.#at, end + 1)) as string;
      this.#at = end + 1;
      return value;
    } catch {
      return this.#fail('a text holds what no text may hold');
    }
  }

  #scalar(): unknown {
    SCALAR.lastIndex = this.#at;
    const [found] = SCALAR.exec(this.#text) ?? this.#fail('this is no JSON');
    this.#at += found.length;
    return JSON.parse(found);
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
