import type { Ledger } from '../../ledger/ledger.ts';
import { markKey } from '../../ledger/mark-key.ts';
import type { DirectoryId } from '../../host/user-files.ts';

/*
 * A home that is not mounted looks like a user without a file. So the ledger remembers in which directory a user's file was: by the
 * directory's inode number and its file system's type and id. The number of the device is not among them: NFS, btrfs and others get another
 * one at each boot. Where a file system has no lasting id, or names are encrypted, nobody can prove that it is the same, or that a file was
 * really deleted: then it counts as failed until root says "forget".
 *
 * The marks are times, which only grow: of the file's last place, of each place, of the latest of all, and of the moment when all was
 * forgotten.
 */

/** Remembers where files were. */
export class Places {
  readonly #ledger: Ledger;
  readonly #now: () => number;

  /**
   * @param ledger - where it is kept
   * @param now - the time in milliseconds since 1970
   */
  constructor(ledger: Ledger, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /**
   * Notes that a file is there; writes only when that is new.
   *
   * @param user - whose
   * @param path - of the file
   * @param directory - that holds it
   */
  async note(user: string, path: string, directory: DirectoryId): Promise<void> {
    const seen = this.#lastSeen(user, path);
    const place = placeKey(user, path, directory);
    if (seen !== undefined && this.#at(place) === seen) {
      return;
    }
    const keys = [place, seenKey(user, path), latestKey(user)];
    const time = this.#after([...keys, forgottenKey(user)]);
    await Promise.all(keys.map((key) => this.#ledger.advance(key, time, { kind: 'counter' })));
  }

  /**
   * Whether a file that is missing is really gone: it was never seen, or this is the directory that held it last.
   *
   * @param user - whose
   * @param path - of the file
   * @param directory - that would hold it; null if it is missing as well
   * @returns whether it is
   */
  isGone(user: string, path: string, directory: DirectoryId | null): boolean {
    const seen = this.#lastSeen(user, path);
    return (
      seen === undefined ||
      (directory !== null && !directory.encrypted && this.#at(placeKey(user, path, directory)) === seen)
    );
  }

  /**
   * Forgets where a user's files were: whoever has none from now on is not enrolled.
   *
   * @param user - whose
   * @returns whether that is durable
   */
  async forget(user: string): Promise<boolean> {
    const time = this.#after([latestKey(user), forgottenKey(user)]);
    return (await this.#ledger.advance(forgottenKey(user), time, { kind: 'counter' })) === 'advanced';
  }

  /** Undefined: never, or forgotten since. */
  #lastSeen(user: string, path: string): number | undefined {
    const seen = this.#at(seenKey(user, path));
    return seen !== undefined && seen > (this.#at(forgottenKey(user)) ?? -1) ? seen : undefined;
  }

  /** The time, or later, so that it is later than some marks whatever the clock does. */
  #after(keys: readonly string[]): number {
    return Math.max(Math.floor(this.#now() / 1000), ...keys.map((key) => (this.#at(key) ?? 0) + 1));
  }

  #at(key: string): number | undefined {
    return this.#ledger.mark(key)?.value;
  }
}

function seenKey(user: string, path: string): string {
  return markKey(user, 'home/seen', Buffer.from(path));
}

function placeKey(user: string, path: string, { fileSystem, ino }: DirectoryId): string {
  return markKey(user, 'home/place', Buffer.from(`${fileSystem} ${ino} ${path}`));
}

function latestKey(user: string): string {
  return markKey(user, 'home/latest', Buffer.alloc(0));
}

function forgottenKey(user: string): string {
  return markKey(user, 'home/forgotten', Buffer.alloc(0));
}
