import { beforeEach, describe, expect, it } from 'vitest';
import type {
  Enrolment,
  Lookup,
  LookupRequest,
  Verification,
} from '../../../../src/daemon/enrolments/enrolment.ts';
import type { TypedCode } from '../../../../src/factors/code-shape.ts';
import { UNLIMITED, type Attempts, type Subject } from '../../../../src/daemon/attempts/attempts.ts';
import { DEFAULT_LOOKUP } from '../../../../src/config/lookup-options.ts';
import { FAIL_DELAY_US } from '../../../../src/daemon/login/conduct.ts';
import type { LoginRequest } from '../../../../src/daemon/login/login-request.ts';
import { NO_RULES } from '../../../../src/daemon/login/rule-for.ts';
import { TEXTS } from '../../../../src/daemon/login/texts.ts';
import type { Notice } from '../../../../src/daemon/wire/notice.ts';
import type { Prompt } from '../../../../src/daemon/wire/prompt.ts';
import type { Verdict } from '../../../../src/daemon/wire/verdict.ts';
import { RecordedLog } from '../../fixtures/recorded-log.ts';
import { ConversationEnded, converse, type Conversation } from '../../fixtures/conversation.ts';
import type { Reply } from '../../../../src/daemon/login/reply.ts';

const CODE = '731864';
const NOW = 1_700_000_000_000;
const ACCEPTED: Verification = { kind: 'accepted', factor: 'totp:phone', reading: 0 };
const WRONG: Verification = { kind: 'rejected', reason: 'wrong-code' };
const UNAVAILABLE: Verification = { kind: 'unavailable', factor: 'totp:phone', why: 'disk' };

/** The texts and log lines, in order. */
let course: string[];
let log: RecordedLog;
let typed: Buffer[];
/** Services whose logins were recorded as accepted with a code. */
let noted: unknown[];
/** The codes as the enrolment saw them. */
let seen: string[];
/** Who was looked up, and how. */
let sought: LookupRequest[];

beforeEach(() => {
  course = [];
  typed = [];
  noted = [];
  seen = [];
  sought = [];
  log = new RecordedLog();
  const record = log.event.bind(log);
  log.event = (priority, message, fields) => {
    record(priority, message, fields);
    course.push('log');
  };
});

/** A module with the test's answers; without an answer it hangs up. */
class Script implements Conversation {
  over = false;
  readonly prompts: Prompt[] = [];
  readonly notices: Notice[] = [];
  readonly verdicts: Verdict[] = [];
  readonly #replies: (readonly string[] | Reply)[];

  constructor(...replies: (readonly string[] | Reply)[]) {
    this.#replies = replies;
  }

  ask(prompt: Prompt): Promise<Reply> {
    course.push('ask');
    this.prompts.push(prompt);
    const reply = this.#replies.shift();
    if (reply === undefined) {
      this.over = true;
      return Promise.reject(new ConversationEnded('the module closed the connection'));
    }
    if ('kind' in reply) {
      return Promise.resolve(reply);
    }
    const readings = reply.map((text, shape) => ({ shape, text: Buffer.from(text) }));
    typed.push(...readings.map(({ text }) => text));
    return Promise.resolve({ kind: 'answer', readings });
  }

  tell(notice: Notice): void {
    course.push('tell');
    this.notices.push(notice);
  }

  conclude(verdict: Verdict): void {
    course.push('conclude');
    this.verdicts.push(verdict);
    this.over = true;
  }
}

/** An enrolment with the test's results, one after the other. */
function enrolled(...results: (Verification | (() => Verification))[]): Lookup {
  const enrolment: Enrolment = {
    shapes: [
      { class: 'digits', length: 6 },
      { class: 'digits', length: 8 },
    ],
    verify(readings: readonly TypedCode[], now: number) {
      course.push('verify');
      expect(now).toBe(NOW);
      seen.push(...readings.map(({ text }) => text.toString()));
      const result = results.shift();
      return Promise.resolve(typeof result === 'function' ? result() : result!);
    },
  };
  return { kind: 'enrolled', enrolment };
}

