/* scripts/pve-authenticator-undo in a directory of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordFileName } from '../../../../src/contracts/record-file-name.ts';
import { guardService } from '../../../../src/command/pam-d/guard.ts';
import { plainWebInterfaceFile, webInterfaceFile } from '../../../../src/command/pam-d/web-interface.ts';
import { begin, readPending } from '../../../../src/command/switching/pending.ts';
import { placesBelow, type Places } from '../../../../src/command/switching/places.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const SCRIPT = resolve(import.meta.dirname, '../../../../scripts/pve-authenticator-undo');
const STOCK = 'auth required pam_unix.so\naccount required pam_unix.so\n';
const newDirectory = temporaryDirectories();
let root: string;
let places: Places;
let after: string;

const file = (): string => readFileSync(`${places.pam}/sshd`, 'latin1');
const edit = (change: (text: string) => string): void => writeFileSync(`${places.pam}/sshd`, change(file()));
const undo = (...words: string[]): { status: number | null; stderr: string } =>
  spawnSync('sh', [SCRIPT, '--root', root, ...words], { encoding: 'utf8' });
const enabled = (seconds: number): void => {
  begin(places, [{ service: 'sshd', before: STOCK, after }], seconds, 'audit:none');
  writeFileSync(`${places.state}/written/sshd`, after);
  edit(() => after);
};

beforeEach(() => {
  root = newDirectory();
  places = placesBelow(root);
  for (const directory of [
    places.pam,
    `${places.state}/written`,
    `${places.state}/original`,
    `${root}/run`,
  ]) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }
  chmodSync(places.state, 0o700);
  writeFileSync(`${places.pam}/sshd`, STOCK, { mode: 0o640 });
  writeFileSync(`${places.state}/original/sshd`, STOCK);
  const guarded = guardService('sshd', STOCK, { arguments: [] }, () => undefined);
  after = guarded.kind === 'changed' ? guarded.text : '';
});

describe('what waits to be confirmed', () => {
  it('is left alone before its time', () => {
    enabled(300);
    expect(undo()).toMatchObject({ status: 0, stderr: '' });
    expect(file()).toBe(after);
    expect(readdirSync(places.pam)).toEqual(['sshd']);
  });

  it.each<[string, () => void]>([
    ['its time is over', () => writeFileSync(`${places.state}/pending/due`, '1\n')],
    ['the machine was started since', () => execFileSync('rm', ['-r', places.run])],
    ['it is another change that this boot knows', () => writeFileSync(`${places.run}/id`, 'other\n')],
    ['its time cannot be read', () => writeFileSync(`${places.state}/pending/due`, 'soon\n')],
    ['its time is missing', () => execFileSync('rm', [`${places.state}/pending/due`])],
    ['it was begun in the future', () => writeFileSync(`${places.state}/pending/since`, '99999999999\n')],
  ])('is undone when %s', (_why, happens) => {
    enabled(300);
    happens();
    expect(undo().status).toBe(0);
    expect(file()).toBe(STOCK);
    expect(statSync(`${places.pam}/sshd`).mode & 0o777).toBe(0o640);
    expect(readPending(places)).toBeUndefined();
    expect(undo()).toMatchObject({ status: 0, stderr: '' });
  });

  it('is undone at once with --now; a service that is not named stays', () => {
    enabled(300);
    expect(undo('--now', 'su').status).toBe(0);
    expect(file()).toBe(after);
    expect(undo('--now', 'sshd').status).toBe(0);
    expect(file()).toBe(STOCK);
  });

  it('names no file elsewhere', () => {
    enabled(300);
    writeFileSync(`${root}/etc/victim`, after);
    writeFileSync(`${places.state}/pending/services`, '../victim\n.hidden\n\n-x\nsshd\n');
    expect(undo('--now').status).toBe(0);
    expect(readFileSync(`${root}/etc/victim`, 'latin1')).toBe(after);
    expect(file()).toBe(STOCK);
  });
});

describe('a file that was edited since', () => {
  it.each<[string, (text: string) => string, string]>([
    ['keeps the edits', (text) => `# mine\n${text}`, `# mine\n${STOCK}`],
    ['loses the line also without its mark', (text) => text.replace(/ # by .*/, ''), STOCK],
    ['loses the line also when it was changed', (text) => text.replace('.so #', '.so debug #'), STOCK],
    [
      'loses the line also with line ends of Windows',
      (text) => text.replaceAll('\n', '\r\n'),
      STOCK.replaceAll('\n', '\r\n'),
    ],
    ['is left alone without the line', () => '# mine alone\n', '# mine alone\n'],
    [
      'keeps its jumps where they lead',
      (text) => `auth [success=2 default=ignore] pam_rootok.so\n${text}`,
      'auth [success=2 default=ignore] pam_rootok.so\nauth required pam_unix.so\n' +
        'auth [default=ignore] pam_permit.so # stands for a line of pve-authenticator, for those that jump over it\n' +
        'account required pam_unix.so\n',
    ],
  ])('%s', (_how, change, expected) => {
    enabled(300);
    edit(change);
    expect(undo('--now')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('was edited') as string,
    });
    expect(file()).toBe(expected);
  });

  describe('where jumps lead', () => {
    const OURS = 'auth required pam_pve_authenticator.so # by pve-google-authenticator enable';
    const PLACE =
      'auth [default=ignore] pam_permit.so # stands for a line of pve-authenticator, for those that jump over it';
    const UNIX = 'auth required pam_unix.so';
    const JUMP = 'auth [success=2 default=ignore] pam_rootok.so';
    const LAST = 'auth required pam_permit.so';
    type Files = Readonly<Record<string, readonly string[]>>;

    it.each<[string, Files, string]>([
      ['over it from an included file', { su: ['@include first', UNIX, OURS, LAST], first: [JUMP] }, PLACE],
      [
        'over it from a file included twice removed',
        { su: ['@include a', UNIX, OURS, LAST], a: ['auth include b'], b: [JUMP] },
        PLACE,
      ],
      ['over it from a file that includes', { su: [UNIX, OURS], login: [JUMP, '@include su', LAST] }, PLACE],
      [
        'over it from a line that a backslash joins',
        { su: ['auth [success=2 \\', ' default=ignore] pam_rootok.so', UNIX, OURS, LAST] },
        PLACE,
      ],
      [
        'to it, where nothing else comes',
        { su: ['auth [success=1 default=ignore] pam_unix.so', 'auth requisite pam_deny.so', OURS] },
        PLACE,
      ],
      ['where nobody can see, since files include each other', { su: ['@include su', OURS] }, PLACE],
      [
        'to a line before it',
        { su: ['auth [success=1 default=ignore] pam_unix.so', 'auth requisite pam_deny.so', LAST, OURS] },
        '',
      ],
      ['to it, and then on', { su: [JUMP, UNIX, UNIX, OURS, LAST] }, ''],
      [
        'out of a substack, which is one step',
        { su: ['auth substack first', UNIX, OURS, LAST], first: [JUMP, UNIX, LAST] },
        '',
      ],
      [
        'elsewhere, in the account stack',
        { su: [UNIX, OURS, JUMP.replace('auth', 'account'), 'account required pam_unix.so'] },
        '',
      ],
      ['elsewhere, in a file of others', { su: [UNIX, OURS], login: [JUMP, UNIX, LAST] }, ''],
    ])('%s: only then something takes its place', (_where, files, place) => {
      for (const [name, lines] of Object.entries(files)) {
        writeFileSync(`${places.pam}/${name}`, lines.map((line) => `${line}\n`).join(''));
      }
      expect(undo('--off', 'su').status).toBe(0);
      const left = files['su']!.flatMap((line) => (line === OURS ? (place === '' ? [] : [place]) : [line]));
      expect(readFileSync(`${places.pam}/su`, 'utf8')).toBe(left.map((line) => `${line}\n`).join(''));
    });
  });

  describe('lines without which nobody would get in', () => {
    const OURS = 'auth required pam_pve_authenticator.so nullok';
    const JUMP = 'auth [success=1 default=ignore] pam_unix.so';
    const DENY = 'auth requisite pam_deny.so';
    const PERMIT = 'auth required pam_permit.so';
    type Files = Readonly<Record<string, readonly string[]>>;

    it.each<[string, Files, string]>([
      ['where a jump leads to one', { su: [JUMP, DENY, OURS] }, 'su'],
      ['where the jump is in an included file', { su: ['@include first', OURS], first: [JUMP, DENY] }, 'su'],
      [
        'where it is in a file included twice removed',
        { su: ['auth include a', OURS], a: ['@include b'], b: [JUMP, DENY] },
        'su',
      ],
      ['where the line is in an included file', { su: [JUMP, DENY, '@include last'], last: [OURS] }, 'last'],
      [
        'where a backslash joins the jump',
        { su: ['auth [success=1 \\', 'default=ignore] pam_unix.so', DENY, OURS] },
        'su',
      ],
      ['not where another line says yes', { su: [JUMP, DENY, OURS, PERMIT] }, ''],
      ['not where an included one does', { su: ['@include first', OURS], first: [JUMP, DENY, PERMIT] }, ''],
      [
        'not where "enable" wrote it',
        { su: [JUMP, DENY, `${OURS} # by pve-google-authenticator enable`] },
        '',
      ],
      ['not without a jump', { su: ['auth required pam_unix.so', OURS] }, ''],
      [
        'not where the jump stays in a substack',
        { su: ['auth substack first', OURS], first: [JUMP, DENY, PERMIT] },
        '',
      ],
    ])('are printed %s', (_where, files, where) => {
      for (const [name, lines] of Object.entries(files)) {
        writeFileSync(`${places.pam}/${name}`, lines.map((line) => `${line}\n`).join(''));
      }
      const { status, stdout } = spawnSync('sh', [SCRIPT, '--root', root, '--needed'], { encoding: 'utf8' });
      expect([status, stdout]).toEqual([0, where === '' ? '' : `${places.pam}/${where}: ${OURS}\n`]);
    });
  });

  it.each<[string, (text: string) => string]>([
    ['before it', (text) => text.replace(/^auth +required +pam_pve/m, 'auth required \\\npam_pve')],
    ['behind it', (text) => text.replace('_authenticator.so', '_authenticator.so \\\n  debug')],
  ])(
    'is put back as a whole where a backslash %s joins lines, and the edited one is kept',
    (_where, change) => {
      for (const words of [['--now'], ['--off', 'sshd']]) {
        enabled(300);
        edit(change);
        const edited = file();
        expect(undo(...words)).toMatchObject({
          status: 0,
          stderr: expect.stringContaining(`As it was edited: ${places.state}/edited-sshd`) as string,
        });
        expect(file(), words.join(' ')).toBe(STOCK);
        expect(readFileSync(`${places.state}/edited-sshd`, 'latin1')).toBe(edited);
        writeFileSync(`${places.state}/original/sshd`, STOCK);
      }
    },
  );

  it('is kept as it was beside, and reported, by --off', () => {
    enabled(300);
    edit((text) => `# mine\n${text}`);
    const { status, stderr } = undo('--off', 'sshd');
    expect(status).toBe(0);
    expect(stderr).toContain(`What it was before: ${places.state}/original/sshd`);
    expect(existsSync(`${places.state}/original/sshd`)).toBe(true);
    expect(file()).toBe(`# mine\n${STOCK}`);
    expect(readPending(places)).toBeUndefined();
  });
});

