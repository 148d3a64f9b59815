import type { ShownUser } from './shown-user.ts';
/*
 * What the command and the daemon say to each other through control.sock: HTTP/1.1, JSON bodies. docs/reference/protocol.md is
 * about the other socket; this one is private to the two programs of one version.
 */

/** A factor to add. A field that is left out gets the value that phones expect. */
export type NewFactor =
  | (NewToken & {
      readonly kind: 'totp';
      /** Length of a time step in seconds, 15 to 120; of an imported one 1 to 300. */
      readonly period?: number | undefined;
      /** Time step of the code that the person tried the phone with. This code and earlier ones will not work. */
      readonly usedStep?: number | undefined;
    })
  | (NewToken & {
      readonly kind: 'hotp';
      /** Counter of the next code; 0 when left out. */
      readonly counter?: number | undefined;
    })
  | {
      readonly kind: 'recovery';
      /** One to ten codes, 16 base32 characters each; left out: ten new ones. */
      readonly codes?: readonly string[] | undefined;
    }
  | {
      readonly kind: 'yubikey';
      readonly name?: string | undefined;
      /** The OTP of a touch. It is used up, and earlier ones will not work. Only root may leave it out. */
      readonly otp?: string | undefined;
      /** A line with the key's secrets, as ykman or yubikey-ksm write it; left out: a validation server checks the key. */
      readonly secrets?: string | undefined;
      /** In place of both: the public id of a key that nobody touches now. */
      readonly publicId?: string | undefined;
    };

/** The fields that phones and tokens share. */
interface NewToken {
  /** A name for the device: letters, digits and `._@-`, at most 32. */
  readonly name?: string | undefined;
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512' | undefined;
  readonly digits?: 6 | 7 | 8 | undefined;
  /** Base32; left out: a new one. */
  readonly secret?: string | undefined;
  /** Whether a phone or token already has the secret. Then its settings are taken as they are. */
  readonly imported?: true | undefined;
  /** How many steps or counters are accepted. */
  readonly window?: number | undefined;
  /** A limit of guesses that is stricter than the daemon's. */
  readonly limit?: Limit | undefined;
}

/** At most so many guesses in so many seconds. */
export interface Limit {
  readonly attempts: number;
  readonly seconds: number;
}

/** One change of a user's factors. A factor is named by its id or its name. */
export type Change =
  | { readonly do: 'add'; readonly factor: NewFactor }
  | { readonly do: 'remove'; readonly factor: string }
  | { readonly do: 'rename'; readonly factor: string; readonly name: string }
  | { readonly do: 'pause' | 'resume'; readonly factor: string };

/** POST /v1/users/USER/changes: all of them, or none. The answer is {@link Changed}. */
export interface ChangesRequest extends Proof {
  readonly changes: readonly Change[];
  /**
   * Changes nothing. It refuses what would be refused before a proof; otherwise the answer says whether a proof will be needed.
   */
  readonly check?: true | undefined;
}

/** Part of each request that changes or shows factors of an enrolled user, unless root makes the request. */
export interface Proof {
  /** A code of one of the user's factors, as for a login. The request uses it up. */
  readonly proof?: string | undefined;
}

/** A factor without its secret. */
export interface FactorView {
  readonly id: string;
  readonly kind: 'totp' | 'hotp' | 'recovery' | 'google-authenticator' | 'yubikey-online' | 'yubikey-offline';
  readonly name: string;
  /** When it was added, ISO 8601. */
  readonly added: string;
  /** When a code of it last let somebody in, ISO 8601; null: never. */
  readonly lastUsed: string | null;
  /** Of an imported file: the kind of its codes; left out if it has only scratch codes. */
  readonly codes?: 'totp' | 'hotp';
  /** Its codes are not accepted for the time being. */
  readonly paused: boolean;
  /** Of TOTP and HOTP. */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
  readonly digits?: 6 | 7 | 8;
  readonly window?: number;
  readonly limit?: Limit;
  /** Of TOTP: seconds. */
  readonly period?: number;
  /** Of recovery codes and scratch codes: how many are left. */
  readonly codesLeft?: number;
  /** Of YubiKeys: the public id, which their OTPs begin with. */
  readonly publicId?: string;
}

/** A new factor. Its secrets are shown only this once. */
export interface AddedFactor {
  readonly user: string;
  readonly factor: FactorView;
  /** Of TOTP and HOTP: base32. */
  readonly secret?: string;
  /** Of TOTP and HOTP: otpauth:// URI for the QR code. */
  readonly uri?: string;
  /** Of recovery codes: `XXXX-XXXX-XXXX-XXXX`. */
  readonly codes?: readonly string[];
}

/** Takes a file of pam_google_authenticator into the store: POST /v1/users/USER/import. */
export interface ImportRequest {
  /** The file in base64: a secret. */
  readonly file: string;
  /** Whether this file may replace an imported one with another secret. */
  readonly replace?: boolean | undefined;
  /** As in {@link ChangesRequest}; not needed for the same file with fewer codes left. */
  readonly proof?: string | undefined;
}

/** The answer to {@link ImportRequest}. */
export interface Imported {
  readonly user: string;
  readonly factor: FactorView;
  /** `added`: there was none before. `again`: one with the same secret. `replaced`: one with another secret, which is gone. */
  readonly outcome: 'added' | 'again' | 'replaced';
}

/** The answer to POST /v1/users/USER/export. With the same body, POST /v1/users/USER/export/remove removes it from the store. */
export interface ExportedFile {
  readonly user: string;
  /** The file in base64: a secret. */
  readonly file: string;
}

