import { writeFileSync } from 'node:fs';
import { run, runWell } from '../harness/run.ts';

const PATIENCE_MS = 60_000;
const LOOK_MS = 50;
const CONF = ['set -g status off', 'set -g default-terminal tmux-256color'];
/** tmux sometimes misses the end of a program, so a shell around it prints the status. */
const AROUND = ['sh', '-c', '"$@"; echo "[status $?]"; exec cat', 'sh'];
const STATUS = /^\[status (\d+)\]$/m;
let count = 0;

/** A program on a terminal of tmux: a real screen of a fixed size, and real keys. */
export class Tmux {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /**
   * Starts a program.
   *
   * @param argv - the program and its arguments
   * @param columns - of the terminal
   * @param rows - of the terminal
   * @returns its terminal; the caller ends it
   */
  static async start(argv: readonly string[], columns = 80, rows = 24): Promise<Tmux> {
    count += 1;
    const tmux = new Tmux(`/tmp/tmux-setup-${process.pid}-${count}`);
    const conf = `${tmux.#socket}.conf`;
    writeFileSync(conf, `${CONF.join('\n')}\n`);
    const size = ['-x', String(columns), '-y', String(rows)];
    await runWell([
      'tmux',
      '-u',
      '-S',
      tmux.#socket,
      '-f',
      conf,
      'new-session',
      '-d',
      ...size,
      ...AROUND,
      ...argv,
    ]);
    return tmux;
  }

  /**
   * Waits until the screen shows something.
   *
   * @param pattern - what
   * @returns the screen without colours
   * @throws Error with the screen, when it does not come
   */
  async waitFor(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const screen = await this.screen();
      if (pattern.test(screen)) {
        return screen;
      }
      if (Date.now() > deadline) {
        throw new Error(`${String(pattern)} is not on the screen:\n${screen}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** @returns what is on the screen now, without colours */
  screen(): Promise<string> {
    return this.#tmux('capture-pane', '-p');
  }

  /** @returns what is on the screen now, with escape sequences for the colours and the blanks at the ends of lines */
  coloured(): Promise<string> {
    return this.#tmux('capture-pane', '-e', '-p', '-N');
  }

  /** Types a line, and Enter. */
  async enter(line: string): Promise<void> {
    if (line !== '') {
      await this.#tmux('send-keys', '-l', '--', line);
    }
    await this.#tmux('send-keys', 'Enter');
  }

  /**
   * Waits until the program has ended.
   *
   * @returns its exit status
   * @throws Error with the screen, when it does not end
   */
  async ended(): Promise<number> {
    const screen = await this.waitFor(STATUS);
    return Number(STATUS.exec(screen)![1]);
  }

  /** Ends the terminal, and what runs in it. */
  async end(): Promise<void> {
    await run(['tmux', '-S', this.#socket, 'kill-server']);
  }

  #tmux(...argv: readonly string[]): Promise<string> {
    return runWell(['tmux', '-u', '-S', this.#socket, ...argv]);
  }
}
