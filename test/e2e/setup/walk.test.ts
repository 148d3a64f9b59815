import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { counterCodeOf } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { newAccount } from '../harness/person.ts';
import { guard, unguard, useDaemon } from '../hosts/host.ts';
import { sshTo, startSshServer, type SshServer } from '../hosts/ssh-server.ts';
import { photograph, readQr } from './qr-reader.ts';
import { Tmux } from './tmux.ts';

/* The setup, driven by keys on a real screen. The QR code that a phone would see there opens a real SSH login. */

const canSee = ['tmux', 'zbarimg'].every((program) => spawnSync('which', [program]).status === 0);
const SMALL = { columns: 80, rows: 24 };
const LARGE = { columns: 120, rows: 60 };
const PERIOD_S = 30;
const CODE_PROMPT = /Code from your app \(Enter shows the key again, -1 skips\):$/m;

/** The contents of a QR code for a phone. */
interface Phone {
  readonly uri: URL;
  /** The code for a counter, or for so many time steps from now. */
  code(ahead: number): string;
}

function phoneOf(text: string): Phone {
  const uri = new URL(text);
  const of = (name: string, usual: string): string => uri.searchParams.get(name) ?? usual;
  const app = {
    secret: of('secret', ''),
    digits: Number(of('digits', '6')),
    algorithm: of('algorithm', 'SHA1').toLowerCase() as 'sha1' | 'sha256',
  };
  const next = (): number =>
    uri.host === 'hotp'
      ? Number(of('counter', '0'))
      : Math.floor(Date.now() / 1000 / Number(of('period', String(PERIOD_S))));
  return { uri, code: (ahead) => counterCodeOf(app, next() + ahead) };
}

interface Case {
  readonly title: string;
  readonly argv: readonly string[];
  readonly terminal?: typeof SMALL;
  readonly darkWriting?: boolean;
  /** The non-default parameters of the QR code. */
  readonly says: RegExp;
}