/** The answer to {@link ChangesRequest}. */
export interface Changed {
  /** The added factors, in the order of the request. */
  readonly added: readonly AddedFactor[];
  /** The user's factors after the change. */
  readonly view: UserView;
  /** Of a request that was only checked: whether it needs a proof. */
  readonly needsProof?: boolean;
}

/** The answer to POST /v1/users/USER/factors/FACTOR/show, whose body is a {@link Proof}. */
export interface ShownFactor {
  readonly user: string;
  readonly factor: FactorView;
  /** Base32. */
  readonly secret: string;
  /** Of HOTP: counter of the next code. */
  readonly counter?: number;
  readonly uri: string;
}

/** How the rules apply to a login: GET /v1/rules/SERVICE/USER, or /v1/rules/SERVICE/USER/ADDRESS for a login from an address. */
export interface RuleTest {
  readonly userExists: boolean;
  /** The rules in their order. */
  readonly rules: readonly {
    /** From 1 on. */
    readonly number: number;
    readonly action: 'skip' | 'deny' | 'both';
    readonly applies: boolean;
    /** Why it applies or not, in words. */
    readonly because: string;
  }[];
  /** Number of the first rule that applies; null if none does. */
  readonly holds: number | null;
}

/** GET /v1/about: what daemon this is. Anybody may ask. */
export interface About {
  /** As package.json has it. */
  readonly version: string;
}

/** GET /v1/health: what the daemon knows about itself, for root. */
export interface Health {
  /** SHA-256 of config.toml as it was read at the start, in hex; null: there was none, or it could not be read. */
  readonly configDigest: string | null;
  /** Why config.toml is not in use; null if it is. */
  readonly configProblem: string | null;
  /** Whether the store exists: without it nobody with a factor gets in. */
  readonly store: boolean;
  readonly ledger: 'sound' | 'in-trouble' | 'damaged';
  /** Whether the ledger refuses new marks of owners who have many. */
  readonly ledgerFull: boolean;
  /** Why YubiKeys cannot be looked up although config.toml says so; null if they can, or need not be. */
  readonly yubico: string | null;
}

/** GET /v1/logins: who last logged in with a code, for root. A restart of the daemon forgets it. */
export interface LastLogins {
  readonly logins: readonly AcceptedLogin[];
}

/** The last login with a code through a service. */
export interface AcceptedLogin {
  /** PAM service. */
  readonly service: string;
  readonly user: string;
  /** When: milliseconds of CLOCK_MONOTONIC, which all programs of a machine read alike. */
  readonly at: number;
}

/**
 * The PAM_RUSER of a rehearsal, by which the daemon tells it from a login. No account has a
 * name with blanks.
 */
export const REHEARSAL = 'only a rehearsal';

/** How YubiKeys are looked up: GET /v1/yubico. */
export type YubicoSetUp =
  | { readonly kind: 'off' }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'on'; readonly servers: readonly string[] };

/** The answer to POST /v1/yubico/check, whose body is `{ otp }`: the OTP is used up. */
export interface YubicoChecked {
  readonly result: 'right' | 'wrong' | 'replayed' | 'misconfigured' | 'unavailable';
  /** The public id, which the OTP begins with. */
  readonly publicId: string;
  /** Whether the server returned the OTP's counters, and signed them. */
  readonly countersSigned: boolean;
  /** The servers that gave no result. */
  readonly failures: readonly {
    /** Host and port. */
    readonly server: string;
    readonly why: string;
    /** What to do about it; null if unknown. */
    readonly hint: string | null;
  }[];
}

/** The answer to POST /v1/ledger/repair. */
export interface Repaired {
  /** Whether something was damaged and is repaired now. */
  readonly repaired: boolean;
  readonly condition: 'sound' | 'in-trouble' | 'damaged';
}

/** The answer to POST /v1/users/USER/forget: the daemon has forgotten where the user's ~/.google_authenticator was. */
export interface RenamedUser {
  /** The name that the record had. */
  readonly from: string;
  /** The name that it has, as the name service spells it. */
  readonly user: string;
}

export interface Forgotten {
  readonly user: string;
}

/** What a user has in Proxmox. */
export type ProxmoxUserView = ShownUser;

/**
 * What a user has enrolled: GET /v1/users/USER, and a list of them, one a line: GET /v1/users. Callers other than root see only
 * their own.
 */
export interface UserView {
  readonly user: string;
  readonly uid: number;
  readonly factors: readonly FactorView[];
  /**
   * What a login finds. `store`: these factors. `elsewhere`: factors outside the store, such as the user's own file. `none`: no
   * factor. `unusable`: an enrolment that cannot be used. `unknown`: the look-up fails at present.
   */
  readonly enrolled: 'store' | 'elsewhere' | 'none' | 'unusable' | 'unknown';
  /** End of the lock of codes of digits for some origins, after too many failures, ISO 8601; null if there is no lock. */
  readonly lockedUntil: string | null;
  /** Why the enrolment cannot be used or looked up; left out if it can. */
  readonly problem?: string;
  /** The user's factors in Proxmox; left out if Proxmox does not know the user. */
  readonly proxmox?: ProxmoxUserView;
}

/** The body of every answer that is not a success. */
export interface Refusal {
  readonly error: {
    readonly code: string;
    /** For the person: what is wrong and what to do. */
    readonly message: string;
  };
}

/**
 * The time step of a new factor, in seconds. Shorter codes run out while you type; longer ones stay valid too long if somebody
 * sees them.
 */
export const MIN_NEW_PERIOD = 15;
export const MAX_NEW_PERIOD = 120;
/** Changes in one request. */
export const MAX_CHANGES = 32;
/** The longest code, with the blanks and dashes that people type. */
export const MAX_PROOF_LENGTH = 64;
