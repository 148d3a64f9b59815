import { Option, type Command } from 'commander';
import type { Check, Report } from '../doctor/check.ts';
import type { Machine } from '../doctor/machine.ts';
import { version } from '../../host/version.ts';
import { asRoot } from '../switching/as-root.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { CommandError } from '../session/control-client.ts';
import { examples } from './examples.ts';
import { switchingTools } from './switching-tools.ts';
import type { Output } from '../terminal/output.ts';
import type { Session } from '../session/session.ts';
import { wrapped } from '../terminal/wrap.ts';

const EXIT_FOUND = 1;
const EXIT_COULD_NOT_LOOK = 3;

interface Options extends Agreement {
  readonly json?: true;
  readonly verbose?: true;
  readonly ignore: readonly string[];
  /** true: fix all findings. */
  readonly fix?: string | true;
  readonly undo?: true;
}

/**
 * `doctor`: finds what is wrong with this machine's second factor. `--fix` fixes it, `--undo` undoes the fix.
 *
 * @param program - where the command is added
 * @param session - connection, questions and output
 */
export function doctorCommand(program: Command, session: Session): void {
  program
    .command('doctor')
    .description('Find what is wrong on this machine, and fix it')
    .option(
      '--fix [check]',
      'show how to fix each finding, ask, and fix it; with a name, only for that check',
    )
    .addOption(
      new Option('--undo', 'undo the last --fix: restore every file that it changed').conflicts([
        ...['fix', 'json', 'verbose', 'ignore'],
      ]),
    )
    .addOption(yesOption())
    .addOption(new Option('--json', 'print the findings as JSON').conflicts('fix'))
    .option('--verbose', 'also name the checks that find nothing')
    .option(
      '--ignore <check>',
      'skip a check; you can repeat this option',
      (name, names: readonly string[]) => [...names, name],
      [],
    )
    .addHelpText(
      'after',
      '\nExit status: 0 nothing is wrong, 1 something is, 2 a wrong command line,\n3 it could not look, 4 there is no terminal to ask at.\n' +
        examples(
          'sudo pve-google-authenticator doctor',
          'sudo pve-google-authenticator doctor --fix',
          'sudo pve-google-authenticator doctor --json --ignore=clock',
        ),
    )
    .action((options: Options) => run(session, options));
}

async function run(session: Session, options: Options): Promise<void> {
  const { output } = session;
  if (process.geteuid?.() !== 0) {
    output.note(
      'pve-google-authenticator: Only root can check everything: sudo pve-google-authenticator doctor',
    );
    process.exitCode = EXIT_COULD_NOT_LOOK;
    return;
  }
  if (options.undo === true) {
    await undo(session, options);
    return;
  }
  const checks = await chosenChecks(options);
  // Loaded only here, so that other commands start faster.
  const { askedOnce } = await import('../doctor/machine.ts');
  const { examineAll } = await import('../doctor/check.ts');
  const tools = switchingTools(session, 'doctor');
  const isAbsent = (error: unknown): boolean => error instanceof CommandError && error.code === 'ERR_DAEMON';
  const examine = async (): Promise<readonly Report[]> =>
    once(await examineAll(checks, askedOnce(tools.machine, isAbsent)));
  if (options.fix !== undefined) {
    const { fixFindings } = await import('./fixing.ts');
    const left = await fixFindings(session, tools, examine, options);
    process.exitCode = left.length > 0 ? EXIT_FOUND : 0;
    output.line(
      left.length === 0
        ? 'Nothing is wrong any more.'
        : `Still wrong: ${[...new Set(left.map(({ check }) => check))].join(', ')}.`,
    );
    return;
  }
  const reports = await examine();
  process.exitCode = reports.length > 0 ? EXIT_FOUND : 0;
  if (options.json === true) {
    // Leaves out the remedies, which may contain secrets from files.
    const findings = reports.map(({ check, what, mend }) => ({ check, what, mend }));
    output.line(JSON.stringify({ healthy: reports.length === 0, findings }));
    return;
  }
  const lines = linesOf(
    output,
    checks,
    reports,
    await askingServices(tools.machine),
    options.verbose === true,
  );
  lines.forEach((line) => output.line(line));
}

async function askingServices(machine: Machine): Promise<readonly string[]> {
  const { guardedServices } = await import('../doctor/guarded.ts');
  return guardedServices(machine).map(({ service }) => service);
}

/** All checks that are not ignored, or those of one name. The check that "enable" makes for sshd has the same name. */
async function chosenChecks({ fix, ignore }: Options): Promise<readonly Check[]> {
  const { allChecks } = await import('../doctor/all-checks.ts');
  const all = allChecks(version());
  const only = typeof fix === 'string' ? [fix] : [];
  const unknown = [...ignore, ...only].find((name) => !all.some((check) => check.name === name));
  if (unknown !== undefined) {
    const names = [...new Set(all.map(({ name }) => name))].join(', ');
    throw new CommandError(
      'ERR_USAGE',
      `There is no check ${JSON.stringify(unknown)}. The checks are: ${names}`,
    );
  }
  if (only.length === 0) {
    return all.filter(({ name }) => !ignore.includes(name));
  }
  const { sshdCheck } = await import('../doctor/checks/sshd.ts');
  return [...all, sshdCheck].filter(({ name }) => only.includes(name));
}

/** Drops duplicates: two checks of one name may find the same thing. */
function once(reports: readonly Report[]): readonly Report[] {
  return reports.filter(
    ({ check, what }, index) =>
      reports.findIndex((one) => one.check === check && one.what === what) === index,
  );
}

async function undo(session: Session, options: Options): Promise<void> {
  const { fixesOf, unfix } = await import('../switching/fix.ts');
  const { output } = session;
  const { places, machine } = switchingTools(session, 'doctor --undo');
  const fixes = fixesOf(places);
  const last = fixes.filter(({ when }) => when === fixes[0]?.when);
  if (last.length === 0) {
    output.line('There is no --fix to undo.');
    return;
  }
  const files = last.flatMap((fixed) => fixed.files.map(({ before }) => before.path));
  const which = files.length === 0 ? '' : ` These files change: ${[...new Set(files)].join(', ')}.`;
  await askBeforeLoss(
    session,
    options,
    `This undoes what doctor fixed: ${last.map(({ check }) => check).join(', ')}.${which}`,
  );
  for (const { check } of last) {
    const { restored, left, failed } = await unfix(places, machine);
    output.line(
      `${check}: ${restored.length === 0 ? 'no file had to be restored' : `restored ${restored.join(', ')}`}.`,
    );
    left.forEach((path) => output.note(`${path} was edited after the fix, so it stays as it is.`));
    failed.forEach((text) => output.note(`This failed: ${text}`));
  }
}

function linesOf(
  output: Output,
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
    return found.flatMap(({ what, mend }) => [
      ...wrapped(output, `${name}: ${what}`, '    '),
      `  ${asRoot(mend)}`,
    ]);
  });
}
