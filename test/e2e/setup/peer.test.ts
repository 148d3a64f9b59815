import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { securityDirectory } from '../google/debian-module.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { newAccount } from '../harness/person.ts';
import { run } from '../harness/run.ts';
import { atTerminal } from '../harness/terminal.ts';

/* The file that the setup writes opens su by the module of Debian's package. */

const SILENT = '-t -d -f -q -r 3 -R 30 -w 3 -Q none -C -s'.split(' ');
const SERVICE = '/etc/pam.d/su';

describeInBox('the file of --secret', () => {
  test('is written without a question, and pam_google_authenticator accepts it', async () => {
    const directory = await securityDirectory();
    if (directory === undefined) {
      notRun('the file of --secret', 'libpam-google-authenticator is not installed');
      return;
    }
    const { name } = await newAccount();
    const file = `/home/${name}/.google_authenticator`;
    const as = ['setpriv', '--reuid', name, '--regid', name, '--init-groups', '--'];
    const written = await run([...as, process.execPath, `${CHECKOUT}/dist/command/main.js`, ...SILENT, file]);
    expect(written).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(statSync(file).mode & 0o7777).toBe(0o400);
    const [secret = ''] = readFileSync(file, 'utf8').split('\n');

    const stock = readFileSync(SERVICE);
    writeFileSync(
      SERVICE,
      `auth required ${directory}/pam_google_authenticator.so\naccount required pam_permit.so\n`,
    );
    try {
      const code = codeOf({ secret });
      const enter = (typed: string): ReturnType<typeof atTerminal> =>
        atTerminal(
          ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'su', name, '-c', 'true'],
          [{ expect: /Verification code: $/, hidden: true, enter: typed }],
        );
      expect(await enter(code)).toMatchObject({ unmet: null, status: 0 });
      expect((await enter(code)).status, 'a code that was used').not.toBe(0);
      expect(readFileSync(file, 'utf8')).toMatch(/" RATE_LIMIT 3 30 \d+/);
    } finally {
      writeFileSync(SERVICE, stock);
    }
  });
});
