import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { CHECKOUT, startDaemon, type Daemon } from '../harness/daemon.ts';
import { daemonAccount, newPerson, type Person } from '../harness/person.ts';
import type { Screen } from '../harness/terminal.ts';

/** The installed module; it talks to /run/pve-authenticator/pam.sock. */
export const MODULE = `${CHECKOUT}/build/native/pam_pve_authenticator.so`;

/** What a person does when asked for the code. */
export type Answer =
  | { readonly kind: 'code'; readonly bytes: string | Buffer }
  | { readonly kind: 'ctrl-c' | 'closes-terminal' };

/** The expected end of an attempt. If the host refuses an answer and asks again, the person gives up. */
export type End = 'in' | 'refused' | 'over';

/** A program that guards something with PAM, and how a person gets through it. */
export interface Host {
  /** Its name for PAM. */
  readonly service: string;
  /** How a person can cancel at its prompt. */
  readonly cancels: readonly ('ctrl-c' | 'closes-terminal')[];
  /** Prepares it in the box. */
  start(): Promise<void> | void;
  /** Removes it. */
  stop?(): Promise<void> | void;
  /** Prepares a person for it. */
  welcome?(person: Person): Promise<void> | void;
  /** One attempt, with the right password. */
  attempt(person: Person, answer: Answer, end: End): Promise<Screen>;
  /** The message for a refused person. */
  readonly refusal: RegExp;
  /** If the host itself fails on 2,000 bytes: its message, and the daemon's log line. */
  readonly tooLong?: { readonly refusal: RegExp; readonly logged: string };
}

const VERY_LONG = 'x'.repeat(2_000);
/** Without NUL (ends a C string) and without control characters of a terminal's line discipline. */
const BINARY = Buffer.from([0x80, 0xff, 0xfe, 0x01, 0x02, 0x05, 0x1b, 0x5b, 0xc3, 0x28, 0xed, 0xa0, 0x80]);

/**
 * Puts the module into a service of PAM as an administrator would: after the password.
 *
 * @param service - a file of /etc/pam.d that includes common-auth
 */
export function guard(service: string): void {
  const file = `/etc/pam.d/${service}`;
  const stack = readFileSync(file, 'utf8');
  if (!stack.includes(MODULE)) {
    copyFileSync(file, `${file}.stock`);
    writeFileSync(file, stack.replace(/^@include common-auth$/m, `$&\nauth required ${MODULE}`));
  }
}

/**
 * Undoes {@link guard}.
 *
 * @param service - the same file
 */
export function unguard(service: string): void {
  copyFileSync(`/etc/pam.d/${service}.stock`, `/etc/pam.d/${service}`);
}

/**
 * A daemon as it runs on a server, for all tests of the suite that calls this.
 *
 * @returns gives the daemon, once the tests run
 */
export function useDaemon(): () => Daemon {
  let daemon: Daemon | undefined;
  beforeAll(async () => {
    daemon = await startDaemon({
      runtimeDir: '/run/pve-authenticator',
      stateDir: '/var/lib/pve-authenticator',
      user: await daemonAccount(),
    });
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') {
      console.log(`The daemon's log:\n${daemon?.log.lines.slice(-20).join('\n') ?? 'none'}`);
    }
  });
  afterAll(async () => {
    expect(await daemon?.stop()).toBe(0);
  });
  return () => daemon!;
}

/**
 * The tests that every host has to pass.
 *
 * @param title - of the suite
 * @param host - the host
 * @param more - further tests of this host
 */
export function describeHost(title: string, host: Host, more?: (daemon: () => Daemon) => void): void {
  describeInBox(title, () => {
    const daemon = useDaemon();
    beforeAll(() => host.start());
    afterAll(() => host.stop?.());

    const somebody = async (): Promise<Person> => {
      const person = await newPerson(daemon());
      await host.welcome?.(person);
      return person;
    };
    const typing = (bytes: string | Buffer): Answer => ({ kind: 'code', bytes });
    const logged = (words: string, { name }: Person, fields = ''): Promise<string[]> =>
      daemon().log.waitFor(new RegExp(`${words} ${name} service=${host.service} .*${fields}`));
    const expectIn = async (person: Person, answer: Answer): Promise<void> => {
      const seen = await host.attempt(person, answer, 'in');
      expect(seen).toMatchObject({ unmet: null, status: 0 });
      expect(seen.screen).toContain(`in as ${person.name}`);
      await logged('Accepted verification code for', person, 'factor=totp:.* verdict=ok');
    };
    const expectOut = async (person: Person, answer: Answer): Promise<void> => {
      const seen = await host.attempt(person, answer, 'over');
      expect(seen.unmet).toBeNull();
      expect(seen.status).toBeGreaterThan(0);
      expect(seen.screen).not.toContain('in as');
    };
    const expectRefused = async (person: Person, answer: Answer, reason: string): Promise<void> => {
      const seen = await host.attempt(person, answer, 'refused');
      expect(seen.screen).toMatch(host.refusal);
      expect(seen.screen).not.toContain('in as');
      expect(seen.unmet).toBeNull();
      expect(seen.status).toBeGreaterThan(0);
      await logged('Invalid verification code for', person, `verdict=denied reason=${reason}`);
    };

    test('the right code opens', async () => {
      const person = await somebody();
      await expectIn(person, typing(person.code()));
    });

    test('a wrong code does not', async () => {
      const person = await somebody();
      await expectRefused(person, typing(person.wrongCode()), 'wrong-code');
    });

    test('nor does a used code', async () => {
      const person = await somebody();
      const code = person.code();
      await expectIn(person, typing(code));
      await expectRefused(person, typing(code), 'code-already-used');
    });

    test('nor no code at all', async () => {
      await expectRefused(await somebody(), typing(''), 'no-code');
    });

    test('nor 2,000 bytes', async () => {
      const person = await somebody();
      if (host.tooLong === undefined) {
        await expectRefused(person, typing(VERY_LONG), 'no-code');
        return;
      }
      const seen = await host.attempt(person, typing(VERY_LONG), 'over');
      expect(seen.screen).toMatch(host.tooLong.refusal);
      expect(seen.status).toBeGreaterThan(0);
      await logged(host.tooLong.logged, person);
    });

    test('nor bytes that are not text', async () => {
      await expectRefused(await somebody(), typing(BINARY), 'no-code');
    });

    test.each(host.cancels)('who %s stays out, and the code is not spent', async (kind) => {
      const person = await somebody();
      await expectOut(person, { kind });
      expect(daemon().log.matching(new RegExp(`Accepted .* ${person.name} `))).toEqual([]);
      await expectIn(person, typing(person.code()));
    });

    more?.(daemon);
  });
}
