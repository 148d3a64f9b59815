/* Logins with rules, and logins whose YubiKey cannot be checked, with a scripted conversation. */
import { beforeEach, describe, expect, it } from 'vitest';
import { UNLIMITED, type Attempts } from '../../../../src/daemon/attempts/attempts.ts';
import { parseConfig } from '../../../../src/config/config.ts';
import type { Enrolment, Verification } from '../../../../src/daemon/enrolments/enrolment.ts';
import type { CodeShape } from '../../../../src/factors/code-shape.ts';
import type { LoginRequest } from '../../../../src/daemon/login/login-request.ts';
import { TEXTS } from '../../../../src/daemon/login/texts.ts';
import type { Prompt } from '../../../../src/daemon/wire/prompt.ts';
import type { Verdict } from '../../../../src/daemon/wire/verdict.ts';
import { RecordedLog } from '../../fixtures/recorded-log.ts';
import { ConversationEnded, converse, type Conversation } from '../../fixtures/conversation.ts';

const CODE = '123456';
const TOUCH = 'c'.repeat(44);
const RECOVERY = 'A'.repeat(16);
const HANGS_UP = 'hangs up';
const SHAPES: readonly CodeShape[] = [
  { class: 'digits', length: 6 },
  { class: 'modhex', length: 44 },
  { class: 'recovery', length: 16 },
];
const RIGHT: Readonly<Record<string, string>> = {
  [CODE]: 'totp:phone',
  [TOUCH]: 'yubikey:blue',
  [RECOVERY]: 'recovery:codes',
};

let log: RecordedLog;
let prompts: Prompt[];
let notices: string[];
const heard: { verdict: Verdict | undefined } = { verdict: undefined };
let lookedUp: number;
let groupLookUps: number;
/** The grace period that each look-up got. */
let graces: number[];
let successes: number;

beforeEach(() => {
  log = new RecordedLog();
  prompts = [];
  notices = [];
  heard.verdict = undefined;
  lookedUp = 0;
  groupLookUps = 0;
  graces = [];
  successes = 0;
});

interface Scene {
  readonly rules?: string;
  readonly answers?: readonly string[];
  readonly shapes?: readonly CodeShape[];
  readonly arguments?: readonly string[];
  readonly request?: Partial<LoginRequest>;
  readonly rhost?: string;
  readonly groups?: readonly string[] | { readonly why: string };
  readonly touchUnavailable?: boolean;
  readonly standing?: 'enrolled' | 'absent';
}