async function conduct(
  script: Script,
  lookup: Lookup,
  args: readonly string[] = [],
  change: Partial<LoginRequest> = {},
  attempts: Attempts = UNLIMITED,
): Promise<void> {
  const request: LoginRequest = {
    context: {
      service: Buffer.from('sshd'),
      user: Buffer.from('alice'),
      tty: 'ssh',
      rhost: '192.0.2.1',
      ruser: undefined,
    },
    moduleArguments: args.map((argument) => Buffer.from(argument)),
    account: { name: 'alice', uid: 1000 },
    trustedHost: true,
    ...change,
  };
  const ports = {
    enrolments: {
      lookUp: (seeker: LookupRequest) => {
        sought.push(seeker);
        return Promise.resolve(lookup);
      },
    },
    rules: NO_RULES,
    attempts,
    log,
    accepted: { note: ({ service }: LoginRequest['context']) => void noted.push(String(service)) },
    now: () => NOW,
    monotonic: () => performance.now(),
    sleep: () => {
      course.push('wait');
      return Promise.resolve();
    },
  };
  await converse(request, script, ports);
}

const wiped = (): boolean => typed.every((code) => code.every((byte) => byte === 0));

describe('conductLogin', () => {
  it('lets in who types a right code', async () => {
    const script = new Script([CODE]);
    await conduct(script, enrolled(ACCEPTED));
    expect(seen).toEqual([CODE]);
    expect(script.verdicts).toEqual([{ code: 'ok', failDelayUs: 0 }]);
    expect(course).toEqual(['ask', 'verify', 'log', 'conclude']);
    expect(log.events).toMatchObject([
      {
        priority: 'info',
        message: 'Accepted verification code for alice',
        fields: { factor: 'totp:phone', verdict: 'ok', rhost: '192.0.2.1' },
      },
    ]);
  });

  it('refuses who types a wrong one, after a delay', async () => {
    const script = new Script([CODE]);
    await conduct(script, enrolled(WRONG));
    expect(course).toEqual(['ask', 'verify', 'wait', 'log', 'conclude']);
    expect(script.verdicts).toEqual([{ code: 'denied', failDelayUs: FAIL_DELAY_US }]);
    expect(log.events).toMatchObject([
      { message: 'Invalid verification code for alice', fields: { reason: 'wrong-code' } },
    ]);
  });

  it('refuses a renamed account with nullok, too, as it refuses anybody, and raises an alert', async () => {
    const why = 'alice has no record, but Alice has';
    const script = new Script([CODE]);
    await conduct(script, { kind: 'blocked', renamed: true, why }, ['nullok']);
    expect(script.prompts).toHaveLength(1);
    expect(script.verdicts).toEqual([{ code: 'denied', failDelayUs: FAIL_DELAY_US }]);
    expect(log.events).toMatchObject([{ priority: 'alert', fields: { reason: 'account-renamed', why } }]);
  });

  it('checks nothing when nothing that was typed has a shape', async () => {
    const script = new Script([]);
    await conduct(script, enrolled());
    expect(course).toEqual(['ask', 'log', 'conclude']);
    expect(log.events[0]!.fields).toMatchObject({ reason: 'no-code' });
  });

  it('tells first, then logs, then concludes', async () => {
    const script = new Script([CODE]);
    await conduct(script, enrolled(UNAVAILABLE));
    expect(course).toEqual(['ask', 'verify', 'wait', 'log', 'tell', 'conclude']);
    expect(script.notices).toEqual([{ kind: 'error', text: TEXTS.unavailable }]);
    expect(script.verdicts).toEqual([{ code: 'unavailable', failDelayUs: FAIL_DELAY_US }]);
  });

  it.each([
    [3, '3 recovery codes'],
    [1, 'one recovery code'],
    [0, 'no recovery codes'],
  ])('tells a person who gets in that %i recovery codes are left', async (recoveryCodesLeft, words) => {
    const script = new Script([CODE]);
    await conduct(script, enrolled({ ...ACCEPTED, recoveryCodesLeft }));
    expect(script.notices).toEqual([
      { kind: 'info', text: `You have ${words} left. New ones: pve-google-authenticator recovery` },
    ]);
    expect(script.verdicts).toEqual([{ code: 'ok', failDelayUs: 0 }]);
  });

  it('asks again after a stacked password that holds no right code', async () => {
    const script = new Script(['000000'], [CODE]);
    await conduct(script, enrolled(WRONG, ACCEPTED), ['try_first_pass']);
    expect(script.prompts.map(({ source }) => source)).toEqual(['stacked-password', 'ask-hidden']);
    expect(seen).toEqual(['000000', CODE]);
    expect(script.verdicts).toEqual([{ code: 'ok', failDelayUs: 0 }]);
    expect(wiped()).toBe(true);
  });

  it('says which shape to cut off with forward_pass', async () => {
    const script = new Script([CODE, '12731864']);
    await conduct(script, enrolled({ ...ACCEPTED, reading: 1 }), ['forward_pass']);
    expect(script.verdicts).toEqual([{ code: 'ok', failDelayUs: 0, shape: 1 }]);
  });

  it('ends when the host cannot ask', async () => {
    const script = new Script({ kind: 'cancel', reason: 'conversation-failed' });
    await conduct(script, enrolled());
    expect(script.verdicts).toEqual([{ code: 'denied', failDelayUs: FAIL_DELAY_US }]);
    expect(log.events).toMatchObject([{ fields: { reason: 'cancelled' } }]);
  });

  it.each([
    [{ kind: 'absent' }, 'not-enrolled'],
    [{ kind: 'blocked', why: 'w' }, 'denied'],
    [{ kind: 'failed', why: 'w' }, 'unavailable'],
  ] as const)('asks a user who is %j like everybody else, and does not let them in', async (lookup, code) => {
    const script = new Script([CODE]);
    await conduct(script, lookup);
    expect(script.prompts).toHaveLength(1);
    expect(script.prompts[0]).toMatchObject({
      source: 'ask-hidden',
      shapes: [{ class: 'digits', length: 6 }],
    });
    expect(script.verdicts).toEqual([{ code, failDelayUs: FAIL_DELAY_US }]);
    expect(wiped()).toBe(true);
  });

  it('never looks up a user without an account', async () => {
    const script = new Script([CODE]);
    await conduct(script, enrolled(ACCEPTED), [], { account: undefined });
    expect(course).toEqual(['ask', 'wait', 'log', 'conclude']);
    expect(script.verdicts).toEqual([{ code: 'user-unknown', failDelayUs: FAIL_DELAY_US }]);
  });

  it('never treats an unknown user as not enrolled', async () => {
    const script = new Script([CODE]);
    await conduct(script, { kind: 'absent' }, ['nullok', 'user=shared'], { account: undefined });
    expect(script.verdicts).toEqual([{ code: 'user-unknown', failDelayUs: FAIL_DELAY_US }]);
  });

  it('lets only hosts that are root say whose file counts, and how', async () => {
    const args = [
      ...['secret=/tmp/mine', 'user=bob', 'no_strict_owner', 'allowed_perm=0666', 'grace_period=600'],
      ...['authfile=/tmp/keys', 'noskewadj'],
    ];
    await conduct(new Script([CODE]), enrolled(ACCEPTED), args);
    await conduct(new Script([CODE]), enrolled(ACCEPTED), args, { trustedHost: false });
    expect(sought.map(({ options }) => options)).toMatchObject([
      {
        secret: '/tmp/mine',
        user: 'bob',
        strictOwner: false,
        gracePeriod: 600,
        yubico: { authfile: '/tmp/keys' },
      },
      {
        ...DEFAULT_LOOKUP,
        adjustSkew: false,
        yubico: expect.not.objectContaining({ authfile: '/tmp/keys' }) as unknown,
      },
    ]);
  });

  it('skips unenrolled users with nullok, but only for hosts that are root', async () => {
    const skipped = new Script();
    await conduct(skipped, { kind: 'absent' }, ['nullok']);
    expect(skipped.prompts).toHaveLength(0);
    expect(skipped.verdicts).toMatchObject([{ code: 'not-enrolled' }]);
    const asked = new Script([CODE]);
    await conduct(asked, { kind: 'absent' }, ['nullok'], { trustedHost: false });
    expect(asked.prompts).toHaveLength(1);
  });

  it('denies without a question when pam.d has an option that it does not know', async () => {
    const script = new Script([CODE]);
    await conduct(script, enrolled(ACCEPTED), ['nullok', 'secrets=/root/hidden']);
    expect(course).toEqual(['log', 'conclude']);
    expect(script.verdicts).toEqual([{ code: 'denied', failDelayUs: FAIL_DELAY_US }]);
    expect(log.text).toContain('Unrecognized option secrets in pam.d');
    expect(log.text).not.toContain('hidden');
  });

  it('does not log a login as accepted when the module was gone before the verdict', async () => {
    const script = new Script([CODE]);
    const gone = (): Verification => {
      script.over = true;
      return ACCEPTED;
    };
    await conduct(script, enrolled(gone));
    expect(script.verdicts).toEqual([]);
    expect(log.events).toMatchObject([
      { message: 'No verification code from alice', fields: { verdict: 'denied', reason: 'cancelled' } },
    ]);
    expect(log.text).not.toMatch(/^Accepted/m);
  });

  it('records logins with a code, and trusts only programs of root about the service', async () => {
    await conduct(new Script([CODE]), enrolled(WRONG));
    await conduct(new Script([CODE]), enrolled(ACCEPTED), [], { trustedHost: false });
    await conduct(new Script([CODE]), { kind: 'absent' }, ['nullok']);
    expect(noted).toEqual([]);
    await conduct(new Script([CODE]), enrolled(ACCEPTED));
    expect(noted).toEqual(['sshd']);
  });

  it('logs that the module went while the person was asked', async () => {
    const script = new Script();
    await conduct(script, enrolled());
    expect(script.verdicts).toEqual([]);
    expect(log.events).toMatchObject([
      {
        message: 'No verification code from alice',
        fields: { reason: 'cancelled', verdict: 'denied', why: 'the module closed the connection' },
      },
    ]);
  });

  it('logs why the look-up failed, too, when the module did not wait for it', async () => {
    await conduct(new Script(), { kind: 'failed', why: 'its file system does not answer' });
    expect(log.events).toMatchObject([
      {
        message: 'No verification code from alice',
        fields: { why: 'the module closed the connection; its file system does not answer' },
      },
    ]);
  });

  describe.each([
    ['hangs up', []],
    ['cannot be asked', [{ kind: 'cancel', reason: 'conversation-failed' } as const]],
  ])('after a stacked password, when the person %s,', (_how, replies) => {
    it.each([
      ['a wrong code', enrolled(WRONG), 'wrong-code'],
      ['a used one', enrolled({ kind: 'rejected', reason: 'code-already-used' }), 'code-already-used'],
      ['one for nobody', { kind: 'absent' } as const, 'user-unknown'],
    ])('logs %s as the failed guess that it is', async (_what, lookup, reason) => {
      const account = reason === 'user-unknown' ? { account: undefined } : {};
      const script = new Script([CODE], ...replies);
      await conduct(script, lookup, ['try_first_pass'], account);
      expect(log.events).toMatchObject([
        {
          priority: 'notice',
          message: 'Invalid verification code for alice',
          fields: {
            reason,
            rhost: '192.0.2.1',
            why: expect.stringContaining('in the stacked password') as string,
          },
        },
      ]);
      expect(script.verdicts).toEqual(
        replies.length === 0 ? [] : [{ code: 'denied', failDelayUs: FAIL_DELAY_US }],
      );
      expect(wiped()).toBe(true);
    });

    it('logs a throttled guess', async () => {
      const held: Attempts = {
        begin: () => ({ admit: () => false, failed: () => undefined, succeeded: () => undefined }),
      };
      await conduct(new Script([CODE], ...replies), enrolled(), ['try_first_pass'], {}, held);
      expect(log.text).toContain('Invalid verification code for alice');
      expect(log.events[0]!.fields).toMatchObject({ reason: 'too-many-tries' });
    });

    it('logs a password without a code as cancelled: nobody guessed', async () => {
      await conduct(new Script([], ...replies), enrolled(), ['try_first_pass']);
      expect(log.events[0]!.fields).toMatchObject({ reason: 'cancelled' });
    });
  });

  it('logs a guess even if the module hangs up before the verdict', async () => {
    const script = new Script([CODE]);
    const leave = (result: Verification) => (): Verification => {
      script.over = true;
      return result;
    };
    await conduct(script, enrolled(leave(WRONG)));
    expect(log.events).toMatchObject([
      { message: 'Invalid verification code for alice', fields: { reason: 'wrong-code', verdict: 'denied' } },
    ]);
    expect([script.verdicts, noted]).toEqual([[], []]);
  });

  it('does not log "accepted" if the module hangs up before the verdict', async () => {
    const script = new Script([CODE]);
    const leave = (): Verification => {
      script.over = true;
      return ACCEPTED;
    };
    await conduct(script, enrolled(leave));
    expect(log.events).toMatchObject([
      { message: 'No verification code from alice', fields: { reason: 'cancelled', verdict: 'denied' } },
    ]);
    expect([script.verdicts, noted]).toEqual([[], []]);
  });

  it('lets nobody in when the check itself fails', async () => {
    const script = new Script([CODE]);
    const broken = (): never => {
      throw new Error('bug');
    };
    await expect(conduct(script, enrolled(broken))).rejects.toThrow('bug');
    expect(script.verdicts).toEqual([]);
    expect(wiped()).toBe(true);
  });

  it('refuses a reading of a shape that the prompt did not list', async () => {
    const script = new Script(['1', '2', '3']);
    await expect(conduct(script, enrolled(ACCEPTED))).rejects.toThrow(/did not list it/);
    expect(script.verdicts).toEqual([]);
  });

  it.each([
    ['accepted', [ACCEPTED]],
    ['wrong', [WRONG]],
    ['used', [{ kind: 'rejected', reason: 'code-already-used', factor: 'totp:phone' }]],
    ['unavailable', [UNAVAILABLE]],
  ] as const)('wipes the codes and logs none, also with debug: %s', async (_name, results) => {
    await conduct(new Script([CODE, '31415926']), enrolled(...results), ['debug']);
    expect(seen).toEqual([CODE, '31415926']);
    expect(wiped()).toBe(true);
    expect(log.events.filter(({ priority }) => priority === 'debug').length).toBeGreaterThan(2);
    expect(log.text).not.toContain(CODE);
    expect(log.text).not.toContain('31415926');
  });

  it('puts the names that others chose in quotes', async () => {
    const context = {
      service: 'sshd',
      user: Buffer.from('x rhost=1.2.3.4\n'),
      tty: undefined,
      rhost: '192.0.2.1',
      ruser: undefined,
    };
    await conduct(new Script([CODE]), enrolled(WRONG), [], { context, account: undefined });
    expect(log.events[0]!.message).toBe(
      String.raw`Invalid verification code for "x rhost\u003d1.2.3.4\u000a"`,
    );
  });
});

