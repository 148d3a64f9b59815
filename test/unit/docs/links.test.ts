import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
/** Built files, downloads and git's files are not part of the repository. */
const NOT_OURS = /(?:^|\/)(?:\.git|node_modules|build|dist)$/;
const filesBelow = (directory: string): string[] =>
  readdirSync(`${root}/${directory}`, { withFileTypes: true }).flatMap((entry) => {
    const name = directory === '' ? entry.name : `${directory}/${entry.name}`;
    return entry.isDirectory() ? (NOT_OURS.test(name) ? [] : filesBelow(name)) : [name];
  });
const files = filesBelow('').filter((name) => name !== 'package-lock.json' && !name.endsWith('.log'));
const pages = files.filter((name) => name.endsWith('.md'));
const text = (name: string): string => readFileSync(`${root}/${name}`, 'utf8');
const withoutCode = (page: string): string => page.replace(/^```[^]*?^```/gm, '');

/** The headlines of a page. */
const headlines = (name: string): string[] =>
  [...withoutCode(text(name)).matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) => title!);
/** The anchor that a forge makes of a headline. */
const anchor = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

/** Files of an installed machine. */
const MADE = new Set(['pam.d/proxmox-ve-auth', 'pam.d/sshd', 'pam.d/login']);

describe('a page that a text names', () => {
  it.each(pages)('is there, with its headline: links of %s', (page) => {
    for (const [, target] of withoutCode(text(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) {
        continue;
      }
      const [path = '', fragment] = target!.split('#');
      const name = path === '' ? page : resolve('/', dirname(page), path).slice(1);
      expect(existsSync(`${root}/${name}`), `${target} in ${page}`).toBe(true);
      if (fragment !== undefined) {
        expect(headlines(name).map(anchor), `${target} in ${page}`).toContain(fragment);
      }
    }
  });

  it('is there, also in messages and comments, with the headline that they quote', () => {
    const named = files
      .filter((name) => !name.endsWith('.md') && !name.endsWith('.svg'))
      .flatMap((name) =>
        [...text(name).matchAll(/docs\/[a-z/-]+\.md(?:, "([^"\n]+)")?/g)].map(
          ([whole, headline]) => [name, whole.split(',')[0]!, headline] as const,
        ),
      );
    expect(named.length, 'it finds them').toBeGreaterThan(30);
    for (const [name, page, headline] of named) {
      expect(existsSync(`${root}/${page}`), `${page} in ${name}`).toBe(true);
      if (headline !== undefined) {
        expect(headlines(page), `${page} in ${name}`).toContain(headline);
      }
    }
  });

  it.each(pages)('and so is each path of the repository that %s names', (page) => {
    for (const [, path] of text(page).matchAll(
      /`((?:src|native|test|scripts|docs|debian|pam\.d)\/[\w./*-]+)[^`]*`/g,
    )) {
      const like = new RegExp(
        `^${path!.replace(/\/$/, '').replaceAll('.', '\\.').replaceAll('*', '[^/]*')}(?:/|$)`,
      );
      expect(files.some((name) => like.test(name)) || MADE.has(path!), `${path} in ${page}`).toBe(true);
    }
  });
});
