import { hintFor } from './server-hints.ts';
import type { Log } from './log.ts';

/** A failure of a validation server. */
interface Failure {
  readonly server: string;
  readonly why: string;
}

/** Receives reports about look-ups of YubiKeys. */
interface Reports {
  misconfigured(failures: readonly Failure[]): void;
  unavailable(failures: readonly Failure[]): void;
  degraded(failures: readonly Failure[]): void;
}

/**
 * Logs what goes wrong with validation servers.
 *
 * @param log - the log
 * @returns who logs it
 */
export function lookUpReports(log: Log): Reports {
  return {
    misconfigured: (failures) =>
      log.event('alert', 'The validation servers reject our requests: check [yubico] in config.toml', {
        servers: list(failures),
        hint: hintOf(failures),
      }),
    unavailable: (failures) =>
      log.event('error', 'No validation server could check a YubiKey', {
        servers: list(failures),
        hint: hintOf(failures),
      }),
    degraded: (failures) =>
      log.event('warning', 'Some validation servers failed', { servers: list(failures) }),
  };
}

function list(failures: readonly Failure[]): string {
  return failures.map(({ server, why }) => `${server}: ${why}`).join('; ');
}

/** The hint for the first failure that has one. */
function hintOf(failures: readonly Failure[]): string | undefined {
  return failures.map(({ why }) => hintFor(why)).find((hint) => hint !== undefined);
}
