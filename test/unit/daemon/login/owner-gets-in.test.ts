/* For all combinations of rules, options and enrolments: an owner with right answers gets in, unless a rule denies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../../../../src/daemon/attempts/attempts.ts';
import { parseConfig } from '../../../../src/config/config.ts';
import { allEnrolments } from '../../../../src/daemon/enrolments/all-enrolments.ts';
import { homeSource } from '../../../../src/daemon/enrolments/home/home-source.ts';
import { FileDirectories } from '../../../../src/daemon/enrolments/home/file-directories.ts';
import { UnwrittenAttempts } from '../../../../src/daemon/enrolments/home/rate-limit.ts';
import { OneAtATime } from '../../../../src/daemon/enrolments/one-at-a-time.ts';
import { Store } from '../../../../src/daemon/enrolments/store/store.ts';
import { storeSource } from '../../../../src/daemon/enrolments/store/store-source.ts';
import type { StoredFactor } from '../../../../src/daemon/enrolments/store/record.ts';
import { lineSource } from '../../../../src/daemon/enrolments/yubico/line-source.ts';
import { noOnlineYubikeys } from '../../../../src/daemon/enrolments/yubico/online-yubikeys.ts';
import { encodeBase32 } from '../../../../src/factors/base32.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { recoveryHash } from '../../../../src/factors/recovery-code.ts';
import type { Prompt } from '../../../../src/daemon/wire/prompt.ts';
import type { Verdict } from '../../../../src/daemon/wire/verdict.ts';
import { InMemoryLedger } from '../../fixtures/in-memory-ledger.ts';
import { OneHomeFile } from '../../fixtures/one-home-file.ts';
import { RecordedLog } from '../../fixtures/recorded-log.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';
import { VirtualYubikey } from '../../fixtures/virtual-yubikey.ts';
import { converse, type Conversation } from '../../fixtures/conversation.ts';

const directory = temporaryDirectories();
const ALICE = { name: 'alice', uid: 1000 };
const SECRET = Buffer.alloc(20, 7);
const GENERATOR = { secret: SECRET, algorithm: 'sha1', digits: 6 } as const;
/** Longer than the window of a code, shorter than any grace period here. */
const BETWEEN_LOGINS_MS = 120_000;

const FACTORS = ['totp', 'hotp', 'recovery', 'yubikey'] as const;
type Kind = (typeof FACTORS)[number];

const rule = fc.record({
  action: fc.constantFrom('both', 'both', 'skip', 'deny'),
  service: fc.constantFrom('sshd', 'login'),
  network: fc.constantFrom(undefined, '192.0.2.0/24', '198.51.100.0/24'),
});

const scene = fc.record({
  rules: fc.array(rule, { maxLength: 2 }),
  stacked: fc.constantFrom(undefined, 'try_first_pass', 'use_first_pass'),
  flags: fc.subarray([
    'nullok',
    'forward_pass',
    'grace_period=3600',
    'echo_verification_code',
    'always_prompt',
    'debug',
    'noskewadj',
    'no_increment_hotp',
  ]),
  store: fc.subarray<Kind>([...FACTORS]),
  home: fc.constantFrom(undefined, 'totp', 'reuse'),
  rhost: fc.constantFrom('192.0.2.1', '203.0.113.9', undefined),
  password: fc.constantFrom('secret', 'secret123456', '12345678'),
  /** The owner's preferred right answer. */
  touchFirst: fc.boolean(),
});
type Scene = (typeof scene extends fc.Arbitrary<infer T> ? T : never) & object;

/** The action of the first rule that applies, computed without the code under test. */
function ruled({ rules, rhost }: Scene): 'both' | 'skip' | 'deny' | undefined {
  return rules.find(
    ({ service, network }) =>
      service === 'sshd' && (network === undefined || (network === '192.0.2.0/24' && rhost === '192.0.2.1')),
  )?.action;
}

/** The owner, with a phone, a token, paper and a key, as far as they were enrolled. */
class Owner {
  readonly yubikey = new VirtualYubikey();
  readonly #recovery = Array.from({ length: 8 }, (_, index) => `ABCDEFGHIJKLMNO${'ABCDEFGH'.charAt(index)}`);
  #counter = 0;
  #used = 0;

