import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StateDirectory } from '../../../src/host/state-directory.ts';
import { asOtherUser, canActAsOther } from '../fixtures/other-user.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const inUse = expect.objectContaining({ code: 'ERR_STATE_IN_USE' });
const unreadable = expect.objectContaining({ code: 'ERR_STATE_UNREADABLE' });

describe('StateDirectory', () => {
  it('is opened once, and free again when it is closed', () => {
    const name = makeDirectory();
    const state = StateDirectory.open(name);
    expect(() => StateDirectory.open(name)).toThrow(inUse);
    expect(() => StateDirectory.open(`${name}/.`)).toThrow(inUse);
    state.close();
    StateDirectory.open(name).close();
  });

  it('cannot be opened while another process holds it, and can when that one was killed', async () => {
    const name = makeDirectory();
    // flock(1) takes the lock that the daemon takes; cat keeps it until it is killed.
    const other = spawn('flock', ['--no-fork', '-x', name, 'sh', '-c', 'echo locked; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    expect(() => StateDirectory.open(name)).toThrow(inUse);
    other.kill('SIGKILL');
    await once(other, 'exit');
    StateDirectory.open(name).close();
  });

  it('names the directory and says what to do', () => {
    const name = makeDirectory();
    const state = StateDirectory.open(name);
    expect(() => StateDirectory.open(name)).toThrow(
      `Another daemon uses the state directory ${name}. Stop it`,
    );
    state.close();
    expect(() => StateDirectory.open(`${name}/none`)).toThrow(
      `The state directory ${name}/none cannot be opened (ENOENT)`,
    );
  });

  it('cannot be a file or nothing', () => {
    const name = makeDirectory();
    writeFileSync(join(name, 'file'), '');
    expect(() => StateDirectory.open(join(name, 'file'))).toThrow(unreadable);
    expect(() => StateDirectory.open(join(name, 'none'))).toThrow(unreadable);
  });

  it.runIf(canActAsOther)('cannot be a directory of somebody else', () => {
    const name = makeDirectory();
    mkdirSync(join(name, 'closed'));
    chmodSync(join(name, 'closed'), 0);
    expect(() => asOtherUser(() => StateDirectory.open(join(name, 'closed')))).toThrow(unreadable);
    chmodSync(join(name, 'closed'), 0o700);
  });

  it('stays the directory that was opened, whatever is put under its name', () => {
    const parent = makeDirectory();
    const name = join(parent, 'state');
    mkdirSync(name);
    writeFileSync(join(name, 'file'), 'ours');
    const state = StateDirectory.open(name);
    renameSync(name, join(parent, 'moved'));
    mkdirSync(name);
    writeFileSync(join(name, 'file'), 'theirs');
    expect(readFileSync(state.path('file'), 'utf8')).toBe('ours');
    state.sync();
    state.close();
  });
});
