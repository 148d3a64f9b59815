import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The same from src/host, dist/host and dist/daemon. */
const READER = fileURLToPath(new URL('../reader/main.js', import.meta.url));

/**
 * Starts pve-authenticator-files as a child, which ends when this process does, however that comes about. It runs as we do: as an
 * ordinary user it reads nobody else's files. A system has a unit of its own for it.
 *
 * @param runtimeDir - where its socket appears
 * @throws Error when it ends before it is ready
 */
export async function startAttachedReader(runtimeDir: string): Promise<void> {
  const argv = [READER, '--attached', '--runtime-dir', runtimeDir];
  // Loaded on first use: with systemd the reader has a unit of its own.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  // A reader that is gone ends no daemon: whoever needs it is told.
  child.stdin.on('error', () => undefined);
  child.unref();
  const ready = once(child.stdout, 'data').then(() => true);
  const ended = once(child, 'exit').then(() => false);
  if (!(await Promise.race([ready, ended]))) {
    throw new Error("the reader of users' files ended at once");
  }
  child.stdout.destroy();
}