async function login(scene: Scene): Promise<Verdict['code'] | undefined> {
  const answers = [...(scene.answers ?? [])];
  heard.verdict = undefined;
  const gone = answers.includes(HANGS_UP);
  const conversation: Conversation = {
    get over() {
      return heard.verdict !== undefined || (gone && answers.length === 0);
    },
    ask(prompt) {
      prompts.push(prompt);
      const answer = answers.shift() ?? '';
      if (answer === HANGS_UP) {
        return Promise.reject(new ConversationEnded('the module closed the connection'));
      }
      const readings = prompt.shapes.flatMap((shape, index) =>
        answer.endsWith(CODE) && shape.class === 'digits'
          ? [{ shape: index, text: Buffer.from(CODE) }]
          : answer.endsWith(TOUCH) && shape.class === 'modhex'
            ? [{ shape: index, text: Buffer.from(TOUCH) }]
            : answer.endsWith(RECOVERY) && shape.class === 'recovery'
              ? [{ shape: index, text: Buffer.from(RECOVERY) }]
              : [],
      );
      return Promise.resolve({ kind: 'answer', readings });
    },
    tell: ({ text }) => notices.push(text),
    conclude: (given) => (heard.verdict = given),
  };
  const enrolment: Enrolment = {
    shapes: scene.shapes ?? SHAPES,
    verify(readings): Promise<Verification> {
      const text = readings[0]!.text.toString();
      if (scene.touchUnavailable === true && text === TOUCH) {
        return Promise.resolve({
          kind: 'unavailable',
          factor: 'yubikey:blue',
          why: 'no server',
          tryAnother: true,
        });
      }
      const factor = RIGHT[text];
      return Promise.resolve(
        factor === undefined
          ? { kind: 'rejected', reason: 'wrong-code' }
          : { kind: 'accepted', factor, reading: 0 },
      );
    },
  };
  const attempts: Attempts = {
    begin: (...subject) => ({
      admit: () => UNLIMITED.begin(...subject).admit(),
      failed: () => undefined,
      succeeded: () => (successes += 1),
    }),
  };
  const request: LoginRequest = {
    context: {
      service: 'sshd',
      user: 'alice',
      tty: 'ssh',
      rhost: scene.rhost ?? '192.0.2.1',
      ruser: undefined,
    },
    moduleArguments: (scene.arguments ?? []).map((argument) => Buffer.from(argument)),
    account: { name: 'alice', uid: 1000 },
    trustedHost: true,
    ...scene.request,
  };
  await converse(request, conversation, {
    enrolments: {
      lookUp: ({ options }) => {
        graces.push(options.gracePeriod);
        lookedUp++;
        return Promise.resolve(
          scene.standing === 'absent' ? { kind: 'absent' } : { kind: 'enrolled', enrolment },
        );
      },
    },
    rules: {
      rules: parseConfig(scene.rules ?? '', 'f').rules,
      groupsOf: () => {
        groupLookUps++;
        return Promise.resolve(scene.groups ?? ['staff']);
      },
    },
    attempts,
    log,
    now: () => 0,
    monotonic: () => performance.now(),
    sleep: () => Promise.resolve(),
  });
  return (heard.verdict as Verdict | undefined)?.code;
}

const SKIP = '[[rule]]\nservice = "sshd"\nnetwork = "192.0.2.0/24"\naction = "skip"\n';
const DENY = '[[rule]]\nuser = "alice"\naction = "deny"\n';
const BOTH = '[[rule]]\naction = "both"\n';

describe('a rule that skips', () => {
  it('exempts, asks nothing, and looks nobody up', async () => {
    expect(await login({ rules: SKIP })).toBe('exempt');
    expect([prompts, lookedUp]).toEqual([[], 0]);
    expect(log.text).toContain('A rule exempts alice');
    expect(log.text).toContain('192.0.2.1 is in 192.0.2.0/24');
  });

  it.each(['192.0.3.1', 'host.example.com', '', '::1'])(
    'does not exempt who comes from %j',
    async (rhost) => {
      expect(await login({ rules: SKIP, rhost, answers: [CODE] })).toBe('ok');
      expect(prompts).toHaveLength(1);
    },
  );

  it('does not exempt a program that is not root, whatever it claims', async () => {
    expect(await login({ rules: SKIP, request: { trustedHost: false }, answers: ['x'] })).toBe('denied');
  });

  it('by group does not exempt when the groups cannot be found out', async () => {
    const rules = '[[rule]]\ngroup = "staff"\naction = "skip"\n';
    expect(await login({ rules })).toBe('exempt');
    heard.verdict = undefined;
    expect(await login({ rules, groups: { why: 'no answer' }, answers: [CODE] })).toBe('ok');
    expect(log.text).toContain('The groups of alice cannot be looked up');
    expect(log.text).toContain('no answer');
  });
});

describe('a rule that denies', () => {
  it('lets nobody in, with any code, also by a program that is not root', async () => {
    expect(await login({ rules: DENY, answers: [CODE] })).toBe('denied');
    expect(await login({ rules: DENY, answers: [CODE], request: { trustedHost: false } })).toBe('denied');
    expect([prompts, lookedUp]).toEqual([[], 0]);
    expect(log.text).toContain('A rule denies alice');
  });

  it('comes after one above it that skips', async () => {
    expect(await login({ rules: SKIP + DENY })).toBe('exempt');
    expect(await login({ rules: DENY + SKIP })).toBe('denied');
  });
});

