import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The path is the same from src/host, dist/host and dist/daemon. */
const READER = fileURLToPath(new URL('../reader/main.js', import.meta.url));

/**
 * Starts pve-authenticator-files as a child that ends with this process, however it ends. The child runs as the same user, so
 * without root it cannot read other users' files. On an installed system, a unit starts the reader.
 *
 * @param runtimeDir - where its socket appears
 * @throws Error when it ends before it is ready
 */
export async function startAttachedReader(runtimeDir: string): Promise<void> {
  const argv = [READER, '--attached', '--runtime-dir', runtimeDir];
  // Loaded on first use, because with systemd the reader has its own unit.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  // If the reader dies, the daemon goes on; requests to the reader then fail.
  child.stdin.on('error', () => undefined);
  child.unref();
  const ready = once(child.stdout, 'data').then(() => true);
  const ended = once(child, 'exit').then(() => false);
  if (!(await Promise.race([ready, ended]))) {
    throw new Error("the reader of users' files ended at once");
  }
  child.stdout.destroy();
}
