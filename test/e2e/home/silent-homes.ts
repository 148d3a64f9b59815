import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { BoxAccount } from '../google/account.ts';
import { compile } from '../harness/compile.ts';
import { Log } from '../harness/log.ts';

/** Whether {@link SilentHomes} can be had here. */
export const canBeSilent = existsSync('/dev/fuse');

/** Homes on file systems that never answer: test/e2e/files/silent-fuse.c. */
export class SilentHomes {
  readonly #program: string;
  readonly #mounts: ChildProcessByStdio<Writable, Readable, null>[] = [];

  private constructor(program: string) {
    this.#program = program;
  }

  /** Compiles what they need; the caller {@link end}s them. */
  static async build(): Promise<SilentHomes> {
    const program = `${mkdtempSync('/tmp/silent-')}/silent-fuse`;
    await compile('test/e2e/files/silent-fuse.c', program);
    return new SilentHomes(program);
  }

  /** From now on this home does not answer. */
  async silence({ home, uid }: BoxAccount): Promise<void> {
    const child = spawn(this.#program, [home, String(uid)], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined);
    this.#mounts.push(child);
    await new Log('silent-fuse', child.stdout).waitFor(/silent/);
  }

  end(): void {
    this.#mounts.forEach((mount) => mount.stdin.destroy());
  }
}
