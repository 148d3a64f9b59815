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
   * @param says - what the log has to say beside it
   * @param visit - the login
   * @param visited - how it ended
   * @returns the reason, if its log says so; else what it says
   */
  logged(reason: Reason, says: RegExp, visit: Visit, visited: Visited): Promise<string> | string;
}
