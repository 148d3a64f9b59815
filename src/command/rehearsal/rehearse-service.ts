import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { packageFile } from '../../host/package-root.ts';
import type { ReadService } from '../pam-d/stack.ts';
import { rehearse, type Rehearsed } from './libpam.ts';
import type { Person } from './person.ts';
import { refusedAt, tracedCopy, type StepResult } from './traced-copy.ts';

/** What to rehearse. */
export interface ServiceRehearsal {
  readonly service: string;
  readonly user: string;
  readonly read: ReadService;
  /** Where PAM finds its modules. */
  readonly modules: string;
  readonly tty: string;
  readonly rhost?: string | undefined;
  /** The PAM_RUSER by which the daemon recognises a rehearsal. */
  readonly ruser: string;
  /** Whether accounts without a password stay out, as with sshd. */
  readonly noEmptyPasswords: boolean;
}

/** The result, line by line. */
export interface ServiceRehearsed {
  readonly accepted: boolean;
  readonly at: Rehearsed['at'];
  /** In libpam's words. */
  readonly words: string;
  readonly steps: readonly (StepResult & { readonly words: string })[];
  /** The line that refused. */
  readonly refusedAt: (StepResult & { readonly words: string }) | undefined;
}

const PAM_SUCCESS = 0;
const PAM_NEW_AUTHTOK_REQD = 12;
const PAM_DISALLOW_NULL_AUTHTOK = 1;

/**
 * Runs the conversation of a service as it is in pam.d, with a person, without logging in.
 *
 * @param wanted - what to rehearse
 * @param person - who is asked
 * @returns how it went
 * @throws NoLibpamError where libpam cannot be called
 */
export async function rehearseService(wanted: ServiceRehearsal, person: Person): Promise<ServiceRehearsed> {
  const { service, user, tty, rhost, ruser } = wanted;
  const directory = mkdtempSync(`${tmpdir()}/pve-authenticator-rehearsal-`);
  try {
    const places = { directory, wrapper: wrapperFile(), modules: wanted.modules };
    const { files, steps } = tracedCopy(service, wanted.read, places);
    files.forEach((text, name) =>
      writeFileSync(`${directory}/${name}`, text, { encoding: 'latin1', mode: 0o600 }),
    );
    const flags = wanted.noEmptyPasswords ? PAM_DISALLOW_NULL_AUTHTOK : 0;
    const { at, rc, words, said } = await rehearse(
      { service, user, directory, flags, tty, rhost, ruser },
      person,
    );
    const results = said.flatMap((result) => {
      const step = steps[result.step];
      return step === undefined ? [] : [{ step, rc: result.rc, words: result.words }];
    });
    const accepted = rc === PAM_SUCCESS || rc === PAM_NEW_AUTHTOK_REQD;
    const culprit = accepted ? undefined : refusedAt(results);
    return { accepted, at, words, steps: results, refusedAt: results.find((result) => result === culprit) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The path beside the installed programs, or in a checkout's build. */
function wrapperFile(): string {
  const places = ['pam_rehearse.so', 'build/native/pam_rehearse.so'].map(packageFile);
  return places.find(existsSync) ?? places[0] ?? '';
}
