import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { ENROLMENTS, readFile, type StoreFiles } from './store-files.ts';

const BIGINT = { bigint: true } as const;
/** Longer than the clock tick of any file system, in milliseconds. */
const TICK_MS = 2_000;

/** The owner that a record names, and the state of its file at that time; undefined if this program wrote it. */
interface Entry {
  readonly state: string | undefined;
  readonly uid: number | undefined;
}

/**
 * Maps uids to records of the store, whatever the names of the files. The records themselves say it, so the index needs no file
 * of its
 * own. It follows the writes of this program, and reads the directory again if somebody else has changed it, such as an
 * administrator who restores a backup.
 */
export class UidIndex {
  readonly #files: StoreFiles;
  readonly #entries = new Map<string, Entry>();
  /** The entries by uid; made when it is asked for. */
  #byUid: Map<number, string[]> | undefined;
  /** The state of the directory that the entries belong to. */
  #directory: string | undefined;
  /** Two changes within one clock tick have the same time, so the directory is read once more after the tick. */
  #recheck = false;

  /** @param files - the state directory */
  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /**
   * The files whose records belong to a uid.
   *
   * @param uid - the uid
   * @returns names of files, sorted
   * @throws Error of the system when the directory cannot be read
   */
  filesOf(uid: number): readonly string[] {
    const status = this.#status('');
    const settled = Date.now() - Number(status.mtimeMs) > TICK_MS;
    if (this.#directory !== stateOf(status) || (this.#recheck && settled)) {
      this.#readAll();
      this.#directory = stateOf(status);
      this.#recheck = !settled;
    }
    this.#byUid ??= groupedByUid(this.#entries);
    return this.#byUid.get(uid) ?? [];
  }

  /**
   * Lets this program change records without reading all others again.
   *
   * @param after - names of files, with the uid whose record each holds afterwards; undefined if it is removed
   * @param change - makes the change
   * @throws what the change throws: then the directory is read again
   */
  changed(after: Readonly<Record<string, number | undefined>>, change: () => void): void {
    const known = this.#directory !== undefined && this.#directory === this.#stateNow();
    change();
    if (!known) {
      return;
    }
    this.#byUid = undefined;
    for (const [name, uid] of Object.entries(after)) {
      if (uid === undefined) {
        this.#entries.delete(name);
      } else {
        this.#entries.set(name, { state: undefined, uid });
      }
    }
    this.#directory = this.#stateNow();
    this.#recheck = true;
  }

  #readAll(): void {
    this.#byUid = undefined;
    const names = readdirSync(this.#files.path(ENROLMENTS)).filter(isRecordFile);
    const there = new Set(names);
    for (const name of this.#entries.keys()) {
      if (!there.has(name)) {
        this.#entries.delete(name);
      }
    }
    for (const name of names) {
      const state = stateOf(this.#status(`/${name}`));
      if (this.#entries.get(name)?.state !== state) {
        this.#entries.set(name, { state, uid: this.#uidIn(name) });
      }
    }
  }

  /** A damaged record may still name its owner. */
  #uidIn(name: string): number | undefined {
    try {
      const { text } = readFile(this.#files, `${ENROLMENTS}/${name}`);
      const uid = /"uid"\s*:\s*(\d{1,10})\b/.exec(text)?.[1];
      return uid === undefined ? undefined : Number(uid);
    } catch {
      return undefined;
    }
  }

  #stateNow(): string | undefined {
    try {
      return stateOf(this.#status(''));
    } catch {
      return undefined;
    }
  }

  #status(below: string): BigIntStats {
    return lstatSync(this.#files.path(`${ENROLMENTS}${below}`), BIGINT);
  }
}

function isRecordFile(name: string): boolean {
  return name.endsWith('.json') && !name.startsWith('.');
}

/** A compact form, because there is one for each record. */
function stateOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function groupedByUid(entries: ReadonlyMap<string, Entry>): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const [name, { uid }] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (uid !== undefined) {
      groups.set(uid, [...(groups.get(uid) ?? []), name]);
    }
  }
  return groups;
}
