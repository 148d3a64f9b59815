import type { Account } from '../enrolments/enrolment.ts';
import { removeFactor } from '../enrolments/store/edit.ts';
import { asIfWritten } from '../enrolments/home/used-codes.ts';
import { exportedText } from '../enrolments/store/export-file.ts';
import { hotpKey, keysOf, totpKey } from '../enrolments/store/factor-keys.ts';
import { addImported, importedFactor, onlyUsedUp, type FileImport } from '../enrolments/store/import-file.ts';
import {
  MAX_FILE_BYTES,
  readImportedFile,
  type FileProblem,
  type ImportedFile,
} from '../enrolments/store/imported-file.ts';
import { releaseMarks } from '../enrolments/store/released-marks.ts';
import type { EnrolmentRecord, ImportedFactor } from '../enrolments/store/record.ts';
import { timeStep } from '../../factors/totp.ts';
import { loggable } from '../../log/escape.ts';
import { z } from '../../contracts/schema.ts';
import { ControlError } from './control-error.ts';
import { accountFor, existingAccount, isRoot, type Caller } from './callers.ts';
import { proof } from './change-schema.ts';
import { changing, type FactorPorts } from './factor-requests.ts';
import { prove } from './proof.ts';
import { recordOf, refusing, saved } from './records.ts';
import { UsedUp } from './used-up.ts';
import { factorView, shownAfter } from './views.ts';
import type { ExportedFile, Imported, UserView } from '../../contracts/control-requests.ts';

/** The body is a file in base64 and little else. */
export const MAX_IMPORT_BODY_BYTES = 96 * 1024;

const fileSchema = z
  .pipe(
    z.base64(),
    z.transform((base64) => Buffer.from(base64, 'base64')),
  )
  .check(z.refine(({ length }) => length > 0 && length <= MAX_FILE_BYTES, `1 to ${MAX_FILE_BYTES} bytes`));
const importSchema = z.strictObject({ file: fileSchema, replace: z.optional(z.boolean()), proof });
const removeSchema = z.strictObject({ file: fileSchema });

/**
 * Takes a file of pam_google_authenticator into the store. First, the ledger records the codes that the file lists as used, so
 * that none of them counts again. Importing twice has the same result as importing once.
 *
 * @param ports - store, ledger, sources, attempts, log, clocks
 * @param caller - who asks
 * @param user - whose
 * @param body - an ImportRequest, not yet checked
 * @returns the factor, and what became of it; by then it is durable
 * @throws ControlError when the file or the record does not allow it, or the proof is missing or wrong; then nothing is imported
 */
export async function importFile(
  ports: FactorPorts,
  caller: Caller,
  user: string,
  body: unknown,
): Promise<Imported> {
  const account = await accountFor(caller, user);
  const { file: bytes, replace = false, proof: code } = valid(importSchema, body);
  const text = bytes.toString('latin1');
  bytes.fill(0);
  const written = goodFile(text);
  // The ledger knows which codes were used while the file could not be written.
  const owner = { user: account.name, secret: written.secret };
  const file = goodFile(asIfWritten(ports.ledger, owner, text));
  const plan = (): FileImport =>
    refusing(() => addImported(account, recordOf(ports, account), file, replace, ports.now()));
  const usedUp = new UsedUp();
  const work = usedUp.explaining(async (): Promise<Imported> => {
    // What cannot be done shall not cost a code.
    const { before } = plan();
    if (!isRoot(caller) && !(before !== undefined && onlyUsedUp(before, file))) {
      const proven = await prove(ports, account, code);
      if (proven.kind === 'nothing-to-prove' && recordOf(ports, account) !== undefined) {
        throw new ControlError(409, 'ERR_CHANGED', 'Your factors were changed meanwhile: try again');
      }
      if (proven.kind === 'proven') {
        usedUp.proof(code);
      }
    }
    await recordUses(ports, account, file, plan().factor);
    const had = recordOf(ports, account);
    const { record, factor, outcome } = plan();
    saved(ports, account, () => ports.store.write(record));
    releaseMarks(ports.ledger, had, record, ports.now());
    ports.log.audit('notice', `Factor ${factor.kind}:${factor.name} imported for ${loggable(account.name)}`, {
      id: factor.id,
      outcome,
      by: caller.uid,
    });
    return { user: account.name, factor: factorView(ports, account.name, factor), outcome };
  });
  return changing.run(account.name, work);
}

function goodFile(text: string): ImportedFile {
  const file = readImportedFile(text);
  if ('problems' in file) {
    throw badFile(file.problems);
  }
  return file;
}

