import { beforeEach, describe, expect, it } from 'vitest';
import { NameServiceError } from '../../../../src/host/name-service.ts';
import type { Claims } from '../../../../src/daemon/ledger/ledger.ts';
import type { Conclusion } from '../../../../src/daemon/login/conduct.ts';
import type { Reply } from '../../../../src/daemon/login/reply.ts';
import { ask, committed, resultOf, type Steps } from '../../../../src/daemon/login/steps.ts';
import { Deadlines } from '../../../../src/daemon/server/deadlines.ts';
import { START_DEADLINE_MS, WORK_DEADLINE_MS } from '../../../../src/daemon/server/limits.ts';
import { OpenLogin } from '../../../../src/daemon/server/open-login.ts';
import { Turn } from '../../../../src/daemon/server/turn.ts';
import { encodeAnswer } from '../../../../src/daemon/wire/answer.ts';
import { encodeCancel } from '../../../../src/daemon/wire/cancel.ts';
import { FRAME_TYPE, FrameReader, type Frame } from '../../../../src/daemon/wire/frame.ts';
import { decodeNotice } from '../../../../src/daemon/wire/notice.ts';
import { decodePrompt, type Prompt } from '../../../../src/daemon/wire/prompt.ts';
import { encodeStart, type ForeignStart, type Start } from '../../../../src/daemon/wire/start.ts';
import { decodeVerdict } from '../../../../src/daemon/wire/verdict.ts';
import { RecordedLog } from '../../fixtures/recorded-log.ts';

const LINE = 77;
const START = Buffer.from(
  encodeStart({
    silent: false,
    disallowNullAuthtok: false,
    moduleArguments: [],
    service: Buffer.from('sshd'),
  }),
);
const ANSWER = Buffer.from(encodeAnswer([{ shape: 0, text: Buffer.from('123456') }]));
const CANCEL = Buffer.from(encodeCancel('not-allowed-to-ask'));
const PROMPT: Prompt = {
  source: 'ask-hidden',
  part: 'whole',
  shapes: [{ class: 'digits', length: 6 }],
  text: 'Code: ',
};
const LET_IN: Conclusion = { notices: [], verdict: { code: 'ok', failDelayUs: 0 } };

/** Deadlines that a test lets pass. */
class RecordedDeadlines extends Deadlines<OpenLogin> {
  readonly given: number[] = [];
  pass: (() => void) | undefined;

  override set(_who: OpenLogin, milliseconds: number, pass: () => void): void {
    this.given.push(milliseconds);
    this.pass = pass;
  }

  override clear(): void {
    this.pass = undefined;
  }
}

let login: OpenLogin;
let log: RecordedLog;
let deadlines: RecordedDeadlines;
let commit: Claims['commit'];
let turn: Turn;
let sent: Frame[];
let hungUp: number;
let cut: number;
let left: number;
let clock: number;
let takesFrames: boolean;
/** The answers that the login gets, in its steps. */
let replies: Reply[];
/** The steps of the login; a string refuses it. */
let way: ((start: Start | ForeignStart) => Steps<Conclusion> | string) | undefined;

/** Asks so many questions, and lets everybody in. */
function asking(count: number): () => Steps<Conclusion> {
  return function* () {
    for (let i = 0; i < count; i++) {
      replies.push(yield* ask(PROMPT));
    }
    return LET_IN;
  };
}

beforeEach(() => {
  log = new RecordedLog();
  commit = (claims) => claims.map(() => 'advanced');
  deadlines = new RecordedDeadlines(() => clock);
  sent = [];
  replies = [];
  hungUp = cut = left = clock = 0;
  takesFrames = true;
  way = asking(1);
  const reader = new FrameReader();
  turn = new Turn(
    {
      send(line, bytes) {
        expect(line).toBe(LINE);
        if (takesFrames) {
          sent.push(...reader.push(Buffer.from(bytes)));
        }
        return takesFrames;
      },
      hangUp: () => {
        hungUp++;
      },
    },
    { commit: (claims) => commit(claims) },
  );
  login = new OpenLogin(LINE, { socket: 'root' }, log, {
    turn,
    deadlines,
    monotonic: () => clock,
    begin: (start) => way?.(start) ?? 'there is no way',
    cut: () => {
      cut++;
    },
    left: () => {
      left++;
    },
  });
});

/** One turn of the event loop in which a frame came. */
function say(type: number, payload: Buffer): void {
  login.hear(type, Buffer.from(payload));
  turn.end();
}

const start = (): void => say(FRAME_TYPE.start, START);
const answer = (): void => say(FRAME_TYPE.answer, ANSWER);
const codes = (): string[] =>
  sent.filter(({ type }) => type === FRAME_TYPE.verdict).map(({ payload }) => decodeVerdict(payload).code);
