import { execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { CommandError } from '../session/control-client.ts';

const PVEUM = '/usr/bin/pveum';
const PVESH = '/usr/bin/pvesh';
const PERL = '/usr/bin/perl';
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** The longest wait for a slow cluster, in milliseconds. Without a quorum, Proxmox itself gives up earlier. */
const PATIENCE_MS = 60_000;

/**
 * pvesh takes everything from its command line, which every user of the machine can read while it runs. It is a Perl program, so that Perl
 * can hand it its arguments from standard input, where nobody else sees them.
 */
const WITH_ARGUMENTS_FROM_INPUT =
  'my $p = shift @ARGV; local $/; @ARGV = split /\\0/, scalar <STDIN>, -1; $0 = $p; do $p; die $@ if $@;';

/**
 * Runs pveum.
 *
 * @param argv - its arguments. Every user of the machine can see them: they must hold no secret
 * @returns what it printed
 * @throws CommandError when it is not there, or fails
 */
export function pveum(...argv: readonly string[]): Promise<string> {
  assertThere(PVEUM);
  return new Promise((resolve, reject) => {
    execFile(
      PVEUM,
      argv,
      { env: { PATH }, timeout: PATIENCE_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error, out, err) => {
        if (error === null) {
          resolve(out);
        } else {
          reject(failure('pveum', err));
        }
      },
    );
  });
}

/**
 * Runs pvesh with hidden arguments.
 *
 * @param argv - its arguments; they may hold secrets
 * @param secret - a text that must not appear in a message
 * @returns what it printed
 * @throws CommandError when it is not there, or fails
 */
export function pvesh(argv: readonly string[], secret: string): Promise<string> {
  assertThere(PVESH);
  assertThere(PERL);
  return new Promise((resolve, reject) => {
    const child = spawn(PERL, ['-e', WITH_ARGUMENTS_FROM_INPUT, PVESH], {
      env: { PATH },
      stdio: 'pipe',
      timeout: PATIENCE_MS,
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', () => reject(failure('pvesh', '')));
    child.stdin.on('error', () => undefined);
    child.on('close', (status) => {
      if (status === 0) {
        resolve(out);
      } else {
        reject(failure('pvesh', err.includes(secret) ? '' : err));
      }
    });
    child.stdin.end(argv.join('\0'));
  });
}

function assertThere(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch {
    throw new CommandError(
      'ERR_NO_PROXMOX',
      `${program} is missing: this machine is not a node of Proxmox VE`,
    );
  }
}

function failure(program: string, said: string): CommandError {
  const line = said
    .split('\n')
    .map((each) => each.trim())
    .find((each) => each !== '');
  return new CommandError(
    'ERR_PROXMOX',
    line === undefined ? `${program} failed and did not say why` : `${program}: ${line}`,
  );
}
