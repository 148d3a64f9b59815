import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { parseRecord } from './parse-record.ts';
import { RECORD_SCHEMA } from './record.ts';
import { RecordError } from './record-error.ts';
import {
  ENROLMENTS,
  MARKER,
  OWNER_ONLY_DIRECTORY,
  readFile,
  STORE_SCHEMA,
  syncDirectory,
  writeFile,
  type StoreFiles,
} from './store-files.ts';

/** The contents of a file of the store, in any schema. */
export type Json = Readonly<Record<string, unknown>>;

/** Converts a record to the next schema. The caller sets the schema's number. */
export type Upgrade = (record: Json) => Json;

/** The converters, by the schema that they start from. The first schema is 1, so there is none yet. */
export const UPGRADES: ReadonlyMap<number, Upgrade> = new Map();

/** The result of an upgrade. */
export interface Upgraded {
  readonly from: number;
  /** How many records were upgraded. */
  readonly records: number;
  /** Names of files that could not be upgraded. They are unchanged, and their users are refused. */
  readonly failed: readonly string[];
  /** The copy of the old store, below the state directory. */
  readonly backup: string;
}

/** The store has an unknown schema. */
export class StoreSchemaError extends Error {
  readonly code = 'ERR_STORE_SCHEMA';
  /** The schema that it has. */
  readonly schema: number;
  /** The schema that this program knows. */
  readonly known = STORE_SCHEMA;
  /** @param schema - which one it has */
  constructor(schema: number) {
    super(`The store has schema ${schema}, not ${STORE_SCHEMA}`);
    this.name = 'StoreSchemaError';
    this.schema = schema;
  }
}

/**
 * Upgrades a store to this schema. First it copies the whole store. If it is interrupted, the next call continues: the marker
 * keeps the old schema until the last record is done, and each record has its own schema.
 *
 * @param files - the state directory; nobody else writes there
 * @param upgrades - the steps that are known
 * @returns what was done; undefined if there was nothing to do, or no readable store
 * @throws StoreSchemaError if the schema is a later one, or cannot be upgraded
 * @throws Error of the system when the disk does not take it: then the store is as it was, or partly upgraded
 */
export function upgradeStore(
  files: StoreFiles,
  upgrades: ReadonlyMap<number, Upgrade> = UPGRADES,
): Upgraded | undefined {
  const marker = markerOf(files);
  const from = marker?.['schema'];
  if (typeof from !== 'number' || from === STORE_SCHEMA) {
    return undefined;
  }
  for (let schema = from; schema !== STORE_SCHEMA; schema++) {
    if (schema > STORE_SCHEMA || !upgrades.has(schema)) {
      throw new StoreSchemaError(from);
    }
  }
  const backup = backUp(files, from);
  const names = recordNames(files, ENROLMENTS);
  const failed = names.filter((name) => !upgradeRecord(files, name, upgrades));
  writeFile(files, '', MARKER, `${JSON.stringify({ ...marker, schema: STORE_SCHEMA })}\n`);
  return { from, records: names.length - failed.length, failed, backup };
}

function markerOf(files: StoreFiles): Json | undefined {
  try {
    return objectIn(readFile(files, MARKER).text);
  } catch {
    // There is no readable store; opening it will report that.
    return undefined;
  }
}

/** Copies everything. The copy gets its name only when it is complete. */
function backUp(files: StoreFiles, schema: number): string {
  const backup = `schema-${schema}.backup`;
  if (readdirSync(files.path('.')).includes(backup)) {
    return backup;
  }
  const half = `.${backup}.new`;
  rmSync(files.path(half), { recursive: true, force: true });
  mkdirSync(files.path(`${half}/${ENROLMENTS}`), { mode: OWNER_ONLY_DIRECTORY, recursive: true });
  for (const name of recordNames(files, ENROLMENTS)) {
    const text = textOf(files, name);
    if (text !== undefined) {
      writeFile(files, `${half}/${ENROLMENTS}/`, name, text);
    }
  }
  writeFile(files, `${half}/`, MARKER, readFile(files, MARKER).text);
  renameSync(files.path(half), files.path(backup));
  syncDirectory(files, '');
  return backup;
}

/** The text of a record's file; undefined if no login would read that file, which then is not changed either. */
function textOf(files: StoreFiles, name: string): string | undefined {
  try {
    return readFile(files, `${ENROLMENTS}/${name}`).text;
  } catch (error) {
    if (error instanceof RecordError) {
      return undefined;
    }
    throw error;
  }
}

function recordNames(files: StoreFiles, directory: string): string[] {
  return readdirSync(files.path(directory))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .sort();
}

/** @returns whether it is a record of this schema now */
function upgradeRecord(files: StoreFiles, name: string, upgrades: ReadonlyMap<number, Upgrade>): boolean {
  try {
    let record = objectIn(readFile(files, `${ENROLMENTS}/${name}`).text);
    const from = record['schema'];
    if (from === RECORD_SCHEMA) {
      return true;
    }
    for (let schema = Number(from); schema !== RECORD_SCHEMA; schema++) {
      const upgrade = upgrades.get(schema);
      if (upgrade === undefined) {
        return false;
      }
      record = { ...upgrade(record), schema: schema + 1 };
    }
    const text = `${JSON.stringify(record, undefined, 2)}\n`;
    parseRecord(text);
    writeFile(files, `${ENROLMENTS}/`, name, text);
    return true;
  } catch (error) {
    // A damaged record stays as it is; a failing disk stops the upgrade.
    if (error instanceof RecordError) {
      return false;
    }
    throw error;
  }
}

function objectIn(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RecordError('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RecordError('it is not an object');
  }
  return value as Json;
}
