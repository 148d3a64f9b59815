import { groupsOf, lookUpUid, lookUpUser, type PasswdEntry } from './addon.ts';
import { Threads, type NotServed, type ThreadLimits, type ThreadReports } from './threads.ts';

/** Threads for logins and for root's commands. A login waits three seconds at most, because the module gives up after five. */
const ROOT_LIMITS: ThreadLimits = { threads: 8, deadlineMs: 2_000, waitMs: 1_000 };
/** Threads for programs that are not root, so that these cannot take a thread away from a login. */
const OTHERS_LIMITS: ThreadLimits = { ...ROOT_LIMITS, threads: 4 };

/** The name service gave no answer in time, or too many others wait for it. */
export class NameServiceError extends Error {
  readonly code = 'ERR_NAME_SERVICE';
  /** @param kind - `hung`: it did not answer about this person; `busy`: no thread was free */
  constructor(kind: NotServed['kind']) {
    super(
      kind === 'hung' ? 'the name service does not answer' : 'too many look-ups wait for the name service',
    );
    this.name = 'NameServiceError';
  }
}

/** The owner of the program that causes a look-up; left out for logins of root's programs. */
export interface Asker {
  readonly uid: number;
}

/** The system's look-ups, each on its own thread. */
export interface LookUps {
  lookUpUser(name: string): Promise<PasswdEntry | undefined>;
  lookUpUid(uid: number): Promise<PasswdEntry | undefined>;
  groupsOf(name: string, gid: number): Promise<readonly string[]>;
}

const ROOT_UID = 0;
/** The queue of root's commands, because a list looks everybody up. */
const COMMANDS = 'commands of root';

/**
 * Asks the name service, which may be on the network, and may hang. Look-ups have a few threads of their own, one for each person
 * who logs in, and a deadline of two seconds. Logins that do not need the answer never wait for it. Programs that are not root
 * have other threads, one for
 * each uid, whatever names they ask for.
 */
export class NameService {
  readonly #root: Threads<string>;
  readonly #others: Threads;
  readonly #ask: LookUps;

  /**
   * @param reports - gets reports of hanging look-ups, with the name, or `uid` and the number
   * @param others - the same for programs that are not root, with the uid of the program
   * @param ask - the system's look-ups
   */
  constructor(
    reports: ThreadReports<string>,
    others: ThreadReports,
    ask: LookUps = { lookUpUser, lookUpUid, groupsOf },
  ) {
    this.#root = new Threads(reports, ROOT_LIMITS);
    this.#others = new Threads(others, OTHERS_LIMITS);
    this.#ask = ask;
  }

  /**
   * Looks a user up by name.
   *
   * @param name - not empty, without NUL
   * @param asker - who causes it
   * @returns the entry, or undefined if there is none
   * @throws NameServiceError when there is no answer in time; Error as `lookUpUser` of the addon
   */
  userNamed(name: string, asker?: Asker): Promise<PasswdEntry | undefined> {
    return this.#run(name, asker, () => this.#ask.lookUpUser(name));
  }

  /**
   * Looks a user up by number.
   *
   * @param uid - the number
   * @param asker - who causes it
   * @returns the entry, or undefined if there is none
   * @throws NameServiceError when there is no answer in time; Error as `lookUpUid` of the addon
   */
  userNumbered(uid: number, asker?: Asker): Promise<PasswdEntry | undefined> {
    return this.#run(`uid ${uid}`, asker, () => this.#ask.lookUpUid(uid));
  }

  /**
   * Looks up which groups a user is in.
   *
   * @param name - of the user
   * @param gid - the user's own group
   * @param asker - who causes it
   * @returns the names of the groups
   * @throws NameServiceError when there is no answer in time; Error as `groupsOf` of the addon
   */
  groupsOf(name: string, gid: number, asker?: Asker): Promise<readonly string[]> {
    return this.#run(name, asker, () => this.#ask.groupsOf(name, gid));
  }

  async #run<T>(person: string, asker: Asker | undefined, start: () => Promise<T>): Promise<T> {
    // Wrapped in an object, because the result may be any value.
    const work = {
      start: async () => ({ kind: 'found' as const, value: await start() }),
      wanted: () => true,
      discard: () => undefined,
    };
    const result =
      asker === undefined || asker.uid === ROOT_UID
        ? await this.#root.run(asker === undefined ? person : COMMANDS, work)
        : await this.#others.run(asker.uid, work);
    if (result.kind !== 'found') {
      throw new NameServiceError(result.kind);
    }
    return result.value;
  }
}

/** Receives reports of hanging look-ups. */
export interface NameServiceReports {
  readonly root: ThreadReports<string>;
  readonly others: ThreadReports;
}

let reports: NameServiceReports | undefined;

/** The name service of this process, which shares its threads. */
export const nameService = new NameService(
  {
    hung: (person) => reports?.root.hung(person),
    returned: (person) => reports?.root.returned(person),
    exhausted: () => reports?.root.exhausted(),
  },
  {
    hung: (uid) => reports?.others.hung(uid),
    returned: (uid) => reports?.others.returned(uid),
    exhausted: () => reports?.others.exhausted(),
  },
);

/**
 * Sets the receiver of reports of hanging look-ups in {@link nameService}.
 *
 * @param to - them
 */
export function reportNameService(to: NameServiceReports): void {
  reports = to;
}
