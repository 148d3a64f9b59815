import { expect, test } from 'vitest';
import { HOW_TO_RUN, inBox } from '../harness/box.ts';

test('the logins through real hosts run in the box; elsewhere it is said that they did not', () => {
  if (!inBox) {
    process.stderr.write(`\n  ${HOW_TO_RUN}\n\n`);
  }
  expect(HOW_TO_RUN).toContain('./scripts/test');
});