describe('--off', () => {
  it('gives back the bytes, of all services or of those that are named', () => {
    enabled(300);
    expect(undo('--off', 'su').stderr).toContain("does not have the module's line");
    expect(undo('--off')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('as it was before') as string,
    });
    expect(file()).toBe(STOCK);
    expect(undo('--off')).toMatchObject({ status: 0, stderr: '' });
  });

  it('removes the line even if the file from before is unknown', () => {
    enabled(300);
    execFileSync('rm', ['-r', places.state]);
    expect(undo('--off').status).toBe(0);
    expect(file()).toBe(STOCK);
  });

  it('refuses invalid service names', () => {
    expect(undo('--off', '../passwd')).toMatchObject({ status: 1 });
    expect(undo('--force')).toMatchObject({ status: 64 });
    expect(undo('--help')).toMatchObject({ status: 0, stderr: '' });
  });

  it('does not pass over a service that is named without an option', () => {
    enabled(300);
    expect(undo('sshd')).toMatchObject({ status: 64, stderr: expect.stringContaining('usage:') as string });
    expect(file()).toBe(after);
  });

  it("is root's", () => {
    const who = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const script = readFileSync(SCRIPT);
    expect(spawnSync('sh', ['-s', '--', '--off'], { encoding: 'utf8', input: script, ...who })).toMatchObject(
      {
        status: 77,
        stderr: expect.stringContaining('Only root may do that') as string,
      },
    );
  });
});

