import { digestOf } from '../../config/load-config.ts';
import type { Health } from '../../control/requests.ts';
import type { Check, Finding } from '../check.ts';
import { configurationOf } from '../configuration.ts';
import { healthOf, type Machine } from '../machine.ts';
import { CONFIG, LAST_GOOD, OWNER, RELOAD } from '../places.ts';

const ASIDE = `${CONFIG}.faulty`;

/** config.toml can be used, and is what the daemon read. */
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

/** Mending puts aside what somebody wrote; it deletes nothing. */
function faulty(machine: Machine, why: string): Finding {
  const copied = machine.read(LAST_GOOD) !== undefined;
  return {
    what:
      `The configuration cannot be used. ${why}. ` +
      (copied ? 'The last good copy is in use' : 'There is no good copy, so the daemon does not start') +
      `. Correct the file; or ${copied ? 'put the copy in its place' : 'go on without it'}:`,
    mend:
      `mv ${CONFIG} ${ASIDE} && ` +
      (copied ? `install -o root -g ${OWNER} -m 640 ${LAST_GOOD} ${CONFIG} && ` : '') +
      RELOAD,
  };
}

function changed(kind: 'good' | 'none'): Finding {
  return {
    what:
      kind === 'good'
        ? `${CONFIG} is not what the daemon read: it was changed since.`
        : `There is no ${CONFIG} any more, but the daemon goes on with what it said.`,
    mend: RELOAD,
  };
}

function unusable({ configProblem }: Health): readonly Finding[] {
  return configProblem === null
    ? []
    : [{ what: `The daemon could not use its configuration. ${configProblem}`, mend: RELOAD }];
}