/** Codes that were used before the import are used up here, too. */
async function recordUses(
  ports: FactorPorts,
  { name, uid }: Account,
  file: ImportedFile,
  factor: ImportedFactor,
): Promise<void> {
  const { token } = file;
  if (!(await ports.ledger.hold(uid, keysOf(name, factor)))) {
    throw notRecorded();
  }
  const use =
    token?.kind === 'totp'
      ? { key: totpKey(name, token), mark: lastUsedStep(ports, token, file.usedSteps) }
      : token?.kind === 'hotp' && token.counter > 1
        ? { key: hotpKey(name, token), mark: token.counter - 1 }
        : undefined;
  if (use?.mark === undefined) {
    return;
  }
  const ledger = ports.ledger.of({ uid, keep: 'always' });
  if ((await ledger.advance(use.key, use.mark, { kind: 'counter' })) === 'unavailable') {
    throw notRecorded();
  }
}

function notRecorded(): ControlError {
  return new ControlError(
    503,
    'ERR_STORE',
    'The ledger of used codes cannot be written: is the disk full or read-only?',
    'Nothing was imported.',
  );
}

type TotpToken = Extract<ImportedFile['token'], { kind: 'totp' }>;

/** Used steps in the future (the phone's clock may be ahead) stay listed in the record: a mark there would lock the owner out. */
function lastUsedStep(
  { now }: FactorPorts,
  { period, window, skew = 0 }: TotpToken,
  usedSteps: readonly number[],
): number | undefined {
  const newest = timeStep(period, now()) + skew + Math.floor(window / 2);
  const past = usedSteps.filter((step) => step <= newest);
  return past.length === 0 ? undefined : Math.max(...past);
}

/**
 * Makes a file of pam_google_authenticator from an imported factor, without the codes that were used up since.
 *
 * @param ports - store, ledger, log, clock
 * @param userName - whose
 * @returns the file
 * @throws ControlError when nothing was imported for the user
 */
export async function exportFile(ports: FactorPorts, userName: string): Promise<ExportedFile> {
  const account = await existingAccount(userName);
  const factor = importedOf(ports, account);
  ports.log.audit('notice', `Factor ${factor.kind}:${factor.name} exported for ${loggable(account.name)}`, {
    id: factor.id,
  });
  return { user: account.name, file: exported(ports, account, factor) };
}

/**
 * Removes an imported file from the store after it was exported, but only if the exported file has every code that was used up.
 *
 * @param ports - store, ledger, log, clock
 * @param userName - whose
 * @param body - `{ file }`: the exported file, not yet checked
 * @returns what the user has left
 * @throws ControlError when a code was used up since; then nothing is removed
 */
export async function removeExported(ports: FactorPorts, userName: string, body: unknown): Promise<UserView> {
  const { file: bytes } = valid(removeSchema, body);
  const written = bytes.toString('base64');
  bytes.fill(0);
  const account = await existingAccount(userName);
  return changing.run(account.name, () => {
    const factor = importedOf(ports, account);
    if (exported(ports, account, factor) !== written) {
      throw new ControlError(
        409,
        'ERR_CHANGED',
        `A code of ${account.name} was used meanwhile: export again`,
      );
    }
    remove(ports, account, factor);
    return shownAfter(ports, account);
  });
}

function remove(ports: FactorPorts, account: Account, { id, kind, name }: ImportedFactor): void {
  const before: EnrolmentRecord = recordOf(ports, account) ?? {
    user: account.name,
    uid: account.uid,
    factors: [],
  };
  const rest = refusing(() => removeFactor(before, id)).record;
  saved(ports, account, () =>
    rest.factors.length === 0 ? ports.store.remove(account.name) : ports.store.write(rest),
  );
  releaseMarks(ports.ledger, before, rest, ports.now());
  ports.log.audit('notice', `Factor ${kind}:${name} removed for ${loggable(account.name)}`, { id });
}

function importedOf(ports: FactorPorts, account: Account): ImportedFactor {
  const factor = importedFactor(recordOf(ports, account));
  if (factor === undefined) {
    throw new ControlError(404, 'ERR_NOT_IMPORTED', `No file was imported for ${account.name}`);
  }
  return factor;
}

function exported({ ledger }: FactorPorts, { name }: Account, { file }: ImportedFactor): string {
  const text = exportedText(name, file, (key) => ledger.mark(key)?.value);
  return Buffer.from(text, 'latin1').toString('base64');
}

function badFile(problems: readonly FileProblem[]): ControlError {
  const lines = problems.map(({ line, key, what }) => `line ${line}, ${key}: ${what}`);
  return new ControlError(400, 'ERR_BAD_FILE', lines.join('\n'));
}

function valid<T>(schema: z.ZodMiniType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ControlError(
      400,
      'ERR_BAD_REQUEST',
      `${issue?.path.join('.') || 'request'}: ${issue?.message ?? 'wrong'}`,
    );
  }
  return result.data;
}
