import { readdirSync } from 'node:fs';
import type { CommandLine } from '../config/command-line.ts';
import { Store } from './enrolments/store/store.ts';
import { StoreSchemaError, upgradeStore } from './enrolments/store/upgrade-store.ts';
import { StateDirectory, StateDirectoryError } from '../host/state-directory.ts';
import { LedgerDirectory } from './ledger/ledger-directory.ts';
import { Marks } from './ledger/marks.ts';
import type { Log } from '../log/log.ts';

/** Directories that a new file system may have before our first write. */
const FRESH = new Set(['lost+found', 'ledger', 'enrolments', 'config.last-good.toml']);

/** A new store is made only in a directory that is new: one that lost its marker may be an unmounted file system. */
function isFresh(state: StateDirectory, store: Store): boolean {
  return (
    readdirSync(state.path('.')).every((name) => FRESH.has(name) || name.endsWith('.new')) && store.empty
  );
}

/** The marker is written last, so a store is complete or does not exist. */
async function makeStore(state: StateDirectory, store: Store, log: Log): Promise<void> {
  const directory = new LedgerDirectory(state.path('ledger'));
  await directory.create();
  if (directory.load().empty) {
    await (await directory.begin(new Marks(), 1)).close();
  }
  store.initialise();
  state.sync();
  log.event('notice', `A new store was made in ${state.name}`);
}

/**
 * Opens the store. Upgrades it first, if it has an older schema, or makes a new one if that is allowed.
 *
 * @param state - the state directory, which this process has locked
 * @param commandLine - whether a new store may be made
 * @param log - what happened
 * @returns the store. If none can be read, each request gets that as an error, and nobody with a factor gets in
 */
export async function openStore(
  state: StateDirectory,
  { requireState, stateDir }: CommandLine,
  log: Log,
): Promise<Store> {
  const known = upgrade(state, log);
  const store = new Store(state);
  if (!known || store.initialised) {
    return store;
  }
  if (requireState || !isFresh(state, store)) {
    log.event(
      'alert',
      `The state directory ${stateDir} holds no store: is its file system mounted? Nobody with a factor gets in.`,
    );
    return store;
  }
  await makeStore(state, store, log);
  return store;
}

/**
 * `--init-state`. An existing store is left alone, also while a daemon uses it.
 *
 * @param stateDir - the state directory
 * @param log - what happened
 * @throws StateDirectoryError when something else is there
 */
export async function initState(stateDir: string, log: Log): Promise<void> {
  if (new Store({ path: (name) => `${stateDir}/${name}` }).initialised) {
    log.event('info', `There is a store in ${stateDir} already`);
    return;
  }
  const state = StateDirectory.open(stateDir);
  const store = new Store(state);
  if (!isFresh(state, store)) {
    throw new StateDirectoryError(
      'ERR_STATE_NOT_EMPTY',
      `The state directory ${stateDir} has files, but no readable store. No new store was made.`,
    );
  }
  await makeStore(state, store, log);
  state.close();
}

/** @returns false when there is a store that this version cannot read */
function upgrade(state: StateDirectory, log: Log): boolean {
  try {
    const done = upgradeStore(state);
    if (done !== undefined) {
      const { from, records, failed, backup } = done;
      log.event(
        'notice',
        `The store was upgraded from schema ${from}: ${records} records. A copy from before is in ${backup}`,
      );
      failed.forEach((name) =>
        log.event('alert', `The record ${name} could not be upgraded: its user is refused`),
      );
    }
    return true;
  } catch (error) {
    if (error instanceof StoreSchemaError) {
      const { schema, known } = error;
      log.event(
        'alert',
        `The store has schema ${schema}, and this version knows ${known}: install the version that wrote it, or a later one. Nobody with a factor gets in.`,
      );
    } else {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'an unexpected error';
      log.event('alert', `The store cannot be upgraded (${why}). Nobody with a factor gets in.`);
    }
    return false;
  }
}
