/* Parses the setting `tfa` of a realm. */

/** The second factor that a realm requires from everybody. */
export type RealmTfa =
  | { readonly type: 'oath'; readonly digits: number; readonly step: number }
  | {
      readonly type: 'yubico';
      /** The client's number at the server, its key (base64, a secret) and address; undefined: not set. */
      readonly id: string | undefined;
      readonly key: string | undefined;
      readonly url: string | undefined;
    }
  /** The setting exists but cannot be parsed. Today's Proxmox then requires nothing; a later version may. */
  | { readonly type: 'unreadable' };

const MAX_CHARACTERS = 128;
const DEFAULT_DIGITS = 6;
const DEFAULT_STEP = 30;
/** Each setting, and what its value may be: those of PVE::Auth::Plugin. */
const SETTINGS: ReadonlyMap<string, RegExp> = new Map([
  ['type', /^(?:yubico|oath)$/],
  ['id', /^[^\t-\r ]+$/],
  ['key', /^[^\t-\r ]+$/],
  ['url', /^[^\t-\r ]+$/],
  ['digits', /^[678]$/],
  ['step', /^[1-9][0-9]+$/],
]);

/**
 * Parses the setting `tfa` of a realm in domains.cfg.
 *
 * @param text - its value
 * @returns the requirement
 */
export function parseRealmTfa(text: string): RealmTfa {
  const values = new Map<string, string>();
  for (const part of text.length > MAX_CHARACTERS ? [] : text.replace(/,+$/, '').split(',')) {
    const equals = part.indexOf('=');
    const [name, value] = [part.slice(0, Math.max(equals, 0)), part.slice(equals + 1)];
    if (SETTINGS.get(name)?.test(value) !== true) {
      return { type: 'unreadable' };
    }
    // If one comes twice, the last counts.
    values.set(name, value);
  }
  const type = values.get('type');
  if (type === undefined) {
    return { type: 'unreadable' };
  }
  return type === 'yubico'
    ? { type, id: values.get('id'), key: values.get('key'), url: values.get('url') }
    : {
        type: 'oath',
        digits: Number(values.get('digits') ?? DEFAULT_DIGITS),
        step: Number(values.get('step') ?? DEFAULT_STEP),
      };
}
