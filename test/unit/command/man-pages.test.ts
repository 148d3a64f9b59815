import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_CONFIG, parseConfig } from '../../../src/config/config.ts';
import { parseModuleOptions } from '../../../src/config/module-options.ts';

const root = resolve(import.meta.dirname, '../../..');
const source = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
/** The matches of a pattern in a source; fails if there are none, because the test would then check nothing. */
const found = (path: string, pattern: RegExp, least: number): RegExpMatchArray[] => {
  const matches = [...source(path).matchAll(pattern)];
  expect(matches.length, path).toBeGreaterThanOrEqual(least);
  return matches;
};
const page = (name: string): string =>
  source(`docs/man/${name}`).replaceAll('\\-', '-').replaceAll('\\(dq', '"');

it('pve-authenticator.toml(5) has every setting, and its example can be used', () => {
  const toml = page('pve-authenticator.toml.5');
  for (const [table, settings] of Object.entries({
    sources: DEFAULT_CONFIG.sources,
    throttle: DEFAULT_CONFIG.throttle,
    proxmox: DEFAULT_CONFIG.proxmox,
  })) {
    const section = toml.split(`.SH [${table}]`)[1]?.split('.SH')[0] ?? '';
    for (const name of Object.keys(settings)) {
      expect(section, `${table}.${name}`).toMatch(new RegExp(`^\\.BR? ${name}\\b`, 'm'));
    }
  }
  for (const [, name] of found('src/config/yubico-section.ts', /^ {4}([a-z_]+): z\./gm, 5)) {
    expect(toml.split('.SH [yubico]')[1], name).toMatch(new RegExp(`^\\.BR? .*\\b${name!}\\b`, 'm'));
  }
  const [, example = ''] = /\.SH EXAMPLE\n\.nf\n([^]*?)\n\.fi/.exec(toml) ?? [];
  expect(parseConfig(example, 'example')).toMatchObject({ sources: { home: false }, rules: [{}] });
});

it.each([
  ['pam_pve_authenticator(8)', page('pam_pve_authenticator.8')],
  ['what apt prints', source('debian/pve-authenticator.postinst')],
])('%s begins with enable and confirm, not with a line to write by hand', (_name, text) => {
  const [enable, confirm] = ['enable', 'confirm'].map((word) =>
    text.indexOf(`pve-google-authenticator ${word}`),
  );
  const byHand = /auth required pam_pve_authenticator\.so|man pam_pve_authenticator/.exec(text)!.index;
  expect(enable).toBeGreaterThan(0);
  expect(confirm).toBeGreaterThan(enable!);
  expect(byHand).toBeGreaterThan(confirm!);
});

it('pam_pve_authenticator(8) names options that there are, and no others', () => {
  const options = page('pam_pve_authenticator.8').split('.SH OPTIONS')[1]?.split('.SH')[0] ?? '';
  const named = [...options.matchAll(/^\.B[IR]? (.*)$/gm)]
    .flatMap(([, line]) => line!.split(' '))
    .map((word) => word.replace(/[^a-z_=]/g, ''))
    .filter((word) => /^[a-z_]{5,}=?$|^id=$|^key=$|^user=$/.test(word) && !word.startsWith('pam_'));
  expect(named.length).toBeGreaterThan(15);
  for (const name of named) {
    const parsed = parseModuleOptions([Buffer.from(name)]);
    // A value that is missing is wrong; the option is there.
    expect(parsed.kind === 'bad' && parsed.wrong === 'option' ? 'unknown' : 'known', name).toBe('known');
  }
  for (const [, name] of found('src/config/module-options.ts', /^ {2}\[\s*'([a-z_]+)',/gm, 10)) {
    expect(
      named.map((word) => word.replace('=', '')),
      name,
    ).toContain(name);
  }
});

it('pve-authenticatord(8) has every option of the daemon', () => {
  const daemon = page('pve-authenticatord.8');
  for (const [, name] of found('src/config/command-line.ts', /'?([a-z-]+)'?: \{ type:/g, 6)) {
    expect(daemon, name).toContain(`--${name}`);
  }
});
