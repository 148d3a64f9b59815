import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { groups, wrongLogins } from './contenders.ts';
import { DAEMON_UID, startDaemon, stopAll, type Daemon } from './daemon.ts';
import { logIn } from './driver.ts';
import { measureDeadServers, TOUCH_DEADLINE_MS } from './dead-servers.ts';
import { measureHanging } from './hanging-home.ts';
import { enrolAtHome, enrolInStore, enrolInUsersFile } from './enrol.ts';
import { measure, overall, type Results } from './measure.ts';
import { BUILT, CHECKOUT, MODULE, PEERS } from './places.ts';
import { deadServerGoals, goals, table, verdicts, type Goal } from './report.ts';
import { median } from './statistics.ts';
import { code, ENROLLED, FEW, stepNow, userOf, usersOf } from './users.ts';

/* The benchmark: runs in the mount namespace that scripts/bench/inside makes. */

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7);
/** For a quick look: only groups with such a label. */
const ONLY = new RegExp(process.env['BENCH_ONLY'] ?? '');
const WARM_UP = 15;
const WRONG_LOGINS = 500;
const STARTS = 7;
const DISK_ROUNDS = 200;
const NS_PER_US = 1000;
const NS_PER_MS = 1_000_000;

/** On the disk of the checkout, or where BENCH_DATA says: ours and the peers' on one file system. */
const data = process.env['BENCH_DATA'] ?? `${BUILT}/data`;

const say = (...lines: string[]): boolean => process.stdout.write(`${lines.join('\n')}\n`);

const service = (name: string, module: string): void =>
  writeFileSync(`${data}/pam.d/${name}`, `auth required ${module}\n`);

function prepare(): void {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(`${data}/pam.d`, { recursive: true });
  writeFileSync(`${data}/config.toml`, '[sources]\nhome = false\n[throttle]\nenabled = false\n');
  const users = Array.from({ length: ENROLLED }, (_, index) => userOf(index));
  mkdirSync(`${data}/homes`);
  enrolAtHome(`${data}/homes`, users);
  mkdirSync(`${data}/oath`);
  enrolInUsersFile(`${data}/oath/many`, users);
  enrolInUsersFile(`${data}/oath/few`, usersOf('hotp', FEW));
  service('permit', 'pam_permit.so');
  service('ours-many', `${MODULE} socket=${data}/run-many/pam.sock`);
  service('ours-few', `${MODULE} socket=${data}/run-few/pam.sock`);
  service('ours-homes', `${MODULE} socket=${data}/run-homes/pam.sock`);
  service('google', `${PEERS}/pam_google_authenticator.so`);
  service('google-noskewadj', `${PEERS}/pam_google_authenticator.so noskewadj`);
  service('oath-many', `${PEERS}/pam_oath.so usersfile=${data}/oath/many window=10 digits=6`);
  service('oath-few', `${PEERS}/pam_oath.so usersfile=${data}/oath/few window=10 digits=6`);
}

/** The same daemon twice: only the number of enrolled users differs. */
async function startBoth(): Promise<{ many: Daemon; few: Daemon }> {
  const many = await startDaemon(data, 'many');
  const few = await startDaemon(data, 'few');
  await many.ready();
  await few.ready();
  enrolInStore(
    `${data}/state-many`,
    DAEMON_UID,
    Array.from({ length: ENROLLED }, (_, index) => userOf(index)),
  );
  enrolInStore(`${data}/state-few`, DAEMON_UID, usersOf('hotp', FEW));
  execFileSync('sync', ['-f', data]);
  return { many, few };
}

/** @returns MiB at the moment of the highest use */
async function withMemory(daemon: Daemon, work: () => Promise<void>): Promise<number> {
  let highest = 0;
  const timer = setInterval(() => (highest = Math.max(highest, daemon.resident())), 20);
  await work();
  clearInterval(timer);
  return Math.max(highest, daemon.resident());
}

/** From the execution of Node to the first verdict, with the state of all users, in milliseconds. */
async function firstAnswers(): Promise<number[]> {
  const answers: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const user = usersOf('totp-and-recovery')[start]!; // nobody else has used their TOTP
    const daemon = await startDaemon(data, 'many');
    const job = { label: 'first', service: 'ours-many', user: user.name, code: code(user, stepNow()) };
    const { logins } = await logIn(data, 1, [job]);
    const [login] = logins;
    if (login?.rc !== 0) {
      throw new Error(`the first login after a start ended with ${String(login?.rc)}`);
    }
    answers.push(Number(login.begun - daemon.executed()) / NS_PER_MS + login.took / 1000);
    await daemon.stop();
  }
  return answers;
}

