/* The computed paths through a stack, compared with libpam itself. */
import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { authSteps } from '../../../../src/command/pam-d/stack.ts';
import { waysThrough } from '../../../../src/command/pam-d/walk.ts';
import { rehearse } from '../../../../src/command/rehearsal/libpam.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const RUNS = 400;
const newDirectory = temporaryDirectories();
const nobody = { ask: () => undefined, tell: () => undefined, close: () => undefined };

/** pam_debug(8) returns what its line says. */
const VALUES = ['success', 'auth_err', 'user_unknown', 'ignore', 'authinfo_unavail', 'new_authtok_reqd'];
const value = fc.constantFrom(...VALUES);
const action = fc.constantFrom('ok', 'done', 'bad', 'die', 'ignore', 'reset', '1', '2', '3');
const brackets = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...VALUES, 'default'), action), {
    minLength: 1,
    maxLength: 3,
    selector: ([name]) => name,
  })
  .map((pairs) => `[${pairs.map((pair) => pair.join('=')).join(' ')}]`);
const control = fc.oneof(fc.constantFrom('required', 'requisite', 'sufficient', 'optional'), brackets);
const module = fc.tuple(control, value).map(([how, returned]) => `auth ${how} pam_debug.so auth=${returned}`);
const include = fc.constantFrom(
  'auth include part',
  'auth substack part',
  '@include part',
  'auth substack whole',
);
const stack = (lines: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> =>
  fc.array(lines, { minLength: 1, maxLength: 6 });
const files = fc.record({
  door: stack(fc.oneof({ arbitrary: module, weight: 3 }, { arbitrary: include, weight: 1 })),
  whole: stack(fc.oneof(module, fc.constant('auth substack part'))),
  part: stack(module),
});

it('ends where libpam ends, whatever the lines say and the modules return', async () => {
  await fc.assert(
    fc.asyncProperty(files, async (texts) => {
      const directory = newDirectory();
      mkdirSync(directory, { recursive: true });
      // Without a path libpam looks in /etc/pam.d.
      const inDirectory = (lines: readonly string[]): string =>
        lines.map((line) => `${line.replace(/ (part|whole)$/, ` ${directory}/$1`)}\n`).join('');
      for (const [name, lines] of Object.entries(texts)) {
        writeFileSync(`${directory}/${name}`, inDirectory(lines));
      }
      // The test does not look at anything after auth.
      writeFileSync(`${directory}/door`, `${inDirectory(texts.door)}account required pam_permit.so\n`);
      const read = (name: string): string | undefined =>
        name in texts ? texts[name as keyof typeof texts].join('\n') : undefined;
      const ways = waysThrough(authSteps('door', read), {
        values: ({ entry }) => [entry.arguments[0]?.replace('auth=', '') ?? ''],
        matters: () => false,
        marks: () => undefined,
      });
      const real = await rehearse(
        { service: 'door', user: 'nobody', directory, flags: 0, tty: 'tty', ruser: 'nobody' },
        nobody,
      );
      expect(ways.map(({ success }) => success)).toEqual([real.at === 'account']);
    }),
    { numRuns: RUNS },
  );
}, 120_000);
