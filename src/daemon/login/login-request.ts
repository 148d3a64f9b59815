import type { Account } from '../enrolments/enrolment.ts';

/** Where a login comes from, according to its host. None of it can be trusted. */
export interface LoginContext {
  readonly service: string | Uint8Array | undefined;
  /** The name that the host passed. */
  readonly user: string | Uint8Array | undefined;
  readonly tty: string | Uint8Array | undefined;
  readonly rhost: string | Uint8Array | undefined;
  readonly ruser: string | Uint8Array | undefined;
}

/** Who wants to log in, from where, by which line of pam.d. */
export interface LoginRequest {
  readonly context: LoginContext;
  readonly moduleArguments: readonly Buffer[];
  /** Undefined if the passwd database has no such user. */
  readonly account: Account | undefined;
  /** Group and home directory of the passwd entry. */
  readonly gid?: number | undefined;
  readonly home?: string | undefined;
  /** Whether the host is root. Other hosts cannot decide who is asked. */
  readonly trustedHost: boolean;
}
