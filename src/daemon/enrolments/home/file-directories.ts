import { createHash } from 'node:crypto';
import type { DirectoryId } from '../../../host/user-files.ts';
import type { Ledger, WholeLedger } from '../../ledger/ledger.ts';
import { markKey } from '../../ledger/mark-key.ts';

/*
 * A home that is not mounted looks like a user without a file. So the ledger remembers the directory of a user's file, by its
 * inode number and its file system's type and id. The device number is not used, because NFS, btrfs and others change it at each
 * boot. If a file system has no lasting id, or encrypts names, nobody can prove that the directory is the same, or that a file
 * was really deleted. Then the look-up fails until root runs `forget`.
 *
 * Marks only grow, and a user may make a new directory for every login: so each path has just two marks. Both say when the file
 * was first seen in its last place, and each has half a digest of that place. Two more marks belong to the user: the latest of
 * all times, and the time of the last `forget`.
 */

/** Seconds before another place can replace the last one. Until then, only the last one counts. */
const LASTING_SECONDS = 60;
/** A safe integer holds a time until 2106, and this many more bits. */
const DIGEST_BITS = 21;
const DIGEST_SIZE = 2 ** DIGEST_BITS;
const LAST_TIME = 2 ** 32 - 1;
const PLACE = { kind: 'place' } as const;

/** The name that places are kept under, and its uid; undefined if it has no account. */
export interface PlaceOwner {
  readonly user: string;
  readonly uid: number | undefined;
}

/** Remembers the directories of files. */
export class FileDirectories {
  readonly #ledger: WholeLedger;
  readonly #now: () => number;

  /**
   * @param ledger - where it is kept
   * @param now - the time in milliseconds since 1970
   */
  constructor(ledger: WholeLedger, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /**
   * Notes that a file exists. Writes only if that is news.
   *
   * @param owner - whose
   * @param path - of the file
   * @param directory - that has it
   */
  async note(owner: PlaceOwner, path: string, directory: DirectoryId): Promise<void> {
    const { user } = owner;
    const seen = this.#lastSeen(user, path);
    if (seen !== undefined && (isSame(seen, path, directory) || this.#isYoung(seen))) {
      return;
    }
    const time = this.#after(user, path);
    const ledger = this.#of(owner);
    const halves = halvesOf(path, directory).map((half, index) =>
      ledger.advance(seenKey(user, path, index), time * DIGEST_SIZE + half, PLACE),
    );
    await Promise.all([...halves, ledger.advance(latestKey(user), time, PLACE)]);
  }

  /**
   * Whether a missing file is really deleted: it was never seen, or this directory is the last one that had it.
   *
   * @param user - whose
   * @param path - of the file
   * @param directory - that would have it; null if it is missing, too
   * @returns whether it is
   */
  isGone(user: string, path: string, directory: DirectoryId | null): boolean {
    const seen = this.#lastSeen(user, path);
    return (
      seen === undefined || (directory !== null && !directory.encrypted && isSame(seen, path, directory))
    );
  }

  /**
   * Forgets where a user's files were. From then on, a user without a file is not enrolled.
   *
   * @param user - whose
   * @returns whether that is durable
   */
  async forget(user: string): Promise<boolean> {
    const times = [this.#at(latestKey(user)), this.#at(forgottenKey(user))];
    const ledger = this.#of({ user, uid: undefined });
    return (await ledger.advance(forgottenKey(user), this.#later(times), PLACE)) === 'advanced';
  }

  /** Undefined if never seen, or forgotten since. */
  #lastSeen(user: string, path: string): Seen | undefined {
    const [first, second] = this.#marksOf(user, path);
    if (first === undefined && second === undefined) {
      return undefined;
    }
    const time = Math.max(timeOf(first), timeOf(second));
    // A half-written place, after a crash, is not a known place.
    const whole = timeOf(first) === timeOf(second);
    const halves = whole ? [first, second].map((mark) => (mark ?? 0) % DIGEST_SIZE) : [];
    return time > (this.#at(forgottenKey(user)) ?? -1) ? { time, halves } : undefined;
  }

  /** A time in the future comes from a wrong clock. */
  #isYoung({ time, halves }: Seen): boolean {
    return halves.length > 0 && Math.abs(this.#now() / 1000 - time) < LASTING_SECONDS;
  }

  /** The time, moved if necessary to be later than all marks of the user, whatever the clock does. */
  #after(user: string, path: string): number {
    return this.#later([
      ...this.#marksOf(user, path).map((mark) => timeOf(mark)),
      this.#at(latestKey(user)),
      this.#at(forgottenKey(user)),
    ]);
  }

  #later(times: readonly (number | undefined)[]): number {
    const time = Math.max(Math.floor(this.#now() / 1000), ...times.map((one) => (one ?? 0) + 1));
    return Math.min(time, LAST_TIME);
  }

  #marksOf(user: string, path: string): readonly [number | undefined, number | undefined] {
    return [this.#at(seenKey(user, path, 0)), this.#at(seenKey(user, path, 1))];
  }

  #of({ uid }: PlaceOwner): Ledger {
    return this.#ledger.of({ uid, keep: 'always' });
  }

  #at(key: string): number | undefined {
    return this.#ledger.mark(key)?.value;
  }
}

interface Seen {
  /** Seconds since 1970. */
  readonly time: number;
  /** Digest of the place; none if the place is unknown. */
  readonly halves: readonly number[];
}

function isSame({ halves }: Seen, path: string, directory: DirectoryId): boolean {
  const [first, second] = halvesOf(path, directory);
  return halves[0] === first && halves[1] === second;
}

function timeOf(mark: number | undefined): number {
  return Math.floor((mark ?? 0) / DIGEST_SIZE);
}

function halvesOf(path: string, { fileSystem, ino }: DirectoryId): readonly [number, number] {
  const digest = createHash('sha256').update(`${fileSystem} ${ino} ${path}`).digest();
  return [digest.readUInt32BE(0) % DIGEST_SIZE, digest.readUInt32BE(4) % DIGEST_SIZE];
}

function seenKey(user: string, path: string, half: number): string {
  return markKey(user, `home/seen/${half}`, Buffer.from(path));
}

function latestKey(user: string): string {
  return markKey(user, 'home/latest', Buffer.alloc(0));
}

function forgottenKey(user: string): string {
  return markKey(user, 'home/forgotten', Buffer.alloc(0));
}
