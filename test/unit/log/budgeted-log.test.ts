import { expect, it } from 'vitest';
import { BudgetedLog } from '../../../src/log/budgeted-log.ts';
import { lineTroubles } from '../../../src/log/line-troubles.ts';
import { RecordedLog } from '../fixtures/recorded-log.ts';

it('bounds what one uid writes in a minute, says so once, and leaves others alone', () => {
  const log = new RecordedLog();
  let now = 0;
  const budgeted = new BudgetedLog(log, () => now);
  const flood = (): void => {
    for (let event = 0; event < 1_000; event++) {
      budgeted.of(1000).event('error', 'flood');
    }
  };
  flood();
  expect(log.events.filter(({ message }) => message === 'flood')).toHaveLength(30);
  expect(log.events).toHaveLength(31);
  expect(log.events.at(-1)).toMatchObject({ priority: 'warning', fields: { uid: 1000 } });
  budgeted.of(1001).event('info', 'other');
  expect(log.events.at(-1)).toMatchObject({ message: 'other' });
  now += 60_000;
  flood();
  expect(log.events.filter(({ message }) => message === 'flood')).toHaveLength(60);
});

it('forgets old uids, not the running one', () => {
  const log = new RecordedLog();
  const budgeted = new BudgetedLog(log, () => 0);
  for (let uid = 0; uid < 5_000; uid++) {
    budgeted.of(uid).event('info', 'once');
  }
  expect(log.events).toHaveLength(5_000);
});

it('counts a limited number of uids: the first one gets a new budget', () => {
  const log = new RecordedLog();
  const budgeted = new BudgetedLog(log, () => 0);
  const use = (uid: number): void => {
    for (let event = 0; event < 40; event++) {
      budgeted.of(uid).event('info', 'many');
    }
  };
  use(1);
  use(2);
  for (let uid = 0; uid < 1_023; uid++) {
    budgeted.of(10_000 + uid).event('info', 'once');
  }
  log.events.splice(0);
  use(2);
  expect(log.events).toEqual([]);
  use(1);
  expect(log.events).toHaveLength(31);
});

it("has a line about a user's file go through that user's budget, however often somebody logs in", () => {
  const log = new RecordedLog();
  const trouble = lineTroubles(new BudgetedLog(log, () => 0));
  for (let login = 0; login < 500; login++) {
    trouble({ name: 'ana', uid: 1000 }, 'it can be written by others');
  }
  expect(log.events).toHaveLength(31);
  trouble({ name: 'bob', uid: 1001 }, 'it can be written by others');
  expect(log.events.at(-1)).toMatchObject({ priority: 'warning', fields: { user: 'bob' } });
});
