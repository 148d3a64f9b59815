import type { LineEnd, LineName } from '../../host/login-lines.ts';
import { NameServiceError } from '../../host/name-service.ts';
import type { Log } from '../../log/log.ts';
import type { Conclusion } from '../login/conduct.ts';
import type { Reply } from '../login/reply.ts';
import type { Steps, Wait } from '../login/steps.ts';
import { decodeAnswer } from '../wire/answer.ts';
import { decodeCancel } from '../wire/cancel.ts';
import { encodeFrame, FRAME_TYPE } from '../wire/frame.ts';
import { encodeNotice } from '../wire/notice.ts';
import { MAX_FRAME_LENGTH } from '../wire/limits.ts';
import { encodePrompt, type Prompt } from '../wire/prompt.ts';
import { decodeStart, type ForeignStart, type Start } from '../wire/start.ts';
import { encodeVerdict } from '../wire/verdict.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Deadlines } from './deadlines.ts';
import { START_DEADLINE_MS, WORK_DEADLINE_MS } from './limits.ts';
import type { Occupant, Origin } from './login-slots.ts';
import type { Turn } from './turn.ts';

/* One connection of a module: its frames, deadlines and end. */

/** What an open login needs from its server. */
export interface LoginHouse {
  readonly turn: Turn;
  readonly deadlines: Deadlines<OpenLogin>;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  /**
   * Starts a login.
   *
   * @param start - what the module says
   * @param login - whose
   * @returns the steps of the login; or why it is refused
   */
  begin(start: Start | ForeignStart, login: OpenLogin): Steps<Conclusion> | string;
  /** Closes the connection without a verdict. */
  cut(line: LineName): void;
  /** The login is over, so its place is free. */
  left(login: OpenLogin): void;
}

/** The verdict for a login that is given up. */
export const GIVEN_UP = encodeFrame(
  FRAME_TYPE.verdict,
  encodeVerdict({ code: 'unavailable', failDelayUs: 0 }),
);

/**
 * One login: the module speaks first and answers each question. A frame out of turn breaks the protocol. If anything goes wrong
 * here, the module gets a denial, or nothing at all.
 */
export class OpenLogin implements Occupant {
  readonly line: LineName;
  readonly origin: Origin;
  readonly log: Log;
  /** When the person was asked, to choose the login to push out; undefined if no person is being waited for. */
  askedAt: number | undefined;
  /** Whether nothing more can be sent: the module is gone, or has its verdict. */
  gone = false;
  readonly #house: LoginHouse;
  #steps: Steps<Conclusion> | undefined;
  #awaits: 'start' | 'nothing' | { readonly shapes: number } = 'start';

  /**
   * @param line - its connection
   * @param origin - through which socket it came
   * @param log - for its events
   * @param house - its server
   */
  constructor(line: LineName, origin: Origin, log: Log, house: LoginHouse) {
    this.line = line;
    this.origin = origin;
    this.log = log;
    this.#house = house;
    this.#allow(START_DEADLINE_MS, 'no START came in time');
  }

  /**
   * A frame came.
   *
   * @param type - of the frame
   * @param payload - a view that is wiped when the turn is over
   */
  hear(type: number, payload: Buffer): void {
    if (this.gone) {
      return;
    }
    const awaited = this.#awaits;
    this.#awaits = 'nothing';
    try {
      if (awaited === 'start') {
        this.#start(type, payload);
      } else if (awaited === 'nothing') {
        throw new WireError('ERR_ORDER', `Frame type ${type} came, but no frame was expected`);
      } else {
        this.#answered(replyOf(type, payload, awaited.shapes));
      }
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.#broken(error);
    }
  }

  /** The module is gone, or broke the protocol below our frames. */
  ended(how: LineEnd): void {
    if (how === 'gone') {
      this.#over('the module closed the connection');
    } else {
      this.#broken(new WireError('ERR_FRAME_LENGTH', END_TEXTS[how]));
    }
  }

  /**
   * Gives this login up. The module gets a verdict if it can still be sent.
   *
   * @param why - for the log
   */
  giveUp(why: string): void {
    if (!this.gone) {
      this.#house.turn.send(this, GIVEN_UP, true);
      this.#over(why);
    }
  }

