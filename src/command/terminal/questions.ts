import { createInterface, type Interface } from 'node:readline';

/** The person pressed Ctrl-C, or nobody answers. */
export class NoAnswerError extends Error {
  readonly reason: 'interrupted' | 'end-of-input';
  /** The consequence, for the person at the command. */
  readonly outcome: string;
  /**
   * @param reason - which of both
   * @param outcome - what it leads to
   */
  constructor(reason: NoAnswerError['reason'], outcome = 'Nothing was changed.') {
    super(reason);
    this.name = 'NoAnswerError';
    this.reason = reason;
    this.outcome = outcome;
  }
}

/** Asks the person at the command. Each answer is one line of text, so any terminal, screen reader or pipe works. */
export interface Questions {
  /** Whether a person sits at a terminal, who can be asked again. */
  readonly interactive: boolean;
  /**
   * Asks for a line.
   *
   * @param prompt - the question, with a blank at its end
   * @returns the answer without its line end
   * @throws NoAnswerError when there is none
   */
  ask(prompt: string): Promise<string>;
  /** Closes the input, so that the process can end. */
  close(): void;
}

/**
 * Questions on standard error, answers from standard input. Lines that come before they are asked for wait.
 *
 * @returns the questions of this process
 */
export function processQuestions(): Questions {
  const waiting: string[] = [];
  let lines: Interface | undefined;
  let ended: NoAnswerError | undefined;
  let wanted: (() => void) | undefined;

  const open = (): Interface => {
    const made = createInterface({
      input: process.stdin,
      output: process.stderr,
      terminal: process.stdin.isTTY && process.stderr.isTTY,
      historySize: 0,
    });
    const end = (reason: NoAnswerError['reason']): void => {
      ended ??= new NoAnswerError(reason);
      wanted?.();
    };
    made.on('line', (line) => {
      waiting.push(line);
      wanted?.();
    });
    made.on('SIGINT', () => end('interrupted'));
    made.on('close', () => end('end-of-input'));
    return made;
  };

  return {
    interactive: process.stdin.isTTY,
    async ask(prompt) {
      lines ??= open();
      lines.setPrompt(prompt);
      lines.prompt();
      while (waiting.length === 0 && ended === undefined) {
        await new Promise<void>((resolve) => (wanted = resolve));
      }
      const line = waiting.shift();
      if (line === undefined) {
        process.stderr.write('\n');
        throw ended ?? new NoAnswerError('end-of-input');
      }
      return line;
    },
    close() {
      lines?.close();
    },
  };
}

/**
 * Asks a question whose answer is yes or no.
 *
 * @param questions - who is asked
 * @param question - without the choices
 * @param usual - what an empty answer means
 * @returns the answer
 * @throws NoAnswerError when there is none
 */
export async function yesOrNo(questions: Questions, question: string, usual: boolean): Promise<boolean> {
  for (;;) {
    const answer = (await questions.ask(`${question} (y/n) [${usual ? 'y' : 'n'}] `)).trim().toLowerCase();
    if (answer === '') {
      return usual;
    }
    if (/^(y|yes|n|no)$/.test(answer)) {
      return answer.startsWith('y');
    }
  }
}
