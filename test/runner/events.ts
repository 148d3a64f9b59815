/*
 * What the reporter inside vitest tells the runner, over the channel that Node opens between parent and child. The
 * channel carries JSON: plain values only.
 */

/** A failure of a test, a hook or a whole file: its name and the text of each error. */
export interface Failure {
  /** File, suites and test, or what else failed. */
  readonly name: string;
  readonly reasons: readonly string[];
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export type Event =
  /** A file begins. */
  | { readonly kind: 'begin'; readonly file: string }
  /** A test has ended; `name` has no file. */
  | { readonly kind: 'test'; readonly file: string; readonly name: string; readonly state: keyof Counts }
  /** Something has failed. Each failure is told once, and counts as one failed test. */
  | { readonly kind: 'failure'; readonly file: string; readonly failure: Failure }
  /** A file wrote something with console. */
  | { readonly kind: 'output'; readonly file: string; readonly text: string }
  /** A file has ended. */
  | { readonly kind: 'end'; readonly file: string }
  /** All files have ended. */
  | { readonly kind: 'done' };
