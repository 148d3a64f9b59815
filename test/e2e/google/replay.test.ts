import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { FileUser } from './file-user.ts';
import type { Module } from './module.ts';
import { useModules } from './modules.ts';
import { Phone } from './phone.ts';
import { totp } from './scenario.ts';

/** Seconds of a time step: short, for the test has to wait. */
const PERIOD = 2;
/** Codes that the owner uses, one a step. */
const USED = 3;
/** The owner's next code comes in this step. */
const NEXT = 2 * USED;

const FILES = {
  'with DISALLOW_REUSE': totp(`" STEP_SIZE ${PERIOD}`, '" DISALLOW_REUSE'),
  'without DISALLOW_REUSE': totp(`" STEP_SIZE ${PERIOD}`),
};

/** How the logins with three codes ended, when they were typed again at the same rhythm, and with the code after that. */
interface Replay {
  readonly used: readonly unknown[];
  readonly replayed: readonly unknown[];
  readonly next: unknown;
}

describeInBox('three used codes, typed again at the rhythm of the phone', () => {
  const modules = useModules('the replay');

  test.concurrent.for(Object.entries(FILES))('%s', async ([, file]) => {
    const { ours, google } = modules();
    const begin = (Math.floor(Date.now() / 1000 / PERIOD) + 1) * PERIOD;
    const phone = unambiguousPhone(begin);
    const [ourReplay, googleReplay] = await Promise.all([
      replay(ours, file, phone),
      google === undefined ? undefined : replay(google, file, phone),
    ]);
    expect(ourReplay).toEqual({ used: ['in', 'in', 'in'], replayed: ['out', 'out', 'out'], next: 'in' });
    if (googleReplay !== undefined) {
      // Our improvement: in Debian's module the third code lets a stranger in, and the owner's phone then fails.
      expect(googleReplay).toEqual({ used: ['in', 'in', 'in'], replayed: ['out', 'out', 'in'], next: 'out' });
    }
  });
});

async function replay(module: Module, file: string, phone: Phone): Promise<Replay> {
  const user = await FileUser.make(module, file, { phone });
  const ends: unknown[] = [];
  for (let step = 0; step <= NEXT; step += 1) {
    // In the middle of the step.
    await setTimeout((phone.now + (step + 0.5) * PERIOD) * 1000 - Date.now());
    ends.push((await user.logIn(phone.code(step < NEXT ? step % USED : step))).end);
  }
  return { used: ends.slice(0, USED), replayed: ends.slice(USED, NEXT), next: ends[NEXT] };
}

/** Each typed code belongs to one step only. */
function unambiguousPhone(now: number): Phone {
  for (;;) {
    const phone = new Phone(now, PERIOD);
    if ([0, 1, 2, NEXT].every((step) => phone.meanings(phone.code(step)) === 1)) {
      return phone;
    }
  }
}
