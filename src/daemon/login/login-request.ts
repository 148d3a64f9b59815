import type { Account } from '../enrolments/enrolment.ts';

/** Where a login comes from, as its host says it. All of it is from outside. */
export interface LoginContext {
  readonly service: string | Uint8Array | undefined;
  /** As the host calls the user. */
  readonly user: string | Uint8Array | undefined;
  readonly tty: string | Uint8Array | undefined;
  readonly rhost: string | Uint8Array | undefined;
  readonly ruser: string | Uint8Array | undefined;
}

/** Who wants to log in, from where, by which line of pam.d. */
export interface LoginRequest {
  readonly context: LoginContext;
  readonly moduleArguments: readonly Buffer[];
  /** Undefined: nobody of this name is in the passwd database. */
  readonly account: Account | undefined;
  /** Group and home directory of the passwd entry. */
  readonly gid?: number | undefined;
  readonly home?: string | undefined;
  /** Whether the host is root. Others get no say in who is asked. */
  readonly trustedHost: boolean;
}
