import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK = 1 << 20;

/**
 * Searches everything that a process has in memory. Needs root.
 *
 * @param pid - the process
 * @param needles - what to look for, as bytes
 * @returns for each needle, how often it was found
 */
export function findInMemory(pid: number, needles: readonly Buffer[]): number[] {
  const counts = needles.map(() => 0);
  const overlap = Math.max(...needles.map((needle) => needle.length)) - 1;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of regionsOf(pid)) {
      let carried = Buffer.alloc(0);
      for (let at = start; at < end; at += BigInt(CHUNK)) {
        const chunk = Buffer.alloc(Number(end - at < CHUNK ? end - at : CHUNK));
        const bytes = read(memory, chunk, at);
        const text = Buffer.concat([carried, chunk.subarray(0, bytes)]);
        needles.forEach((needle, index) => {
          // What lies wholly in the carried part was counted before.
          counts[index]! += countOf(text, needle, Math.max(0, carried.length - needle.length + 1));
        });
        carried = Buffer.from(text.subarray(Math.max(0, text.length - overlap)));
      }
    }
  } finally {
    closeSync(memory);
  }
  return counts;
}

function regionsOf(pid: number): { start: bigint; end: bigint }[] {
  return readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line))
    .filter((match) => match !== null)
    .map(([, start, end]) => ({ start: BigInt(`0x${start!}`), end: BigInt(`0x${end!}`) }));
}

/** Some of the kernel's own pages cannot be read, and regions come and go. */
function read(memory: number, chunk: Buffer, at: bigint): number {
  try {
    return readSync(memory, chunk, 0, chunk.length, at);
  } catch {
    return 0;
  }
}

function countOf(text: Buffer, needle: Buffer, from: number): number {
  let count = 0;
  for (let at = text.indexOf(needle, from); at !== -1; at = text.indexOf(needle, at + 1)) {
    count += 1;
  }
  return count;
}