describe('a rule with a group', () => {
  const UNKNOWN = { why: 'no answer' };
  const of = (action: string): string => `[[rule]]\ngroup = "Domain Users"\naction = "${action}"\n`;

  it.each(['skip', 'deny', 'both'])('asks nobody when a rule above decides (%s)', async (action) => {
    expect(await login({ rules: SKIP + of(action), groups: UNKNOWN })).toBe('exempt');
    expect(groupLookUps).toBe(0);
  });

  it('decides when nothing else does: unknown groups are no exemption, but they deny and want both', async () => {
    expect(await login({ rules: of('deny'), groups: UNKNOWN, answers: [CODE] })).toBe('denied');
    heard.verdict = undefined;
    expect(await login({ rules: of('both'), groups: UNKNOWN, answers: [CODE, TOUCH] })).toBe('ok');
    heard.verdict = undefined;
    expect(await login({ rules: of('skip') + DENY, groups: UNKNOWN, answers: [CODE] })).toBe('denied');
    expect(groupLookUps).toBe(3);
  });

  it('knows groups whose names have blanks', async () => {
    expect(await login({ rules: of('skip'), groups: ['Domain Users'] })).toBe('exempt');
  });

  it('asks once for several rules', async () => {
    expect(await login({ rules: of('skip') + of('deny') + of('both'), answers: [CODE] })).toBe('ok');
    expect(groupLookUps).toBe(1);
  });
});

describe('a rule that wants both', () => {
  it.each([
    [CODE, TOUCH, TEXTS.askForTouchToo, 'totp:phone+yubikey:blue'],
    [TOUCH, CODE, TEXTS.askForCodeToo, 'yubikey:blue+totp:phone'],
    [TOUCH, RECOVERY, TEXTS.askForCodeToo, 'yubikey:blue+recovery:codes'],
  ])('accepts %s and %s, and asks for the missing half', async (first, second, text, factor) => {
    expect(await login({ rules: BOTH, answers: [first, second] })).toBe('ok');
    expect(prompts[1]!.text).toBe(text);
    expect(prompts[1]!.shapes.some((shape) => (shape.class === 'modhex') === (first === TOUCH))).toBe(false);
    expect(log.text).toContain(`factor=${factor}`);
    expect(successes).toBe(1);
  });

  it.each([
    [CODE, CODE],
    [CODE, ''],
    [TOUCH, TOUCH],
    [TOUCH, 'x'],
    ['x', TOUCH],
    [CODE, RECOVERY],
  ])('is not content with %j and %j', async (...answers) => {
    expect(await login({ rules: BOTH, answers })).toBe('denied');
    expect(successes).toBe(0);
  });

  it.each([
    [SHAPES.slice(0, 1), CODE, TEXTS.touchMissing],
    [SHAPES.slice(1, 2), TOUCH, TEXTS.codeMissing],
  ])('refuses a user who has only one, with a text', async (shapes, answer, notice) => {
    expect(await login({ rules: BOTH, shapes, answers: [answer, answer] })).toBe('denied');
    expect(notices).toEqual([notice]);
    expect(log.text).toContain('reason=half-missing');
  });

  it('takes the first half with the password in one string, and cuts it off', async () => {
    expect(await login({ rules: BOTH, arguments: ['forward_pass'], answers: [`secret${TOUCH}`, CODE] })).toBe(
      'ok',
    );
    expect(prompts.map(({ part }) => part)).toEqual(['tail', 'whole']);
    expect(heard.verdict!.shape).toBe(1);
  });

  it.each(['try_first_pass', 'use_first_pass'])(
    'takes the first half from a stacked password, and asks for the other, with %s',
    async (argument) => {
      expect(await login({ rules: BOTH, arguments: [argument], answers: [CODE, TOUCH] })).toBe('ok');
      expect(prompts.map(({ source }) => source)).toEqual(['stacked-password', 'ask-hidden']);
    },
  );

  it('asks for a wrong first half again with try_first_pass only', async () => {
    expect(await login({ rules: BOTH, arguments: ['use_first_pass'], answers: ['x', TOUCH] })).toBe('denied');
    expect(prompts.map(({ source }) => source)).toEqual(['stacked-password']);
  });

  it('leaves no grace period: nobody is spared', async () => {
    await login({ rules: BOTH, arguments: ['grace_period=600'], answers: [CODE, TOUCH] });
    heard.verdict = undefined;
    await login({ rules: DENY.replace('alice', 'bob'), arguments: ['grace_period=600'], answers: [CODE] });
    expect(graces).toEqual([0, 600]);
  });

  it('logs a first half after which the person hangs up', async () => {
    expect(await login({ rules: BOTH, answers: [CODE, HANGS_UP] })).toBeUndefined();
    expect(log.text).toMatch(/Invalid verification code for alice .*factor=totp:phone .*reason=half-missing/);
  });

  it('does not let nullok skip', async () => {
    expect(await login({ standing: 'absent', arguments: ['nullok'] })).toBe('not-enrolled');
    expect(prompts).toHaveLength(0);
    heard.verdict = undefined;
    expect(await login({ rules: BOTH, standing: 'absent', arguments: ['nullok'], answers: [CODE] })).toBe(
      'denied',
    );
    expect(prompts).toHaveLength(1);
  });
});

