import type { Command } from 'commander';
import type { Check, Report } from '../../doctor/check.ts';
import { version } from '../../host/version.ts';
import { asRoot } from '../../switching/as-root.ts';
import { CommandError } from '../control-client.ts';
import { examples } from '../examples.ts';
import type { Session } from '../session.ts';

const EXIT_FOUND = 1;
const EXIT_COULD_NOT_LOOK = 3;

interface Options {
  readonly json?: true;
  readonly verbose?: true;
  readonly ignore: readonly string[];
}

/**
 * `doctor`: what is wrong with the second factor of this machine, and the command that mends it.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function doctorCommand(program: Command, session: Session): void {
  program
    .command('doctor')
    .description('Find what is wrong on this machine, and how to fix it')
    .option('--json', 'print the result as JSON')
    .option('--verbose', 'name the checks that found nothing, too')
    .option(
      '--ignore <check>',
      'skip a check; may be given again',
      (name, names: readonly string[]) => [...names, name],
      [],
    )
    .addHelpText(
      'after',
      '\nExit status: 0 nothing is wrong, 1 something is, 2 a wrong command line,\n3 it could not look.\n' +
        examples(
          'sudo pve-google-authenticator doctor',
          'sudo pve-google-authenticator doctor --json --ignore=clock',
        ),
    )
    .action((options: Options) => run(session, options));
}

async function run(session: Session, options: Options): Promise<void> {
  const { output } = session;
  if (process.geteuid?.() !== 0) {
    output.note(
      'pve-google-authenticator: Only root can look at all of it: sudo pve-google-authenticator doctor',
    );
    process.exitCode = EXIT_COULD_NOT_LOOK;
    return;
  }
  // Loaded here: no other command shall start later for it.
  const { allChecks } = await import('../../doctor/all-checks.ts');
  const { askedOnce, thisMachine } = await import('../../doctor/machine.ts');
  const { examineAll } = await import('../../doctor/check.ts');
  const { guardedServices } = await import('../../doctor/guarded.ts');
  const checks = withoutIgnored(allChecks(version()), options.ignore);
  const machine = askedOnce(
    thisMachine((...path) => session.daemon().ask('GET', path)),
    (error) => error instanceof CommandError && error.code === 'ERR_DAEMON',
  );
  const reports = await examineAll(checks, machine);
  process.exitCode = reports.length > 0 ? EXIT_FOUND : 0;
  if (options.json === true) {
    output.line(JSON.stringify({ healthy: reports.length === 0, findings: reports }));
    return;
  }
  const services = guardedServices(machine).map(({ service }) => service);
  linesOf(checks, reports, services, options.verbose === true).forEach((line) => output.line(line));
}

function withoutIgnored(checks: readonly Check[], ignored: readonly string[]): readonly Check[] {
  const unknown = ignored.find((name) => !checks.some((check) => check.name === name));
  if (unknown !== undefined) {
    const names = checks.map(({ name }) => name).join(', ');
    throw new CommandError('ERR_USAGE', `There is no check ${JSON.stringify(unknown)}. There are: ${names}`);
  }
  return checks.filter(({ name }) => !ignored.includes(name));
}

function linesOf(
  checks: readonly Check[],
  reports: readonly Report[],
  services: readonly string[],
  verbose: boolean,
): readonly string[] {
  if (reports.length === 0 && !verbose) {
    const asking = services.length === 0 ? 'No service asks' : `These ask: ${services.join(', ')}`;
    return [`All is well. ${services.length === 0 ? `${asking} for a code yet` : asking}.`];
  }
  return checks.flatMap(({ name }) => {
    const found = reports.filter(({ check }) => check === name);
    if (found.length === 0) {
      return verbose ? [`${name}: all is well`] : [];
    }
    return found.flatMap(({ what, mend }) => [`${name}: ${what}`, `  ${asRoot(mend)}`]);
  });
}
