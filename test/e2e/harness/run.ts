import { spawn } from 'node:child_process';

/** The result of a program. */
export interface Ended {
  /** Its exit status, null if a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 *
 * @param argv - the program and its arguments
 * @param input - its standard input
 * @param env - its environment, ours by default
 * @returns how it ended
 * @throws Error when it cannot be started
 */
export function run(argv: readonly string[], input: string | Buffer = '', env = process.env): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), { env, stdio: 'pipe' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    child.on('error', reject);
    child.stdin.on('error', () => undefined); // it need not read its input
    child.on('close', (status) => {
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.end(input);
  });
}

/**
 * Runs a program that has to succeed.
 *
 * @param argv - the program and its arguments
 * @param input - its standard input
 * @returns its standard output
 * @throws Error with what it printed, when its status is not 0
 */
export async function runWell(argv: readonly string[], input: string | Buffer = ''): Promise<string> {
  const { status, stdout, stderr } = await run(argv, input);
  if (status !== 0) {
    throw new Error(`${argv.join(' ')}: status ${String(status)}\n${stdout}${stderr}`);
  }
  return stdout;
}
