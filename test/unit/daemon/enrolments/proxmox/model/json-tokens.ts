/* JSON as serde_json reads it from bytes: nothing is lost: repeated names and the form of numbers are kept. */

/** A number keeps its text, an object its members in their order. */
export type Json =
  | null
  | boolean
  | string
  | { readonly number: string }
  | { readonly members: readonly (readonly [string, Json])[] }
  | readonly Json[];

/** Proxmox cannot read it. */
export class Unreadable extends Error {}

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/;
// eslint-disable-next-line no-control-regex -- JSON allows none of them in a text
const TEXT = /^"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"/;

/**
 * Reads JSON.
 *
 * @param text - the whole text
 * @returns the value
 * @throws Unreadable
 */
export function readJson(text: string): Json {
  let rest = text;
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(rest)?.[0];
    rest = rest.slice(found?.length ?? 0);
    return found;
  };
  const space = (): void => void take(/^[ \t\r\n]*/);
  const sign = (wanted: string): boolean => {
    space();
    const here = rest.startsWith(wanted);
    rest = here ? rest.slice(1) : rest;
    return here;
  };
  const need = (done: boolean): void => {
    if (!done) throw new Unreadable();
  };
  const string = (): string => {
    space();
    const found = take(TEXT);
    if (found === undefined) throw new Unreadable();
    const value = JSON.parse(found) as string;
    // Half a surrogate pair is no UTF-8.
    need(!/\p{Surrogate}/u.test(value));
    return value;
  };
  const list = (end: string, element: () => void): void => {
    if (sign(end)) return;
    do element();
    while (sign(','));
    need(sign(end));
  };
  const value = (depth: number): Json => {
    need(depth < 128);
    if (sign('{')) {
      const members: [string, Json][] = [];
      list('}', () => {
        const name = string();
        need(sign(':'));
        members.push([name, value(depth + 1)]);
      });
      return { members };
    }
    if (sign('[')) {
      const elements: Json[] = [];
      list(']', () => elements.push(value(depth + 1)));
      return elements;
    }
    if (rest.startsWith('"')) return string();
    const word = take(/^(?:true|false|null)/);
    if (word !== undefined) return JSON.parse(word) as boolean | null;
    return { number: take(NUMBER) ?? raise() };
  };
  const whole = value(0);
  space();
  need(rest === '');
  return whole;
}

function raise(): never {
  throw new Unreadable();
}
