import { beforeAll, describe, expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { newAccount } from './account.ts';
import { useModules } from './modules.ts';
import { phoneFor, play } from './play.ts';
import { TABLE } from './table/table.ts';

describeInBox('the table of what pam_google_authenticator does, and we', () => {
  const modules = useModules('the table');

  beforeAll(() => {
    const all = Object.values(TABLE).flat();
    const { google } = modules();
    const compared = all.filter(({ oursAlone }) => oursAlone === undefined && google !== undefined);
    console.log(
      `${all.length} scenarios, ${compared.length} also against pam_google_authenticator ${google?.version ?? ''}`,
    );
  });

  for (const [topic, scenarios] of Object.entries(TABLE)) {
    describe(topic, () => {
      test.for(scenarios)('$title', async (scenario) => {
        const { ours, google } = modules();
        const phone = await phoneFor(scenario);
        const account = newAccount();
        if (scenario.oursAlone === undefined && google !== undefined) {
          const { version } = google;
          const theirs = await play(
            scenario,
            google,
            account,
            phone,
            ({ until }) => until === undefined || version < until,
          );
          expect(theirs.seen, 'pam_google_authenticator').toEqual(theirs.expected);
        }
        const { seen, expected } = await play(scenario, ours, account, phone, () => false);
        expect(seen, 'pam_pve_authenticator').toEqual(expected);
      });
    });
  }
});
