import { createHash } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ConfigError, DEFAULT_CONFIG, parseConfig, type Config } from './config.ts';

/** A larger file is not a configuration. */
const MAX_CONFIG_BYTES = 256 * 1024;
const OWNER_ONLY = 0o600;

/** The settings in use, and the problem of the file if they differ from it. */
export interface LoadedConfig {
  readonly config: Config;
  /** Undefined: the file is in order, or there is none. */
  readonly problem: string | undefined;
  /** SHA-256 of the file, in hex; undefined: there is none, or it cannot be read. */
  readonly digest: string | undefined;
}

/**
 * The digest of a configuration.
 *
 * @param text - of a file
 * @returns its SHA-256, in hex
 */
export function digestOf(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Reads config.toml. If it cannot be used, the last good copy is used.
 *
 * @param file - its path; the file may be missing
 * @param lastGood - where the last good copy is kept
 * @returns the settings
 * @throws ConfigError when it cannot be used and there is no good copy
 */
export function loadConfig(file: string, lastGood: string): LoadedConfig {
  let problem: ConfigError;
  let digest: string | undefined;
  try {
    const text = read(file);
    if (text === undefined) {
      return { config: DEFAULT_CONFIG, problem: undefined, digest };
    }
    digest = digestOf(text);
    const config = parseConfig(text, file);
    keep(text, lastGood);
    return { config, problem: undefined, digest };
  } catch (error) {
    problem =
      error instanceof ConfigError ? error : new ConfigError(`${file}: it cannot be read (${codeOf(error)})`);
  }
  try {
    const text = read(lastGood);
    if (text !== undefined) {
      return {
        config: parseConfig(text, lastGood),
        problem: `${problem.message}. The last good copy is in use.`,
        digest,
      };
    }
  } catch {
    // The problem of the file itself is the one to report.
  }
  throw problem;
}

function read(file: string): string | undefined {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MAX_CONFIG_BYTES) {
      throw new ConfigError(`${file}: it is longer than ${MAX_CONFIG_BYTES} bytes`);
    }
    return bytes.toString();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** Failing to keep a copy does not prevent the start, because the file itself is good. The earlier copy then stays. */
function keep(text: string, lastGood: string): void {
  try {
    if (read(lastGood) === text) {
      return;
    }
    const temporary = `${lastGood}.new`;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const fd = openSync(temporary, flags, OWNER_ONLY);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, lastGood);
  } catch {
    // See above.
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
