import { expect, it } from 'vitest';
import { OneAtATime } from '../../../../src/daemon/enrolments/one-at-a-time.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('runs work on one thing in order, even after failures', async () => {
  const oneAtATime = new OneAtATime();
  const course: string[] = [];
  const work =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      course.push(`${name} begins`);
      await turn();
      course.push(`${name} ends`);
      if (fails) {
        throw new Error(name);
      }
      return name;
    };
  const results = await Promise.allSettled([
    oneAtATime.run('x', work('a', true)),
    oneAtATime.run('x', work('b')),
    oneAtATime.run('x', work('c')),
  ]);
  expect(course).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(await oneAtATime.run('x', work('d'))).toBe('d');
});

it('keeps nobody waiting for another thing', async () => {
  const oneAtATime = new OneAtATime();
  const never = oneAtATime.run('hangs', () => new Promise(() => undefined));
  expect(await oneAtATime.run('other', () => Promise.resolve(1))).toBe(1);
  void never;
});
