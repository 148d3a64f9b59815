import { describe } from 'vitest';

/** Whether this runs in scripts/box, where users and /etc may be changed at will. */
export const inBox = process.env['PVE_AUTHENTICATOR_BOX'] === '1';

/** The message if suites for the box cannot run. */
export const HOW_TO_RUN =
  'not run: the logins through real hosts; they need root and a throw-away machine: sudo ./scripts/test';

/**
 * A suite that runs only in the box. Outside it is counted as skipped, and test/e2e/hosts/box.test.ts says so.
 *
 * @param name - the suite's title
 * @param suite - its body; it runs in the box only
 */
export function describeInBox(name: string, suite: () => void): void {
  if (inBox) {
    describe(name, suite);
  } else {
    describe.skip(name, () => undefined);
  }
}
