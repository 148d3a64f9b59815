import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConversationEnded } from '../../../src/login/conversation.ts';
import { acceptFrom, listenOn, type Acceptor } from '../../../src/host/addon.ts';
import { Deadlines } from '../../../src/server/deadlines.ts';
import { START_DEADLINE_MS, WORK_DEADLINE_MS } from '../../../src/server/limits.ts';
import { ModuleConnection } from '../../../src/server/module-connection.ts';
import { encodeAnswer } from '../../../src/wire/answer.ts';
import { encodeCancel } from '../../../src/wire/cancel.ts';
import { encodeFrame, FRAME_TYPE, FrameReader, type Frame } from '../../../src/wire/frame.ts';
import { decodeNotice } from '../../../src/wire/notice.ts';
import { decodePrompt, type Prompt } from '../../../src/wire/prompt.ts';
import { encodeStart } from '../../../src/wire/start.ts';
import { decodeVerdict } from '../../../src/wire/verdict.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { RecordedBuffers } from '../fixtures/recorded-buffers.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const START = encodeFrame(
  FRAME_TYPE.start,
  encodeStart({
    silent: false,
    disallowNullAuthtok: false,
    moduleArguments: [],
    service: Buffer.from('sshd'),
  }),
);
const ANSWER = encodeFrame(FRAME_TYPE.answer, encodeAnswer([{ shape: 0, text: Buffer.from('123456') }]));
const CANCEL = encodeFrame(FRAME_TYPE.cancel, encodeCancel('not-allowed-to-ask'));
const PROMPT: Prompt = {
  source: 'ask-hidden',
  part: 'whole',
  shapes: [{ class: 'digits', length: 6 }],
  text: 'Code: ',
};

let acceptor: Acceptor;
/** The module's end. */
let module: Socket;
let connection: ModuleConnection;
let clock = 0;
let deadlines: RecordedDeadlines;

/** Whoever has a deadline, and what follows when it passes. */
class RecordedDeadlines extends Deadlines<ModuleConnection> {
  readonly given: number[] = [];
  pass: (() => void) | undefined;

  override set(_who: ModuleConnection, milliseconds: number, pass: () => void): void {
    this.given.push(milliseconds);
    this.pass = pass;
  }

  override clear(): void {
    this.pass = undefined;
  }
}

beforeEach(async () => {
  deadlines = new RecordedDeadlines(() => clock);
  const path = join(makeDirectory(), 'pam.sock');
  connection = await new Promise((resolve, reject) => {
    const accepted = (fd: number): void => resolve(new ModuleConnection(fd, () => clock, deadlines));
    acceptor = acceptFrom(listenOn(path, 0o600, 1), accepted, reject);
    module = connect(path);
  });
});

afterEach(() => {
  module.destroy();
  connection.destroy();
  acceptor.close();
});

