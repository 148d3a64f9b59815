import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CONFIG, parseConfig } from '../../../src/config/config.ts';

const root = resolve(import.meta.dirname, '../../..');
const source = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
/** Names in a source; a pattern that finds nothing any more would test nothing. */
const names = (path: string, pattern: RegExp, least: number): string[] => {
  const found = [...source(path).matchAll(pattern)].map(([, name]) => name!);
  expect(found.length, path).toBeGreaterThanOrEqual(least);
  return found;
};
/** All that the first columns of a page's tables name. */
const named = (page: string): string[] =>
  [...source(page).matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!.replace(/=.*/, '')),
  );

describe('docs/reference', () => {
  it('config.md has every setting', () => {
    const page = named('docs/reference/config.md');
    const { sources, throttle, proxmox } = DEFAULT_CONFIG;
    for (const name of [
      ...[sources, throttle, proxmox].flatMap((table) => Object.keys(table)),
      ...names('src/config/yubico-section.ts', /^ {4}([a-z_]+): z\./gm, 5),
      ...names('src/config/rules-section.ts', /^ {4}([a-z]+): listOf/gm, 4),
    ]) {
      expect(page, name).toContain(name);
    }
  });

  it('config.md has examples that can be used', () => {
    const blocks = [...source('docs/reference/config.md').matchAll(/```toml\n([^]*?)```/g)];
    expect(blocks.length).toBeGreaterThan(0);
    for (const [, block] of blocks) {
      expect(parseConfig(block!, 'example').rules.length).toBeGreaterThan(0);
    }
  });

  it("module-arguments.md has every argument, and pam_yubico's", () => {
    const page = named('docs/reference/module-arguments.md');
    for (const name of [
      ...names('src/config/module-options.ts', /^ {2}\[\s*'([a-z_-]+)',/gm, 10),
      ...names('src/config/module-options.ts', /^ {4}'(grace_period)',/gm, 1),
      ...names('src/config/yubico-options.ts', /^ {2}\[\s*'([a-z_]+)',/gm, 10).filter(
        (name) => !name.startsWith('ldap'),
      ),
    ]) {
      expect(page, name).toContain(name);
    }
  });
});