function diskCost(): { append: number; replace: number } {
  const lines = execFileSync(`${BUILT}/disk`, [data, String(DISK_ROUNDS)], { encoding: 'latin1' });
  const pairs = lines
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  return {
    append: median(pairs.map(([append]) => append!)) / NS_PER_US,
    replace: median(pairs.map(([, replace]) => replace!)) / NS_PER_US,
  };
}

/** A part of its own: `BENCH_ONLY='^dead'` runs it alone. */
async function deadServers(): Promise<{ results: Results; goals: readonly Goal[] }> {
  const { results, touches } = await measureDeadServers(data, (name, socket) =>
    service(name, `${MODULE} socket=${socket}`),
  );
  const slowest = Math.max(...touches);
  say(
    '',
    ...table(results),
    `${touches.length} touches meanwhile, answered after ${median(touches).toFixed(0)} ms (median) to ${slowest.toFixed(0)} ms (deadline ${TOUCH_DEADLINE_MS} ms)`,
  );
  return { results, goals: deadServerGoals(results) };
}

async function main(): Promise<void> {
  prepare();
  if (process.env['BENCH_ONLY'] === '^dead') {
    say(...verdicts((await deadServers()).goals));
    return;
  }
  const fileSystem = execFileSync('stat', ['-f', '-c', '%T', data], { encoding: 'latin1' }).trim();
  const load = loadavg()[0]!;
  const disk = diskCost();
  const machine = {
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? '',
    kernel: release(),
    node: process.version,
    nodeFlags: process.env['BENCH_NODE_FLAGS'] ?? '',
    fileSystem,
    load,
    disk,
  };
  say(
    `${machine.processors} processors, ${fileSystem} at ${data}, Linux ${machine.kernel}, Node ${machine.node}`,
    `daemon: node ${machine.nodeFlags}`,
    `disk: 128 bytes and fdatasync ${disk.append.toFixed(0)} us; new file, fsync, rename ${disk.replace.toFixed(0)} us`,
  );
  if (load > machine.processors / 2) {
    say(`The machine is busy (load ${load.toFixed(1)}): trust the ratios, not the figures.`);
  }

  const { many, few } = await startBoth();
  const all = groups();
  const chosen = all.filter(({ contenders }) => contenders.some(({ label }) => ONLY.test(label)));
  const results: Results = new Map();
  for (let round = 0; round < WARM_UP; round++) {
    await measure(data, all[2]!, round, new Map());
  }
  let resident = 0;
  const cpu: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    resident = await withMemory(many, async () => {
      for (const group of chosen) {
        const before = many.cpu();
        await measure(data, group, round, results);
        const served = group.contenders.filter(({ service }) => service === 'ours-many').length;
        if (served > 0) {
          cpu[group.title] = [...(cpu[group.title] ?? []), (many.cpu() - before) / (served * group.logins)];
        }
      }
    });
  }
  const wrong: Results = new Map();
  await measure(data, wrongLogins(WRONG_LOGINS), 0, wrong);
  await many.stop();
  await few.stop();
  const starts = await firstAnswers();
  const hanging = await measureHanging(data);
  const dead = await deadServers();

  const others = { resident, firstAnswers: starts, wrong, hanging };
  const reached = [...goals(results, others, median(starts)), ...dead.goals];
  const cpuPerLogin = Object.fromEntries(
    Object.entries(cpu).map(([title, rounds]) => [title, median(rounds)]),
  );
  say('', ...table(new Map([...results, ...wrong, ...hanging])));
  say('', 'processor time of the daemon per login, us:');
  say(
    ...Object.entries(cpuPerLogin).map(
      ([title, time]) => `  ${title.padEnd(34)}${time.toFixed(0).padStart(10)}`,
    ),
  );
  say('', ...verdicts(reached));
  const figures = Object.fromEntries(
    [...results, ...wrong, ...hanging, ...dead.results].map(([label, rounds]) => [
      label,
      { ...overall(rounds), rounds },
    ]),
  );
  writeFileSync(
    `${CHECKOUT}/build/bench.json`,
    `${JSON.stringify({ machine, rounds: ROUNDS, logins: figures, cpuPerLogin, resident, firstAnswers: starts, goals: reached }, undefined, 2)}\n`,
  );
  say('', 'All of it, with every round: build/bench.json');
  rmSync(data, { recursive: true, force: true });
}

try {
  await main();
} finally {
  await stopAll();
}
