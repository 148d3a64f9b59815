import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandFileName, type FileNameTerms } from '../../../../../src/daemon/enrolments/home/file-name.ts';
import { isFilePath } from '../../../../../src/host/file-path.ts';

const ANA: FileNameTerms = { home: '/home/ana', user: 'ana', vouchedFor: true };
const path = (spec: string, terms = ANA): unknown => {
  const name = expandFileName(spec, terms);
  return 'path' in name ? name.path : undefined;
};

describe('expandFileName', () => {
  it.each([
    ['~/.google_authenticator', '/home/ana/.google_authenticator'],
    ['${HOME}/.mfa', '/home/ana/.mfa'],
    ['/mfa/${USER}', '/mfa/ana'],
    ['/mfa/${USER}/${USER}.txt', '/mfa/ana/ana.txt'],
    ['/~/.mfa', '//home/ana/.mfa'],
    ['/a~/b', '/a~/b'],
    ['/%u/$HOME/${home}', '/%u/$HOME/${home}'],
    ['/x/${US${USER}ER}', '/x/${USanaER}'],
  ])('makes of %s %s', (spec, expected) => {
    expect(path(spec)).toBe(expected);
  });

  it('does not expand inserted values', () => {
    expect(path('/x/${USER}', { ...ANA, user: '${HOME}' })).toBe('/x/${HOME}');
    expect(path('${HOME}/x', { ...ANA, home: '/h/~/${USER}' })).toBe('/h/~/${USER}/x');
  });

  it.each([
    'relative',
    'relative/~',
    '',
    '/',
    '/dir/',
    '/dir/..',
    '/dir/../x',
    '/dir/.',
    `/${'x'.repeat(4_095)}`,
  ])('takes %j for no file', (spec) => {
    expect(path(spec)).toBeUndefined();
  });

  it.each([undefined, '', 'home/ana', '../ana'])('needs an absolute home directory, and has %j', (home) => {
    expect(path('~/x', { ...ANA, home })).toBeUndefined();
    expect(path('${HOME}/x', { ...ANA, home })).toBeUndefined();
    expect(path('/x/${USER}', { ...ANA, home })).toBe('/x/ana');
  });

  it.each([undefined, '', '..', '.', '.hidden', '../x', 'a/b', '/etc'])(
    'puts no name in that leads elsewhere: %j',
    (user) => {
      expect(path('/mfa/${USER}', { ...ANA, user })).toBeUndefined();
      expect(path('/mfa/${USER}', { home: undefined, user, vouchedFor: false })).toBeUndefined();
    },
  );

  it('puts in only plain names that no passwd entry vouches for', () => {
    const typed = (user: string): FileNameTerms => ({ home: undefined, user, vouchedFor: false });
    expect(path('/mfa/${USER}', typed('Jim.2_x-y'))).toBe('/mfa/Jim.2_x-y');
    for (const user of ['a b', 'a\nb', 'ä', 'a\\b', 'a@b', '~', '$HOME', 'a\u202eb']) {
      expect(path('/mfa/${USER}', typed(user)), user).toBeUndefined();
    }
    expect(path('/mfa/${USER}', { ...ANA, user: 'DOMAIN\\jim' })).toBe('/mfa/DOMAIN\\jim');
  });

  it('never leaves the directory that pam.d names, whatever the user is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (user, vouchedFor) => {
        const name = expandFileName('/mfa/${USER}', { home: '/home/x', user, vouchedFor });
        if ('path' in name) {
          expect(name.path.startsWith('/mfa/')).toBe(true);
          expect(name.path.slice('/mfa/'.length)).not.toMatch(/^\.|\//);
          expect(isFilePath(name.path)).toBe(true);
        }
      }),
    );
  });
});