describe('settings that were written for sshd', () => {
  const MARK = '# by pve-google-authenticator';
  const settings = (): string => `${root}/etc/ssh/sshd_config.d`;
  const write = (name: string, ...lines: string[]): void =>
    writeFileSync(`${settings()}/${name}`, lines.map((line) => `${line}\n`).join(''));
  const read = (name: string): string => readFileSync(`${settings()}/${name}`, 'utf8');
  /** An sshd that cannot use its configuration while a text is missing in it. */
  const sshdThatNeeds = (text: string): void => {
    mkdirSync(`${root}/usr/sbin`, { recursive: true });
    writeFileSync(`${root}/usr/sbin/sshd`, `#!/bin/sh\ngrep -rq '${text}' ${root}/etc/ssh\n`, {
      mode: 0o755,
    });
  };

  beforeEach(() => {
    mkdirSync(settings(), { recursive: true });
    writeFileSync(
      `${root}/etc/ssh/sshd_config`,
      `Include ours ${MARK}\nInclude /etc/ssh/sshd_config.d/*.conf\n`,
    );
    write('00-pve-authenticator.conf', `UsePAM yes ${MARK}`, `KbdInteractiveAuthentication yes ${MARK}`);
    write(
      '00-pve-authenticator-match.conf',
      `Match User bob ${MARK}`,
      `    PasswordAuthentication no ${MARK}`,
    );
    write('other.conf', 'PasswordAuthentication no');
  });

  it.each([
    ['off', (): unknown => undo('--off', 'sshd')],
    ['undone', (): unknown => undo('--now')],
    ['undone in time', (): unknown => (writeFileSync(`${places.state}/pending/due`, '1\n'), undo())],
  ])('are removed when sshd is switched %s', (_how, act) => {
    enabled(300);
    act();
    expect(file()).toBe(STOCK);
    expect(readdirSync(settings())).toEqual(['other.conf']);
    expect(readFileSync(`${root}/etc/ssh/sshd_config`, 'utf8')).toBe(
      'Include /etc/ssh/sshd_config.d/*.conf\n',
    );
  });

  it.each([
    ['sshd waits to be confirmed', (): void => enabled(300)],
    [
      'somebody wrote the line',
      (): void => edit((text) => `auth required pam_pve_authenticator.so\n${text}`),
    ],
    [
      'it is in a file that is included',
      (): void => {
        writeFileSync(`${places.pam}/part`, 'auth required pam_pve_authenticator.so\n');
        writeFileSync(`${places.pam}/between`, 'auth substack part\n');
        edit(() => '@include between\n');
      },
    ],
  ])('stays while sshd asks: %s', (_how, guard) => {
    guard();
    undo('--off', 'su');
    expect(readdirSync(settings())).toHaveLength(3);
  });

  it('goes also when sshd never asked for a code', () => {
    expect(undo('--off')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('was taken back') as string,
    });
    expect(readdirSync(settings())).toEqual(['other.conf']);
    expect(undo('--off')).toMatchObject({ status: 0, stderr: '' });
  });

  it("keeps other people's lines, restores disabled ones, and says so", () => {
    write(
      '00-pve-authenticator.conf',
      '# put aside by pve-google-authenticator: UsePAM no',
      'MaxAuthTries 3',
      `UsePAM yes ${MARK}`,
    );
    expect(undo('--off').stderr).toContain(
      '00-pve-authenticator.conf has lines that somebody else wrote. They stay.',
    );
    expect(read('00-pve-authenticator.conf')).toBe('UsePAM no\nMaxAuthTries 3\n');
  });

  it('keeps a setting in our Match block from applying to everybody', () => {
    write(
      '00-pve-authenticator-match.conf',
      `Match User bob ${MARK}`,
      '    PermitRootLogin yes',
      `    PasswordAuthentication no ${MARK}`,
    );
    undo('--off');
    expect(read('00-pve-authenticator-match.conf')).toBe(`Match User bob ${MARK}\n    PermitRootLogin yes\n`);
  });

  it('keeps the settings that sshd needs, and all of them if that is not enough', () => {
    sshdThatNeeds('KbdInteractiveAuthentication yes');
    expect(undo('--off')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('It stays: ') as string,
    });
    expect(read('00-pve-authenticator.conf')).toContain('KbdInteractiveAuthentication yes');
    expect(existsSync(`${settings()}/00-pve-authenticator-match.conf`)).toBe(false);
    write('00-pve-authenticator-match.conf', `Match User bob ${MARK}`);
    sshdThatNeeds('Match User bob');
    expect(undo('--off').status).toBe(1);
    expect(read('00-pve-authenticator-match.conf')).toBe(`Match User bob ${MARK}\n`);
  });
});

