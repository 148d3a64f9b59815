import { openConnection, type Connection } from '../host/addon.ts';
import { ConversationEnded, type Conversation, type Reply } from '../login/conversation.ts';
import { decodeAnswer } from '../wire/answer.ts';
import { decodeCancel } from '../wire/cancel.ts';
import { encodeFrame, FRAME_TYPE, FrameReader, type Frame } from '../wire/frame.ts';
import { encodeNotice, type Notice } from '../wire/notice.ts';
import { promptFrame, type Prompt } from '../wire/prompt.ts';
import { MAX_FRAME_LENGTH, FRAME_HEADER_BYTES } from '../wire/limits.ts';
import { decodeStart, type ForeignStart, type Start } from '../wire/start.ts';
import { encodeVerdict, type Verdict } from '../wire/verdict.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Deadlines } from './deadlines.ts';
import { START_DEADLINE_MS, WORK_DEADLINE_MS } from './limits.ts';

const OVER = new ConversationEnded('the login is over');

interface Expecting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

/** What one connection has received; it is wiped before the next one receives. */
const received = Buffer.alloc(FRAME_HEADER_BYTES + MAX_FRAME_LENGTH);

/**
 * The connection of one login: lock-step, the module speaks first and answers each question. A frame that nobody expects breaks
 * the protocol and ends the connection.
 */
export class ModuleConnection implements Conversation {
  /** When the person was asked, for the choice of whom to push out; undefined: nobody is being waited for. */
  askedAt: number | undefined;
  /** When the module said something last; at first, when it came. */
  heardAt: number;
  readonly #connection: Connection;
  readonly #reader = new FrameReader();
  readonly #now: () => number;
  readonly #deadlines: Deadlines<ModuleConnection>;
  #expecting: Expecting | undefined;
  #early: Frame | undefined;
  #ended: Error | undefined;

  /**
   * @param fd - the accepted connection, which is closed with this one
   * @param now - any clock in milliseconds that never jumps
   * @param deadlines - of all connections: a person may take their time, module and daemon may not
   */
  constructor(fd: number, now: () => number, deadlines: Deadlines<ModuleConnection>) {
    this.#connection = openConnection(fd, () => this.#receive());
    this.#now = now;
    this.#deadlines = deadlines;
    this.heardAt = now();
  }

  get over(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Waits for the module's first frame.
   *
   * @returns what it says
   * @throws WireError when it is not a START
   * @throws ConversationEnded when the module is gone
   */
  async start(): Promise<Start | ForeignStart> {
    this.#allow(START_DEADLINE_MS, 'no START came in time');
    // It comes at once, most often before the event loop would look for it.
    this.#receive();
    const frame = await this.#next();
    this.#allow(WORK_DEADLINE_MS, 'the check took too long');
    if (frame.type !== FRAME_TYPE.start) {
      throw new WireError('ERR_ORDER', `Frame type ${frame.type} came, START was expected`);
    }
    return decodeStart(frame.payload);
  }

  async ask(prompt: Prompt): Promise<Reply> {
    this.#sendFrame(promptFrame(prompt));
    this.askedAt = this.#now();
    this.#deadlines.clear(this);
    const frame = await this.#next();
    this.askedAt = undefined;
    this.#allow(WORK_DEADLINE_MS, 'the check took too long');
    try {
      switch (frame.type) {
        case FRAME_TYPE.answer:
          return { kind: 'answer', readings: decodeAnswer(frame.payload, prompt.shapes.length) };
        case FRAME_TYPE.cancel:
          return { kind: 'cancel', reason: decodeCancel(frame.payload) };
        default:
          throw new WireError('ERR_ORDER', `Frame type ${frame.type} came, ANSWER or CANCEL was expected`);
      }
    } finally {
      frame.payload.fill(0);
    }
  }

  tell(notice: Notice): void {
    this.#send(FRAME_TYPE.notice, encodeNotice(notice));
  }

  conclude(verdict: Verdict): void {
    this.#send(FRAME_TYPE.verdict, encodeVerdict(verdict));
    this.#connection.close();
    this.#end(OVER);
  }

  /**
   * Gives up this login: whoever waits for an answer is told, and the module gets a last word if it can still be sent.
   *
   * @param why - for the log
   */
  giveUp(why: string): void {
    if (this.#ended === undefined) {
      this.#send(FRAME_TYPE.verdict, encodeVerdict({ code: 'unavailable', failDelayUs: 0 }));
      this.#connection.close();
      this.#end(new ConversationEnded(why));
    }
  }

  /** Cuts the connection, if it is still there. */
  destroy(): void {
    this.#connection.close();
    this.#end(new ConversationEnded('the connection was cut'));
  }

  #send(type: number, payload: Buffer): void {
    this.#sendFrame(encodeFrame(type, payload));
  }

  #sendFrame(frame: Buffer): void {
    if (this.#ended === undefined && !this.#connection.send(frame)) {
      this.#end(new ConversationEnded('the module is gone, or does not read'));
    }
  }

  /** In place of the deadline before. */
  #allow(milliseconds: number, why: string): void {
    if (this.#ended === undefined) {
      this.#deadlines.set(this, milliseconds, () => this.giveUp(why));
    }
  }

  #next(): Promise<Frame> {
    const frame = this.#early;
    this.#early = undefined;
    if (frame !== undefined) {
      return Promise.resolve(frame);
    }
    if (this.#ended !== undefined) {
      return Promise.reject(this.#ended);
    }
    return new Promise((resolve, reject) => {
      this.#expecting = { resolve, reject };
    });
  }

  #receive(): void {
    const length = this.#connection.receive(received);
    if (length === undefined) {
      return;
    }
    if (length === 0) {
      this.#connection.close();
      this.#end(new ConversationEnded('the module closed the connection'));
      return;
    }
    this.heardAt = this.#now();
    const bytes = received.subarray(0, length);
    if (this.#ended !== undefined) {
      bytes.fill(0);
      return;
    }
    try {
      for (const frame of this.#reader.push(bytes)) {
        this.#deliver(frame);
      }
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error('the frame cannot be read'));
    }
  }

  /** One frame may come before it is asked for: START. Everything else answers a question. */
  #deliver(frame: Frame): void {
    const expecting = this.#expecting;
    if (expecting !== undefined) {
      this.#expecting = undefined;
      expecting.resolve(frame);
      return;
    }
    if (this.#early !== undefined || frame.type !== FRAME_TYPE.start) {
      frame.payload.fill(0);
      throw new WireError('ERR_ORDER', `Frame type ${frame.type} came, nothing was expected`);
    }
    this.#early = frame;
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) {
      return;
    }
    this.#ended = error;
    this.#deadlines.clear(this);
    this.#reader.wipe();
    const expecting = this.#expecting;
    this.#expecting = undefined;
    expecting?.reject(error);
  }
}
