import type { Check, Finding } from '../check.ts';
import { guardedServices } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { peopleOf } from '../people.ts';
import { exemptNodes } from './proxmox-cluster.ts';
import { put, sshdCheck } from './sshd.ts';

/** Read before the other; in it are Match blocks only, since what follows one belongs to it. */
const MATCH_DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator-match.conf';
const MAIN = '/etc/ssh/sshd_config';
const INCLUDE = 'Include /etc/ssh/sshd_config.d/*.conf';
const RELOAD = 'systemctl try-reload-or-restart ssh.service';
const MOST_PEOPLE = 50;
/** A key alone is not enough any more; who has no key gives the password. */
const METHODS = 'publickey,keyboard-interactive keyboard-interactive';

/** For whom, and what the settings are then. */
interface Settings {
  readonly user: string | undefined;
  readonly of: (name: string) => string;
}

/** sshd lets nobody in whom it has not asked for a code, also where a Match block says otherwise. */
export const sshdLoginsCheck: Check = {
  name: sshdCheck.name,
  async examine(machine) {
    if (!guardedServices(machine).some(({ service }) => service === 'sshd')) {
      return [];
    }
    const everybody = await settingsOf(machine);
    if (everybody === undefined) {
      // Not there, not running, or not readable: the general check tells them apart.
      return machine.stat('/run/sshd') === undefined ? [] : sshdCheck.examine(machine);
    }
    const included = includes(machine);
    if (included.length > 0) {
      return included;
    }
    const general = [...(await sshdCheck.examine(machine)), ...loginFaults(machine, everybody)];
    return general.length > 0 ? general : forSome(machine);
  },
};

async function settingsOf(machine: Machine, user?: string): Promise<Settings | undefined> {
  const who = user === undefined ? [] : ['-C', `user=${user},host=localhost,addr=127.0.0.1`];
  const { status, stdout } = await machine.run('sshd', '-T', ...who);
  const of = (name: string): string =>
    new RegExp(`^${name.toLowerCase()} (.*)$`, 'm').exec(stdout)?.[1]?.trim() ?? '';
  return status === 0 ? { user, of } : undefined;
}

/** Without that line the mends below would change nothing. */
function includes(machine: Machine): readonly Finding[] {
  const main = machine.read(MAIN)?.toString('utf8') ?? INCLUDE;
  return /^\s*Include\s+("?)\/etc\/ssh\/sshd_config\.d\/\*\.conf\1/im.test(main)
    ? []
    : [
        {
          what: `${MAIN} does not include /etc/ssh/sshd_config.d, so what is set there for the second factor does not count.`,
          mend: `sed -i -e '1i\\${INCLUDE}' ${MAIN} && ${RELOAD}`,
        },
      ];
}

function loginFaults(machine: Machine, settings: Settings): readonly Finding[] {
  const findings: Finding[] = [];
  if (settings.of('KbdInteractiveAuthentication') !== 'yes' && settings.user !== undefined) {
    findings.push(fault(settings, 'KbdInteractiveAuthentication', 'yes', 'it cannot ask for a code'));
  }
  if (settings.of('PasswordAuthentication') !== 'no') {
    const why = 'that way a code can never be given, and each try counts as a wrong one';
    findings.push(fault(settings, 'PasswordAuthentication', 'no', why));
  }
  const lists = settings.of('AuthenticationMethods').split(/\s+/);
  const around = lists.find((list) => !/(^|,)keyboard-interactive(:pam)?(,|$)/.test(list));
  if (around !== undefined) {
    const why =
      around === 'any'
        ? 'an SSH key alone lets people in, without a code'
        : `${around} lets people in without a code`;
    const found = fault(settings, 'AuthenticationMethods', METHODS, `${why}${rootShutOut(settings)}`);
    // Else migration and replication would fail until the check of the cluster is looked at.
    const nodes = settings.user === undefined ? exemptNodes(machine) : undefined;
    findings.push(nodes === undefined ? found : { ...found, mend: `${nodes} && { ${found.mend}; }` });
  }
  return findings;
}

/** Whom sshd lets in with a key alone, it asks nothing: with a key and a question root would not get in at all. */
function rootShutOut({ user, of }: Settings): string {
  return (user ?? 'root') === 'root' && /^(without|prohibit)-password$/.test(of('PermitRootLogin'))
    ? '. After this command root does not get in over SSH, unless PermitRootLogin says yes: docs/setup.md, "Root"'
    : '';
}

function fault({ user, of }: Settings, setting: string, value: string, why: string): Finding {
  const said = of(setting);
  return user === undefined
    ? {
        what: `sshd_config says "${setting} ${said}": ${why}.`,
        mend: put(`${setting} ${value}`),
      }
    : {
        what: `sshd_config says "${setting} ${said}" for ${user}, in a Match block: ${why}.`,
        mend: `printf 'Match User ${user}\\n\\t${setting} ${value}\\n' >>${MATCH_DROP_IN} && ${RELOAD}`,
      };
}

async function forSome(machine: Machine): Promise<readonly Finding[]> {
  const people = (await peopleOf(machine)) ?? [];
  for (const { name } of people.slice(0, MOST_PEOPLE)) {
    const settings = /^[a-z0-9_.-]+$/i.test(name) ? await settingsOf(machine, name) : undefined;
    const findings = settings === undefined ? [] : loginFaults(machine, settings);
    if (findings.length > 0) {
      return findings;
    }
  }
  return [];
}
