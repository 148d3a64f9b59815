import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { guardLines } from '../../../../src/command/pam-d/guard.ts';
import { makePlan, type Plan, type Wanted } from '../../../../src/command/switching/plan.ts';
import { placesBelow, type Places } from '../../../../src/command/switching/places.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const PASSWORD = 'auth required pam_unix.so\n';
const newDirectory = temporaryDirectories();
let places: Places;

const put = (name: string, text: string, directory = places.pam): void =>
  writeFileSync(`${directory}/${name}`, text, { mode: 0o644 });
const plan = (services: readonly string[], more: Partial<Wanted> = {}): Plan =>
  makePlan(places, { services, all: false, allDoors: false, nullok: false, ...more });
const changed = ({ changes }: Plan): string[] => changes.map(({ service }) => service);

beforeEach(() => {
  places = placesBelow(newDirectory());
  for (const directory of [places.pam, places.vendor, `${places.state}/written`]) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }
  put('sshd', PASSWORD);
  put('su', PASSWORD);
  put('su-l', 'auth include su\n');
  put('login', PASSWORD);
  put('cups', PASSWORD);
});

describe('all doors', () => {
  it('are the services for people; only the console exempts root', () => {
    const all = plan([], { all: true });
    expect(changed(all).sort()).toEqual(['login', 'sshd', 'su']);
    expect(all.unchanged).toEqual(['su-l']);
    expect(all.changes.filter(({ rootExempt }) => rootExempt).map(({ service }) => service)).toEqual([
      'login',
    ]);
    expect(plan([], { all: true, allDoors: true }).changes.some(({ rootExempt }) => rootExempt)).toBe(false);
  });

  it('leave one alone that cannot be switched on, and say why', () => {
    put('sshd', 'auth sufficient pam_unix.so\n');
    symlinkSync('cups', `${places.pam}/xdm`);
    const { left } = plan([], { all: true });
    expect(left).toEqual([
      { service: 'sshd', why: expect.stringContaining('line 1: with "sufficient"') as string },
      { service: 'xdm', why: expect.stringContaining('is a symbolic link') as string },
    ]);
  });
});

describe('a service by its name', () => {
  it.each<[string, RegExp]>([
    ['../passwd', /not the name of a service/],
    ['other', /included by many services/],
    ['none', /no such service. These are there: cups login sshd su su-l$/],
    ['vendors', /Copy it first: cp /],
  ])('is not %s', (name, says) => {
    put('vendors', PASSWORD, places.vendor);
    expect(() => plan([name])).toThrow(says);
  });

  it('is not prevented by another unreadable service', () => {
    symlinkSync('cups', `${places.pam}/xdm`);
    expect(changed(plan(['sshd']))).toEqual(['sshd']);
  });

  it('is not asked twice: names a service that includes it and has its own line', () => {
    put('su-l', `auth include su\n${guardLines({ arguments: [] }).join('\n')}\n`);
    expect(() => plan(['su'])).toThrow('su-l includes su and has a line of its own: it would ask twice');
  });

  it('is rewritten if this command wrote it, unless somebody edited it since', () => {
    const [{ after } = { after: '' }] = plan(['sshd']).changes;
    put('sshd', after);
    expect(plan(['sshd']).unchanged).toEqual(['sshd']);
    expect(() => plan(['sshd'], { nullok: true })).toThrow('was edited since this command wrote it');
    put('sshd', after, `${places.state}/written`);
    expect(plan(['sshd'], { nullok: true }).changes[0]?.after).toContain('.so nullok #');
    put('sshd', `# mine\n${after}`);
    expect(() => plan(['sshd'], { nullok: true })).toThrow('was edited since this command wrote it');
    expect(readFileSync(`${places.pam}/sshd`, 'latin1')).toBe(`# mine\n${after}`);
  });
});
