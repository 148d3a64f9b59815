import { CHECKOUT } from './daemon.ts';
import { run } from './run.ts';

/** One step at a terminal: what the person waits for, and then does. */
export type Step = { readonly expect: RegExp; readonly hidden?: boolean } & Act;

export type Act =
  | { readonly enter: string | Buffer }
  | { readonly type: string | Buffer }
  | { readonly hangUp: true }
  /** Ctrl-C, until the program ends. */
  | { readonly interrupt: true }
  | { readonly look: true };

/** The result. */
export interface Screen {
  /** What was shown, without escape sequences. */
  readonly screen: string;
  /** The exit status, 128 + N after signal N, null if the program did not end. */
  readonly status: number | null;
  /** The `expect` that was never seen. */
  readonly unmet: string | null;
}

const PATIENCE_S = 120;

/**
 * Runs a program on a terminal and plays a person.
 *
 * @param argv - the program and its arguments
 * @param steps - what the person waits for and then does, in order
 * @returns what the person saw, and how the program ended
 */
export async function atTerminal(argv: readonly string[], steps: readonly Step[]): Promise<Screen> {
  const order = {
    argv,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      TERM: 'dumb',
      LC_ALL: 'C.UTF-8',
      HOME: '/',
    },
    steps: steps.map(({ expect, hidden = false, ...act }) => ({
      expect: expect.source,
      hidden,
      ...inHex(act),
    })),
    timeout: PATIENCE_S,
  };
  const { stdout, stderr } = await run([`${CHECKOUT}/test/e2e/terminal.py`], JSON.stringify(order));
  if (stdout === '') {
    throw new Error(`terminal.py: ${stderr}`);
  }
  return JSON.parse(stdout) as Screen;
}

function inHex(act: Act): Record<string, string | boolean> {
  if ('enter' in act) {
    return { enter: Buffer.from(act.enter).toString('hex') };
  }
  if ('type' in act) {
    return { type: Buffer.from(act.type).toString('hex') };
  }
  return { ...act };
}
