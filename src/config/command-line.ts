import { parseArgs } from 'node:util';
import { DAEMON_HELP } from './help.ts';

const DEFAULT_RUNTIME_DIR = '/run/pve-authenticator';
const DEFAULT_STATE_DIR = '/var/lib/pve-authenticator';
const DEFAULT_CONFIG_FILE = '/etc/pve-authenticator/config.toml';

/** The daemon's parsed command line. */
export interface CommandLine {
  /** Where the sockets are. */
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly configFile: string;
  /** Never make a new store: the state directory may be a mount point whose file system is missing. */
  readonly requireState: boolean;
  /** Make the store if there is none, and end. */
  readonly initState: boolean;
  /** Start the reader of users' files as a child, which ends with the daemon: for running from a checkout. */
  readonly withFiles: boolean;
}

/** A command line that cannot be read. */
export class UsageError extends Error {
  readonly code = 'ERR_USAGE';
  /** @param message - which option is wrong */
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/**
 * The text of --help or --version.
 *
 * @param argv - without the program's name
 * @param version - of the program
 * @returns the text; undefined if the program should start
 */
export function toldInstead(argv: readonly string[], version: string): string | undefined {
  if (argv.includes('--help') || argv.includes('-h')) {
    return DAEMON_HELP;
  }
  return argv.includes('--version') ? `pve-authenticatord ${version}` : undefined;
}

/**
 * Reads the daemon's command line.
 *
 * @param argv - without the program's name
 * @returns the options, with defaults
 * @throws UsageError for an option that is not known or lacks its value, and for two that contradict each other
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        'runtime-dir': { type: 'string', default: DEFAULT_RUNTIME_DIR },
        'state-dir': { type: 'string', default: DEFAULT_STATE_DIR },
        config: { type: 'string', default: DEFAULT_CONFIG_FILE },
        'require-state': { type: 'boolean', default: false },
        'init-state': { type: 'boolean', default: false },
        'with-files': { type: 'boolean', default: false },
      },
    });
    if (values['require-state'] && values['init-state']) {
      throw new Error('--require-state and --init-state contradict each other');
    }
    return {
      runtimeDir: values['runtime-dir'],
      stateDir: values['state-dir'],
      configFile: values.config,
      requireState: values['require-state'],
      initState: values['init-state'],
      withFiles: values['with-files'],
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'the options cannot be read');
  }
}
