import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { newAccount } from './account.ts';
import { debianModule, type DebianModule } from './debian-module.ts';
import { phoneFor, play } from './play.ts';
import type { Difference } from './scenario.ts';
import { TABLE } from './table/table.ts';

describeInBox('the table of what pam_google_authenticator does', () => {
  let dir: string;
  let google: DebianModule | undefined;

  beforeAll(async () => {
    dir = mkdtempSync('/srv/google-');
    google = await debianModule(dir);
    const all = Object.values(TABLE).flat();
    if (google === undefined) {
      notRun("the table against Debian's module", 'libpam-google-authenticator is not installed');
    } else {
      const compared = all.filter(({ oursAlone }) => oursAlone === undefined).length;
      console.log(
        `${all.length} scenarios, ${compared} against pam_google_authenticator ${google.version} of Debian`,
      );
    }
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  for (const [topic, scenarios] of Object.entries(TABLE)) {
    describe(topic, () => {
      test.for(scenarios)('$title', async (scenario) => {
        const phone = await phoneFor(scenario);
        const account = newAccount();
        if (scenario.oursAlone === undefined && google !== undefined) {
          const { version } = google;
          const differs = ({ until }: Difference): boolean => until === undefined || version < until;
          const { seen, expected } = await play(scenario, google, account, phone, differs);
          expect(seen, 'pam_google_authenticator').toEqual(expected);
        }
      });
    });
  }
});
