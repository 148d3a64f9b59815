import type { Check, Finding } from '../check.ts';
import { guardedServices } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { peopleOf } from '../people.ts';
import { marked, setForAll, setForUser, SSHD_INCLUDE, SSHD_RELOAD } from '../sshd-settings.ts';
import { exemptNodes } from './proxmox-cluster.ts';
import { rootOverSsh } from '../root-over-ssh.ts';
import { sshdCheck } from './sshd.ts';

const MAIN = '/etc/ssh/sshd_config';
const MOST_PEOPLE = 50;
/** A key alone is no longer enough; users without a key give the password. */
const METHODS = 'publickey,keyboard-interactive keyboard-interactive';

/** The user, and sshd's settings for that user. */
interface Settings {
  readonly user: string | undefined;
  readonly of: (name: string) => string;
}

/** Checks that sshd lets nobody in without a code, not even through a Match block. */
export const sshdLoginsCheck: Check = {
  name: sshdCheck.name,
  async examine(machine) {
    if (!guardedServices(machine).some(({ service }) => service === 'sshd')) {
      return [];
    }
    const everybody = await settingsOf(machine);
    if (everybody === undefined) {
      // sshd is missing, not running, or unreadable: the check `sshd` says which.
      return machine.stat('/run/sshd') === undefined ? [] : sshdCheck.examine(machine);
    }
    const included = includes(machine);
    if (included.length > 0) {
      return included;
    }
    const general = [...(await sshdCheck.examine(machine)), ...(await loginFaults(machine, everybody))];
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

/** Without that line the remedies below would have no effect. */
function includes(machine: Machine): readonly Finding[] {
  const main = machine.read(MAIN)?.toString('utf8') ?? SSHD_INCLUDE;
  return /^\s*Include\s+("?)\/etc\/ssh\/sshd_config\.d\/(\*|0\?-pve-authenticator\*)\.conf\1/im.test(main)
    ? []
    : [
        {
          what: `${MAIN} does not include /etc/ssh/sshd_config.d, so the settings there for the second factor have no effect.`,
          mend: {
            acts: [
              {
                do: 'write',
                path: MAIN,
                text: `${marked(SSHD_INCLUDE)}\n${machine.read(MAIN)?.toString('latin1') ?? ''}`,
              },
            ],
            then: [SSHD_RELOAD],
          },
        },
      ];
}

async function loginFaults(machine: Machine, settings: Settings): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (settings.of('KbdInteractiveAuthentication') !== 'yes' && settings.user !== undefined) {
    findings.push(
      fault(machine, settings, 'KbdInteractiveAuthentication', 'yes', 'it cannot ask for a code'),
    );
  }
  if (settings.of('PasswordAuthentication') !== 'no') {
    const why = 'nobody can type a code that way, and each try counts as a wrong code';
    findings.push(fault(machine, settings, 'PasswordAuthentication', 'no', why));
  }
  const lists = settings.of('AuthenticationMethods').split(/\s+/);
  const around = lists.find((list) => !/(^|,)keyboard-interactive(:pam)?(,|$)/.test(list));
  if (around !== undefined) {
    const why =
      around === 'any'
        ? 'an SSH key alone lets people in, without a code'
        : `${around} lets people in without a code`;
    const shut = await rootShutOut(machine, settings);
    const found = fault(machine, settings, 'AuthenticationMethods', METHODS, `${why}${shut}`);
    // Otherwise migration and replication would fail until somebody runs the cluster's check.
    const nodes = settings.user === undefined ? exemptNodes(machine) : undefined;
    findings.push(
      nodes === undefined || typeof found.mend === 'string'
        ? found
        : { ...found, mend: { ...found.mend, acts: [nodes, ...found.mend.acts] } },
    );
  }
  return findings;
}

/** Then sshd never accepts root's password, so requiring a key and a question would lock root out. */
async function rootShutOut(machine: Machine, { user }: Settings): Promise<string> {
  return (user ?? 'root') === 'root' && (await rootOverSsh(machine)) === 'key-only'
    ? '. After that, root can log in over SSH only with PermitRootLogin yes: docs/guides/first-login.md, "Root"'
    : '';
}

function fault(
  machine: Machine,
  { user, of }: Settings,
  setting: string,
  value: string,
  why: string,
): Finding {
  const said = of(setting);
  return user === undefined
    ? {
        what: `sshd_config says "${setting} ${said}": ${why}.`,
        mend: setForAll(machine, `${setting} ${value}`),
      }
    : {
        what: `sshd_config says "${setting} ${said}" for ${user}, in a Match block: ${why}.`,
        mend: setForUser(machine, user, `${setting} ${value}`),
      };
}

async function forSome(machine: Machine): Promise<readonly Finding[]> {
  const people = (await peopleOf(machine)) ?? [];
  for (const { name } of people.slice(0, MOST_PEOPLE)) {
    const settings = /^[a-z0-9_.-]+$/i.test(name) ? await settingsOf(machine, name) : undefined;
    const findings = settings === undefined ? [] : await loginFaults(machine, settings);
    if (findings.length > 0) {
      return findings;
    }
  }
  return [];
}
