import { parseArgs } from 'node:util';
import { READER_HELP } from './help.ts';

const DEFAULT_RUNTIME_DIR = '/run/pve-authenticator';
const PVE_DIR = '/etc/pve';
const PBS_DIR = '/etc/proxmox-backup';

/** The reader's parsed command line. */
export interface CommandLine {
  /** Where files.sock is. */
  readonly runtimeDir: string;
  /** The user who may ask: a name or a number; undefined: the reader's own user. */
  readonly daemon: string | number | undefined;
  /** Whether it runs as a child: it reports on standard output when it is ready, and ends when its standard input ends. */
  readonly attached: boolean;
  /** Where the files of Proxmox VE and Proxmox Backup Server are; other places than their own are for tests. */
  readonly proxmox: { readonly pve: string; readonly pbs: string };
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
    return READER_HELP;
  }
  return argv.includes('--version') ? `pve-authenticator-files ${version}` : undefined;
}

/**
 * Reads the reader's command line.
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
        'daemon-user': { type: 'string' },
        'daemon-uid': { type: 'string' },
        attached: { type: 'boolean', default: false },
        'pve-dir': { type: 'string', default: PVE_DIR },
        'pbs-dir': { type: 'string', default: PBS_DIR },
      },
    });
    const name = values['daemon-user'];
    const uid = values['daemon-uid'];
    if (name !== undefined && uid !== undefined) {
      throw new Error('--daemon-user and --daemon-uid contradict each other');
    }
    if (uid !== undefined && !/^(0|[1-9][0-9]{0,9})$/.test(uid)) {
      throw new Error('--daemon-uid must be a number');
    }
    return {
      runtimeDir: values['runtime-dir'],
      daemon: uid === undefined ? name : Number(uid),
      attached: values.attached,
      proxmox: { pve: absolute('pve-dir', values['pve-dir']), pbs: absolute('pbs-dir', values['pbs-dir']) },
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'the options cannot be read');
  }
}

function absolute(option: string, path: string): string {
  if (!/^\/.*[^/]$/.test(path)) {
    throw new Error(`--${option} must be an absolute path`);
  }
  return path;
}
