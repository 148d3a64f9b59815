/* Fixes on real files below a temporary directory, as root would make them. */
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../../../src/command/doctor/check.ts';
import type { Act, Remedy } from '../../../../src/command/doctor/remedy.ts';
import { fix, fixesOf, unfix } from '../../../../src/command/switching/fix.ts';
import { placesBelow, type Places } from '../../../../src/command/switching/places.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const newDirectory = temporaryDirectories();
let root: string;
let places: Places;
let file: string;
let ran: string[];
/** The effects of programs, by name; other programs fail. */
let programs: Record<string, () => void>;

const machine = {
  run: (program: string, ...argv: readonly string[]) => {
    ran.push([program, ...argv].join(' '));
    const known = programs[program];
    known?.();
    return Promise.resolve({ status: known === undefined ? 1 : 0, stdout: '', stderr: 'no such program' });
  },
};
const reportOf = (remedy: Remedy): Report & { readonly remedy: Remedy } => ({
  check: 'order',
  what: 'it is wrong',
  mend: 'doctor --fix=order',
  remedy,
});
const fixed = (acts: readonly Act[], then: Remedy['then'] = [['reload']]): ReturnType<typeof fix> =>
  fix(places, machine, reportOf({ acts, then }), 1);
const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const modeOf = (path: string): number => lstatSync(path).mode & 0o7777;

beforeEach(() => {
  root = newDirectory();
  places = placesBelow(root);
  ran = [];
  programs = { reload: () => undefined };
  mkdirSync(`${root}/etc/pve-authenticator`, { recursive: true });
  mkdirSync(places.pam);
  file = `${places.pam}/sshd`;
  writeFileSync(file, Buffer.from([0x61, 0xff, 0x0a]), { mode: 0o640 });
});

