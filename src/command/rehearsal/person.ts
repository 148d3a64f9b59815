import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

/** A person to ask. All calls are synchronous, because PAM waits meanwhile. */
export interface Person {
  /**
   * Asks.
   *
   * @param prompt - what is shown
   * @param hidden - whether to hide the typed text
   * @returns the answer, which the caller wipes; undefined after Ctrl-C, or if the terminal is gone
   */
  ask(prompt: string, hidden: boolean): Buffer | undefined;
  /** Tells. */
  tell(text: string): void;
  /** Closes the terminal, with its original settings. */
  close(): void;
}

/** PAM_MAX_RESP_SIZE, without the final NUL. */
const LONGEST_ANSWER = 511;
const KEY = { interrupt: 3, end: 4, backspace: 8, newline: 10, enter: 13, kill: 21, erase: 127 } as const;

/**
 * The person at the controlling terminal, whatever standard input is.
 *
 * @returns the person; undefined: there is no terminal
 */
export function personAtTerminal(): Person | undefined {
  let tty: number;
  try {
    tty = openSync('/dev/tty', constants.O_RDWR);
  } catch {
    return undefined;
  }
  const stty = (...words: readonly string[]): string =>
    spawnSync('stty', words, { stdio: [tty, 'pipe', 'ignore'] })
      .stdout.toString()
      .trim();
  const found = stty('-g');
  return {
    ask(prompt, hidden) {
      // First the echo goes, then the question comes. Ctrl-C comes as a byte, so that the terminal is never left like this.
      stty('-echo', '-icanon', '-isig', 'min', '1');
      try {
        writeSync(tty, prompt);
        const answer = readLine(tty, hidden);
        writeSync(tty, '\n');
        return answer;
      } finally {
        stty(found);
      }
    },
    tell: (text) => void writeSync(tty, `${text}\n`),
    close: () => closeSync(tty),
  };
}

/** Reads a line, with the usual editing keys. Shows the text unless it is hidden. */
function readLine(tty: number, hidden: boolean): Buffer | undefined {
  const line = Buffer.alloc(LONGEST_ANSWER);
  const key = Buffer.alloc(1);
  let length = 0;
  for (;;) {
    if (readSync(tty, key, 0, 1, null) === 0) {
      line.fill(0);
      return undefined;
    }
    switch (key.readUInt8()) {
      case KEY.interrupt:
      case KEY.end:
        line.fill(0);
        return undefined;
      case KEY.newline:
      case KEY.enter:
        return line.subarray(0, length);
      case KEY.backspace:
      case KEY.erase:
        if (length > 0) {
          length -= 1;
          writeSync(tty, hidden ? '' : '\b \b');
        }
        break;
      case KEY.kill:
        writeSync(tty, hidden ? '' : '\b \b'.repeat(length));
        length = 0;
        break;
      default:
        if (length < LONGEST_ANSWER) {
          key.copy(line, length);
          length += 1;
          if (!hidden) {
            writeSync(tty, key);
          }
        }
    }
    key.fill(0);
  }
}
