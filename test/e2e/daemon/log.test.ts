import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readLogLine } from './log-line.ts';
import { ModuleSocket, startFrame } from './module-socket.ts';
import { logIn, PamLogin } from './pam-login.ts';
import { AS_ROOT, notRun, Stage, type Daemon } from './stage.ts';

const NOTICE = 5;
const INFO = 6;
/**
 * Names that a stranger may choose: with line ends, escape sequences, a field, quotes, or control characters for terminals and
 * editors.
 */
const HOSTILE = [
  'x\n<6>Accepted verification code for root service=sshd verdict=ok',
  'x\r\x1b[2J\x1b]0;title\x07',
  'x rhost=198.51.100.9 verdict=ok',
  'x" rhost=198.51.100.9 verdict="ok',
  'x\\" rhost=198.51.100.9 \\',
  'x\u2028\u202e\u200b\u0085\x7f\t\v',
  'y'.repeat(4_000),
];
const LONGEST_LINE = 2_000;
const MAX_VALUE = 300;
const ITEMS = ['TTY=tty7', 'RHOST=192.0.2.1', 'RUSER=somebody'];

let stage: Stage;
let daemon: Daemon;
let service: string;

beforeAll(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
  service = stage.service();
});
afterAll(() => stage.clear());

const from = { rhost: '192.0.2.1', tty: 'tty7', ruser: 'somebody' };

async function lineWith(text: string): Promise<ReturnType<typeof readLogLine>> {
  const pattern = new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return readLogLine((await daemon.log.waitFor(pattern))[0]!);
}

describe('the log has one line for each login', () => {
  test('accepted', async () => {
    const { name, code } = stage.person();
    await logIn(stage, name, code(), { service, items: ITEMS });
    expect(await lineWith(` ${name} `)).toEqual({
      priority: INFO,
      message: `Accepted verification code for ${name}`,
      fields: { service, ...from, factor: 'totp:phone', verdict: 'ok' },
    });
  });

  test('wrong, empty and used, in the words that fail2ban users know', async () => {
    const used = stage.person();
    const code = used.code();
    await logIn(stage, used.name, code, { service, items: ITEMS });
    const wrong = stage.person();
    for (const [person, answer, reason, more] of [
      [wrong, wrong.wrongCode(), 'wrong-code', {}],
      [stage.person(), '', 'no-code', {}],
      [used, code, 'code-already-used', { factor: 'totp:phone' }],
    ] as const) {
      await logIn(stage, person.name, answer, { service, items: ITEMS });
      expect(await lineWith(`Invalid verification code for ${person.name} `)).toEqual({
        priority: NOTICE,
        message: `Invalid verification code for ${person.name}`,
        fields: { service, ...from, ...more, verdict: 'denied', reason },
      });
    }
    expect(
      daemon.log.matching(new RegExp(`^<5>Invalid .* ${wrong.name} .* rhost=192\\.0\\.2\\.1 `)),
    ).toHaveLength(1);
  });

  test('unknown, not enrolled, cancelled', async () => {
    const bare = stage.person({ enrolled: false });
    const gone = stage.person();
    await logIn(stage, 'nobody-of-this-name', '123456', { service, items: ITEMS });
    await logIn(stage, bare.name, '123456', { service, items: ITEMS });
    const login = new PamLogin(stage, gone.name, { service, items: ITEMS });
    await (await login.asked()).end();
    const fields = { service, ...from };
    expect(await lineWith(' nobody-of-this-name ')).toEqual({
      priority: NOTICE,
      message: 'Invalid verification code for nobody-of-this-name',
      fields: { ...fields, verdict: 'user-unknown', reason: 'user-unknown' },
    });
    expect(await lineWith(` ${bare.name} `)).toEqual({
      priority: NOTICE,
      message: `No factor is enrolled for ${bare.name}`,
      fields: { ...fields, verdict: 'not-enrolled', reason: 'not-enrolled' },
    });
    expect(await lineWith(` ${gone.name} `)).toMatchObject({
      priority: INFO,
      message: `No verification code from ${gone.name}`,
      fields: { ...fields, verdict: 'denied', reason: 'cancelled' },
    });
  });
});

