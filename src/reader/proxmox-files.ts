import { LARGEST_PLAIN_FILE, readPlainFile, type FileRead } from '../host/user-files.ts';
import type { ProxmoxAnswer, ProxmoxFile, ProxmoxProduct } from '../contracts/file-requests.ts';
import type { Threads } from '../host/threads.ts';

/* Answers requests about the files of Proxmox. */

/** Where each product keeps its files. */
export type ProxmoxDirectories = Readonly<Record<ProxmoxProduct, string>>;

/** The only files that are read. The others count only if the directory of the first exists. */
const FILES: Readonly<Record<ProxmoxProduct, readonly string[]>> = {
  pve: ['priv/tfa.cfg', 'user.cfg', 'domains.cfg'],
  pbs: ['tfa.json'],
};
/** Each product has a thread of its own: its number for {@link Threads}. */
const LANE: Readonly<Record<ProxmoxProduct, number>> = { pve: 0, pbs: 1 };
/** How often a file is read again if it was replaced meanwhile: the cluster file system looks the name up for each call. */
const TRIES = 10;

/** Reads the files of Proxmox. */
export class ProxmoxFiles {
  readonly #threads: Threads;
  readonly #directories: ProxmoxDirectories;

  /**
   * @param threads - separate threads, so that hanging homes and a hanging cluster file system do not block each other
   * @param directories - where the files are
   */
  constructor(threads: Threads, directories: ProxmoxDirectories) {
    this.#threads = threads;
    this.#directories = directories;
  }

  /**
   * Reads all files of a product, one after the other on threads of their own.
   *
   * @param product - whose
   * @param wanted - whether somebody still waits for the answer
   * @returns the answer; it holds secrets
   */
  read(product: ProxmoxProduct, wanted: () => boolean): Promise<ProxmoxAnswer> {
    return this.#threads.run<ProxmoxAnswer>(LANE[product], {
      start: async () => {
        const files: Record<string, ProxmoxFile> = {};
        const devices = new Set<string>();
        for (const name of FILES[product]) {
          const { file, device } = await readAtRest(`${this.#directories[product]}/${name}`);
          files[name] = file;
          if (device !== undefined) {
            devices.add(device);
          }
        }
        // The file system was mounted or unmounted meanwhile, so missing files may exist after all.
        return devices.size > 1 ? { kind: 'busy' } : { kind: 'files', files };
      },
      wanted,
      discard: () => undefined,
    });
  }
}

interface Found {
  readonly file: ProxmoxFile;
  /** Of the directory that holds it; undefined: not known. */
  readonly device?: string | undefined;
}

async function readAtRest(path: string): Promise<Found> {
  for (let tries = 1; ; tries++) {
    const read = await readPlainFile(path, LARGEST_PLAIN_FILE);
    const meanwhile = read.kind === 'failed' && ['EAGAIN', 'ENOENT', 'ESTALE'].includes(read.code);
    if (!meanwhile || tries === TRIES) {
      return answerOf(read);
    }
  }
}

function answerOf(read: FileRead): Found {
  switch (read.kind) {
    case 'read': {
      const contents = read.contents.toString('base64');
      read.contents.fill(0);
      return { file: { kind: 'read', contents }, device: read.directory.dev };
    }
    case 'missing':
      return { file: { kind: 'missing', directory: read.directory !== null }, device: read.directory?.dev };
    case 'unfit':
      // An empty file counts as readable here.
      return {
        file: read.why === 'empty' ? { kind: 'read', contents: '' } : { kind: 'failed', why: read.why },
      };
    case 'failed':
      return { file: { kind: 'failed', why: `${read.step}: ${read.code}` } };
  }
}
