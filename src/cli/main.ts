#!/usr/bin/env node
import { userInfo } from 'node:os';
import { Command, CommanderError } from 'commander';
import { addCommand } from './commands/add.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { listCommand } from './commands/list.ts';
import { removeCommand } from './commands/remove.ts';
import { repairCommand } from './commands/repair.ts';
import { CommandError, ControlClient } from './control-client.ts';
import { processOutput } from './output.ts';
import { NoAnswerError, processQuestions } from './questions.ts';
import type { Session } from './session.ts';

/* pve-google-authenticator: the composition root of the command. */

const DEFAULT_RUNTIME_DIR = '/run/pve-authenticator';
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** 128 + SIGINT, as shells have it. */
const EXIT_INTERRUPTED = 130;

const program = new Command('pve-google-authenticator');
const output = processOutput();
const questions = processQuestions();
const session: Session = {
  output,
  questions,
  self: () => userInfo().username,
  daemon: () => new ControlClient(program.opts<{ runtimeDir: string }>().runtimeDir),
};

program
  .description('Set up the second factor of Linux logins')
  .option(
    '--runtime-dir <directory>',
    "where the daemon's sockets are",
    process.env['PVE_AUTHENTICATOR_RUNTIME_DIR'] ?? DEFAULT_RUNTIME_DIR,
  )
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text) });
addCommand(program, session);
listCommand(program, session);
removeCommand(program, session);
repairCommand(program, session);
importCommand(program, session);
exportCommand(program, session);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else if (error instanceof NoAnswerError) {
    output.note('pve-google-authenticator: Nothing was changed.');
    process.exitCode = error.reason === 'interrupted' ? EXIT_INTERRUPTED : EXIT_FAILED;
  } else if (error instanceof CommandError) {
    output.note(`pve-google-authenticator: ${error.message}`);
    process.exitCode = EXIT_FAILED;
  } else {
    output.note(
      `pve-google-authenticator: something unexpected went wrong (${error instanceof Error ? error.name : 'unknown'})`,
    );
    process.exitCode = EXIT_FAILED;
  }
} finally {
  questions.close();
}

// A thread that waits for a home that never answers would keep us.
process.exit();
