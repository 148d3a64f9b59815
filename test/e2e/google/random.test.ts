/* Cases beyond the table: random files, options and answers, with Debian's module and with ours. */
import { statSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FULL } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { DELIBERATE, explained, type Came } from './differences.ts';
import { FileUser } from './file-user.ts';
import { useModules, type Modules } from './modules.ts';
import type { Phone } from './phone.ts';
import { phoneFor } from './play.ts';
import { randomCase, type RandomCase, type RandomLogin } from './random-cases.ts';
import { IN, type Login } from './scenario.ts';

const CASES = FULL ? 1_500 : 100;
/** Full rounds use a new seed each time; reduced rounds always use the same one. */
const SEED = Number(process.env['SEED'] ?? (FULL ? Date.now() % 2 ** 31 : 1));

describeInBox('random files, options and answers', () => {
  const modules = useModules('the random comparison');

  test(
    'end the same with both modules, except for deliberate differences',
    { timeout: FULL ? 1_800_000 : 300_000 },
    async ({ skip }) => {
      const { ours, google } = modules();
      if (google === undefined) {
        skip();
        return;
      }
      const met = new Map(DELIBERATE.map(({ why }) => [why, 0]));
      let same = 0;
      const property = fc.asyncProperty(randomCase, async (random) => {
        const why = await difference(random, { ours, google });
        if (why === undefined) {
          same += 1;
        } else {
          met.set(why, met.get(why)! + 1);
        }
      });
      console.log(`random comparison: ${CASES} cases, SEED=${SEED}`);
      await fc.assert(property, { seed: SEED, numRuns: CASES });
      console.log(
        `${same} cases end in the same way; ${[...met].map(([why, times]) => `${times}: ${why}`).join('; ')}`,
      );
      // If deliberate differences explained every case, nothing would be compared.
      expect(same).toBeGreaterThan(CASES / 2);
    },
  );
});

/**
 * Plays a case with both modules side by side, as two users with the same phone, until one login ends in two ways on purpose.
 *
 * @param random - the case
 * @param modules - both
 * @returns the deliberate difference, if there was one
 * @throws Error for any other difference
 */
async function difference(random: RandomCase, modules: Required<Modules>): Promise<string | undefined> {
  for (;;) {
    const phone = await phoneOf(random);
    try {
      return await compared(random, modules, phone);
    } catch (error) {
      // A time step ended meanwhile, maybe between the two.
      if (phone.step === Math.floor(Date.now() / 1000 / phone.period)) {
        throw error;
      }
    }
  }
}

async function compared(
  { file, options, logins }: RandomCase,
  { ours, google }: Required<Modules>,
  phone: Phone,
): Promise<string | undefined> {
  const [us, them] = await Promise.all(
    [ours, google!].map((module) => FileUser.make(module, file, { options, phone })),
  );
  const accepted: number[] = [];
  for (const login of logins) {
    const before = stamped(us!.text, phone);
    const [ourEnd, theirEnd] = await Promise.all([came(us!, login, phone), came(them!, login, phone)]);
    if (JSON.stringify(ourEnd) !== JSON.stringify(theirEnd)) {
      const about = {
        before,
        ours: ourEnd,
        theirs: theirEnd,
        accepted,
        step: phone.step,
        version: google!.version,
      };
      const why = explained({ random: { file, options, logins }, login, ...about });
      expect(
        why === undefined ? { login, before, ...ourEnd } : null,
        'not one of the deliberate differences',
      ).toEqual(why === undefined ? { login, before, ...theirEnd } : null);
      return why;
    }
    if (ourEnd.end === 'in') {
      accepted.push(...[login.answer, login.password ?? ''].flatMap(offsetsIn));
    }
  }
  return undefined;
}

/** Both log the same person in at the same moment. */
async function came(
  user: FileUser,
  { answer, rhost, password }: RandomLogin,
  phone: Phone,
): Promise<Came & { mode: number }> {
  const { end, shown, passes } = await user.visit(answer, rhost, password);
  const text = stamped(user.text, phone);
  return { end, shown, passes, text, mode: statSync(user.path).mode & 0o7777 };
}

/** A text with {now} in place of the moments since the phone was looked at. */
function stamped(text: string, { now }: Phone): string {
  const present = Math.floor(Date.now() / 1000);
  return text.replaceAll(/\b[0-9]{10}\b/g, (time) =>
    Number(time) >= now && Number(time) <= present ? '{now}' : time,
  );
}

function offsetsIn(text: string): number[] {
  const [found, offset] = /\{code([+-]\d+)?\}/.exec(text) ?? [];
  return found === undefined ? [] : [Number(offset ?? 0)];
}

function phoneOf({ file, logins }: RandomCase): Promise<Phone> {
  const all: Login[] = logins.map(({ answer, password }) => ({
    answer,
    ...(password === undefined ? {} : { password }),
    ...IN,
  }));
  return phoneFor({ title: '', file, ...all[0]!, then: all.slice(1) });
}