describe('a fix', () => {
  it('writes, makes and removes files, and its undo gives each back to the byte', async () => {
    const [made, gone] = [`${places.pam}/made`, `${places.pam}/gone`];
    writeFileSync(gone, 'gone\n', { mode: 0o600 });
    await fixed([
      { do: 'write', path: file, text: 'other\xff\n' },
      { do: 'write', path: made, text: 'made\n', access: { ...own, mode: 0o644 } },
      { do: 'write', path: gone, text: undefined },
    ]);
    expect([...readFileSync(file)]).toEqual([...Buffer.from('other\xff\n', 'latin1')]);
    expect([modeOf(file), modeOf(made), existsSync(gone), ran]).toEqual([0o640, 0o644, false, ['reload']]);
    expect(fixesOf(places)).toMatchObject([{ when: 1, check: 'order' }]);
    expect(await unfix(places, machine)).toEqual({ restored: [file, gone, made], left: [], failed: [] });
    expect([...readFileSync(file)]).toEqual([0x61, 0xff, 0x0a]);
    expect([modeOf(file), readFileSync(gone, 'utf8'), modeOf(gone), existsSync(made)]).toEqual([
      ...[0o640, 'gone\n', 0o600, false],
    ]);
    expect([ran, fixesOf(places)]).toEqual([['reload', 'reload'], []]);
    expect(await unfix(places, machine)).toEqual({ restored: [], left: [], failed: [] });
  });

  it('changes owner and mode, without keeping a copy of the contents', async () => {
    await fixed([{ do: 'access', path: file, access: { ...own, mode: 0o600 } }]);
    expect(modeOf(file)).toBe(0o600);
    expect(fixesOf(places)[0]!.files[0]!.before.digest).toBeUndefined();
    await unfix(places, machine);
    expect(modeOf(file)).toBe(0o640);
  });

  it('takes back what a program did to links and files below a directory', async () => {
    const units = `${root}/units`;
    mkdirSync(`${units}/old`, { recursive: true });
    symlinkSync('../c.service', `${units}/old/c.service`);
    symlinkSync('/dev/null', `${units}/a.socket`);
    programs['unmask'] = () => {
      rmSync(`${units}/a.socket`);
      rmSync(`${units}/old`, { recursive: true });
      mkdirSync(`${units}/wants`);
      symlinkSync('../b.service', `${units}/wants/b.service`);
    };
    await fixed([{ do: 'run', argv: ['unmask', 'a'], touches: [units], undo: ['reload', 'undo'] }]);
    expect(existsSync(`${units}/a.socket`)).toBe(false);
    const { left } = await unfix(places, machine);
    expect([left, readlinkSync(`${units}/a.socket`)]).toEqual([[], '/dev/null']);
    expect(readlinkSync(`${units}/old/c.service`)).toBe('../c.service');
    expect(existsSync(`${units}/wants`)).toBe(false);
    expect(ran).toEqual(['unmask a', 'reload', 'reload undo', 'reload']);
  });

  it('is undone although a later program fails', async () => {
    await fixed([{ do: 'write', path: file, text: 'fixed\n' }]);
    delete programs['reload'];
    expect(await unfix(places, machine)).toMatchObject({
      restored: [file],
      failed: ['reload: no such program'],
    });
  });

  it('leaves a file alone that somebody changed since', async () => {
    await fixed([{ do: 'write', path: file, text: 'fixed\n' }]);
    writeFileSync(file, 'by hand\n');
    expect(await unfix(places, machine)).toEqual({ restored: [], left: [file], failed: [] });
    expect(readFileSync(file, 'utf8')).toBe('by hand\n');
  });

  it('puts everything back at once when one act fails', async () => {
    const acts: readonly Act[] = [
      { do: 'write', path: file, text: 'fixed\n' },
      { do: 'run', argv: ['no-such-program'] },
    ];
    await expect(fixed(acts)).rejects.toThrow('no-such-program: no such program');
    expect([[...readFileSync(file)], fixesOf(places)]).toEqual([[0x61, 0xff, 0x0a], []]);
  });

  it('can be undone when it was cut off in the middle', async () => {
    await fixed([{ do: 'write', path: file, text: 'fixed\n' }]);
    const manifest = `${places.state}/fixes/000001/fixed.json`;
    const told = JSON.parse(readFileSync(manifest, 'utf8')) as { files: { after: unknown }[] };
    told.files.forEach((one) => (one.after = null));
    writeFileSync(manifest, JSON.stringify(told));
    expect(await unfix(places, machine)).toEqual({ restored: [file], left: [], failed: [] });
    expect([...readFileSync(file)]).toEqual([0x61, 0xff, 0x0a]);
  });

  it('says when what follows fails, and can be undone', async () => {
    const acts: readonly Act[] = [{ do: 'write', path: file, text: 'fixed\n' }];
    await expect(fixed(acts, [['no-such-program']])).rejects.toThrow('It was changed, but then: no-such');
    expect(fixesOf(places)).toHaveLength(1);
  });

  it('follows no link to give a file away, and no second name', async () => {
    const secret = `${root}/secret`;
    writeFileSync(secret, 'secret', { mode: 0o600 });
    symlinkSync(secret, `${places.pam}/link`);
    linkSync(secret, `${places.pam}/second`);
    for (const name of ['link', 'second']) {
      const path = `${places.pam}/${name}`;
      await expect(fixed([{ do: 'access', path, access: { ...own, mode: 0o644 } }])).rejects.toThrow('link');
    }
    expect(modeOf(secret)).toBe(0o600);
  });

  it.runIf(process.geteuid?.() === 0)("follows nobody else's link on the way", async () => {
    const theirs = `${root}/theirs`;
    mkdirSync(theirs, { mode: 0o777 });
    chmodSync(theirs, 0o777);
    symlinkSync(places.pam, `${theirs}/pam`);
    const access = { ...own, mode: 0o644 };
    await expect(fixed([{ do: 'access', path: `${theirs}/pam/sshd`, access }])).rejects.toThrow(
      'does not belong to root',
    );
    expect(modeOf(file)).toBe(0o640);
  });

  it('each undo takes back only the newest fix', async () => {
    await fixed([{ do: 'write', path: file, text: 'one\n' }]);
    await fixed([{ do: 'write', path: file, text: 'two\n' }]);
    await unfix(places, machine);
    expect(readFileSync(file, 'utf8')).toBe('one\n');
    await unfix(places, machine);
    expect([...readFileSync(file)]).toEqual([0x61, 0xff, 0x0a]);
  });
});