const types = (): number[] => sent.map(({ type }) => type);
const brokenBy = (code: string): unknown =>
  expect.objectContaining({ priority: 'error', fields: expect.objectContaining({ code }) });

describe('OpenLogin', () => {
  it('conducts a whole login, and leaves once', () => {
    way = function* () {
      replies.push(yield* ask(PROMPT), yield* ask(PROMPT));
      return { notices: [{ kind: 'info', text: 'Hello' }], verdict: { code: 'ok', failDelayUs: 7 } };
    };
    start();
    answer();
    say(FRAME_TYPE.cancel, CANCEL);
    expect(replies).toEqual([
      { kind: 'answer', readings: [{ shape: 0, text: Buffer.from('123456') }] },
      { kind: 'cancel', reason: 'not-allowed-to-ask' },
    ]);
    const [first, second, notice, verdict, ...more] = sent;
    expect(decodePrompt(first!.payload)).toEqual(PROMPT);
    expect(decodePrompt(second!.payload)).toEqual(PROMPT);
    expect(decodeNotice(notice!.payload)).toEqual({ kind: 'info', text: 'Hello' });
    expect(decodeVerdict(verdict!.payload)).toEqual({ code: 'ok', failDelayUs: 7 });
    expect(more).toEqual([]);
    expect([hungUp, left, login.gone]).toEqual([1, 1, true]);
  });

  it('gets START as the module said it', () => {
    let got: Start | ForeignStart | undefined;
    way = (said) => ((got = said), 'enough');
    start();
    expect(got).toMatchObject({ service: Buffer.from('sshd') });
    expect([codes(), left]).toEqual([['unavailable'], 1]);
  });

  it('hands out readings that do not change when the batch is wiped', () => {
    start();
    const payload = Buffer.from(ANSWER);
    way = undefined;
    login.hear(FRAME_TYPE.answer, payload);
    payload.fill(0);
    expect(replies).toMatchObject([{ readings: [{ text: Buffer.from('123456') }] }]);
  });

  it('lets nobody in before the commit has ended', async () => {
    let settle!: () => void;
    commit = (claims) =>
      new Promise((resolve) => {
        settle = () => resolve(claims.map(() => 'advanced'));
      });
    way = function* () {
      expect(yield* committed({ key: 'a key', value: 1 })).toBe('advanced');
      return LET_IN;
    };
    start();
    expect(sent).toEqual([]);
    settle();
    await new Promise((resolve) => setImmediate(resolve));
    expect(codes()).toEqual(['ok']);
  });

  it('continues when its result is there, and sends the next frame', async () => {
    way = function* () {
      expect(yield* resultOf(Promise.resolve(5))).toBe(5);
      return LET_IN;
    };
    start();
    expect(sent).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([codes(), left]).toEqual([['ok'], 1]);
  });

  it('knows while it waits for the person, and since when', () => {
    start();
    clock = 4_711;
    expect(login.askedAt).toBe(0);
    answer();
    expect(login.askedAt).toBeUndefined();
  });

  it('has a deadline for START and for the work between questions, and none while the person thinks', () => {
    way = asking(2);
    expect(deadlines.given).toEqual([START_DEADLINE_MS]);
    start();
    expect(deadlines.given).toEqual([START_DEADLINE_MS, WORK_DEADLINE_MS]);
    expect(deadlines.pass).toBeUndefined();
    answer();
    expect(deadlines.given).toEqual([START_DEADLINE_MS, WORK_DEADLINE_MS, WORK_DEADLINE_MS]);
    answer();
    expect(deadlines.pass).toBeUndefined();
  });

  it('gives up when START does not come in time', () => {
    deadlines.pass!();
    expect([codes(), hungUp, left]).toEqual([['unavailable'], 1, 1]);
    start();
    expect([codes(), left]).toEqual([['unavailable'], 1]);
  });

  it('gives up when the work takes too long, and ignores its later result', async () => {
    let ready!: () => void;
    way = function* () {
      yield* resultOf(new Promise<void>((resolve) => (ready = resolve)));
      replies.push(yield* ask(PROMPT));
      return LET_IN;
    };
    start();
    deadlines.pass!();
    expect([codes(), left]).toEqual([['unavailable'], 0]);
    ready();
    await new Promise((resolve) => setImmediate(resolve));
    expect(replies).toEqual([{ kind: 'gone', why: 'the login is over' }]);
    expect([types(), left]).toEqual([[FRAME_TYPE.verdict], 1]);
  });

  it.each([
    ['an ANSWER', FRAME_TYPE.answer, ANSWER],
    ['a CANCEL', FRAME_TYPE.cancel, CANCEL],
    ['a VERDICT', FRAME_TYPE.verdict, Buffer.alloc(6)],
    ['an unknown frame', 0x7f, Buffer.alloc(0)],
  ])('hangs up at %s as the first frame', (_name, type, payload) => {
    say(type, payload);
    expect([sent, cut, left]).toEqual([[], 1, 1]);
    expect(log.events).toEqual([brokenBy('ERR_ORDER')]);
  });

  it.each([
    ['a second START', FRAME_TYPE.start, START],
    ['an ANSWER', FRAME_TYPE.answer, ANSWER],
    ['a CANCEL', FRAME_TYPE.cancel, CANCEL],
  ])('hangs up at %s before there was a question', async (_name, type, payload) => {
    let ready!: () => void;
    way = function* () {
      yield* resultOf(new Promise<void>((resolve) => (ready = resolve)));
      return LET_IN;
    };
    start();
    say(type, payload);
    expect([cut, left]).toEqual([1, 0]);
    ready();
    await new Promise((resolve) => setImmediate(resolve));
    expect([sent, left]).toEqual([[], 1]);
  });

  it('hangs up at a START in place of an answer, and lets nobody in', () => {
    start();
    start();
    answer();
    expect(replies).toMatchObject([{ kind: 'gone' }]);
    expect([types(), cut, left]).toEqual([[FRAME_TYPE.prompt], 1, 1]);
    expect(log.events).toEqual([brokenBy('ERR_ORDER')]);
  });

  it('hangs up at an ANSWER with a shape that the PROMPT did not list', () => {
    way = function* () {
      replies.push(yield* ask({ ...PROMPT, shapes: [] }));
      return LET_IN;
    };
    start();
    answer();
    expect([replies, cut]).toMatchObject([[{ kind: 'gone' }], 1]);
  });

  it.each([
    ['bad-length', 'longer than 16383 bytes'],
    ['out-of-turn', 'More than one frame'],
  ] as const)('says in the log why a line ended: %s', (how, text) => {
    start();
    login.ended(how);
    expect(log.events).toEqual([brokenBy('ERR_FRAME_LENGTH')]);
    expect(log.text).toContain(text);
    expect([replies, left]).toMatchObject([[{ kind: 'gone' }], 1]);
  });

  it('leaves when the module is gone before START', () => {
    login.ended('gone');
    expect([left, log.events, deadlines.pass]).toEqual([1, [], undefined]);
  });

  it('ends when the module is gone while the person is asked', () => {
    start();
    login.ended('gone');
    expect(replies).toEqual([{ kind: 'gone', why: 'the module closed the connection' }]);
    turn.end();
    expect([codes(), left]).toEqual([[], 1]);
  });

  it('ends when a question cannot be sent', () => {
    takesFrames = false;
    start();
    expect(replies).toEqual([{ kind: 'gone', why: 'the module closed the connection' }]);
    expect([hungUp, left]).toEqual([1, 1]);
  });

  it('gives up with a verdict, once', () => {
    start();
    login.giveUp('too many logins');
    login.giveUp('again');
    turn.end();
    expect(replies).toEqual([{ kind: 'gone', why: 'too many logins' }]);
    expect(types()).toEqual([FRAME_TYPE.prompt, FRAME_TYPE.verdict]);
    expect([codes(), hungUp, left]).toEqual([['unavailable'], 1, 1]);
  });

  it.each([
    [
      'at once',
      (error: Error) => () => {
        throw error;
      },
    ],
    [
      'in its steps',
      (error: Error) =>
        function* (): Steps<Conclusion> {
          yield* resultOf(Promise.resolve());
          throw error;
        },
    ],
    [
      'in what it waits for',
      (error: Error) =>
        function* (): Steps<Conclusion> {
          yield* resultOf(Promise.reject(error));
          return LET_IN;
        },
    ],
  ])(
    'refuses when something fails %s, and logs no message that could quote a secret',
    async (_when, failing) => {
      const failure = failing(new TypeError('a secret'));
      way = function* () {
        return yield* failure();
      };
      start();
      await new Promise((resolve) => setImmediate(resolve));
      expect([codes(), hungUp, left]).toEqual([['unavailable'], 1, 1]);
      expect(log.text).toContain('error=TypeError');
      expect(log.text).not.toContain('secret');
    },
  );

  it('says that a name cannot be looked up', () => {
    way = function* () {
      yield* [];
      throw new NameServiceError('hung');
    };
    start();
    expect(log.text).toContain('why=the name service does not answer');
    expect([codes(), left]).toEqual([['unavailable'], 1]);
  });
});