describe("another module's line, put aside by doctor", () => {
  const OLD = 'auth [success=ok default=die] pam_google_authenticator.so secret=/a&b/\\${USER} # mine';
  const ASIDE = `auth [default=ignore] pam_permit.so # put aside by pve-google-authenticator: ${OLD}`;
  const OURS = 'auth required pam_pve_authenticator.so';
  const write = (name: string, ...lines: string[]): void =>
    writeFileSync(`${places.pam}/${name}`, lines.map((line) => `${line}\n`).join(''));
  const read = (name: string): string => readFileSync(`${places.pam}/${name}`, 'utf8');

  beforeEach(() => {
    mkdirSync(`${root}/usr/lib/x86_64-linux-gnu/security`, { recursive: true });
    writeFileSync(`${root}/usr/lib/x86_64-linux-gnu/security/pam_google_authenticator.so`, '');
  });

  it.each([
    ['is switched off', (): unknown => undo('--off', 'sshd')],
    ['is undone', (): unknown => undo('--now')],
    ['is undone in time', (): unknown => (writeFileSync(`${places.state}/pending/due`, '1\n'), undo())],
  ])('is in force again when its service %s', (_how, act) => {
    enabled(300);
    edit((text) => `${ASIDE}\n${text}`);
    act();
    expect(file()).toBe(`${OLD}\n${STOCK}`);
  });

  it('is in force again when somebody took the line by hand, and is said', () => {
    write('sshd', ASIDE, 'account required pam_unix.so');
    const { status, stderr } = undo('--off');
    expect(read('sshd')).toBe(`${OLD}\naccount required pam_unix.so\n`);
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/pam\.d\/sshd asks for the code of pam_google_authenticator\.so again/),
    ]);
    expect(undo('--off')).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    [
      'refuses',
      'google_authenticator.so',
      'pam_google_authenticator.so refuses them: Dave Smith alice. Before they log in',
    ],
    [
      'lets in',
      'google_authenticator.so nullok',
      'pam_google_authenticator.so lets them in without a code: Dave Smith alice. Before they log in',
    ],
    [
      'may refuse',
      'google_authenticator.so secret=/keys/${USER}',
      'knows none of theirs, it refuses them: Dave Smith alice bob gone.',
    ],
    [
      'may refuse, too,',
      'oath.so usersfile=/etc/users.oath',
      'knows none of theirs, it refuses them: Dave Smith alice bob gone.',
    ],
  ])('names the users whom it %s, because they are enrolled only here', (_what, module, says) => {
    const enrolments = `${root}/var/lib/pve-authenticator/enrolments`;
    mkdirSync(enrolments, { recursive: true });
    mkdirSync(`${root}/etc`, { recursive: true });
    const people = ['alice', 'bob', 'Dave Smith'];
    writeFileSync(
      `${root}/etc/passwd`,
      people.map((name, index) => `${name}:x:${1000 + index}:100::/home/${name}:/bin/sh\n`).join(''),
    );
    for (const name of [...people, 'gone']) {
      writeFileSync(`${enrolments}/${recordFileName(name)}`, '{}');
    }
    mkdirSync(`${root}/home/bob`, { recursive: true });
    writeFileSync(`${root}/home/bob/.google_authenticator`, '');
    writeFileSync(`${root}/usr/lib/x86_64-linux-gnu/security/pam_oath.so`, '');
    write('sshd', `${ASIDE.slice(0, -OLD.length)}auth required pam_${module}`);
    const { status, stderr } = undo('--off');
    expect(status).toBe(0);
    expect(stderr).toContain(says);
  });

  it('stays aside while a service that includes the file asks for our code', () => {
    write('common-auth', 'auth required pam_unix.so', ASIDE);
    write('login', '@include common-auth', OURS);
    write('sshd', '@include common-auth');
    undo('--off');
    expect(read('common-auth')).toContain(ASIDE);
    write('login', 'auth include common-auth');
    undo('--off');
    expect(read('common-auth')).toBe(`auth required pam_unix.so\n${OLD}\n`);
  });

  it('stays aside if its module is no longer installed, because nobody could log in', () => {
    execFileSync('rm', ['-r', `${root}/usr/lib`]);
    write('sshd', ASIDE);
    expect(undo('--off')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('is not installed') as string,
    });
    expect(read('sshd')).toBe(`${ASIDE}\n`);
  });
});

describe('the file for the web interface of Proxmox', () => {
  const web = (): string => `${places.pam}/proxmox-ve-auth`;
  it('goes with the last service', () => {
    enabled(300);
    writeFileSync(web(), webInterfaceFile(STOCK));
    writeFileSync(`${places.pam}/su`, after);
    undo('--off', 'sshd');
    expect(existsSync(web())).toBe(true);
    undo('--off', 'su');
    expect(existsSync(web())).toBe(false);
  });
  it('stays when somebody edited it, and while common-auth asks for codes', () => {
    writeFileSync(web(), `${webInterfaceFile(undefined)}# mine\n`);
    expect(undo('--off').stderr).toContain('edited since. It stays');
    writeFileSync(web(), plainWebInterfaceFile());
    writeFileSync(`${places.pam}/common-auth`, 'auth required pam_google_authenticator.so\n');
    undo('--off');
    expect(readFileSync(web(), 'utf8')).toBe(plainWebInterfaceFile());
    writeFileSync(`${places.pam}/common-auth`, STOCK);
    undo('--off');
    expect(existsSync(web())).toBe(false);
  });
});
