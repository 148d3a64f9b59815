import { digestOf } from '../../../config/load-config.ts';
import type { Health } from '../../../contracts/control-requests.ts';
import type { Check, Finding } from '../check.ts';
import { configurationOf } from '../configuration.ts';
import { healthOf, type Machine } from '../machine.ts';
import { running, type Act } from '../remedy.ts';
import { CONFIG, LAST_GOOD, RELOAD } from '../places.ts';

const ASIDE = `${CONFIG}.faulty`;

/** Checks that config.toml is valid, and that the daemon has read its current contents. */
export const configCheck: Check = {
  name: 'config',
  async examine(machine) {
    const found = configurationOf(machine);
    if (found.kind === 'faulty') {
      return [faulty(machine, found.why)];
    }
    const health = await healthOf(machine);
    if (health === undefined) {
      return [];
    }
    const digest = found.kind === 'good' ? digestOf(found.bytes) : null;
    return digest === health.configDigest ? unusable(health) : [changed(found.kind)];
  },
};

/** The remedy renames the file that somebody wrote; it deletes nothing. */
function faulty(machine: Machine, why: string): Finding {
  const copied = machine.read(LAST_GOOD) !== undefined;
  return {
    what:
      `The configuration cannot be used. ${why}. ` +
      (copied ? 'The last good copy is in use' : 'There is no good copy, so the daemon does not start') +
      `. Correct the file; or ${copied ? 'put the copy in its place' : 'go on without it'}:`,
    mend: { acts: putAside(machine), then: RELOAD },
  };
}

function putAside(machine: Machine): readonly Act[] {
  const text = machine.read(CONFIG)?.toString('latin1') ?? '';
  const { uid = 0, gid = 0, mode = 0o640 } = machine.stat(CONFIG) ?? {};
  return [
    { do: 'write', path: ASIDE, text, access: { uid, gid, mode } },
    // The file keeps its owner and mode.
    { do: 'write', path: CONFIG, text: machine.read(LAST_GOOD)?.toString('latin1') },
  ];
}

function changed(kind: 'good' | 'none'): Finding {
  return {
    what:
      kind === 'good'
        ? `${CONFIG} was changed after the daemon read it.`
        : `${CONFIG} was deleted, but the daemon still uses its settings.`,
    mend: running(...RELOAD),
  };
}

function unusable({ configProblem }: Health): readonly Finding[] {
  return configProblem === null
    ? []
    : [{ what: `The daemon could not use its configuration. ${configProblem}`, mend: running(...RELOAD) }];
}