  #start(type: number, payload: Buffer): void {
    if (type !== FRAME_TYPE.start) {
      throw new WireError('ERR_ORDER', `Frame type ${type} came, but START was expected`);
    }
    this.#allow(WORK_DEADLINE_MS, 'the check took too long');
    const steps = this.#house.begin(decodeStart(Buffer.from(payload)), this);
    if (typeof steps === 'string') {
      this.giveUp(steps);
      return;
    }
    this.#steps = steps;
    this.#go(() => steps.next());
  }

  #answered(reply: Reply): void {
    this.askedAt = undefined;
    this.#allow(WORK_DEADLINE_MS, 'the check took too long');
    this.#goOnWith(reply);
  }

  #goOnWith(value: unknown): void {
    this.#go(() => this.#steps?.next(value));
  }

  /** The one place where errors of a login end. */
  #go(next: () => IteratorResult<Wait, Conclusion> | undefined): void {
    try {
      const step = next();
      if (step?.done === true) {
        this.#conclude(step.value);
      } else if (step !== undefined) {
        this.#waitFor(step.value);
      }
    } catch (error) {
      this.#steps = undefined;
      const { gone } = this;
      this.#failed(error);
      if (gone) {
        this.#house.left(this);
      }
    }
  }

  #failed(error: unknown): void {
    if (error instanceof NameServiceError) {
      this.log.event('error', 'The user of a program cannot be looked up', { why: error.message });
      this.giveUp(error.message);
    } else {
      this.log.event('error', 'A login failed for an unexpected reason', { error: nameOf(error) });
      this.giveUp('unexpected error');
    }
  }

  #waitFor(wait: Wait): void {
    switch (wait.for) {
      case 'answer':
        this.#ask(wait.prompt);
        return;
      case 'commit':
        this.#house.turn.commit(wait.claim, (outcome) => this.#goOnWith(outcome));
        return;
      case 'result':
        wait.promise.then(
          (value) => {
            this.#goOnWith(value);
            this.#house.turn.end();
          },
          (error: unknown) => {
            this.#go(() => this.#steps?.throw(error));
            this.#house.turn.end();
          },
        );
    }
  }

  #ask(prompt: Prompt): void {
    if (this.gone) {
      this.#goOnWith({ kind: 'gone', why: 'the login is over' } satisfies Reply);
      return;
    }
    this.#house.turn.send(this, encodeFrame(FRAME_TYPE.prompt, encodePrompt(prompt)), false);
    this.#house.deadlines.clear(this);
    this.askedAt = this.#house.monotonic();
    this.#awaits = { shapes: prompt.shapes.length };
  }

  #conclude({ notices, verdict }: Conclusion): void {
    this.#steps = undefined;
    if (this.gone) {
      this.#house.left(this);
    } else {
      for (const notice of notices) {
        this.#house.turn.send(this, encodeFrame(FRAME_TYPE.notice, encodeNotice(notice)), false);
      }
      this.#house.turn.send(this, encodeFrame(FRAME_TYPE.verdict, encodeVerdict(verdict)), true);
      this.#over('the login is over');
    }
  }

  /** Replaces the earlier deadline. */
  #allow(milliseconds: number, why: string): void {
    this.#house.deadlines.set(this, milliseconds, () => {
      this.giveUp(why);
      this.#house.turn.end();
    });
  }

  #broken(error: WireError): void {
    this.log.event('error', `The module broke the protocol: ${error.message}`, { code: error.code });
    this.#house.cut(this.line);
    this.#over(error.message);
  }

  /** Nothing more can be sent. Running work continues and notices that; if there is none, the login ends. */
  #over(why: string): void {
    if (this.gone) {
      return;
    }
    this.gone = true;
    this.#house.deadlines.clear(this);
    const asked = this.askedAt !== undefined;
    this.askedAt = undefined;
    this.#awaits = 'nothing';
    if (asked) {
      this.#goOnWith({ kind: 'gone', why } satisfies Reply);
    } else if (this.#steps === undefined) {
      this.#house.left(this);
    }
  }
}

const END_TEXTS: Readonly<Record<Exclude<LineEnd, 'gone'>, string>> = {
  'bad-length': `A frame came that is longer than ${MAX_FRAME_LENGTH} bytes, or empty`,
  'out-of-turn': 'More than one frame came at once',
};

function replyOf(type: number, payload: Buffer, shapes: number): Reply {
  switch (type) {
    case FRAME_TYPE.answer:
      return { kind: 'answer', readings: decodeAnswer(payload, shapes) };
    case FRAME_TYPE.cancel:
      return { kind: 'cancel', reason: decodeCancel(payload) };
    default:
      throw new WireError('ERR_ORDER', `Frame type ${type} came, but ANSWER or CANCEL was expected`);
  }
}

/** Messages of unexpected errors are not logged, because they may quote a secret. */
function nameOf(error: unknown): string {
  return error instanceof Error ? ('code' in error ? String(error.code) : error.name) : typeof error;
}
