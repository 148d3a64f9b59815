import { InvalidArgumentError, type Command } from 'commander';
import { asRoot } from '../switching/as-root.ts';
import { enable, type Enabled, type EnableRequest } from '../switching/enable.ts';
import { readPending, uptime, wasConfirmed, type Pending } from '../switching/pending.ts';
import type { Places } from '../switching/places.ts';
import type { Plan } from '../switching/plan.ts';
import { CommandError } from '../session/control-client.ts';
import { countDown, holdInterrupt, type Interruption } from '../terminal/countdown.ts';
import { examples } from './examples.ts';
import { switchingTools, mustGetIn, type SwitchingTools } from './switching-tools.ts';
import type { Output } from '../terminal/output.ts';
import type { Session } from '../session/session.ts';
import { wrapped } from '../terminal/wrap.ts';

const USUAL_MINUTES = 5;
const LEAST_MINUTES = 0.05;
const MOST_MINUTES = 60;
/** 128 + SIGINT, as in shells. */
const EXIT_INTERRUPTED = 130;

interface Options {
  readonly all?: true;
  readonly allDoors?: true;
  readonly nullok?: true;
  readonly minutes: number;
  readonly wait: boolean;
  readonly json?: true;
  readonly ignore: readonly string[];
}

/** The checks that may be ignored. The others protect people from being locked out. */
const IGNORABLE: readonly string[] = ['clock'];

/**
 * `enable SERVICE…`: makes logins ask for a code. Undone unless somebody confirms.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function enableCommand(program: Command, session: Session): void {
  program
    .command('enable')
    .description('Make services ask for a code; undone unless you "confirm"')
    .argument('[service...]', 'PAM services, for example sshd')
    .option('--all', 'every service that people log in through, but do not ask root at the console')
    .option('--all-doors', 'the same, and ask root at the console, too')
    .option('--nullok', 'let users without a factor log in as before')
    .option('--minutes <n>', 'minutes until the undo, unless you "confirm"', minutes, USUAL_MINUTES)
    .option('--ignore <check>', 'skip this check: clock, if no time server can be reached', ignorable, [])
    .option('--no-wait', 'show no countdown; without "confirm" it is undone all the same')
    .option('--json', 'print the result as JSON, and show no countdown')
    .addHelpText(
      'after',
      examples(
        'sudo pve-google-authenticator enable sshd',
        'sudo pve-google-authenticator enable --all --nullok',
      ),
    )
    .action(async (services: string[], options: Options) => {
      await run(session, services, options);
    });
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value >= LEAST_MINUTES && value <= MOST_MINUTES)) {
    throw new InvalidArgumentError(`It has to be a number from ${LEAST_MINUTES} to ${MOST_MINUTES}.`);
  }
  return value;
}

function ignorable(name: string, names: readonly string[]): readonly string[] {
  if (!IGNORABLE.includes(name)) {
    throw new InvalidArgumentError(`Only ${IGNORABLE.join(', ')} can be ignored here.`);
  }
  return [...names, name];
}

async function run(session: Session, services: readonly string[], options: Options): Promise<void> {
  const all = options.all === true || options.allDoors === true;
  if (all === services.length > 0) {
    throw new CommandError('ERR_USAGE', 'Name services, or say --all. For example: enable sshd');
  }
  const ground = switchingTools(session, `enable ${services.join(' ') || '--all'}`);
  // From here on, Ctrl-C must not end the command before it has said what was changed.
  const interruption = holdInterrupt();
  try {
    await switchOn(session, ground, services, options, interruption);
  } finally {
    interruption.release();
  }
}

async function switchOn(
  session: Session,
  ground: SwitchingTools,
  services: readonly string[],
  options: Options,
  interruption: Interruption,
): Promise<void> {
  const { output } = session;
  const { places, machine, caller, version } = ground;
  const all = options.all === true || options.allDoors === true;
  const request: EnableRequest = {
    services,
    all,
    allDoors: options.allDoors === true,
    nullok: options.nullok === true,
    seconds: options.minutes * 60,
    users: await mustGetIn(caller),
    login: caller.login,
    version,
    ignore: options.ignore,
  };
  let result = await enable(places, machine, request);
  if (result.kind === 'unhealthy' && options.json !== true && (await fixed(session, ground, result))) {
    result = await enable(places, machine, request);
  }
  if (options.json === true) {
    output.line(JSON.stringify(inJson(result)));
    if (result.kind !== 'unhealthy') {
      return;
    }
  }
  switch (result.kind) {
    case 'unhealthy':
      tellPrepared(output, result.prepared);
      throw new CommandError('ERR_UNHEALTHY', mendFirst(output, result));
    case 'nothing-to-do':
      tellNothing(output, result);
      return;
    case 'waits':
      tellPlan(output, result.plan);
      tellWaiting(output, result, caller.overSsh);
      if (options.wait && output.terminal !== undefined) {
        await wait(output, places, result.pending, caller.uid === undefined ? '' : 'sudo ', interruption);
      }
  }
}

/** At a terminal: fixes the findings if the person agrees. Returns whether everything is right now. */
async function fixed(
  session: Session,
  ground: SwitchingTools,
  { reports }: Extract<Enabled, { kind: 'unhealthy' }>,
): Promise<boolean> {
  const { output, questions } = session;
  if (!questions.interactive || !reports.some(({ remedy }) => remedy !== undefined)) {
    return false;
  }
  output.note('This has to be fixed first:');
  const { fixFindings } = await import('./fixing.ts');
  const { examineAll } = await import('../doctor/check.ts');
  const { checksForEnable, proxmoxChecks } = await import('../doctor/checks-for-enable.ts');
  const services = ['sshd'];
  const names = new Set(reports.map(({ check }) => check));
  const checks = [...checksForEnable(services, ground.version), ...proxmoxChecks(services)].filter(
    ({ name }) => names.has(name),
  );
  return (await fixFindings(session, ground, () => examineAll(checks, ground.machine), {})).length === 0;
}

