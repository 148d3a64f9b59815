import type { Check, Finding } from '../check.ts';
import { configurationOf } from '../configuration.ts';
import { healthOf, type Machine } from '../machine.ts';
import { CONFIG, RELOAD, SERVICE } from '../places.ts';

const OFFLINE = `sed -i -e 's/^\\( *mode *= *\\)["'\\'']online["'\\'']/\\1"offline"/' ${CONFIG} && ${RELOAD}`;

/** Where systemd's generators write, and what ours writes to open the network for the daemon. */
const GENERATED = '/run/systemd/generator';
const OPENED = `${GENERATED}/${SERVICE}.d/network.conf`;

/** Where config.toml wants YubiKeys looked up, that can be done. */
export const yubicoCheck: Check = {
  name: 'yubico',
  async examine(machine) {
    const found = configurationOf(machine);
    if (found.kind !== 'good' || found.config.yubico.mode !== 'online') {
      return [];
    }
    if (machine.stat(GENERATED) !== undefined && machine.stat(OPENED) === undefined) {
      const what = `The daemon has no network, though ${CONFIG} says [yubico] mode = "online": systemd did not read it since.`;
      return [{ what, mend: RELOAD }];
    }
    const health = await healthOf(machine);
    const why = health?.yubico ?? null;
    if (why !== null) {
      return [
        {
          what: `YubiKeys cannot be looked up: ${why}. Mend that; or let only those count whose secrets are kept here:`,
          mend: OFFLINE,
        },
      ];
    }
    return found.config.yubico.proxy === undefined ? namesOf(machine, found.config.yubico.urls) : [];
  },
};

/** A server whose name nobody knows cannot be asked. One that answers is enough. */
async function namesOf(machine: Machine, urls: readonly string[]): Promise<readonly Finding[]> {
  const unknown: string[] = [];
  for (const url of urls) {
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    const { status } = await machine.run('getent', 'ahosts', host);
    if (status === 0) {
      return [];
    }
    unknown.push(host);
  }
  return [
    {
      what: `The addresses of the validation servers cannot be found (${unknown.join(', ')}): no network, or no name server. Mend that; until then let only YubiKeys count whose secrets are kept here:`,
      mend: OFFLINE,
    },
  ];
}
