import { isDeepStrictEqual } from 'node:util';
import type { Account } from '../enrolment.ts';
import { stored, withFactor, type Added } from './add-factor.ts';
import { ChangeError } from './change-error.ts';
import type { ImportedFile } from './imported-file.ts';
import type { EnrolmentRecord, ImportedFactor } from './record.ts';

/** A record with an imported file, and the kind of change. */
export interface FileImport extends Added<ImportedFactor> {
  /**
   * `added`: there was none. `again`: there was one with the same secret. `replaced`: there was one with another secret, which is
   * removed.
   */
  readonly outcome: 'added' | 'again' | 'replaced';
  /** The file that was imported before. */
  readonly before: ImportedFile | undefined;
}

/**
 * Adds a file of pam_google_authenticator. A user has at most one: importing the same secret again updates the same factor.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param file - what the file says
 * @param replace - whether to replace one with another secret
 * @param now - milliseconds since 1970
 * @returns the new record, the factor and the kind of change
 * @throws ChangeError when there is one with another secret, or there are too many factors
 */
export function addImported(
  account: Account,
  record: EnrolmentRecord | undefined,
  file: ImportedFile,
  replace: boolean,
  now: number,
): FileImport {
  const old = importedFactor(record);
  if (record === undefined || old === undefined) {
    const factor: ImportedFactor = {
      kind: 'google-authenticator',
      ...stored(account, record, undefined, 'imported', now),
      file,
    };
    return { record: withFactor(account, record, factor), factor, outcome: 'added', before: undefined };
  }
  const again = old.file.secret.equals(file.secret);
  if (!again && !replace) {
    throw new ChangeError(
      'ERR_HAS_IMPORTED_FILE',
      `a file with another secret was imported for ${account.name} before: if this one is the right one, import it with --replace`,
    );
  }
  const factor = { ...old, file };
  const factors = record.factors.map((other) => (other === old ? factor : other));
  const outcome = again ? 'again' : 'replaced';
  return { record: { ...record, factors }, factor, outcome, before: old.file };
}

/**
 * The imported file of a user.
 *
 * @param record - what the user has
 * @returns the factor; undefined when nothing was imported
 */
export function importedFactor(record: EnrolmentRecord | undefined): ImportedFactor | undefined {
  return record?.factors.find((factor) => factor.kind === 'google-authenticator');
}

/**
 * Whether a file is the imported one after some more use, so that it accepts no code that the imported one would not.
 *
 * @param before - as it was imported
 * @param now - as it is now
 * @returns whether it is
 */
export function onlyUsedUp(before: ImportedFile, now: ImportedFile): boolean {
  const withoutUse = ({ token, rateLimit }: ImportedFile): unknown => [
    token?.kind,
    token?.window,
    token?.kind === 'totp' ? [token.period, token.skew] : undefined,
    rateLimit?.attempts,
    rateLimit?.seconds,
  ];
  const counter = ({ token }: ImportedFile): number => (token?.kind === 'hotp' ? token.counter : 0);
  return (
    before.secret.equals(now.secret) &&
    isDeepStrictEqual(withoutUse(before), withoutUse(now)) &&
    counter(now) >= counter(before) &&
    now.scratch.codes.every((code) => before.scratch.codes.some((old) => old.equals(code)))
  );
}
