import { existsSync, readFileSync } from 'node:fs';
import { encodeFrame, FRAME_TYPE } from '../../src/daemon/wire/frame.ts';
import { encodePrompt } from '../../src/daemon/wire/prompt.ts';
import { encodeVerdict } from '../../src/daemon/wire/verdict.ts';
import { BUILT, CHECKOUT } from './places.ts';

/** The account that scripts/bench/inside adds to its private passwd file. */
const DAEMON_USER = 'pve-authenticator';
export const DAEMON_UID = 64_999;

/** A daemon as it is installed: what runs, and how its unit runs it. */
export interface Program {
  /** Opens the sockets and runs the daemon. */
  readonly activate: string;
  /** Whom it runs as. */
  readonly user: string;
  readonly main: string;
  /** Flags of Node. */
  readonly flags: string;
  /** `NAME=value`, separated by blanks. */
  readonly environment: string;
  /** The PAM module for it, from the test build, which also has the argument `socket=`. */
  readonly module: string;
}

/** Today's daemon. BENCH_NODE_FLAGS stands for the flags of its unit. */
export const OURS: Program = {
  ...programIn(CHECKOUT),
  ...(process.env['BENCH_NODE_FLAGS'] === undefined ? {} : { flags: process.env['BENCH_NODE_FLAGS'] }),
};

/** The daemon of an older revision (BENCH_BASE); undefined: none was built. */
export const BASE: Program | undefined =
  process.env['BENCH_BASE'] && existsSync(`${BUILT}/base/revision`) ? programIn(`${BUILT}/base`) : undefined;

/** A daemon on plain `node:net` that verifies nothing, with our flags. It runs as root, because Node listens once more. */
export const NOTHING: Program = {
  ...OURS,
  user: 'root',
  main: `${CHECKOUT}/scripts/bench/do-nothing.cjs`,
  environment: `${OURS.environment} BENCH_PROMPT=${promptFrame()} BENCH_VERDICT=${verdictFrame()}`,
};

/** What a unit says, for a daemon that runs from its checkout. */
function programIn(tree: string): Program {
  const unit = readFileSync(`${tree}/scripts/systemd/pve-authenticator.service.in`, 'utf8');
  const command = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit)?.[1]?.replaceAll('\\\n', ' ') ?? '';
  const words = command.replaceAll('@LIBDIR@', tree).split(/\s+/).slice(1);
  const named = words.find((word) => !word.startsWith('--'));
  if (named === undefined) {
    throw new Error(`the unit in ${tree} names no program`);
  }
  // What is installed under this name; older revisions had it under others.
  const installed = ['start.cjs', 'bundle.js', 'main.js']
    .map((name) => named.replace(/main\.js$/, name))
    .find((file) => existsSync(file));
  return {
    activate: `${tree}/scripts/activate`,
    user: DAEMON_USER,
    main: installed ?? named,
    flags: words.slice(0, words.indexOf(named)).join(' '),
    environment: [...unit.matchAll(/^Environment=(.*)$/gm)].map(([, set]) => set).join(' '),
    module: `${tree}/build/native-test/pam_pve_authenticator.so`,
  };
}

function promptFrame(): string {
  const shapes = [{ class: 'digits', length: 6 }] as const;
  const prompt = { source: 'ask-hidden', part: 'whole', shapes, text: 'Verification code: ' } as const;
  return encodeFrame(FRAME_TYPE.prompt, encodePrompt(prompt)).toString('hex');
}

function verdictFrame(): string {
  return encodeFrame(FRAME_TYPE.verdict, encodeVerdict({ code: 'ok', failDelayUs: 0 })).toString('hex');
}
