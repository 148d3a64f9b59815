import type { ShapedAnswer } from '../wire/answer.ts';
import type { CancelReason } from '../wire/cancel.ts';

/** What came back for a question. */
export type Reply =
  | { readonly kind: 'answer'; readonly readings: readonly ShapedAnswer[] }
  | { readonly kind: 'cancel'; readonly reason: CancelReason }
  /** The module is gone, or this login was given up: there is nobody to answer. */
  | { readonly kind: 'gone'; readonly why: string };