const say = (...parts: Buffer[]): void => {
  module.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits for so many frames from the daemon; undefined: all until it closes. */
async function heard(count?: number): Promise<Frame[]> {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for await (const chunk of module) {
    frames.push(...reader.push(chunk as Buffer));
    if (frames.length === count) {
      break;
    }
  }
  expect(reader.incomplete).toBe(false);
  return frames;
}

const broken = expect.objectContaining({ name: 'WireError', code: 'ERR_ORDER' });

describe('ModuleConnection', () => {
  it('conducts a whole conversation', async () => {
    say(START);
    expect(await connection.start()).toMatchObject({ service: Buffer.from('sshd') });
    const reply = connection.ask(PROMPT);
    say(ANSWER);
    expect(await reply).toEqual({ kind: 'answer', readings: [{ shape: 0, text: Buffer.from('123456') }] });
    const second = connection.ask(PROMPT);
    say(CANCEL);
    expect(await second).toEqual({ kind: 'cancel', reason: 'not-allowed-to-ask' });
    connection.tell({ kind: 'info', text: 'Hello' });
    expect(connection.over).toBe(false);
    connection.conclude({ code: 'ok', failDelayUs: 0 });
    expect(connection.over).toBe(true);
    const [first, again, notice, verdict, ...more] = await heard();
    expect(decodePrompt(first!.payload)).toEqual(PROMPT);
    expect(decodePrompt(again!.payload)).toEqual(PROMPT);
    expect(decodeNotice(notice!.payload)).toEqual({ kind: 'info', text: 'Hello' });
    expect(decodeVerdict(verdict!.payload)).toEqual({ code: 'ok', failDelayUs: 0 });
    expect(more).toEqual([]);
  });

  it('takes a START that comes before it is asked for, byte by byte', async () => {
    for (const byte of START) {
      module.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await connection.start()).toHaveProperty('service');
  });

  it('knows while it waits for the person, and since when', async () => {
    say(START);
    await connection.start();
    expect(connection.askedAt).toBeUndefined();
    clock = 4_711;
    const reply = connection.ask(PROMPT);
    expect(connection.askedAt).toBe(4_711);
    say(ANSWER);
    await reply;
    expect(connection.askedAt).toBeUndefined();
  });

  it('has a deadline for START and for the work between questions, and none while the person thinks', async () => {
    const start = connection.start();
    expect(deadlines.given).toEqual([START_DEADLINE_MS]);
    say(START);
    await start;
    expect(deadlines.given.splice(0)).toEqual([START_DEADLINE_MS, WORK_DEADLINE_MS]);
    const reply = connection.ask(PROMPT);
    expect(deadlines.pass).toBeUndefined();
    say(ANSWER);
    await reply;
    expect(deadlines.given).toEqual([WORK_DEADLINE_MS]);
    connection.conclude({ code: 'ok', failDelayUs: 0 });
    expect(deadlines.pass).toBeUndefined();
  });

  it('has none any more when it ended before its START was looked at', async () => {
    say(START, ANSWER);
    await until(() => connection.over);
    await connection.start();
    expect(deadlines.pass).toBeUndefined();
  });

  it('gives up when START does not come in time', async () => {
    const start = connection.start();
    deadlines.pass!();
    await expect(start).rejects.toBeInstanceOf(ConversationEnded);
    expect((await heard()).map(({ payload }) => decodeVerdict(payload).code)).toEqual(['unavailable']);
  });

  it('gives up when the work takes too long', async () => {
    say(START);
    await connection.start();
    deadlines.pass!();
    expect(connection.over).toBe(true);
    await expect(connection.ask(PROMPT)).rejects.toThrow('took too long');
    connection.conclude({ code: 'ok', failDelayUs: 0 });
    expect((await heard()).map(({ payload }) => decodeVerdict(payload).code)).toEqual(['unavailable']);
  });

  it.each([
    ['an ANSWER', ANSWER],
    ['a CANCEL', CANCEL],
    ['a VERDICT', encodeFrame(FRAME_TYPE.verdict, Buffer.alloc(6))],
    ['an unknown frame', encodeFrame(0x7f, Buffer.alloc(1))],
  ])('refuses %s as the first frame', async (_name, frame) => {
    const start = connection.start();
    say(frame);
    await expect(start).rejects.toEqual(broken);
  });

  it('refuses an early first frame that is not a START', async () => {
    say(ANSWER);
    await until(() => connection.over);
    await expect(connection.start()).rejects.toEqual(broken);
  });

  it.each([
    ['a second START', START],
    ['an ANSWER', ANSWER],
    ['a CANCEL', CANCEL],
  ])('refuses %s before there was a question', async (_name, frame) => {
    say(START, frame);
    await connection.start().catch(() => undefined);
    await expect(connection.ask(PROMPT)).rejects.toEqual(broken);
  });

  it('refuses two STARTs that come before one is looked at', async () => {
    say(START, START);
    await until(() => connection.over);
    await connection.start();
    await expect(connection.ask(PROMPT)).rejects.toEqual(broken);
  });

  it('leaves a code in the reading that it hands out, and nowhere else', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask(PROMPT);
    say(ANSWER);
    const made = new RecordedBuffers();
    const answer = await reply;
    expect(made.holding('123456')).toBe(1);
    expect(answer).toMatchObject({ readings: [{ text: Buffer.from('123456') }] });
  });

  it('leaves no code of an ANSWER that nobody asked for', async () => {
    say(START);
    await connection.start();
    say(ANSWER);
    const made = new RecordedBuffers();
    await until(() => connection.over);
    expect(made.holding('123456')).toBe(0);
  });

  it('leaves no code of an ANSWER that does not end', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask(PROMPT);
    const heardBefore = connection.heardAt;
    clock += 1;
    say(ANSWER.subarray(0, -1));
    const made = new RecordedBuffers();
    await until(() => connection.heardAt > heardBefore);
    connection.destroy();
    await expect(reply).rejects.toBeInstanceOf(ConversationEnded);
    expect(made.holding('12345')).toBe(0);
  });

  it('refuses an ANSWER in advance: one question, one answer', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask(PROMPT);
    say(ANSWER, ANSWER);
    await reply;
    expect(connection.over).toBe(true);
    await expect(connection.ask(PROMPT)).rejects.toEqual(broken);
  });

  it('refuses a START in place of an answer', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask(PROMPT);
    say(START);
    await expect(reply).rejects.toEqual(broken);
  });

  it('refuses an ANSWER whose shape was not asked for', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask({ ...PROMPT, shapes: [] });
    say(ANSWER);
    await expect(reply).rejects.toBeInstanceOf(WireError);
  });

  it('refuses a bad length at once, whoever waits', async () => {
    const start = connection.start();
    say(Buffer.from('ffff', 'hex'));
    await expect(start).rejects.toEqual(expect.objectContaining({ code: 'ERR_FRAME_LENGTH' }));
  });

  it.each([
    ['before START', Buffer.alloc(0)],
    ['in the middle of START', START.subarray(0, 5)],
  ])('notices that the module is gone %s', async (_name, bytes) => {
    const start = connection.start();
    module.end(Buffer.from(bytes));
    await expect(start).rejects.toBeInstanceOf(ConversationEnded);
    expect(connection.over).toBe(true);
  });

  it('notices that the module is gone while the person is asked, and in the middle of the answer', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask(PROMPT);
    module.end(Buffer.from(ANSWER.subarray(0, 7)));
    await expect(reply).rejects.toBeInstanceOf(ConversationEnded);
    // Whatever is said now goes nowhere, and breaks nothing.
    connection.tell({ kind: 'info', text: 'x' });
    connection.conclude({ code: 'ok', failDelayUs: 0 });
    await expect(connection.ask(PROMPT)).rejects.toBeInstanceOf(ConversationEnded);
  });

  it('gives up with a verdict, and tells whoever waits', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask(PROMPT);
    connection.giveUp('too many logins');
    await expect(reply).rejects.toThrow('too many logins');
    expect(connection.over).toBe(true);
    connection.giveUp('again');
    connection.conclude({ code: 'ok', failDelayUs: 0 });
    const frames = await heard();
    expect(frames.map(({ type }) => type)).toEqual([FRAME_TYPE.prompt, FRAME_TYPE.verdict]);
    expect(decodeVerdict(frames[1]!.payload)).toEqual({ code: 'unavailable', failDelayUs: 0 });
  });

  it('says nothing after the verdict', async () => {
    connection.conclude({ code: 'denied', failDelayUs: 0 });
    connection.conclude({ code: 'ok', failDelayUs: 0 });
    connection.tell({ kind: 'info', text: 'x' });
    connection.giveUp('x');
    const frames = await heard();
    expect(frames.map(({ payload }) => decodeVerdict(payload).code)).toEqual(['denied']);
  });

  it('says nothing to who broke the protocol, least of all ok', async () => {
    say(START);
    await connection.start();
    const reply = connection.ask(PROMPT);
    say(START);
    await reply.catch(() => undefined);
    say(ANSWER);
    await until(() => connection.over);
    connection.tell({ kind: 'info', text: 'x' });
    connection.conclude({ code: 'ok', failDelayUs: 0 });
    expect((await heard()).map(({ type }) => type)).toEqual([FRAME_TYPE.prompt]);
  });

  it('says no more than it has said when it is cut', async () => {
    connection.destroy();
    expect(await heard()).toEqual([]);
    await expect(connection.start()).rejects.toBeInstanceOf(ConversationEnded);
  });
});