  factors(kinds: readonly Kind[], key: Uint8Array): StoredFactor[] {
    const all: Readonly<Record<Kind, object>> = {
      totp: { ...GENERATOR, period: 30, window: 3 },
      hotp: { ...GENERATOR, secret: Buffer.alloc(20, 8), counter: 0 },
      recovery: { hashes: this.#recovery.map((code) => recoveryHash(key, ALICE.name, code)) },
      yubikey: {
        publicId: this.yubikey.publicId,
        privateId: this.yubikey.privateId,
        aesKey: this.yubikey.aesKey,
      },
    };
    return kinds.map(
      (kind, index) =>
        ({
          kind: kind === 'yubikey' ? 'yubikey-offline' : kind,
          id: `abcd${index}`,
          name: kind,
          added: 0,
          ...all[kind],
        }) as StoredFactor,
    );
  }

  /** A right code for one of the shapes, or undefined. */
  answer(
    shapes: Prompt['shapes'],
    has: readonly Kind[],
    now: number,
    touchFirst: boolean,
  ): string | undefined {
    const order: Kind[] = touchFirst
      ? ['yubikey', 'recovery', 'hotp', 'totp']
      : ['totp', 'hotp', 'recovery', 'yubikey'];
    const classOf = { totp: 'digits', hotp: 'digits', recovery: 'recovery', yubikey: 'modhex' } as const;
    const kind = order.find(
      (each) => has.includes(each) && shapes.some((shape) => shape.class === classOf[each]),
    );
    switch (kind) {
      case 'totp':
        return hotpValue(GENERATOR, Math.floor(now / 30_000)).toString();
      case 'hotp':
        return hotpValue({ ...GENERATOR, secret: Buffer.alloc(20, 8) }, this.#counter++).toString();
      case 'recovery':
        return this.#recovery[this.#used++];
      case 'yubikey':
        return this.yubikey.touch();
      case undefined:
        return undefined;
    }
  }
}

const CLASSES = { digits: /^[0-9]+$/, modhex: /^[cbdefghijklnrtuv]+$/i, recovery: /^[A-Z2-7]+$/i } as const;

/** The module's readings of an answer: the shapes of its end, or of all of it. */
function readings(prompt: Prompt, typed: string): { shape: number; text: Buffer }[] {
  return prompt.shapes.flatMap(({ class: name, length }, shape) => {
    const text = prompt.part === 'tail' ? typed.slice(-length) : typed;
    const fits = text.length === length && CLASSES[name].test(text);
    return fits ? [{ shape, text: Buffer.from(text) }] : [];
  });
}

/** On a line with an option of pam_yubico, files of pam_google_authenticator do not count. */
function inHome({ home, flags }: Scene): boolean {
  return home !== undefined && !flags.includes('always_prompt');
}

function configOf({ rules }: Scene): string {
  return rules
    .map(
      ({ action, service, network }) =>
        `[[rule]]\nservice = "${service}"\n${network === undefined ? '' : `network = "${network}"\n`}action = "${action}"\n`,
    )
    .join('');
}

/** Logs in several times, and says how each login ended. */
async function logins(at: Scene, log: RecordedLog): Promise<(Verdict['code'] | undefined)[]> {
  let now = 1_700_000_000_000;
  const ledger = Object.assign(new InMemoryLedger(), {
    note(this: InMemoryLedger, key: string, value: number) {
      void this.advance(key, value);
    },
  });
  const state = directory();
  const store = new Store({ path: (name) => `${state}/${name}` });
  store.initialise();
  const owner = new Owner();
  if (at.store.length > 0) {
    store.write({ user: 'alice', uid: 1000, factors: owner.factors(at.store, store.recoveryKey) });
  }
  const files = new OneHomeFile(
    at.home === undefined
      ? undefined
      : `${encodeBase32(SECRET)}\n" TOTP_AUTH\n${at.home === 'reuse' ? '' : '" DISALLOW_REUSE\n'}`,
  );
  const places = new FileDirectories(ledger, () => now);
  const own = storeSource(store, ledger, () => now);
  const enrolments = allEnrolments({
    own,
    home: homeSource({
      files,
      places,
      ledger,
      throttle: true,
      now: () => now,
      nobody: undefined,
      oneAtATime: new OneAtATime(),
      unwritten: new UnwrittenAttempts(),
    }),
    yubico: lineSource({
      files,
      places,
      nobody: undefined,
      store: own,
      trouble: () => undefined,
      yubikeysOf: () => noOnlineYubikeys('there is no server in this test'),
    }),
    notebook: ledger,
    now: () => now,
    findUser: () => Promise.resolve(undefined),
  });
  const has: readonly Kind[] = at.store.length > 0 ? at.store : inHome(at) ? ['totp'] : [];
  const verdicts: (Verdict['code'] | undefined)[] = [];
  for (let login = 0; login < 3; login++, now += BETWEEN_LOGINS_MS) {
    let verdict: Verdict | undefined;
    const conversation: Conversation = {
      get over() {
        return verdict !== undefined;
      },
      ask(prompt) {
        const stacked = prompt.source === 'stacked-password';
        const code =
          stacked && at.stacked === 'try_first_pass'
            ? undefined
            : owner.answer(prompt.shapes, has, now, at.touchFirst);
        const typed = `${prompt.part === 'tail' ? at.password : ''}${code ?? ''}`;
        return Promise.resolve({ kind: 'answer', readings: readings(prompt, typed) });
      },
      tell: () => undefined,
      conclude: (given) => (verdict = given),
    };
    await converse(
      {
        context: { service: 'sshd', user: 'alice', tty: 'ssh', rhost: at.rhost, ruser: undefined },
        moduleArguments: [...at.flags, ...(at.stacked === undefined ? [] : [at.stacked])].map((argument) =>
          Buffer.from(argument),
        ),
        account: ALICE,
        gid: 1000,
        home: '/home/alice',
        trustedHost: true,
      },
      conversation,
      {
        enrolments,
        rules: { rules: parseConfig(configOf(at), 'f').rules, groupsOf: () => Promise.resolve([]) },
        attempts: UNLIMITED,
        log,
        now: () => now,
        monotonic: () => now,
        sleep: () => Promise.resolve(),
      },
    );
    verdicts.push(verdict?.code);
  }
  return verdicts;
}

describe('an owner with the right answers', () => {
  it('gets in, however rules, options and enrolments are combined, unless a rule denies', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (at) => {
        const log = new RecordedLog();
        const verdicts = await logins(at, log);
        const enrolled = at.store.length > 0 || inHome(at);
        const touch = at.store.includes('yubikey');
        const code = at.store.some((kind) => kind !== 'yubikey');
        const action = ruled(at);
        const expected =
          action === 'skip'
            ? 'exempt'
            : action === 'deny'
              ? 'denied'
              : action === 'both'
                ? touch && code
                  ? 'ok'
                  : 'denied'
                : enrolled
                  ? 'ok'
                  : 'not-enrolled';
        expect(verdicts, log.text).toEqual([expected, expected, expected]);
      }),
      { numRuns: 400 },
    );
  });
});