const UTF8: readonly Case[] = [
  { title: 'as it comes', argv: [], says: /^otpauth:\/\/totp\// },
  { title: 'UTF8', argv: ['-Q', 'utf8'], says: /totp/ },
  { title: 'UTF8_INVERSE', argv: ['-Q', 'UTF8_INVERSE'], darkWriting: true, says: /totp/ },
  { title: 'UTF8_GREY', argv: ['-Q', 'utf8-grey'], says: /totp/ },
  { title: 'UTF8_GREY on a light ground', argv: ['-Q', 'utf8-grey'], darkWriting: true, says: /totp/ },
];
const ANSI: readonly Case[] = (['ANSI', 'ANSI_INVERSE', 'ANSI_GREY'] as const).map((mode) => ({
  title: mode,
  argv: ['-Q', mode],
  terminal: LARGE,
  ...(mode === 'ANSI_INVERSE' ? { darkWriting: true } : {}),
  says: /totp/,
}));
const KINDS: readonly Case[] = [
  { title: '8 digits', argv: ['--digits=8'], says: /&digits=8/ },
  { title: 'SHA-256', argv: ['--algorithm=sha256'], says: /&algorithm=SHA256/ },
  { title: 'a minute', argv: ['-S', '60'], says: /&period=60/ },
  {
    title: 'a long label on a small terminal',
    argv: ['-l', 'bartholomew.featherstonehaugh@an-uncommonly-long-domain.example.org'],
    says: /:bartholomew/,
  },
  {
    title: 'a long label on a large terminal',
    argv: ['-l', 'bartholomew.featherstonehaugh@an-uncommonly-long-domain.example.org'],
    terminal: LARGE,
    says: /:bartholomew\.featherstonehaugh%40an-uncommonly-long-domain\.example\.org\?/,
  },
];

if (!canSee) {
  notRun('the setup at a terminal', 'this needs tmux and zbar-tools');
}

describeInBox('the setup at a terminal', () => {
  const daemon = useDaemon();
  let server: SshServer;

  beforeAll(async () => {
    guard('sshd');
    server = await startSshServer('sshd', [
      'AuthenticationMethods keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PasswordAuthentication no',
    ]);
  });
  afterAll(async () => {
    await server.stop();
    unguard('sshd');
  });

  const as = (name: string, ...argv: readonly string[]): string[] => [
    ...[
      'setpriv',
      '--reuid',
      name,
      '--regid',
      name,
      '--init-groups',
      'env',
      '-u',
      'TMUX',
      `HOME=/home/${name}`,
    ],
    ...[process.execPath, `${CHECKOUT}/dist/command/main.js`, ...argv],
  ];

  async function expectIn(person: { name: string; password: string }, code: string): Promise<void> {
    const seen = await sshTo(
      server,
      person,
      [],
      [
        { expect: /Password: $/, hidden: true, enter: person.password },
        { expect: /Verification code: $/, hidden: true, enter: code },
      ],
    );
    expect(seen).toMatchObject({ unmet: null, status: 0 });
    expect(seen.screen).toContain(`in as ${person.name}`);
  }

  /** Walks through it, with every default. What the phone saw. */
  async function walk(
    name: string,
    { argv, terminal = SMALL, darkWriting = false }: Omit<Case, 'says' | 'title'>,
  ): Promise<Phone> {
    const tmux = await Tmux.start(as(name, ...argv), terminal.columns, terminal.rows);
    try {
      if (!argv.includes('-c')) {
        await tmux.waitFor(/as on phones\?.*\(y\/n\) \[y\]$/ms);
        await tmux.enter('');
      }
      await tmux.waitFor(CODE_PROMPT);
      const photo = photograph(await tmux.coloured(), { ...terminal, darkWriting });
      const text = await readQr(photo);
      expect(text, await tmux.screen()).toBeDefined();
      const phone = phoneOf(text!);
      await tmux.enter(phone.code(0));
      await tmux.waitFor(/^Recovery codes, each good for one login.*^Save this for .*\[y\]$/ms);
      await tmux.enter('');
      await tmux.waitFor(/Enlarge that to .*\[n\]$/ms);
      await tmux.enter('');
      await tmux.waitFor(/Limit tries .*\[y\]$/m);
      await tmux.enter('');
      await tmux.waitFor(/^Done: /m);
      expect(await tmux.ended()).toBe(0);
      return phone;
    } finally {
      await tmux.end();
    }
  }

  describe.runIf(canSee)('shows a QR code that a reader reads, and a phone opens SSH with it', () => {
    test.each([...UTF8, ...ANSI, ...KINDS])('$title', async (given) => {
      const person = await newAccount();
      const phone = await walk(person.name, given);
      expect(phone.uri.href).toMatch(given.says);
      // The code that the phone was tried with is used up, so the next one is needed.
      await expectIn(person, phone.code(1));
      expect(daemon().log.lines.join('\n')).not.toContain(phone.uri.searchParams.get('secret'));
    });

    test('a token that counts', async () => {
      const person = await newAccount();
      const phone = await walk(person.name, { argv: ['-c'] });
      expect(phone.uri.href).toMatch(/^otpauth:\/\/hotp\/.*&counter=0$/);
      await expectIn(person, phone.code(1));
    });

    test('what does not fit is said, and the key is shown to type', async () => {
      const { name } = await newAccount();
      for (const argv of [
        ['-t', '-Q', 'ansi'],
        ['-t', '--algorithm=sha512'],
      ]) {
        const tmux = await Tmux.start(as(name, ...argv));
        const screen = await tmux.waitFor(CODE_PROMPT);
        expect(screen).toContain('The QR code does not fit this terminal: make it larger, or type the key.');
        expect(screen.replaceAll('\n', '')).toMatch(/authenticator app: ([A-Z2-7]{4} ){7}/);
        await tmux.end();
      }
    });
  });
});
