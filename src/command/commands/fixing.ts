import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../doctor/check.ts';
import type { Remedy } from '../doctor/remedy.ts';
import { asRoot } from '../switching/as-root.ts';
import { fix } from '../switching/fix.ts';
import { SwitchError } from '../switching/switch-error.ts';
import { NOT_AGREED, type Agreement } from '../session/ask-before-loss.ts';
import { CommandError } from '../session/control-client.ts';
import type { SwitchingTools } from './switching-tools.ts';
import { yesOrNo } from '../terminal/questions.ts';
import { remedyLines } from './remedy-words.ts';
import type { Session } from '../session/session.ts';
import { wrapped } from '../terminal/wrap.ts';

/** Why only a person can fix the findings of a check. */
const BY_HAND: Readonly<Record<string, string>> = {
  factors: "This makes new codes for a user, or changes a user's factors: run it yourself.",
  ledger: 'This forgets which codes were used: decide for yourself.',
  state: 'This may lose data: look first.',
  unconfirmed: 'Only you can decide whether to keep it.',
  units: 'doctor installs nothing. Run it yourself.',
  module: 'doctor installs nothing. Run it yourself.',
  clock: 'doctor installs nothing. Run it yourself.',
  modes: 'doctor makes no accounts. Run it yourself.',
};
const UNCLEAR = 'doctor cannot know what is meant here. Edit it yourself.';

/** How long to wait for a fix to work: a restarted daemon answers soon, but a clock needs time to find its server. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 500;

/**
 * Fixes findings one after the other: shows the changes of each file, asks, changes them, and checks again.
 *
 * @param session - who is asked
 * @param ground - the machine
 * @param examine - makes the checks
 * @param options - of the command line
 * @returns the remaining findings
 * @throws CommandError when nobody can be asked
 * @throws NoAnswerError when the person cancels; earlier fixes stay
 */
export async function fixFindings(
  session: Session,
  ground: SwitchingTools,
  examine: () => Promise<readonly Report[]>,
  options: Agreement,
): Promise<readonly Report[]> {
  const { output } = session;
  const seen = new Set<string>();
  // All fixes of one run are undone together.
  const when = session.now();
  for (;;) {
    const reports = await examine();
    const report = reports.find(({ check, what }) => !seen.has(`${check}: ${what}`));
    if (report === undefined) {
      return reports;
    }
    const name = `${report.check}: ${report.what}`;
    seen.add(name);
    wrapped(output, name, '    ').forEach((line) => output.line(line));
    const { remedy } = report;
    if (remedy === undefined) {
      output.line(`  Not fixed. ${BY_HAND[report.check] ?? UNCLEAR}`);
      output.line(`  ${asRoot(report.mend)}`);
    } else if (await wanted(session, remedy, options)) {
      await mend(session, ground, { ...report, remedy }, examine, when);
    }
  }
}

async function wanted(session: Session, remedy: Remedy, { yes }: Agreement): Promise<boolean> {
  const { output, questions } = session;
  remedyLines(remedy).forEach((line) => output.line(`  ${line}`));
  if (yes === true) {
    return true;
  }
  if (!questions.interactive) {
    throw new CommandError(
      NOT_AGREED,
      'Nothing was changed: there is no terminal to ask at. To do it without a question, add --yes.',
    );
  }
  return yesOrNo(questions, 'Change this?', true);
}

async function mend(
  session: Session,
  { places, machine }: SwitchingTools,
  report: Report & { readonly remedy: Remedy },
  examine: () => Promise<readonly Report[]>,
  when: number,
): Promise<void> {
  const { output } = session;
  try {
    await fix(places, machine, report, when);
  } catch (error) {
    if (!(error instanceof SwitchError)) {
      throw error;
    }
    output.line(`  Not fixed. ${error.message}`);
    return;
  }
  const until = session.now() + PATIENCE_MS;
  const isThere = async (): Promise<boolean> =>
    (await examine()).some(({ check, what }) => check === report.check && what === report.what);
  let there = await isThere();
  while (there && session.now() < until) {
    await sleep(PAUSE_MS);
    there = await isThere();
  }
  output.line(
    there
      ? `  Changed, but it is still wrong. To undo it: ${asRoot('pve-google-authenticator doctor --undo')}`
      : '  Fixed.',
  );
}
