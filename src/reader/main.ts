#!/usr/bin/env node
import { resolve } from 'node:path';
import { hardenProcess, lookUpUser } from '../host/addon.ts';
import { SocketInUseError } from '../host/sockets.ts';
import { version } from '../host/version.ts';
import { tellLastWords } from '../log/last-words.ts';
import { journalLog, type Log } from '../log/log.ts';
import { standardError } from '../host/standard-error.ts';
import { parseCommandLine, toldInstead, UsageError, type CommandLine } from './command-line.ts';
import { openFilesSocket } from './files-socket.ts';
import { FilesServer } from './files-server.ts';

/* pve-authenticator-files: the composition root of the reader. */

const EXIT_USAGE = 64;
const EXIT_FAILED = 1;

/** A clock in milliseconds that never jumps. */
const monotonic = (): number => performance.now();

async function daemonUid({ daemon }: CommandLine): Promise<number> {
  if (typeof daemon !== 'string') {
    return daemon ?? process.getuid?.() ?? 0;
  }
  const entry = daemon === '' ? undefined : await lookUpUser(daemon);
  if (entry === undefined) {
    throw new UsageError(`There is no user ${daemon} (--daemon-user)`);
  }
  return entry.uid;
}

async function main(log: Log): Promise<void> {
  const commandLine = parseCommandLine(process.argv.slice(2));
  hardenProcess();
  process.umask(0o077);
  const runtimeDir = resolve(commandLine.runtimeDir);
  // The working directory must not keep a file system busy.
  process.chdir('/');
  const daemon = await daemonUid(commandLine);
  const server = new FilesServer(daemon, log, monotonic, commandLine.proxmox);
  server.listen(await openFilesSocket(runtimeDir, daemon));
  let stopping = false;
  const stop = (): void => {
    if (!stopping) {
      stopping = true;
      log.event('info', 'Stopping: requests in flight are answered first');
      // Threads that hang are left behind.
      void server.close().then(() => process.exit(0));
    }
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (commandLine.attached) {
    // However the parent ends, this input then ends, too.
    process.stdin.on('end', stop).on('error', stop).resume();
    process.stdout.on('error', stop).write('ready\n');
  }
  log.event('info', 'Ready', { sockets: 'files', daemon });
}

/** Errors with a message for the administrator. */
const TOLD = [UsageError, SocketInUseError];

const told = toldInstead(process.argv.slice(2), version());
if (told !== undefined) {
  process.stdout.write(`${told}\n`);
  process.exit(0);
}
const log = journalLog(standardError());
tellLastWords(log);
main(log).catch((error: unknown) => {
  const meant = TOLD.some((known) => error instanceof known);
  const message = error instanceof Error ? error.message : 'unknown error';
  log.event('error', meant ? message : `The reader cannot start: ${message}`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED);
});
