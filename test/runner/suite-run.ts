import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Event } from './events.ts';
import type { Suite } from './plan.ts';

/** Receives the events and output of a running suite. */
export interface Listener {
  /** From the reporter in vitest. */
  event(event: Event): void;
  /** Whole lines of anything else that it or its children wrote. */
  text(text: string): void;
}

/**
 * Runs a suite to its end.
 *
 * @param suite - which
 * @param environment - variables in addition to our own environment
 * @param listener - is told what happens
 * @returns the exit status; null after a signal, or when it could not be started
 */
export function runSuite(
  suite: Suite,
  environment: NodeJS.ProcessEnv,
  listener: Listener,
): Promise<number | null> {
  const [program, ...argv] = suite.argv;
  const child = spawn(program!, argv, {
    stdio: ['ignore', 'pipe', 'pipe', ...(suite.kind === 'program' ? [] : (['ipc'] as const))],
    env: { ...process.env, ...environment, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  // Ending the runner also ends the tests.
  const stop = (): never => {
    child.kill();
    process.exit(143);
  };
  process.once('SIGTERM', stop);
  child.on('close', () => process.off('SIGTERM', stop));
  child.on('message', (event) => listener.event(event as Event));
  for (const stream of [child.stdout!, child.stderr!]) {
    eachLines(stream, (text) => listener.text(text));
  }
  return new Promise((resolve) => {
    child.on('error', (error) => {
      listener.text(`${String(error)}\n`);
      resolve(null);
    });
    child.on('close', resolve);
  });
}

function eachLines(stream: Readable, take: (text: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const end = (rest + text).lastIndexOf('\n') + 1;
    const lines = (rest + text).slice(0, end);
    rest = (rest + text).slice(end);
    if (lines !== '') {
      take(lines);
    }
  });
  stream.on('end', () => {
    if (rest !== '') {
      take(`${rest}\n`);
    }
  });
}
