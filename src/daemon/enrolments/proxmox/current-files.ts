import type { ProxmoxProduct } from '../../../contracts/file-requests.ts';
import { FormatError } from './format-error.ts';
import type { Copy, FileTexts, LastGood } from './last-good.ts';
import { textOf } from './file-text.ts';
import { troubleIn, type ProxmoxFiles, type ProxmoxRead } from './proxmox-files.ts';

/** The module waits 5 seconds for its first question, and homes may take most of them. Milliseconds. */
const READ_MS = 1_000;
/** Why a file cannot be read while its file system is away: Proxmox cannot read it then either, and nobody changes it. */
const OUTAGE = /: (?:EAGAIN|ECONNABORTED|EINTR|EIO|EMFILE|ENFILE|ENOENT|ENOMEM|ENOTCONN|ESTALE|ETIMEDOUT)$/;

/** How the texts of a product's files become what they mean. A parser throws a FormatError for a text that cannot be used. */
export interface FileParsers<T> {
  readonly product: ProxmoxProduct;
  /** The file whose directory must be there: without it nothing is mounted. */
  readonly anchor: string;
  /** @returns what the files mean; a file that is missing is null. @throws FormatError */
  readonly parse: (texts: FileTexts) => T;
  /** Names of all files. */
  readonly names: readonly string[];
}

/** What the files say. `failed`: they cannot be read, and never could. */
export type Current<T> =
  | {
      readonly kind: 'known';
      readonly config: T;
      /** Why one of the files says something else than `config`: it is there, but could not be understood. */
      readonly doubt: string | undefined;
    }
  | { readonly kind: 'failed'; readonly why: string };

/** The last files that could be used, and what they mean. A doubt lasts until its file can be read again, across restarts too. */
interface Good<T> {
  readonly copy: Copy;
  readonly config: T;
}

/** What is told of the files, for the log; each trouble once. */
export interface CurrentReports {
  /** `served`: the last good copy stands in; `doubted`: but not for whoever has no factor in it. */
  trouble(why: string, served: boolean, doubted: boolean): void;
  recovered(): void;
}

/**
 * The files of a product as they are now. They are read anew for each question; questions that come while one waits share the next
 * reading, so that no answer is older than its question. What cannot be read or understood is replaced by its last good copy.
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
   * @param parsers - what they mean
   * @param lastGood - where a copy is kept
   * @param reports - what to tell
   */
  constructor(files: ProxmoxFiles, parsers: FileParsers<T>, lastGood: LastGood, reports: CurrentReports) {
    this.#files = files;
    this.#parsers = parsers;
    this.#lastGood = lastGood;
    this.#reports = reports;
    this.#good = this.#loadCopy();
  }

  /** @returns what the files say now, or said when they could be read last; it never rejects */
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

  /** Whoever comes while a reading is under way gets the one after it, which begins later than the question. */
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

  /** Takes over what can be used; says what cannot. */
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
    // Without a copy of what cannot be used nothing is known: it must not be taken for "nothing".
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
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<ProxmoxRead>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'hung' }), READ_MS);
  });
  try {
    return await Promise.race([reading, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
