import type { ProxmoxProduct } from '../../../contracts/file-requests.ts';
import { timeLimit } from '../../../host/time-limit.ts';
import { FormatError } from './format-error.ts';
import type { Copy, FileTexts, LastGood } from './last-good.ts';
import { textOf } from './file-text.ts';
import { troubleIn, type ProxmoxFiles, type ProxmoxRead } from './proxmox-files.ts';

/* Reads and parses the files of a product for each question, with the last good copy as a fallback. */

/**
 * The longest wait for the files, in milliseconds. The module waits 5 seconds for its first question, and homes may take most of
 * that.
 */
const READ_MS = 1_000;
/** Errors while a file system is not there. Proxmox cannot read the file then either, and nobody can change it. */
const OUTAGE = /: (?:EAGAIN|ECONNABORTED|EINTR|EIO|EMFILE|ENFILE|ENOENT|ENOMEM|ENOTCONN|ESTALE|ETIMEDOUT)$/;

/** The parsers of a product's files. A parser throws a FormatError for an unusable text. */
export interface FileParsers<T> {
  readonly product: ProxmoxProduct;
  /** The file whose directory must exist; if it does not, nothing is mounted. */
  readonly anchor: string;
  /** @returns the parsed files; a missing file is null. @throws FormatError */
  readonly parse: (texts: FileTexts) => T;
  /** Names of all files. */
  readonly names: readonly string[];
}

/** The parsed files. `failed`: they cannot be read, and never could. */
export type Current<T> =
  | {
      readonly kind: 'known';
      readonly config: T;
      /** Why one of the files differs from `config`: it exists, but could not be parsed. */
      readonly doubt: string | undefined;
    }
  | { readonly kind: 'failed'; readonly why: string };

/** The last usable files, parsed. A doubt lasts until its file can be read again, also over restarts. */
interface Good<T> {
  readonly copy: Copy;
  readonly config: T;
}

/** Receives reports about the files, for the log; each problem once. */
export interface CurrentReports {
  /** `served`: the last good copy is used; `doubted`: but not for users without a factor in it. */
  trouble(why: string, served: boolean, doubted: boolean): void;
  recovered(): void;
}

/**
 * The files of a product as they are now. They are read again for each question. Questions that come during a reading share the
 * next one, so no answer is older than its question. Files that cannot be read or parsed are replaced by their last good copy.
 */
export class CurrentFiles<T> {
  readonly #files: ProxmoxFiles;
  readonly #parsers: FileParsers<T>;
  readonly #lastGood: LastGood;
  readonly #reports: CurrentReports;
  #good: Good<T> | undefined;
  #trouble: string | undefined;
  #reading: Promise<ProxmoxRead> | undefined;
  #next: Promise<ProxmoxRead> | undefined;

  /**
   * @param files - who reads
   * @param parsers - parse them
   * @param lastGood - keeps the copy
   * @param reports - gets reports
   */
  constructor(files: ProxmoxFiles, parsers: FileParsers<T>, lastGood: LastGood, reports: CurrentReports) {
    this.#files = files;
    this.#parsers = parsers;
    this.#lastGood = lastGood;
    this.#reports = reports;
    this.#good = this.#loadCopy();
  }

  /** @returns the current files, or the last readable ones; it never rejects */
  async current(): Promise<Current<T>> {
    const trouble = this.#take(await withinTime(this.#read()));
    if (trouble !== undefined && trouble !== this.#trouble) {
      this.#reports.trouble(trouble, this.#good !== undefined, this.#doubt() !== undefined);
    } else if (trouble === undefined && this.#trouble !== undefined) {
      this.#reports.recovered();
    }
    this.#trouble = trouble;
    return this.#good === undefined
      ? { kind: 'failed', why: trouble ?? 'the files of Proxmox were never read' }
      : { kind: 'known', config: this.#good.config, doubt: this.#doubt() };
  }

  /** A question during a reading gets the next reading, which begins after the question. */
  #read(): Promise<ProxmoxRead> {
    if (this.#reading === undefined) {
      const reading = this.#files.read(this.#parsers.product).finally(() => {
        this.#reading = undefined;
      });
      this.#reading = reading;
      return reading;
    }
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      return this.#read();
    });
    return this.#next;
  }

  /** Keeps the usable files, and reports the others. */
  #take(read: ProxmoxRead): string | undefined {
    if (read.kind !== 'files') {
      return troubleIn(read);
    }
    const { anchor, names } = this.#parsers;
    const before = this.#good?.copy;
    const first = read.files[anchor];
    if (first?.kind === 'missing' && !first.directory) {
      return 'the directory of Proxmox is not there: is its file system mounted?';
    }
    const troubles: string[] = [];
    const doubts: Record<string, string> = {};
    const texts: Record<string, string | null> = {};
    for (const name of names) {
      const file = read.files[name];
      const text = file?.kind === 'read' ? textOf(Buffer.from(file.contents, 'base64')) : null;
      const trouble = file?.kind === 'failed' ? `${name}: ${file.why}` : this.#troubleWith(name, text);
      if (trouble === undefined) {
        texts[name] = text;
        continue;
      }
      troubles.push(trouble);
      texts[name] = before?.texts[name] ?? null;
      const away = file?.kind === 'failed' && OUTAGE.test(file.why);
      const doubt = away ? before?.doubts[name] : trouble;
      if (doubt !== undefined) {
        doubts[name] = doubt;
      }
    }
    // Without a copy of an unusable file, its contents are unknown; that must not count as empty.
    if (troubles.length === 0 || before !== undefined) {
      this.#keep({ texts, doubts });
    }
    return troubles.length === 0 ? undefined : troubles.join('; ');
  }

  #doubt(): string | undefined {
    const doubts = Object.values(this.#good?.copy.doubts ?? {});
    return doubts.length === 0 ? undefined : doubts.join('; ');
  }

  #troubleWith(name: string, text: string | null): string | undefined {
    if (this.#good?.copy.texts[name] === text) {
      return undefined;
    }
    try {
      this.#parsers.parse({ [name]: text });
      return undefined;
    } catch (error) {
      return `${name}: ${error instanceof FormatError ? error.message : 'it cannot be understood'}`;
    }
  }

  #keep(copy: Copy): void {
    const before = this.#good;
    let good: Good<T>;
    if (before === undefined || this.#differs(before.copy.texts, copy.texts)) {
      good = { copy, config: this.#parsers.parse(copy.texts) };
    } else {
      good = this.#differs(before.copy.doubts, copy.doubts) ? { ...before, copy } : before;
    }
    this.#good = good;
    this.#lastGood.keep(good.copy);
  }

  #differs(before: FileTexts, after: FileTexts): boolean {
    return this.#parsers.names.some((name) => before[name] !== after[name]);
  }

  #loadCopy(): Good<T> | undefined {
    const copy = this.#lastGood.load();
    try {
      return copy === undefined ? undefined : { copy, config: this.#parsers.parse(copy.texts) };
    } catch {
      return undefined;
    }
  }
}

async function withinTime(reading: Promise<ProxmoxRead>): Promise<ProxmoxRead> {
  let forget = (): void => undefined;
  const deadline = new Promise<ProxmoxRead>((resolve) => {
    forget = timeLimit(READ_MS, () => resolve({ kind: 'hung' }));
  });
  try {
    return await Promise.race([reading, deadline]);
  } finally {
    forget();
  }
}