describe('conductLogin with limited attempts', () => {
  const outcomes: string[] = [];
  const attempts = (admitted: boolean): Attempts => ({
    begin: () => ({
      admit: () => {
        outcomes.push('admit');
        return admitted;
      },
      succeeded: () => outcomes.push('succeeded'),
      failed: () => outcomes.push('failed'),
    }),
  });
  beforeEach(() => outcomes.splice(0));

  it('counts a wrong code, and a right one', async () => {
    await conduct(new Script([CODE]), enrolled(ACCEPTED), [], {}, attempts(true));
    await conduct(
      new Script([CODE]),
      enrolled({ kind: 'rejected', reason: 'wrong-code' }),
      [],
      {},
      attempts(true),
    );
    expect(outcomes).toEqual(['admit', 'succeeded', 'admit', 'failed']);
  });

  it('does not count a used code, or an answer that fits nothing, as a failure', async () => {
    const used = { kind: 'rejected', reason: 'code-already-used', factor: 'totp:phone' } as const;
    await conduct(new Script([CODE]), enrolled(used), [], {}, attempts(true));
    await conduct(new Script([]), enrolled(ACCEPTED), [], {}, attempts(true));
    expect(outcomes).toEqual(['admit']);
  });

  it('counts programs that are not root separately, whatever terminal they name', async () => {
    const origins: string[] = [];
    const noting: Attempts = {
      begin: (subject) => {
        origins.push(subject.origin);
        return UNLIMITED.begin(subject);
      },
    };
    await conduct(new Script([CODE]), enrolled(ACCEPTED), [], {}, noting);
    await conduct(new Script([CODE]), enrolled(ACCEPTED), [], { trustedHost: false }, noting);
    expect(origins).toEqual(['rhost 192.0.2.1', 'own program']);
  });

  it('counts unknown names separately from users, and not under the typed text', async () => {
    const subjects: Subject[] = [];
    const noting: Attempts = {
      begin: (subject) => {
        subjects.push(subject);
        return UNLIMITED.begin(subject);
      },
    };
    await conduct(new Script([CODE]), enrolled(ACCEPTED), [], {}, noting);
    await conduct(new Script([CODE]), { kind: 'absent' }, [], { account: undefined }, noting);
    expect(subjects.map(({ exists }) => exists)).toEqual([true, false]);
    expect(subjects[0]!.user).toBe('alice');
    expect(subjects[1]!.user).toHaveLength(44);
  });

  it('checks nothing when there were too many tries, and says so to everybody alike', async () => {
    for (const lookup of [enrolled(ACCEPTED), { kind: 'absent' } as const]) {
      const script = new Script([CODE]);
      await conduct(script, lookup, [], {}, attempts(false));
      expect(seen).toEqual([]);
      expect(script.verdicts).toEqual([{ code: 'too-many-tries', failDelayUs: FAIL_DELAY_US }]);
    }
  });
});
