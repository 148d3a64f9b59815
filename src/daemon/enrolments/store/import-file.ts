import { isDeepStrictEqual } from 'node:util';
import type { Account } from '../enrolment.ts';
import { stored, withFactor, type Added } from './add-factor.ts';
import { ChangeError } from './change-error.ts';
import type { ImportedFile } from './imported-file.ts';
import type { EnrolmentRecord, ImportedFactor } from './record.ts';

/** A record with an imported file, and what became of it. */
export interface FileImport extends Added<ImportedFactor> {
  /** `added`: there was none before. `again`: one with the same secret. `replaced`: one with another secret, which is gone. */
  readonly outcome: 'added' | 'again' | 'replaced';
  /** The file that was imported before. */
  readonly before: ImportedFile | undefined;
}

/**
 * Adds a file of pam_google_authenticator. A user has at most one: the same secret again is the same factor, as the file says it now.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param file - what the file says
 * @param replace - whether one with another secret may go for it
 * @param now - milliseconds since 1970
 * @returns the new record, the factor and what became of it
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
 * Whether a file is one that was imported before, after some more use: it opens nothing that the other one does not.
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
