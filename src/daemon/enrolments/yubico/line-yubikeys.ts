import type { OnlineYubikeys } from './online-yubikeys.ts';
import type { YubicoLine } from '../../../config/yubico-line.ts';

/** The most lines of pam.d to remember; a machine has a handful. */
const MAX_LINES = 64;

/**
 * Gives each line in pam.d its checker of YubiKeys; lines without such options use that of config.toml.
 *
 * @param usual - the checker of config.toml
 * @param make - makes one for a line
 * @returns gives the checker of a line; those of the last lines are kept
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
