import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { Log } from '../harness/log.ts';
import type { Person } from '../harness/person.ts';
import { run, runWell } from '../harness/run.ts';
import { atTerminal, type Screen, type Step } from '../harness/terminal.ts';
import type { Answer } from './host.ts';

/** An OpenSSH server of the box, on a port of its own. */
export interface SshServer {
  readonly port: number;
  readonly directory: string;
  readonly log: Log;
  stop(): Promise<void>;
}

/**
 * Starts Debian's sshd.
 *
 * @param service - its name for PAM
 * @param settings - lines of sshd_config, besides those of all these servers
 * @returns the server, listening; the caller stops it
 */
export async function startSshServer(service: string, settings: readonly string[]): Promise<SshServer> {
  const directory = mkdtempSync('/tmp/sshd-');
  const port = await freePort();
  const hostKey = `${directory}/host-key`;
  const config = `${directory}/sshd_config`;
  await newKey(hostKey);
  mkdirSync('/run/sshd', { recursive: true });
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    'PidFile none',
    'UsePAM yes',
    'UseDNS no',
    'PermitRootLogin no',
    'LogLevel VERBOSE',
    ...settings,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);

  // OpenSSH's PAM service name is configured (since 9.8), or was its program name (before). The newer version also
  // turns a client away for a while after some failures, and all persons here come from one address.
  let program = '/usr/sbin/sshd';
  if ((await run([program, '-t', '-f', config, '-o', `PAMServiceName=${service}`])).status === 0) {
    writeFileSync(config, `PAMServiceName ${service}\nPerSourcePenalties no\n`, { flag: 'a' });
  } else if (service !== 'sshd') {
    program = `/usr/local/sbin/${service}`;
    rmSync(program, { force: true });
    symlinkSync('/usr/sbin/sshd', program);
  }

  const child = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const log = new Log(service, child.stderr);
  await log.waitFor(/Server listening on 127\.0\.0\.1/);
  return { port, directory, log, stop: () => ended(child) };
}

/**
 * Logs in with the OpenSSH client at a terminal.
 *
 * @param server - where
 * @param person - who
 * @param options - of the client, beside those that all have
 * @param steps - what is typed
 * @returns what the person saw
 */
export function sshTo(
  server: SshServer,
  person: Pick<Person, 'name'>,
  options: readonly string[],
  steps: readonly Step[],
): Promise<Screen> {
  const ours = [
    'UserKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=no',
    'LogLevel=ERROR',
    'NumberOfPasswordPrompts=1',
    'IdentitiesOnly=yes',
  ];
  const argv = [...ours, ...options].flatMap((option) => ['-o', option]);
  return atTerminal(
    ['ssh', '-F', '/dev/null', '-p', String(server.port), ...argv, `${person.name}@127.0.0.1`, 'true'],
    steps,
  );
}

/**
 * What a person does at a prompt whose answer is not shown.
 *
 * @param prompt - what is waited for
 * @param answer - what the person does
 * @returns the step
 */
export function answering(prompt: RegExp, answer: Answer): Step {
  switch (answer.kind) {
    case 'code':
      return { expect: prompt, hidden: true, enter: answer.bytes };
    case 'ctrl-c':
      return { expect: prompt, hidden: true, interrupt: true };
    case 'closes-terminal':
      return { expect: prompt, hidden: true, hangUp: true };
  }
}

/**
 * Makes a key pair without a passphrase.
 *
 * @param file - of the private key; `.pub` is the public one's
 */
export async function newKey(file: string): Promise<void> {
  await runWell(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file]);
}

async function ended(child: ChildProcess): Promise<void> {
  const end = new Promise((resolve) => child.on('exit', resolve));
  child.kill();
  await end;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
