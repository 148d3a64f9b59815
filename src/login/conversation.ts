import type { CancelReason } from '../wire/cancel.ts';
import type { Notice } from '../wire/notice.ts';
import type { Prompt } from '../wire/prompt.ts';
import type { ShapedAnswer } from '../wire/answer.ts';
import type { Verdict } from '../wire/verdict.ts';

/** What came back for a question. */
export type Reply =
  | { readonly kind: 'answer'; readonly readings: readonly ShapedAnswer[] }
  | { readonly kind: 'cancel'; readonly reason: CancelReason };

/** One login's conversation with the module. */
export interface Conversation {
  /** Whether nothing can be said any more: the module is gone, or it had the last word. */
  readonly over: boolean;
  /**
   * Asks and waits for the person.
   *
   * @param prompt - the question
   * @returns the answer, whose bytes the caller wipes
   * @throws ConversationEnded when the module is gone, or the daemon gives up this login
   */
  ask(prompt: Prompt): Promise<Reply>;
  /** Shows a text. */
  tell(notice: Notice): void;
  /** Says how the login ended; nothing can be said after that. */
  conclude(verdict: Verdict): void;
}

/** The other side is gone, or this login was given up: there is nobody to answer. */
export class ConversationEnded extends Error {
  readonly code = 'ERR_CONVERSATION_ENDED';
  /** @param message - why */
  constructor(message: string) {
    super(message);
    this.name = 'ConversationEnded';
  }
}
