import type { ControlClient } from './control-client.ts';
import type { Output } from '../terminal/output.ts';
import type { Questions } from '../terminal/questions.ts';

/** What every command works with. */
export interface Session {
  readonly output: Output;
  readonly questions: Questions;
  /** @returns the connection to the daemon that the options name */
  daemon(): ControlClient;
  /** @returns the time in milliseconds since 1970 */
  now(): number;
  /** Whether root runs the command. */
  readonly root: boolean;
  /** @returns the name of the account that runs the command */
  self(): string;
}
