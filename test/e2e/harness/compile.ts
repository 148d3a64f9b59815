import { resolve } from 'node:path';
import { CHECKOUT } from './daemon.ts';
import { runWell } from './run.ts';

/**
 * Compiles a C program or library of the tests.
 *
 * @param source - its file; a relative path begins at the checkout
 * @param out - where the result goes
 * @param flags - what it needs beside the usual ones
 */
export async function compile(source: string, out: string, ...flags: readonly string[]): Promise<void> {
  const usual = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror'];
  await runWell(['cc', ...usual, resolve(CHECKOUT, source), '-o', out, ...flags]);
}
