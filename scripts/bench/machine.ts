import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { BUILT } from './places.ts';
import { BASE, OURS } from './programs.ts';
import { median } from './statistics.ts';

const DISK_ROUNDS = 200;
const NS_PER_US = 1000;

/** The machine of the benchmark. */
export interface Machine {
  readonly processors: number;
  readonly processor: string;
  readonly kernel: string;
  readonly node: string;
  readonly nodeFlags: string;
  readonly base: string | undefined;
  readonly fileSystem: string;
  readonly load: number;
  /** The times of durable writes, in microseconds. */
  readonly disk: { readonly append: number; readonly replace: number };
}

/**
 * Describes the machine of the benchmark.
 *
 * @param data - its directory
 * @returns the machine
 */
export function thisMachine(data: string): Machine {
  return {
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? '',
    kernel: release(),
    node: process.version,
    nodeFlags: OURS.flags,
    base: BASE === undefined ? undefined : process.env['BENCH_BASE'],
    fileSystem: execFileSync('stat', ['-f', '-c', '%T', data], { encoding: 'latin1' }).trim(),
    load: loadavg()[0]!,
    disk: diskCost(data),
  };
}

/**
 * The machine, as lines.
 *
 * @param machine - the machine
 * @param data - the directory of the benchmark
 * @returns lines
 */
export function machineLines(machine: Machine, data: string): string[] {
  const { processors, fileSystem, kernel, node, nodeFlags, base, disk, load } = machine;
  return [
    `${processors} processors, ${fileSystem} at ${data}, Linux ${kernel}, Node ${node}`,
    `daemon: node ${nodeFlags}`,
    ...(base === undefined ? [] : [`base: ${base}`]),
    `disk: 128 bytes and fdatasync ${disk.append.toFixed(0)} us; new file, fsync, rename ${disk.replace.toFixed(0)} us`,
    ...(load > processors / 2
      ? [`The machine is busy (load ${load.toFixed(1)}): trust the ratios, not the figures.`]
      : []),
  ];
}

function diskCost(data: string): Machine['disk'] {
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
