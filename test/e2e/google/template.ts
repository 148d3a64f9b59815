import type { Phone } from './phone.ts';

/** The values for the placeholders of a scenario's texts. */
export interface Values {
  readonly phone: Phone;
  readonly home: string;
  readonly user: string;
  readonly top: string;
}

/** Digits of the seconds since 1970, until the year 2286. */
const TIME_LENGTH = 10;
const PLACE = /\{([a-z]+)(?::(\d+))?([+-]\d+)?\}/g;

/**
 * Fills in a text.
 *
 * @param template - the text, with places
 * @param values - the values; {now} is the moment of the phone
 * @returns the text
 */
export function fillIn(template: string, values: Values): string {
  return template.replaceAll(PLACE, (_, name: string, number?: string, offset?: string) =>
    valueOf(name, Number(number ?? 0), Number(offset ?? 0), values),
  );
}

/**
 * Whether a text matches a template, where {now} may be any second from the phone's moment to the present.
 *
 * @param template - the text, with places
 * @param values - what they stand for
 * @returns the text if it matches; otherwise the filled-in template, so that a failure shows both
 */
export function expectedText(template: string, values: Values, text: string): string {
  const present = Math.floor(Date.now() / 1000);
  let rest = text;
  const parts = template.split('{now}').map((part) => fillIn(part, values));
  for (const [index, part] of parts.entries()) {
    const now = Number(rest.slice(0, TIME_LENGTH));
    const timely = index === 0 || (now >= values.phone.now && now <= present);
    rest = index === 0 ? rest : rest.slice(TIME_LENGTH);
    if (!timely || !rest.startsWith(part)) {
      return fillIn(template, values);
    }
    rest = rest.slice(part.length);
  }
  return rest === '' ? text : fillIn(template, values);
}

function valueOf(name: string, number: number, offset: number, values: Values): string {
  const { phone } = values;
  switch (name) {
    case 'secret':
      return phone.secret;
    case 'grouped':
      return phone.secret
        .toLowerCase()
        .replaceAll(/.{4}(?=.)/g, '$&-')
        .replace('-', ' \t');
    case 'now':
      return String(phone.now + offset);
    case 'step':
      return String(phone.step + offset);
    case 'code':
      return phone.code(offset);
    case 'hotp':
      return phone.counterCode(number);
    case 'wrong':
      return phone.wrongCode();
    case 'home':
      return values.home;
    case 'user':
      return values.user;
    case 'top':
      return values.top;
    default:
      throw new Error(`A scenario has {${name}}, which means nothing`);
  }
}
