/** Limits of the daemon's sockets. docs/explanation/threat-model.md says what each one stops. */

/** The most connections of root's socket at one moment. Each is one login. */
export const MAX_LOGINS = 512;
/** How many of these stay free for logins from local terminals (without a remote host). */
export const LOCAL_RESERVE = 8;
/** The most connections of the users' socket at one moment. They never push out one of root's. */
export const MAX_USER_LOGINS = 64;
/** How many of these one uid may have. */
export const MAX_USER_LOGINS_PER_UID = 8;
/** The most logins of one uid at that socket: at once, and per second after that. */
export const USER_LOGINS_AT_ONCE = 100;
export const USER_LOGINS_PER_SECOND = 20;

/** How long a module may take to say START after it has connected, in milliseconds. */
export const START_DEADLINE_MS = 5_000;
/** The module waits 15 s from an answer to the next question or the verdict; the daemon gives up before that. */
export const WORK_DEADLINE_MS = 12_000;
/**
 * At shutdown new logins wait in the kernel's queue for the next daemon while those in flight end: well within the 5 s that a module
 * waits for its first question. Milliseconds.
 */
export const DRAIN_MS = 3_000;
/**
 * If a person takes longer, the daemon serves new logins again for this time, so that nobody else waits. Then it drains once
 * more.
 */
export const LINGER_MS = 9_000;