describe('a YubiKey that cannot be checked', () => {
  it('is not accepted; another code at the next question is', async () => {
    expect(await login({ touchUnavailable: true, answers: [TOUCH, CODE] })).toBe('ok');
    expect(prompts[1]).toMatchObject({ text: TEXTS.askForOther, shapes: [SHAPES[0], SHAPES[2]] });
  });

  it('is not asked for again', async () => {
    expect(await login({ touchUnavailable: true, answers: [TOUCH, TOUCH] })).toBe('denied');
    expect(prompts).toHaveLength(2);
  });

  it('cuts the right tail off, though the list of shapes is shorter', async () => {
    const answers = [`secret${TOUCH}`, `secret${RECOVERY}`];
    expect(await login({ touchUnavailable: true, arguments: ['forward_pass'], answers })).toBe('ok');
    expect(heard.verdict!.shape).toBe(1);
  });

  it('ends the login of a user who has nothing else, or if both are required', async () => {
    expect(await login({ touchUnavailable: true, shapes: SHAPES.slice(1, 2), answers: [TOUCH] })).toBe(
      'unavailable',
    );
    expect(notices).toEqual([TEXTS.unavailable]);
    heard.verdict = undefined;
    expect(await login({ touchUnavailable: true, rules: BOTH, answers: [TOUCH, CODE] })).toBe('unavailable');
    expect(log.text).toContain('no server');
  });
});

describe("a line in pam_yubico's words", () => {
  const line = ['id=16', 'key=EHmo8FMxuhumBlTinC4uYL0Mgwg='];

  it('asks like pam_yubico for the end of a string, and keeps a stacked password', async () => {
    expect(await login({ arguments: line, answers: [`pw${TOUCH}`] })).toBe('ok');
    expect(prompts).toMatchObject([{ source: 'ask-hidden', part: 'tail', text: "YubiKey for `alice': " }]);
    expect(heard.verdict).toMatchObject({ shape: 1, keepIfEmpty: true });
  });

  it('asks in the words of authtok_prompt, if there are any, and visibly with verbose_otp', async () => {
    await login({ arguments: [...line, 'authtok_prompt=Touch: ', 'verbose_otp'], answers: [TOUCH] });
    expect(prompts).toMatchObject([{ source: 'ask-visibly', text: 'Touch: ' }]);
  });

  it('with nullok asks users without a factor only with always_prompt', async () => {
    expect(await login({ arguments: [...line, 'nullok'], standing: 'absent' })).toBe('not-enrolled');
    expect(prompts).toEqual([]);
    heard.verdict = undefined;
    const asking = [...line, 'nullok', 'always_prompt'];
    expect(await login({ arguments: asking, standing: 'absent', answers: [TOUCH] })).toBe('not-enrolled');
    expect(prompts).toHaveLength(1);
  });

  it('asks for another code when no server answers, without speaking of a password', async () => {
    await login({ arguments: line, answers: [TOUCH, CODE], touchUnavailable: true });
    expect(prompts[1]).toMatchObject({ text: TEXTS.askForOther });
  });
});
