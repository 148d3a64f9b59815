import type { ControlClient } from './control-client.ts';
import type { Output } from './output.ts';

/** What every command works with. */
export interface Session {
  readonly output: Output;
  /** @returns the connection to the daemon that the options name */
  daemon(): ControlClient;
}
