import type { OnlineYubikeys } from './online-yubikeys.ts';
import type { YubicoLine } from '../../../config/yubico-line.ts';

/** Lines of pam.d that are kept in mind; a machine has a handful. */
const MAX_LINES = 64;

/**
 * Who checks the YubiKeys of each line in pam.d: the same as config.toml says, if the line says nothing about it.
 *
 * @param usual - as config.toml says
 * @param make - makes one for a line
 * @returns gives the one for a line; those of the last lines are made once
 */
export function lineYubikeys(
  usual: OnlineYubikeys,
  make: (line: YubicoLine) => OnlineYubikeys,
): (line: YubicoLine) => OnlineYubikeys {
  const made = new Map<string, OnlineYubikeys>();
  return (line) => {
    const { clientId, key, urls, ca, proxy } = line;
    const says = [clientId, key, urls, ca, proxy];
    if (says.every((value) => value === undefined)) {
      return usual;
    }
    const name = JSON.stringify(says);
    const known = made.get(name);
    if (known !== undefined) {
      return known;
    }
    const [oldest] = made.keys();
    if (made.size >= MAX_LINES && oldest !== undefined) {
      made.delete(oldest);
    }
    const yubikeys = make(line);
    made.set(name, yubikeys);
    return yubikeys;
  };
}
