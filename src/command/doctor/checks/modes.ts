import { MODULE } from '../../pam-d/modules.ts';
import type { Check, Finding } from '../check.ts';
import { configurationOf } from '../configuration.ts';
import { guardedServices } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { access } from '../remedy.ts';
import { moduleDirectory } from '../module-directory.ts';
import { CONFIG, OWNER, PAM, RELOAD, RESTART, RUNTIME, SETTINGS, STATE } from '../places.ts';

const GROUP_OR_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;
const READABLE_BY_OTHERS = 0o004;
const READABLE_BY_GROUP = 0o040;
/** The most files that are named; one remedy fixes all. */
const MOST_NAMES = 3;

/** Modes as the units make them. */
const SOCKETS: readonly (readonly [name: string, mode: number, owner: 'root' | 'daemon'])[] = [
  ['pam.sock', 0o600, 'root'],
  ['user.sock', 0o666, 'root'],
  ['control.sock', 0o666, 'root'],
  ['files.sock', 0o600, 'daemon'],
];

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** Checks that files have the right owner and mode. */
export const modesCheck: Check = {
  name: 'modes',
  async examine(machine) {
    const daemon = await idsOf(machine);
    if (daemon === undefined) {
      return [
        {
          what: `The daemon's user ${OWNER} does not exist.`,
          mend: `systemd-sysusers && chown -R ${OWNER}: ${STATE} && ${RESTART.join(' ')}`,
        },
      ];
    }
    return [
      ...state(machine, daemon),
      ...settings(machine, daemon),
      ...sockets(machine, daemon),
      ...programs(machine),
    ];
  },
};

async function idsOf(machine: Machine): Promise<Ids | undefined> {
  const [user, group] = [await machine.run('id', '-u', OWNER), await machine.run('id', '-g', OWNER)];
  return user.status === 0 && group.status === 0
    ? { uid: Number(user.stdout), gid: Number(group.stdout) }
    : undefined;
}

function state(machine: Machine, { uid, gid }: Ids): readonly Finding[] {
  const below = (directory: string): string[] =>
    machine.list(directory).map((name) => `${directory}/${name}`);
  const all = [STATE, ...below(STATE), ...below(`${STATE}/enrolments`), ...below(`${STATE}/ledger`)];
  const wrong = all.flatMap((path) => {
    const facts = machine.stat(path);
    return facts !== undefined && (facts.uid !== uid || (facts.mode & GROUP_OR_OTHERS) !== 0)
      ? [{ path, facts }]
      : [];
  });
  return wrong.length === 0
    ? []
    : [
        {
          what: `${named(wrong.map(({ path }) => path))} must belong to ${OWNER}, and be closed to everybody else. These files hold secrets, and logins fail if the daemon cannot read them.`,
          mend: {
            acts: wrong.map(({ path, facts }) =>
              access(path, { uid, gid, mode: facts.kind === 'directory' ? 0o700 : 0o600 }),
            ),
            then: [RESTART],
          },
        },
      ];
}

function settings(machine: Machine, daemon: Ids): readonly Finding[] {
  const findings = ownedByRoot(
    machine,
    SETTINGS,
    0o755,
    'anybody who can write there can switch the codes off',
  );
  const facts = machine.stat(CONFIG);
  if (facts !== undefined) {
    const readable =
      facts.kind === 'file' && facts.gid === daemon.gid && (facts.mode & READABLE_BY_GROUP) !== 0;
    if (facts.uid !== 0 || (facts.mode & (WRITABLE_BY_OTHERS | READABLE_BY_OTHERS)) !== 0 || !readable) {
      findings.push({
        what: `${CONFIG} has the mode ${octal(facts.mode)}: it must belong to root, and only root and the group ${OWNER} may read it.`,
        mend: { acts: [access(CONFIG, { gid: daemon.gid, mode: 0o640 })], then: RELOAD },
      });
    }
  }
  return [...findings, ...keyFile(machine, daemon)];
}

/** The API key of the validation servers. */
function keyFile(machine: Machine, daemon: Ids): readonly Finding[] {
  const found = configurationOf(machine);
  const path = found.kind === 'good' ? found.config.yubico.keyFile : undefined;
  const facts = path === undefined ? undefined : machine.stat(path);
  if (path === undefined || facts === undefined) {
    return [];
  }
  const readable = facts.gid === daemon.gid && (facts.mode & READABLE_BY_GROUP) !== 0;
  return readable && (facts.mode & (WRITABLE_BY_OTHERS | READABLE_BY_OTHERS)) === 0
    ? []
    : [
        {
          what: `${path}, the key_file of config.toml, has the mode ${octal(facts.mode)}: only its owner and the group ${OWNER} may read it.`,
          mend: { acts: [access(path, { gid: daemon.gid, mode: 0o640 })], then: RELOAD },
        },
      ];
}

function sockets(machine: Machine, daemon: Ids): readonly Finding[] {
  const findings = ownedByRoot(
    machine,
    RUNTIME,
    0o755,
    'anybody who can write there can impersonate the daemon',
  );
  for (const [name, mode, owner] of SOCKETS) {
    const path = `${RUNTIME}/${name}`;
    const facts = machine.stat(path);
    const [uid, user] = owner === 'root' ? [0, 'root'] : [daemon.uid, OWNER];
    if (facts !== undefined && (facts.mode !== mode || facts.uid !== uid)) {
      findings.push({
        what: `${path} has the mode ${octal(facts.mode)} and the owner ${facts.uid}; it must have the mode ${octal(mode)} and the owner ${user}.`,
        mend: { acts: [access(path, { uid, gid: owner === 'root' ? 0 : daemon.gid, mode })] },
      });
    }
  }
  return findings;
}

/** Files that run as root in every login, or configure that. */
function programs(machine: Machine): readonly Finding[] {
  const files = new Set(guardedServices(machine).flatMap(({ files: names }) => names));
  const module = `${moduleDirectory(machine)}/${MODULE}`;
  return [
    ...ownedByRoot(machine, module, 0o644, 'anybody who can write it can log in as anybody'),
    ...[...files].flatMap((name) =>
      ownedByRoot(machine, `${PAM}/${name}`, 0o644, 'anybody who can write it can log in as anybody'),
    ),
  ];
}

function ownedByRoot(machine: Machine, path: string, mode: number, why: string): Finding[] {
  const facts = machine.stat(path);
  return facts === undefined ||
    facts.kind === 'link' ||
    (facts.uid === 0 && (facts.mode & WRITABLE_BY_OTHERS) === 0)
    ? []
    : [
        {
          what: `Users other than root can write ${path} (mode ${octal(facts.mode)}, owner ${facts.uid}): ${why}.`,
          mend: { acts: [access(path, { mode })] },
        },
      ];
}

function named(paths: readonly string[]): string {
  const [shown, more] = [paths.slice(0, MOST_NAMES).join(', '), paths.length - MOST_NAMES];
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}
