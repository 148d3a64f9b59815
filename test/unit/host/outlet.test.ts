/* The addon must be built. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openOutlet } from '../../../src/host/addon.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const LINE = Buffer.from(`${'x'.repeat(99)}\n`);
/** More than any pipe holds here. */
const ENOUGH = 100_000;

function flagsOf(fd: number): string {
  return /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!;
}

it('never waits for the reader of a pipe, leaves its flags alone, and loses nothing that it took', () => {
  const path = join(makeDirectory(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  try {
    const before = flagsOf(writer);
    const outlet = openOutlet(writer);
    expect(flagsOf(writer)).toBe(before);
    let taken = 0;
    let full = false;
    for (let line = 0; line < ENOUGH && !full; line++) {
      const bytes = outlet.write(LINE);
      full = bytes === 0;
      taken += bytes;
    }
    expect(full).toBe(true);
    const read = Buffer.alloc(taken + LINE.length);
    let length = 0;
    while (length < taken) {
      length += readSync(reader, read, length, read.length - length, null);
    }
    expect(length).toBe(taken);
    expect(read.subarray(0, taken)).toEqual(
      Buffer.concat(Array.from({ length: taken / LINE.length }, () => LINE)),
    );
    expect(outlet.write(LINE)).toBe(LINE.length);
  } finally {
    closeSync(reader);
    expect(openOutlet(writer).write(LINE), 'nobody reads any more').toBe(-1);
    closeSync(writer);
  }
});

it('writes to a file, and to nobody where the descriptor is closed', () => {
  const path = join(makeDirectory(), 'file');
  const fd = openSync(path, 'a');
  const outlet = openOutlet(fd);
  expect(outlet.write(LINE)).toBe(LINE.length);
  expect(readFileSync(path)).toEqual(LINE);
  closeSync(fd);
  expect(outlet.write(LINE)).toBe(-1);
  expect(() => openOutlet(-1)).toThrow(RangeError);
});
