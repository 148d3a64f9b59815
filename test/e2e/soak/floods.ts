import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModuleSocket, startFrame } from '../daemon/module-socket.ts';
import { asUser, PYTHON, STRANGER_UID, type Stage } from '../daemon/stage.ts';
import { CHECKOUT } from '../harness/daemon.ts';

/** A socket, who floods it, and with what. */
export const FLOODS = [
  { socket: 'pam', uid: process.getuid!(), program: 'flood.py' },
  { socket: 'user', uid: STRANGER_UID, program: 'flood.py' },
  { socket: 'control', uid: STRANGER_UID, program: 'control-flood.py' },
] as const;

/** One of {@link FLOODS}. */
export type Flood = (typeof FLOODS)[number];

/** After the queue was full. */
const AGAIN_MS = 20;
/** What control-flood.py sends before it is started again, and on how many connections at once. */
const [REQUESTS, AT_ONCE] = ['500', '20'];

/**
 * Floods a socket.
 *
 * @param stage - whose
 * @param flood - which, and how
 * @param ms - for how long
 */
export async function floodFor(stage: Stage, { socket, uid, program }: Flood, ms: number): Promise<void> {
  // The checkout may be closed to the stranger.
  const source = readFileSync(`${CHECKOUT}/test/e2e/daemon/${program}`, 'utf8');
  const name = Buffer.from(`e2e-${STRANGER_UID}`);
  const service = Buffer.from('flood');
  const start = startFrame({ service, user: name, canonicalUser: name, uid: STRANGER_UID });
  const more = program === 'flood.py' ? [start.toString('hex')] : [REQUESTS, AT_ONCE];
  const argv = [...asUser(uid), PYTHON, '-c', source, stage.socket(socket), ...more];
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const child = spawn(argv[0]!, argv.slice(1), { stdio: ['pipe', 'ignore', 'inherit'] });
    const ended = once(child, 'exit');
    await Promise.race([ended, sleep(until - performance.now())]);
    if (child.exitCode !== null && child.exitCode !== 0) {
      throw new Error(`${program} failed`);
    }
    child.kill('SIGKILL');
    await ended;
  }
  if (socket === 'pam') {
    await taken(stage, start);
  }
}

/** Waits until what was in the queue before is taken from it. */
async function taken(stage: Stage, start: Buffer): Promise<void> {
  for (;;) {
    const last = await ModuleSocket.connect(stage.socket('pam')).catch(() => undefined);
    if (last !== undefined) {
      await last.send(start).next();
      await last.close();
      return;
    }
    await sleep(AGAIN_MS);
  }
}
