import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeAnswer } from '../../../src/daemon/wire/answer.ts';
import { encodeFrame, FRAME_TYPE } from '../../../src/daemon/wire/frame.ts';
import { claimOf, startOf } from '../attacker/module-login.ts';
import { PAM, PamLogin } from '../daemon/pam-login.ts';
import { AS_ROOT, asUser, notRun, PYTHON, Stage, type Daemon } from '../daemon/stage.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { percentile } from './percentile.ts';

/*
 * A stranger's hour: one unprivileged process tries everything, and the logins of root and users still work. For comparison, its
 * twin only burns the same processor time. `make soak` runs it for five minutes and judges the figures; a short run only checks
 * that everybody gets in.
 */

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 20);
const JUDGED_SECONDS = 120;
const JUDGED = SECONDS >= JUDGED_SECONDS;
const BURNING_SECONDS = Math.max(5, SECONDS / 4);
/** What the unit says. */
const UNIT = [
  'env',
  'NODE_OPTIONS=--max-old-space-size=64 --max-semi-space-size=1',
  'prlimit',
  '--nofile=1024',
  '--',
];
const P99_FACTOR = 5;
const GROWTH = 1.1;
const READY_MS = 2_000;
const PARTS = 5;
const LONG_MS = SECONDS * 3_000 + 120_000;

/** The measurements while a stranger did something. */
interface Course {
  readonly root: number[];
  readonly user: number[];
  readonly failed: string[];
  /** Resident memory of the daemon, in MiB. */
  readonly memory: number[];
  readonly did: string;
}

let stage: Stage;
let daemon: Daemon;
let services: { root: string; user: string };

beforeAll(async () => {
  if (!AS_ROOT) {
    return;
  }
  stage = await Stage.build();
  stage.around = UNIT;
  daemon = await stage.start();
  services = { root: stage.service(), user: stage.service(`socket=${stage.socket('user')}`) };
}, 60_000);
afterAll(() => (AS_ROOT ? stage.clear() : undefined));

function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
}

/** One login of a new person, through root's socket or as their own user. */
async function logIn(course: Course, who: 'root' | 'user'): Promise<void> {
  const person = stage.person();
  const since = performance.now();
  const options = { service: services[who], ...(who === 'user' ? { uid: person.uid } : {}) };
  const { rc } = await new PamLogin(stage, person.name, options).answer(person.code()).end();
  course[who].push(performance.now() - since);
  if (rc !== PAM.success) {
    course.failed.push(`${who} rc=${rc}`);
  }
}

/** Logins beside a stranger. */
async function beside(...argv: readonly string[]): Promise<Course> {
  const stranger = stage.person({ enrolled: false });
  const start = startOf(claimOf(stranger)).toString('hex');
  const typed = [{ shape: 0, text: Buffer.from('000000') }];
  const answer = encodeFrame(FRAME_TYPE.answer, encodeAnswer(typed)).toString('hex');
  const where = argv[0] === 'attack' ? [stage.runtimeDir, stranger.name, start, answer] : [];
  const command = [
    ...asUser(stranger.uid),
    PYTHON,
    `${CHECKOUT}/test/e2e/soak/stranger.py`,
    ...argv,
    ...where,
  ];
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = new Log('stranger', child.stdout);
  const ended = once(child, 'close');
  await said.waitFor(/begun/);
  const course: Course = { root: [], user: [], failed: [], memory: [], did: '' };
  while (child.exitCode === null) {
    await logIn(course, 'root');
    await logIn(course, 'user');
    course.memory.push(memoryOf(daemon.pid));
  }
  await ended;
  return { ...course, did: said.lines.at(-1) ?? '' };
}

const median = (values: readonly number[]): number => percentile(values, 50);

/** Parts of equal length: the second and the last. */
function growthOf({ memory }: Course): number {
  const length = Math.floor(memory.length / PARTS);
  return median(memory.slice(-length)) / median(memory.slice(length, 2 * length));
}

function describeCourse(title: string, { root, user, failed, memory }: Course): string {
  const times = (name: string, values: readonly number[]): string =>
    `${name} ${values.length}, p50 ${median(values).toFixed(0)} ms, p99 ${percentile(values, 99).toFixed(0)} ms`;
  return `  ${title}: ${times('root', root)}; ${times('users', user)}; failed ${failed.length}; memory ${median(memory).toFixed(1)} MiB`;
}

test.runIf(AS_ROOT)(`a stranger for ${SECONDS} s`, { timeout: LONG_MS }, async () => {
  const burning = await beside('burn', String(BURNING_SECONDS));
  const attacked = await beside('attack', String(SECONDS));
  const growth = growthOf(attacked);
  await daemon.stop('SIGKILL');
  const since = performance.now();
  const next = await stage.start();
  const ready = performance.now() - since;
  console.log(
    [
      `A stranger for ${SECONDS} s`,
      describeCourse('beside one who only computes', burning),
      describeCourse('beside one who attacks', attacked),
      `  memory, last part compared with the second: ${((growth - 1) * 100).toFixed(1)}%`,
      `  ready again ${ready.toFixed(0)} ms after the start`,
      `  done [and refused]: ${attacked.did}`,
    ].join('\n'),
  );
  expect(attacked.failed).toEqual([]);
  expect(burning.failed).toEqual([]);
  expect(next.log.matching(/<[012]>/)).toEqual([]);
  if (JUDGED) {
    for (const who of ['root', 'user'] as const) {
      expect(percentile(attacked[who], 99), who).toBeLessThanOrEqual(
        P99_FACTOR * percentile(burning[who], 99),
      );
    }
    expect(growth).toBeLessThanOrEqual(GROWTH);
    expect(ready).toBeLessThanOrEqual(READY_MS);
  }
});

test.runIf(!AS_ROOT)('a stranger', () => {
  notRun("the stranger's soak", 'this needs root');
});