function mendFirst(output: Output, { reports, prepared }: Extract<Enabled, { kind: 'unhealthy' }>): string {
  return [
    `${prepared.length === 0 ? 'Nothing was changed' : 'No service was changed'}. Fix this first:`,
    ...reports.flatMap(({ check, what, mend }) => [
      ...wrapped(output, `  ${check}: ${what}`, '      '),
      `    ${asRoot(mend)}`,
    ]),
  ].join('\n');
}

function tellNothing(output: Output, { plan, pending }: Extract<Enabled, { kind: 'nothing-to-do' }>): void {
  tellLeft(output, plan);
  output.line(
    plan.unchanged.length === 0
      ? 'Nothing was changed.'
      : `Nothing was changed: ${plan.unchanged.join(', ')} asked for a code already.`,
  );
  if (pending !== undefined) {
    output.line(
      `Not confirmed yet: ${pending.services.join(', ')}. It is undone in ${left(pending)} seconds.`,
    );
  }
}

function tellLeft(output: Output, plan: Plan): void {
  for (const { service, why } of plan.left) {
    output.note(`${service} stays as it is: ${why}`);
  }
}

function tellPlan(output: Output, plan: Plan): void {
  tellLeft(output, plan);
  for (const { service, rootExempt } of plan.changes) {
    output.line(
      `${service} asks for a code now${rootExempt ? ', except for root: root can still log in at the console' : ''}.`,
    );
  }
}

function tellWaiting(
  output: Output,
  { pending, refused, prepared }: Extract<Enabled, { kind: 'waits' }>,
  overSsh: boolean,
): void {
  tellPrepared(output, prepared);
  if (refused.length > 0) {
    output.note(`These users have no factor and are refused now: ${refused.join(', ')}`);
  }
  if (overSsh) {
    output.note('You are connected over SSH. Keep this connection open until a new login has worked.');
  }
  output.line(
    `Undone in ${left(pending)} seconds, also after a reboot. To keep it, log in again through ${pending.services.join(', ')} and run there:`,
  );
  output.line(`  ${asRoot('pve-google-authenticator confirm')}`);
}

function tellPrepared(output: Output, prepared: readonly string[]): void {
  for (const path of prepared) {
    output.line(`Written for Proxmox: ${path} ("disable" removes it)`);
  }
}

/** The JSON for programs; findings as in `doctor --json`. */
function inJson(result: Enabled): object {
  if (result.kind === 'unhealthy') {
    const findings = result.reports.map(({ check, what, mend }) => ({ check, what, mend }));
    return { result: result.kind, findings, written: result.prepared };
  }
  const { plan, pending } = result;
  return {
    result: result.kind,
    changed: plan.changes.map(({ service, rootExempt }) => ({ service, rootExempt })),
    unchanged: plan.unchanged,
    left: plan.left,
    waits: pending === undefined ? null : { services: pending.services, seconds: left(pending) },
    ...(result.kind === 'waits' ? { refused: result.refused, written: result.prepared } : {}),
  };
}

/** Waits until it is confirmed or undone, or until somebody presses Ctrl-C. */
async function wait(
  output: Output,
  places: Places,
  pending: Pending,
  sudo: string,
  { signal }: Interruption,
): Promise<void> {
  const { services, due } = pending;
  const name = services.join(', ');
  const waits = (): boolean => readPending(places)?.due === due;
  if (
    (await countDown(output, { services, waits, left: () => left(pending), sudo }, signal)) === 'interrupted'
  ) {
    process.exitCode = EXIT_INTERRUPTED;
    return;
  }
  if (!wasConfirmed(places)) {
    throw new CommandError('ERR_UNDONE', `Nobody confirmed the change, so it was undone: ${name}`);
  }
  output.line(`Confirmed: ${name} asks for a code.`);
}

/** Whole seconds until the undo. */
function left({ due }: Pending): number {
  return Math.max(0, Math.floor(due - uptime()));
}
