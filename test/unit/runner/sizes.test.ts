import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesOf, SIZES } from '../../runner/sizes.ts';

const LIST = '# words\n[default]\na.test.ts  # why\n\n[all]\nb.test.ts\n[full]\nc.test.ts\n';
const THERE = ['a.test.ts', 'b.test.ts', 'c.test.ts'];

describe('the sizes of a test run', () => {
  it('each have the files of the smaller ones', () => {
    expect(SIZES.map((size) => filesOf(LIST, THERE, size))).toEqual([
      ['a.test.ts'],
      ['a.test.ts', 'b.test.ts'],
      ['a.test.ts', 'b.test.ts', 'c.test.ts'],
    ]);
  });

  it.each([
    ['a file without a size', LIST, [...THERE, 'd.test.ts'], 'test/e2e/d.test.ts has no size'],
    ['a line without a file', LIST, THERE.slice(1), 'names a.test.ts, which is not there'],
    ['a file that stands there twice', `${LIST}a.test.ts\n`, THERE, 'names a.test.ts twice'],
    ['a size that there is not', `${LIST}[huge]\n`, THERE, 'there is no size huge'],
  ])('refuses %s', (_what, list, there, why) => {
    expect(() => filesOf(list, there, 'default')).toThrow(why);
  });

  it('test/e2e/sizes has every end-to-end test, and the small one each real host', () => {
    const there = readdirSync('test/e2e', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.test.ts'),
    );
    const files = filesOf(readFileSync('test/e2e/sizes', 'utf8'), there, 'default');
    for (const host of ['ssh-password-and-code', 'ssh-key-and-code', 'login', 'su', 'sudo', 'one-string']) {
      expect(files).toContain(`hosts/${host}.test.ts`);
    }
  });
});
