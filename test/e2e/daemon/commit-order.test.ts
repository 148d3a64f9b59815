import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { run } from '../harness/run.ts';
import { logIn, PAM } from './pam-login.ts';
import { AS_ROOT, NO_THROTTLE, notRun, Stage, type Daemon } from './stage.ts';

/* Nothing is granted or logged as accepted before its use is on the disk: the order of the daemon's system calls. */

const CROWD = 8;
/** A write to the journal has ended: it is on the disk, because the journal is open with O_DSYNC. */
const ENDED = /(?:<\.\.\. pwrite64 resumed>|pwrite64\(.*)\) += \d+$/;
const O_DSYNC = 0o10000;
/** What strace shows of the bytes that are written, in hexadecimal. */
const WRITTEN = /(?:write|writev|pwrite64|pwritev2?|sendto|sendmsg)\([^"]*"((?:\\x[0-9a-f]{2})*)"/;
const BATCH = 'PVB2';
const OK_VERDICT = '\x00\x07\x83\x01\xff';

type Call = { readonly what: 'sync' } | { readonly what: 'write'; readonly bytes: Buffer };

let stage: Stage;
let daemon: Daemon;
const canTrace = AS_ROOT && spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

beforeAll(async () => {
  stage = await Stage.build();
  // Without the throttle, which notes origins in the ledger, the ledger has only used codes.
  stage.configure(NO_THROTTLE);
  daemon = await stage.start();
});
afterAll(() => stage.clear());

/** The daemon's writes and ended syncs during some work, in their order. */
async function traced(work: () => Promise<void>): Promise<Call[]> {
  const file = `${stage.dir}/trace`;
  const calls = 'write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg';
  const argv = ['-f', '-xx', '-s', '512', '-o', file, '-e', `trace=${calls}`, '-p', String(daemon.pid)];
  const tracer = spawn('strace', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => tracer.on('close', resolve));
  await new Log('strace', tracer.stderr).waitFor(/attached/);
  await work();
  tracer.kill('SIGINT');
  await ended;
  return readFileSync(file, 'utf8').split('\n').flatMap(callOf);
}

function callOf(line: string): Call[] {
  const written = WRITTEN.exec(line)?.[1];
  const ended: Call[] = ENDED.test(line) ? [{ what: 'sync' }] : [];
  return written === undefined
    ? ended
    : [{ what: 'write', bytes: Buffer.from(written.replaceAll('\\x', ''), 'hex') }, ...ended];
}

/** How the daemon has its journal open. */
function journalFlags(): number[] {
  const fds = `/proc/${String(daemon.pid)}/fd`;
  const open = readdirSync(fds).filter((fd) => /\/journal[^/]*$/.test(readlinkSync(`${fds}/${fd}`)));
  return open.map((fd) => {
    const info = readFileSync(`/proc/${String(daemon.pid)}/fdinfo/${fd}`, 'utf8');
    return Number.parseInt(/^flags:\s+(\d+)$/m.exec(info)?.[1] ?? '', 8);
  });
}

/** At every moment, the disk has at least as many used codes as people were let in, or logged as accepted. */
function expectDurableFirst(calls: readonly Call[], persons: number): void {
  const count = { written: 0, durable: 0, accepted: 0, letIn: 0 };
  for (const call of calls) {
    if (call.what === 'sync') {
      count.durable = count.written;
      continue;
    }
    const text = call.bytes.toString('latin1');
    if (text.startsWith(BATCH)) {
      count.written += call.bytes.readUInt32BE(BATCH.length);
    }
    count.accepted += text.includes('Accepted verification code') ? 1 : 0;
    count.letIn += text.startsWith(OK_VERDICT) ? 1 : 0;
    expect(count.accepted).toBeLessThanOrEqual(count.durable);
    expect(count.letIn).toBeLessThanOrEqual(count.accepted);
  }
  expect(count).toEqual({ written: persons, durable: persons, accepted: persons, letIn: persons });
}

describe('before somebody is let in, the disk has it', () => {
  test('a write to the journal ends on the disk', () => {
    expect(journalFlags().map((flags) => flags & O_DSYNC)).toEqual([O_DSYNC]);
  });

  test('a login alone', async () => {
    if (!canTrace) {
      notRun('the order of system calls', 'this needs root and strace');
      return;
    }
    const person = stage.person();
    const service = stage.service();
    const calls = await traced(async () => {
      expect((await logIn(stage, person.name, person.code(), { service })).rc).toBe(PAM.success);
    });
    expectDurableFirst(calls, 1);
  });

  test('logins that share a sync', async () => {
    if (!canTrace) {
      return;
    }
    const client = await stage.compile(`${CHECKOUT}/test/e2e/race/race-client.c`, 'race-client', '-lpam');
    const persons = Array.from({ length: CROWD }, () => stage.person());
    const service = stage.service();
    const calls = await traced(async () => {
      const input = persons.map(({ name, code }) => `${name} ${code()}\n`).join('');
      const { stdout } = await run([client, `${stage.dir}/pam.d`, service], input, stage.environment);
      expect(JSON.parse(stdout)).toEqual({ asked: CROWD, rc: persons.map(() => PAM.success) });
    });
    expectDurableFirst(calls, CROWD);
  });

  test('a refusal writes nothing to the disk', async () => {
    if (!canTrace) {
      return;
    }
    const person = stage.person();
    const service = stage.service();
    const calls = await traced(async () => {
      expect((await logIn(stage, person.name, person.wrongCode(), { service })).rc).toBe(PAM.denied);
    });
    const batches = calls.filter(
      (call) => call.what === 'write' && call.bytes.toString('latin1').startsWith(BATCH),
    );
    expect(batches).toEqual([]);
    expect(calls.filter(({ what }) => what === 'sync')).toEqual([]);
  });
});
