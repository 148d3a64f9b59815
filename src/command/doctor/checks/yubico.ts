import type { YubicoConfig } from '../../../config/yubico-section.ts';
import type { Check, Finding } from '../check.ts';
import { configurationOf } from '../configuration.ts';
import { guardedServices, ourLines } from '../guarded.ts';
import { healthOf, type Machine } from '../machine.ts';
import { placeOf } from '../pam-edit.ts';
import type { Step } from '../../pam-d/stack.ts';
import { CONFIG, RELOAD, SERVICE, STATE } from '../places.ts';
import { running, type Remedy } from '../remedy.ts';

/** The file that our systemd generator writes to give the daemon a network. */
const GENERATED = '/run/systemd/generator';
const OPENED = `${GENERATED}/${SERVICE}.d/network.conf`;

/** Checks that YubiKeys can be looked up, if config.toml or a line in pam.d says so. */
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
      const what = `The daemon has no network, although ${CONFIG} says [yubico] mode = "online": systemd has not reloaded since.`;
      return [{ what, mend: running(...RELOAD) }];
    }
    const health = await healthOf(machine);
    const why = health?.yubico ?? null;
    if (why !== null) {
      return [
        {
          what: `YubiKeys cannot be looked up: ${why}. Fix that, or accept only YubiKeys whose secrets are stored here:`,
          mend: offline(machine),
        },
      ];
    }
    return yubico.proxy === undefined ? namesOf(machine, yubico.urls) : [];
  },
};

/** Checks the names of the servers. One known name is enough. */
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
      what: `The addresses of the validation servers cannot be found (${unknown.join(', ')}): no network, or no name server. Fix that. To accept only YubiKeys whose secrets are stored here, until then:`,
      mend: offline(machine),
    },
  ];
}

const ID = /^id=([1-9][0-9]{0,9})$/;
const KEY = /^key=[A-Za-z0-9+/]+={0,2}$/;

/** Lines with pam_yubico's options bring id and key, but cannot give the daemon a network. */
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
          what: `${placeOf(step)}: id= and key= are for validation servers, but the daemon has a network only with [yubico] mode = "online" in ${CONFIG}. To write all three there:`,
          mend: openedBy(machine, step, id, said, config),
        },
      ];
    }
  }
  return [];
}

function offline(machine: Machine): Remedy {
  const text = machine.read(CONFIG)?.toString('latin1') ?? '';
  return rewritten(machine, text.replace(/^( *mode *= *)(["'])online\2/m, '$1"offline"'));
}

/** The key goes from the line of pam.d into the file, and is never shown. */
function openedBy(
  machine: Machine,
  line: Step,
  id: string,
  said: YubicoConfig | undefined,
  config: string | undefined,
): Remedy {
  const key = line.entry.arguments.find((word) => KEY.test(word))?.slice('key='.length) ?? '';
  const settings = [
    'mode = "online"',
    ...(said?.id === undefined ? [`id = ${id}`] : []),
    ...(said?.key === undefined && said?.keyFile === undefined ? [`key = "${key}"`] : []),
  ].join('\n');
  if (config === undefined) {
    return rewritten(machine, `\n[yubico]\n${settings}\n`);
  }
  const text = machine.read(CONFIG)?.toString('latin1') ?? '';
  return rewritten(
    machine,
    /^[ \t]*\[yubico\]/m.test(text)
      ? text.replace(/^[ \t]*\[yubico\].*$/m, (heading) => `${heading}\n${settings}`)
      : `${text}${text.endsWith('\n') ? '' : '\n'}\n[yubico]\n${settings}\n`,
  );
}

/** A new file belongs to root, and the daemon's group may read it. */
function rewritten(machine: Machine, text: string): Remedy {
  const gid = machine.stat(STATE)?.gid ?? 0;
  return { acts: [{ do: 'write', path: CONFIG, text, access: { uid: 0, gid, mode: 0o640 } }], then: RELOAD };
}
