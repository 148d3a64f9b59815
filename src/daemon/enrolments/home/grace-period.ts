import { optionValue, withOption } from './state-file.ts';

/* The option grace_period= in a file: the lines LAST0 to LAST9. Pure. */

/** The file remembers so many hosts, as LAST0 to LAST9. */
const SLOTS = 10;
/** The allowed names of hosts in the file. Other characters could add lines to it. */
const HOST = /^[0-9A-Za-z:%._-]{1,255}$/;

interface Slot {
  readonly key: string;
  /** Whether the file has no such line; a malformed line still counts as one. */
  readonly free: boolean;
  readonly host: string | undefined;
  /** Seconds since 1970; 0 if there is no such line, or it is malformed. */
  readonly at: number;
}

/**
 * Whether somebody logged in with a code from a host shortly before.
 *
 * @param text - of the file
 * @param host - PAM_RHOST; if undefined, the user is asked
 * @param gracePeriod - seconds
 * @param now - seconds since 1970
 * @returns whether the user need not be asked
 */
export function isWithinGracePeriod(
  text: string,
  host: string | undefined,
  gracePeriod: number,
  now: number,
): boolean {
  const slot = host === undefined ? undefined : slots(text).find((candidate) => candidate.host === host);
  return slot !== undefined && slot.at <= now && slot.at + gracePeriod > now;
}

/**
 * Notes that somebody logged in with a code from a host: in the host's slot, else a free one, else the oldest.
 *
 * @param text - of the file
 * @param host - PAM_RHOST; not noted if it has characters that could add lines
 * @param now - seconds since 1970
 * @returns the new text
 */
export function withLogin(text: string, host: string | undefined, now: number): string {
  if (host === undefined || !HOST.test(host)) {
    return text;
  }
  const all = slots(text);
  const oldest = all.reduce((first, slot) => (slot.at < first.at ? slot : first));
  const { key } = all.find((slot) => slot.host === host) ?? all.find(({ free }) => free) ?? oldest;
  return withOption(text, key, `${host} ${now}`);
}

function slots(text: string): Slot[] {
  return Array.from({ length: SLOTS }, (_, number) => {
    const key = `LAST${number}`;
    const value = optionValue(text, key);
    const [, host, at] = /^(\S+)[ \t]+([0-9]{1,15})[ \t]*$/.exec(value ?? '') ?? [];
    return { key, free: value === undefined, host, at: Number(at ?? 0) };
  });
}
