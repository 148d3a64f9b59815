#!/usr/bin/env node
import { userInfo } from 'node:os';
import { CommanderError } from 'commander';
import { hardenProcess } from '../host/addon.ts';
import { version } from '../host/version.ts';
import { SwitchError } from './switching/switch-error.ts';
import { NOT_AGREED } from './session/ask-before-loss.ts';
import { CommandError, ControlClient } from './session/control-client.ts';
import { processOutput } from './terminal/output.ts';
import { programOf } from './program.ts';
import { NoAnswerError, processQuestions } from './terminal/questions.ts';
import type { Session } from './session/session.ts';
import { runSetup } from './setup/run.ts';

/* pve-google-authenticator: the composition root of the command. */

const DEFAULT_RUNTIME_DIR = '/run/pve-authenticator';
const ROOT_UID = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** Something would have been lost, and nobody could be asked. */
const EXIT_NOT_AGREED = 4;
/** 128 + SIGINT, as shells have it. */
const EXIT_INTERRUPTED = 130;
/** 128 + SIGPIPE: the reader of the result, such as head, wanted no more. */
const EXIT_PIPE = 141;

/** Errors with an exit status other than EXIT_FAILED. */
const STATUS_OF: Readonly<Record<string, number>> = { ERR_USAGE: EXIT_USAGE, [NOT_AGREED]: EXIT_NOT_AGREED };

/** The options before the command: where the daemon is. */
interface Place {
  readonly runtimeDir: string;
  /** The rest of the command line. */
  readonly words: readonly string[];
}

function placeOf(words: readonly string[]): Place {
  const [first = '', second, ...rest] = words;
  if (first === '--runtime-dir' && second !== undefined) {
    return { runtimeDir: second, words: rest };
  }
  if (first.startsWith('--runtime-dir=')) {
    return { runtimeDir: first.slice('--runtime-dir='.length), words: words.slice(1) };
  }
  return { runtimeDir: process.env['PVE_AUTHENTICATOR_RUNTIME_DIR'] ?? DEFAULT_RUNTIME_DIR, words };
}

/** Without a command, or with a flag in its place, this is the setup, like google-authenticator. */
function setupWords(words: readonly string[]): readonly string[] | undefined {
  const [first, ...rest] = words;
  if (first === 'setup') {
    return rest;
  }
  return first === undefined || (first.startsWith('-') && first !== '-h' && first !== '--help')
    ? words
    : undefined;
}

/** The account that runs this. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    throw new CommandError(
      'ERR_NO_SUCH_USER',
      `The user ID ${process.geteuid?.() ?? -1} has no account on this machine: run this as a user that "getent passwd" lists`,
    );
  }
}

/** Describes an error of the kernel in detail; of other errors, only the name, because the message may contain a secret. */
function unexpected(error: unknown): string {
  if (error instanceof Error && 'syscall' in error && 'code' in error) {
    const path = 'path' in error ? `${String(error.path)} ` : '';
    return `${path}cannot be used (${String(error.syscall)}: ${String(error.code)}): is its file system full or read-only?`;
  }
  return `something unexpected went wrong (${error instanceof Error ? error.name : 'unknown'})`;
}

// This process has secrets, so it makes no core file, and other processes of its user cannot read its memory.
hardenProcess();
const { runtimeDir, words: typed } = placeOf(process.argv.slice(2));
const words = typed[0] === 'help' ? [...typed.slice(1), '--help'] : typed;
const output = processOutput();
const questions = processQuestions();
const session: Session = {
  output,
  questions,
  now: Date.now,
  root: process.geteuid?.() === ROOT_UID,
  self: ownName,
  daemon: () => new ControlClient(runtimeDir),
};

try {
  const setup = setupWords(words);
  if (setup === undefined) {
    await programOf(session, DEFAULT_RUNTIME_DIR).parseAsync(words, { from: 'user' });
  } else {
    process.exitCode = await runSetup(session, setup, `pve-google-authenticator ${version()}`);
  }
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else if (error instanceof NoAnswerError) {
    output.note(`pve-google-authenticator: ${error.outcome}`);
    process.exitCode = error.reason === 'interrupted' ? EXIT_INTERRUPTED : EXIT_FAILED;
  } else if (error instanceof CommandError || error instanceof SwitchError) {
    output.note(`pve-google-authenticator: ${error.message}`);
    process.exitCode = (error instanceof CommandError && STATUS_OF[error.code]) || EXIT_FAILED;
  } else {
    output.note(`pve-google-authenticator: ${unexpected(error)}`);
    process.exitCode = EXIT_FAILED;
  }
} finally {
  questions.close();
}

const lost = await output.written();
if (lost === 'EPIPE') {
  process.exitCode ||= EXIT_PIPE;
} else if (lost !== undefined) {
  output.note(
    `pve-google-authenticator: The output could not be written completely (${lost}). The command itself succeeded. If you did not see a new secret or new codes, make others.`,
  );
  process.exitCode ||= EXIT_FAILED;
}

// A thread that waits for a hanging home would keep the process alive.
process.exit();
