import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { lockExclusively } from './addon.ts';

/** Why the state directory cannot be used. */
export type StateDirectoryErrorCode = 'ERR_STATE_IN_USE' | 'ERR_STATE_UNREADABLE' | 'ERR_STATE_NOT_EMPTY';

/** The state directory cannot be used; the message says what to do. */
export class StateDirectoryError extends Error {
  readonly code: StateDirectoryErrorCode;
  /**
   * @param code - which
   * @param message - what is wrong and what to do
   */
  constructor(code: StateDirectoryErrorCode, message: string) {
    super(message);
    this.name = 'StateDirectoryError';
    this.code = code;
  }
}

/**
 * The daemon's state directory, opened once and locked for the daemon's life. All paths lead through the open descriptor, so they
 * mean the same directory even when something else is mounted over its name.
 */
export class StateDirectory {
  /** The name by which it was opened, for messages. */
  readonly name: string;
  readonly #fd: number;

  private constructor(name: string, fd: number) {
    this.name = name;
    this.#fd = fd;
  }

  /**
   * Opens and locks a state directory.
   *
   * @param name - its path
   * @returns the directory
   * @throws StateDirectoryError when it cannot be opened, or another daemon holds it
   */
  static open(name: string): StateDirectory {
    let fd: number;
    try {
      fd = openSync(name, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (error) {
      throw new StateDirectoryError(
        'ERR_STATE_UNREADABLE',
        `The state directory ${name} cannot be opened (${codeOf(error)}). Is it there, and does it belong to the daemon's user?`,
      );
    }
    if (!lockExclusively(fd)) {
      closeSync(fd);
      throw new StateDirectoryError(
        'ERR_STATE_IN_USE',
        `Another daemon uses the state directory ${name}. Stop it first, or start this one with another --state-dir.`,
      );
    }
    return new StateDirectory(name, fd);
  }

  /**
   * The path of a file in the directory.
   *
   * @param relative - its name, below the directory
   * @returns a path that leads through the open descriptor
   */
  path(relative: string): string {
    return `/proc/self/fd/${this.#fd}/${relative}`;
  }

  /** Makes changes of names in the directory itself durable. */
  sync(): void {
    fsyncSync(this.#fd);
  }

  /** Closes the directory and gives up the lock. */
  close(): void {
    closeSync(this.#fd);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
