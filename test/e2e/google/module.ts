import type { Reason } from './scenario.ts';
import type { Visit, Visited } from './host.ts';

/** A PAM module, with all that it needs around it. */
export interface Module {
  /** Where its PAM services are. */
  readonly confdir: string;
  /** How its lines of pam.d begin. */
  readonly line: string;
  /** The environment of the hosts that load it. */
  readonly environment: NodeJS.ProcessEnv;

  /**
   * Whether it logged a reason for the end of a login.
   *
   * @param reason - the reason
   * @param says - the text that the log must have besides
   * @param visit - the login
   * @param visited - how it ended
   * @returns the reason, if its log has it; otherwise the log's text
   */
  logged(reason: Reason, says: RegExp, visit: Visit, visited: Visited): Promise<string> | string;
}
