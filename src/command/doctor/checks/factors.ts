import type { RuleTest } from '../../../contracts/control-requests.ts';
import { recordFileName } from '../../../contracts/record-file-name.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, isOurs, type GuardedService } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { peopleOf, type Resident } from '../people.ts';
import { STATE } from '../places.ts';
import { rootOverSsh } from '../root-over-ssh.ts';
import type { Remedy } from '../remedy.ts';
import { quoted } from '../shell.ts';

/** Checks that everybody who can log in has a usable factor. */
export const factorsCheck: Check = {
  name: 'factors',
  async examine(machine) {
    const services = guardedServices(machine);
    const people = services.length === 0 ? [] : await peopleOf(machine);
    const findings: Finding[] = [];
    for (const person of people ?? []) {
      const asking = isLacking(person) ? await askingOf(machine, services, person) : [];
      if (asking.length > 0) {
        findings.push(findingOf(machine, person, asking));
      }
    }
    return findings;
  },
};

function isLacking({ enrolled }: Resident): boolean {
  return enrolled === 'none' || enrolled === 'unusable';
}

/** The services that would ask somebody for a code: neither a rule nor a line of pam.d exempts them. */
async function askingOf(
  machine: Machine,
  services: readonly GuardedService[],
  { name }: Resident,
): Promise<readonly GuardedService[]> {
  const asking: GuardedService[] = [];
  for (const service of services) {
    if (name === 'root' && (exemptsRoot(service) || (await sshdAsksNothing(machine, service)))) {
      continue;
    }
    const test = await machine.ask<RuleTest>('rules', service.service, name).catch(() => undefined);
    const rule = test?.rules.find(({ number }) => number === test.holds);
    if (rule?.action !== 'skip') {
      asking.push(service);
    }
  }
  return asking;
}

/** If root comes with a key, sshd asks PAM only about the account. */
async function sshdAsksNothing(machine: Machine, { service }: GuardedService): Promise<boolean> {
  return service === 'sshd' && (await rootOverSsh(machine)) !== 'asked';
}

/** A line before ours that jumps for root, as "enable --all" writes it for the console. */
function exemptsRoot({ steps }: GuardedService): boolean {
  const ours = steps.findIndex(isOurs);
  return steps
    .slice(0, Math.max(0, ours))
    .some(
      ({ entry: { module, control, arguments: words } }) =>
        module.endsWith('pam_succeed_if.so') &&
        /success=\d/.test(control) &&
        /\buid (= |eq )0\b/.test(words.join(' ')),
    );
}

function findingOf(machine: Machine, person: Resident, asking: readonly GuardedService[]): Finding {
  const { name, enrolled, problem = '' } = person;
  if (enrolled === 'unusable') {
    return {
      what: `${name} cannot log in where a code is needed: ${problem}.${mended(machine, person).why}`,
      mend: mended(machine, person).mend,
    };
  }
  const strict = asking.filter(({ ours }) => ours.some(({ entry }) => !entry.arguments.includes('nullok')));
  const names = (strict.length > 0 ? strict : asking).map(({ service }) => service).join(', ');
  return {
    what:
      (strict.length > 0
        ? `${name} has no factor, and can no longer log in through ${names}.`
        : `${name} has no factor: the password alone lets people in through ${names} ("nullok").`) +
      ' To make recovery codes for ${name}, who can set up a phone with one of them:',
    mend: `pve-google-authenticator add recovery --user ${quoted(name)}`,
  };
}

/** The remedy for an unusable enrolment: corrects the file's mode, or moves the file aside and makes new codes. */
function mended(
  machine: Machine,
  { name, home, problem = '' }: Resident,
): { readonly why: string; readonly mend: Remedy | string } {
  const user = quoted(name);
  const renew = `pve-google-authenticator add recovery --user ${user}`;
  const file =
    /Secret file (\/\S+) (permissions|must be owned|is not)|(?:Failed to read|size for|contents in) (\/\S+?):?(?: |$)/.exec(
      problem,
    );
  const path = file?.[1] ?? file?.[3];
  if (file?.[2] === 'permissions' && path !== undefined) {
    return { why: '', mend: closed(machine, name, path) };
  }
  if (path?.startsWith(`${home}/`) === true) {
    // As the user: root must not follow what a user can put there.
    const aside = `runuser -u ${user} -- mv ${quoted(path)} ${quoted(`${path}.unusable`)}`;
    return { why: ' To move it aside and make recovery codes instead:', mend: `${aside} && ${renew}` };
  }
  const old = /has no record, but (.+) has one with the same uid/.exec(problem)?.[1];
  if (old !== undefined) {
    return { why: '', mend: `pve-google-authenticator rename-user ${quoted(old)} ${user}` };
  }
  if (problem.includes('paused')) {
    return { why: ' To add recovery codes:', mend: renew };
  }
  const record = quoted(`${STATE}/enrolments/${recordFileName(name)}`);
  return {
    why: ' To move it aside and make recovery codes instead:',
    mend: `mv ${record} ${record}.unusable && ${renew}`,
  };
}

/** As the user: root must not follow what a user can put there. */
function closed(machine: Machine, user: string, path: string): Remedy {
  const chmod = (mode: string): readonly string[] => ['runuser', '-u', user, '--', 'chmod', mode, path];
  const mode = machine.stat(path)?.mode;
  const undo = mode === undefined ? {} : { undo: chmod(mode.toString(8)) };
  return { acts: [{ do: 'run', argv: chmod('600'), ...undo }] };
}