describe('what comes from outside does not reach the log raw', () => {
  /** Every line has the daemon's form, and no line has the stranger's forged contents. */
  function expectUnforged(lines: readonly string[]): void {
    for (const line of lines) {
      // eslint-disable-next-line no-control-regex
      expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]/);
      expect(Buffer.byteLength(line)).toBeLessThan(LONGEST_LINE);
      const { message, fields } = readLogLine(line);
      expect(message).not.toMatch(/^Accepted/);
      expect(fields['verdict']).not.toBe('ok');
      expect(fields['rhost']).not.toBe('198.51.100.9');
      Object.values(fields).forEach((value) => expect(value.length).toBeLessThan(MAX_VALUE));
    }
  }

  test.for(['RHOST', 'TTY', 'RUSER', 'USER'])('through libpam: %s', async (item) => {
    const from = daemon.log.lines.length;
    for (const text of HOSTILE) {
      const { name, wrongCode } = stage.person();
      await logIn(stage, name, wrongCode(), { service, items: [`${item}=${text}`] });
    }
    const { name, wrongCode } = stage.person();
    await logIn(stage, name, wrongCode(), { service });
    await lineWith(` ${name} `);
    const lines = daemon.log.lines.slice(from);
    expect(lines).toHaveLength(HOSTILE.length + 1);
    expectUnforged(lines);
  });

  test('straight to the daemon, in every field', async () => {
    const from = daemon.log.lines.length;
    // Six of them have to fit into a frame.
    const all = [
      ...HOSTILE.map((text) => Buffer.from(text).subarray(0, 2_500)),
      Buffer.from('x\xff\xfe\x9b31m', 'latin1'),
    ];
    for (const text of all) {
      const fields = { service: text, user: text, tty: text, rhost: text, ruser: text, canonicalUser: text };
      const login = await ModuleSocket.connect(stage.socket('pam'));
      await login.send(startFrame({ ...fields, uid: 4711 })).next();
      await login.close();
    }
    // The log names an unknown argument of pam.d.
    for (const text of all) {
      const login = await ModuleSocket.connect(stage.socket('pam'));
      await login.send(startFrame({ moduleArguments: [text] })).next();
      await login.close();
    }
    await daemon.log.waitFor(/Unrecognized option/, all.length);
    const lines = daemon.log.lines.slice(from);
    expect(lines).toHaveLength(2 * all.length);
    expectUnforged(lines);
  });
});

test('no secret, code or password is in the log, the environment or the arguments of the daemon', async () => {
  const secrets: string[] = [];
  const tails = [stage.service('forward_pass', 'debug'), stage.service('forward_pass')];
  for (const wanted of [service, stage.service('debug'), ...tails]) {
    const person = stage.person({ digits: 8 });
    const password = `Pass-word ${person.secret.slice(0, 8)}!`;
    const [right, wrong] = [person.code(), person.wrongCode()];
    const before = tails.includes(wanted) ? password : '';
    for (const code of [wrong, right, right]) {
      await logIn(stage, person.name, before + code, { service: wanted });
    }
    await logIn(stage, person.name, password, { service: wanted });
    await daemon.log.waitFor(new RegExp(`(?:for|from) ${person.name} `), 4);
    secrets.push(person.secret, person.secret.toLowerCase(), right, wrong, password);
  }
  expect(daemon.log.matching(/^<7>debug: /).length).toBeGreaterThan(0);
  const seen = {
    log: daemon.log.lines.join('\n'),
    arguments: readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8'),
    environment: environmentOf(daemon),
  };
  for (const secret of secrets) {
    for (const [where, text] of Object.entries(seen)) {
      expect(text.includes(secret), `${where} holds a secret`).toBe(false);
    }
  }
});

function environmentOf({ pid }: Daemon): string {
  if (!AS_ROOT) {
    notRun("a look into the daemon's environment", 'only root may look');
    return '';
  }
  const text = readFileSync(`/proc/${pid}/environ`, 'utf8');
  expect(text).toContain('PATH=');
  return text;
}
