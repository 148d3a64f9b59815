import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import type { Stage } from '../daemon/stage.ts';

/**
 * Mounts a file system that never answers.
 *
 * @param stage - where the program is compiled
 * @param path - the mount point
 * @returns unmounts it
 */
export async function silentMount(stage: Stage, path: string): Promise<{ end(): Promise<void> }> {
  const program = await stage.compile(`${CHECKOUT}/test/e2e/files/silent-fuse.c`, 'silent-fuse');
  const child = spawn(program, [path, '0'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const log = new Log('silent-fuse', child.stdout);
  const ended = once(child, 'exit');
  await log.waitFor(/silent/);
  return {
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
