import type { YubicoConfig } from '../../config/yubico-section.ts';
import type { Check, Finding } from '../check.ts';
import { configurationOf } from '../configuration.ts';
import { guardedServices, ourLines } from '../guarded.ts';
import { healthOf, type Machine } from '../machine.ts';
import { placeOf, type PamLine } from '../pam-edit.ts';
import { CONFIG, OWNER, PAM, RELOAD, SERVICE } from '../places.ts';
import { quoted } from '../shell.ts';

const OFFLINE = `sed -i -e 's/^\\( *mode *= *\\)["'\\'']online["'\\'']/\\1"offline"/' ${CONFIG} && ${RELOAD}`;

/** Where systemd's generators write, and what ours writes to open the network for the daemon. */
const GENERATED = '/run/systemd/generator';
const OPENED = `${GENERATED}/${SERVICE}.d/network.conf`;

/** Where config.toml or a line in pam.d wants YubiKeys looked up, that can be done. */
export const yubicoCheck: Check = {
  name: 'yubico',
  async examine(machine) {
    const found = configurationOf(machine);
    if (found.kind === 'faulty') {
      return [];
    }
    const yubico = found.kind === 'good' ? found.config.yubico : undefined;
    if (yubico?.mode === undefined) {
      return linesWithoutNetwork(machine, yubico, found.kind === 'good' ? found.bytes.toString() : undefined);
    }
    if (yubico.mode !== 'online') {
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
    return yubico.proxy === undefined ? namesOf(machine, yubico.urls) : [];
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

const ID = /^id=([1-9][0-9]{0,9})$/;
const KEY = /^key=[A-Za-z0-9+/]+={0,2}$/;

/** Lines in pam_yubico's words bring id and key along; what they cannot bring is the network. */
function linesWithoutNetwork(
  machine: Machine,
  said: YubicoConfig | undefined,
  config: string | undefined,
): readonly Finding[] {
  if (machine.stat(GENERATED) === undefined || machine.stat(OPENED) !== undefined) {
    return [];
  }
  for (const { step } of ourLines(guardedServices(machine))) {
    const words = step.entry.arguments;
    const id = words.flatMap((word) => ID.exec(word)?.[1] ?? []).at(-1);
    if (id !== undefined && id === (said?.id ?? id) && words.some((word) => KEY.test(word))) {
      return [
        {
          what: `${placeOf(step)}: id= and key= say how YubiKeys are looked up, but the daemon has no network without [yubico] mode = "online" in ${CONFIG}. To write it there, with them:`,
          mend: openedBy(step, id, said, config),
        },
      ];
    }
  }
  return [];
}

/** Takes the key from where it is: a command that is printed must not hold it. */
function openedBy(
  { file }: PamLine,
  id: string,
  said: YubicoConfig | undefined,
  config: string | undefined,
): string {
  const key = `sed -n 's/^[^#]*[[:blank:]]key=\\([A-Za-z0-9+/=]*\\).*/key = "\\1"/p' ${quoted(`${PAM}/${file}`)} | head -n 1`;
  const settings = [
    `printf 'mode = "online"\\n'`,
    ...(said?.id === undefined ? [`printf 'id = ${id}\\n'`] : []),
    ...(said?.key === undefined && said?.keyFile === undefined ? [key] : []),
  ];
  if (config !== undefined && /^[ \t]*\[yubico\]/m.test(config)) {
    return `{ ${settings.join('; ')}; } | sed -i '/^[[:blank:]]*\\[yubico\\]/r /dev/stdin' ${CONFIG} && ${RELOAD}`;
  }
  const made = config === undefined ? `install -m 0640 -g ${OWNER} /dev/null ${CONFIG} && ` : '';
  return `${made}{ printf '\\n[yubico]\\n'; ${settings.join('; ')}; } >>${CONFIG} && ${RELOAD}`;
}
