import { encodeAnswer } from '../../../src/daemon/wire/answer.ts';
import { encodeFrame, FRAME_TYPE } from '../../../src/daemon/wire/frame.ts';
import { decodeNotice } from '../../../src/daemon/wire/notice.ts';
import { decodePrompt } from '../../../src/daemon/wire/prompt.ts';
import type { Start } from '../../../src/daemon/wire/start.ts';
import { decodeVerdict, type VerdictCode } from '../../../src/daemon/wire/verdict.ts';
import { ModuleSocket, startFrame } from '../daemon/module-socket.ts';
import type { Stage } from '../daemon/stage.ts';

/** Everything that a host sees of a login. */
export interface Seen {
  readonly verdict: VerdictCode | 'none';
  /** Texts of the questions and of the notices, in their order. */
  readonly texts: readonly string[];
  readonly questions: number;
  readonly failDelayUs: number;
}

/** The START fields of a login; texts are bytes, or UTF-8. */
export interface Claim {
  readonly user?: string | Buffer;
  readonly canonicalUser?: string | Buffer;
  readonly uid?: number;
  readonly rhost?: string;
  readonly tty?: string;
  readonly moduleArguments?: readonly string[];
}

/** The START of a claim. */
export function startOf({ uid, moduleArguments = [], ...texts }: Claim): Buffer {
  const named = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)] as const);
  const fields: Partial<Start> = {
    service: Buffer.from('attack'),
    moduleArguments: moduleArguments.map((argument) => Buffer.from(argument)),
    ...(uid === undefined ? {} : { uid, gid: uid }),
  };
  return startFrame({ ...fields, ...(Object.fromEntries(named) as Partial<Start>) });
}

/** The claim of somebody who is in the passwd database. */
export function claimOf({ name, uid }: { readonly name: string; readonly uid: number }): Claim {
  return { user: name, canonicalUser: name, uid };
}

/**
 * A login by a program that speaks the module's protocol, and so may claim anything.
 *
 * @param stage - where
 * @param claim - who
 * @param code - answers every question for digits
 * @param socket - through which socket
 * @returns the result
 */
export async function claimLogin(
  stage: Stage,
  claim: Claim,
  code: string,
  socket: 'pam' | 'user' = 'pam',
): Promise<Seen> {
  const module = (await ModuleSocket.connect(stage.socket(socket))).send(startOf(claim));
  const texts: string[] = [];
  let questions = 0;
  for (;;) {
    const frame = await module.next();
    if (frame === undefined) {
      return { verdict: 'none', texts, questions, failDelayUs: 0 };
    }
    if (frame.type === FRAME_TYPE.verdict) {
      const { code: verdict, failDelayUs } = decodeVerdict(frame.payload);
      await module.close();
      return { verdict, texts, questions, failDelayUs };
    }
    if (frame.type === FRAME_TYPE.notice) {
      texts.push(decodeNotice(frame.payload).text);
      continue;
    }
    const { text, shapes } = decodePrompt(frame.payload);
    texts.push(text);
    questions += 1;
    const shape = shapes.findIndex((one) =>
      one.class === 'digits' ? one.length === code.length && /^\d+$/.test(code) : false,
    );
    const answer = shape === -1 ? [] : [{ shape, text: Buffer.from(code) }];
    module.send(encodeFrame(FRAME_TYPE.answer, encodeAnswer(answer)));
  }
}
