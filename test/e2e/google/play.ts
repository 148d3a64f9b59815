import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BoxAccount } from './account.ts';
import { visit, writeService, type Visit } from './host.ts';
import type { Module } from './module.ts';
import { putFile } from './place.ts';
import { Phone } from './phone.ts';
import { CODE, totp, type Difference, type Login, type Outcome, type Scenario } from './scenario.ts';
import { expectedText, fillIn, type Values } from './template.ts';

const DEFAULT_PERIOD = 30;
/** Longer than a scenario takes. */
const CALM_S = 4;
const ANYTHING = /(?:)/;
const WRITTEN_MODE = 0o400;

/** The result of a login, in comparable words. */
export interface Result {
  readonly end: Outcome['end'] | number;
  readonly reason: string | null;
  readonly shown: readonly string[];
  readonly passes: string | null;
  /** Null: there is none, or it is no file. */
  readonly file: StateFile | null;
  /** New files beside it. */
  readonly strays: readonly string[];
}

interface StateFile {
  readonly text: string;
  readonly mode: number;
  readonly uid: number;
}

/** The results of a scenario's logins, and the expected ones. */
export interface Played {
  readonly seen: readonly Result[];
  readonly expected: readonly Result[];
}

/**
 * A phone with unambiguous codes, at a moment that is not near the end of a time step.
 *
 * @param scenario - what is typed, and how long a step is
 * @returns the phone
 */
export async function phoneFor(scenario: Scenario): Promise<Phone> {
  const period =
    Number(/" STEP_SIZE (\d+)/.exec(scenario.file ?? '')?.[1] ?? DEFAULT_PERIOD) || DEFAULT_PERIOD;
  const left = period - ((Date.now() / 1000) % period);
  if (left < CALM_S) {
    await setTimeout(left * 1000 + 1);
  }
  const typed = loginsOf(scenario).flatMap(({ answer = '{code}', password = '' }) => [
    answer ?? '',
    password,
  ]);
  for (;;) {
    const phone = new Phone(Math.floor(Date.now() / 1000), period);
    const values: Values = { phone, home: '', user: '', top: '' };
    if (
      typed.every((text) => phone.meanings(fillIn(text, values)) === (/\{code[^}]*\}$/.test(text) ? 1 : 0))
    ) {
      return phone;
    }
  }
}

/**
 * Plays a scenario with a module.
 *
 * @param scenario - the row
 * @param module - the module
 * @param account - whose file it is; its home is emptied
 * @param phone - of {@link phoneFor}
 * @param differs - whether to expect the known differences of this module
 * @returns the result
 */
export async function play(
  scenario: Scenario,
  module: Module,
  account: BoxAccount,
  phone: Phone,
  differs: (difference: Difference) => boolean,
): Promise<Played> {
  const top = mkdtempSync('/srv/google-');
  chmodSync(top, 0o755);
  const values: Values = { phone, home: account.home, user: account.name, top };
  const fill = (template: string): string => fillIn(template, values);
  const file = fill(scenario.path ?? '{home}/.google_authenticator');
  let text = scenario.file === undefined ? totp() : scenario.file;
  prepare(scenario, file, text === null ? null : fill(text), account, top);
  const prepared = look(file);
  let mode = prepared?.mode ?? 0;
  const beside = new Set(entriesBeside(file));

  const service = account.name;
  writeService(module.confdir, service, [module.line, fill(scenario.options ?? '')].join(' '));
  const played = { seen: [] as Result[], expected: [] as Result[] };
  for (const login of loginsOf(scenario)) {
    const outcome: Outcome =
      login.google !== undefined && differs(login.google) ? { ...login, ...login.google } : login;
    const { answer = '{code}', password, user = '{user}', rhost } = login;
    const order: Visit = {
      confdir: module.confdir,
      environment: module.environment,
      service,
      rhost,
      user: fill(user),
      answer: answer === null ? null : fill(answer),
      password: password === undefined ? undefined : fill(password),
      hurry: outcome.end === 'hangs',
    };
    const visited = await visit(order);
    const found = look(file);
    played.seen.push({
      end: visited.end,
      shown: visited.shown,
      passes: visited.passes,
      reason:
        outcome.reason === null
          ? null
          : await module.logged(outcome.reason, outcome.says ?? ANYTHING, order, visited),
      file: found,
      strays: entriesBeside(file).filter((name) => !beside.has(name)),
    });
    const { end, reason, shown = [CODE], after = text, passes = password ?? null } = outcome;
    mode = after === text ? mode : WRITTEN_MODE;
    text = after;
    const said = text === null ? null : expectedText(text, values, found?.text ?? '');
    played.expected.push({
      end,
      reason,
      shown,
      passes: passes === null ? null : fill(passes),
      file: said === null ? null : { text: said, mode, uid: prepared?.uid ?? account.uid },
      strays: [],
    });
  }
  rmSync(top, { recursive: true });
  return played;
}

function loginsOf(scenario: Scenario): readonly Login[] {
  return [scenario, ...(scenario.then ?? [])];
}

/** Empties the home, and puts the file there. */
function prepare(
  scenario: Scenario,
  file: string,
  text: string | null,
  account: BoxAccount,
  top: string,
): void {
  const { uid, home } = account;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, uid, uid);
  if (text !== null) {
    putFile(file, text, scenario.owner === 'root' ? undefined : account, scenario.mode);
  }
  scenario.prepare?.({ home, file, top, uid });
}

function look(file: string): StateFile | null {
  const status = statSync(file, { throwIfNoEntry: false });
  return status?.isFile() === true
    ? { text: readFileSync(file, 'latin1'), mode: status.mode & 0o7777, uid: status.uid }
    : null;
}

function entriesBeside(file: string): string[] {
  const directory = dirname(file);
  return existsSync(directory) ? readdirSync(directory) : [];
}
