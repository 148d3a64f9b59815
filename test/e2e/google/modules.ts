import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { NO_THROTTLE, notRun } from '../daemon/stage.ts';
import { debianModule, type DebianModule } from './debian-module.ts';
import { OurModule } from './our-module.ts';

/** Both modules, once the tests run. */
export interface Modules {
  readonly ours: OurModule;
  /** Undefined: it is not installed. */
  readonly google: DebianModule | undefined;
}

/**
 * Our module with a daemon, and Debian's, for all tests of the suite that calls this.
 *
 * @param what - the comparison, for the report if it is impossible
 * @param config - of the daemon; by default only the files' own limits count guesses
 * @returns gives the modules, once the tests run
 */
export function useModules(what: string, config = NO_THROTTLE): () => Modules {
  let dir: string;
  let ours: OurModule;
  let google: DebianModule | undefined;
  beforeAll(async () => {
    dir = mkdtempSync('/srv/google-');
    ours = await OurModule.start(config);
    google = await debianModule(dir);
    if (google === undefined) {
      notRun(`${what} with Debian's module`, 'libpam-google-authenticator is not installed');
    }
  });
  afterAll(async () => {
    await ours.stage.clear();
    rmSync(dir, { recursive: true });
  });
  return () => ({ ours, google });
}
