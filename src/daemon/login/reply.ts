import type { ShapedAnswer } from '../wire/answer.ts';
import type { CancelReason } from '../wire/cancel.ts';

/* The module's reply to a prompt. */

/** The reply to a question. */
export type Reply =
  | { readonly kind: 'answer'; readonly readings: readonly ShapedAnswer[] }
  | { readonly kind: 'cancel'; readonly reason: CancelReason }
  /** The module is gone, or the server gave this login up. */
  | { readonly kind: 'gone'; readonly why: string };
