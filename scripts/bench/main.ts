import { rmSync, writeFileSync } from 'node:fs';
import { chart } from './chart.ts';
import { hasPeer } from './contenders.ts';
import { stopAll } from './daemon.ts';
import { goals } from './goals.ts';
import { machineLines, thisMachine } from './machine.ts';
import { overall } from './measure.ts';
import { measureAll, touchesLine } from './parts.ts';
import { BUILT, CHECKOUT } from './places.ts';
import { table, verdicts } from './report.ts';
import { prepare, startWorld } from './world.ts';

/* The benchmark: runs in the mount namespace that scripts/bench/inside makes. */

/** On the disk of the checkout, or below BENCH_DATA. All contenders use the same file system. */
const data = process.env['BENCH_DATA'] ?? `${BUILT}/data`;

const say = (...lines: string[]): boolean => process.stdout.write(`${lines.join('\n')}\n`);

async function main(): Promise<void> {
  prepare(data);
  const machine = thisMachine(data);
  say(...machineLines(machine, data));
  const { results, resident, touches } = await measureAll(data, await startWorld(data, hasPeer));
  const reached = goals(results, { resident: resident['ours'] });
  say('', ...table(results), ...touchesLine(touches));
  say('', ...Object.entries(resident).map(([name, mib]) => `memory of ${name}: ${mib.toFixed(0)} MiB`));
  say('', ...verdicts(reached));
  const logins = Object.fromEntries(
    [...results].map(([label, rounds]) => [label, { ...overall(rounds), rounds }]),
  );
  const written = { machine, logins, resident, goals: reached };
  writeFileSync(`${CHECKOUT}/build/bench.json`, `${JSON.stringify(written, undefined, 2)}\n`);
  writeFileSync(`${CHECKOUT}/build/bench.svg`, chart(written));
  say('', 'Every round: build/bench.json; the chart: build/bench.svg');
  rmSync(data, { recursive: true, force: true });
}

try {
  await main();
} finally {
  await stopAll();
}
