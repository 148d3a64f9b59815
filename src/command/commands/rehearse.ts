import type { Command } from 'commander';
import { REHEARSAL } from '../../contracts/control-requests.ts';
import { examineAll } from '../doctor/check.ts';
import { sshdCheck } from '../doctor/checks/sshd.ts';
import type { Machine } from '../doctor/machine.ts';
import { moduleDirectory } from '../doctor/module-directory.ts';
import { whyNoService } from '../pam-d/services.ts';
import type { ReadService } from '../pam-d/stack.ts';
import { NoLibpamError } from '../rehearsal/libpam.ts';
import { personAtTerminal } from '../rehearsal/person.ts';
import { rehearseService, type ServiceRehearsed } from '../rehearsal/rehearse-service.ts';
import { asRoot } from '../switching/as-root.ts';
import { makePlan, readerOf } from '../switching/plan.ts';
import { CommandError } from '../session/control-client.ts';
import { examples } from './examples.ts';
import { switchingTools, type SwitchingTools } from './switching-tools.ts';
import type { Output } from '../terminal/output.ts';
import type { Session } from '../session/session.ts';
import { addressWord } from '../session/login-words.ts';
import { ttyname } from '../terminal/ttyname.ts';
import { userOption, type ForUser } from '../session/whose.ts';

const SSHD = 'sshd';
const LOCAL = '127.0.0.1';

interface Options extends ForUser {
  readonly withModule?: true;
  readonly from?: string;
  readonly json?: true;
}

/**
 * `rehearse SERVICE`: the conversation of a service, without logging in.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function rehearseCommand(program: Command, session: Session): void {
  program
    .command('rehearse')
    .description("Try out a service's questions without logging in")
    .argument('<service>', 'PAM service, for example sshd')
    .addOption(userOption('try it as this user (default: you)'))
    .option('--with-module', 'try it as it would be after "enable"')
    .option('--from <address>', `act as if the login came from there (default for ${SSHD}: ${LOCAL})`)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'sudo pve-google-authenticator rehearse sshd --user alice',
        'sudo pve-google-authenticator rehearse sshd --user alice --with-module',
      ),
    )
    .action(async (service: string, options: Options) => {
      const why = whyNoService(service);
      if (why !== undefined) {
        throw new CommandError('ERR_USAGE', why);
      }
      const from = options.from === undefined ? {} : { from: addressWord(options.from) };
      const ground = switchingTools(session, `rehearse ${service}`);
      const who = options.user ?? process.env['SUDO_USER'] ?? session.self();
      await run(session.output, ground, service, who, { ...options, ...from });
    });
}

async function run(
  output: Output,
  ground: SwitchingTools,
  service: string,
  user: string,
  options: Options,
): Promise<void> {
  const { machine, places } = ground;
  const read = options.withModule === true ? withModule(ground, service) : readerOf(places);
  if (read(service) === undefined) {
    throw new CommandError('ERR_NO_SERVICE', `There is no ${places.pam}/${service}: no such service.`);
  }
  const refusal = service === SSHD ? await refusalOfSshd(machine, user) : undefined;
  if (refusal !== undefined) {
    throw new CommandError('ERR_REFUSED', refusal);
  }
  const person = personAtTerminal();
  if (person === undefined) {
    throw new CommandError('ERR_NO_TERMINAL', 'A rehearsal asks a person: run it at a terminal.');
  }
  try {
    const result = await rehearseService(
      {
        service,
        user,
        read,
        modules: moduleDirectory(machine),
        ruser: REHEARSAL,
        tty: service === SSHD ? 'ssh' : ttyname(),
        rhost: options.from ?? (service === SSHD ? LOCAL : undefined),
        noEmptyPasswords: service === SSHD,
      },
      person,
    );
    tell(output, result, service, user, options.json === true);
  } catch (error) {
    throw error instanceof NoLibpamError ? new CommandError('ERR_NO_LIBPAM', error.message) : error;
  } finally {
    person.close();
  }
}

/** The service as `enable` would write it. */
function withModule({ places }: SwitchingTools, service: string): ReadService {
  const { changes } = makePlan(places, { services: [service], all: false, allDoors: false, nullok: false });
  const read = readerOf(places);
  return (name) => changes.find((change) => change.service === name)?.after ?? read(name);
}

/** Why sshd itself refuses the user, whatever PAM would say. */
async function refusalOfSshd(machine: Machine, user: string): Promise<string | undefined> {
  const [finding] = await examineAll([sshdCheck], machine);
  if (finding !== undefined) {
    return `sshd itself refuses ${user}: ${finding.what}\nTo fix it: ${asRoot(finding.mend)}`;
  }
  const { stdout } = await machine.run('sshd', '-T', '-C', `user=${user},host=localhost,addr=${LOCAL}`);
  const roots = /^permitrootlogin (\S+)$/m.exec(stdout)?.[1] ?? 'yes';
  return user === 'root' && roots !== 'yes'
    ? `sshd itself refuses root: PermitRootLogin is ${roots}, so a password never lets root in.`
    : undefined;
}

function tell(output: Output, result: ServiceRehearsed, service: string, user: string, json: boolean): void {
  if (json) {
    output.line(JSON.stringify(inJson(result, service, user)));
  }
  for (const { step, words } of json ? [] : result.steps) {
    output.line(`  ${`${step.file}:${step.line}`.padEnd(20)} ${step.module.padEnd(28)} ${words}`);
  }
  if (result.accepted) {
    if (!json) {
      output.line(`${service} accepts ${user}. Nobody was logged in.`);
    }
    return;
  }
  const at = result.refusedAt;
  const where =
    at === undefined
      ? 'no module accepted the login'
      : `at ${at.step.module}, line ${at.step.line} of /etc/pam.d/${at.step.file} (${at.words})`;
  throw new CommandError(
    'ERR_REFUSED',
    `${service} refuses ${user}${result.at === 'account' ? ': the account is not usable now' : ''}: ${where}.`,
  );
}

function inJson({ accepted, steps }: ServiceRehearsed, service: string, user: string): object {
  const told = steps.map(({ step, words }) => ({
    file: step.file,
    line: step.line,
    module: step.module,
    says: words,
  }));
  return { service, user, accepted, steps: told };
}
