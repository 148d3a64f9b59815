import { randomBytes } from 'node:crypto';
import { checkAnswer, type AnsweredCounters, type Asked, type Judgement } from './check-answer.ts';
import { fetchAnswer } from './fetch-answer.ts';
import type { Otp } from './otp.ts';
import { sign } from './sign.ts';
import { ChannelError } from './tls-channel.ts';
import type { ValidationSettings } from './validation-settings.ts';

/** 32 hexadecimal digits: the protocol allows 16 to 40 letters and digits. */
const NONCE_BYTES = 16;

/** One server's failure, for the log, without OTP, key or nonce. */
export interface ServerFailure {
  /** Host and port. */
  readonly server: string;
  readonly why: string;
}

/** The result of a validation, with the servers that failed before it. */
export type Validation = Outcome & { readonly failures: readonly ServerFailure[] };

type Outcome =
  /** The OTP was new, and is used up now. The counters are undefined if the server does not return them. */
  | { readonly kind: 'right'; readonly counters: AnsweredCounters | undefined }
  /** The OTP is not from a key that the servers know. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'replayed' }
  /** The servers reject our requests. The administrator has to fix that. */
  | { readonly kind: 'misconfigured' }
  /** No server gave a result; the OTP may be used up or not. */
  | { readonly kind: 'unavailable' };

/**
 * Validates an OTP with the validation protocol 2.0. All servers are asked at once with the same nonce, so that servers of one
 * pool recognise the requests as equal. The first deciding answer counts, and the other requests are cancelled.
 *
 * **Ask only about OTPs whose public id belongs to the user who logs in.** Validating uses an OTP up, whoever typed it. So asking
 * about strangers' OTPs would destroy them, and let strangers use up the API key's quota.
 *
 * @param otp - the OTP
 * @param settings - who validates; `assertValidationSettings` was called with them
 * @returns how it ended, within the deadline; it never rejects
 * @example
 * const otp = parseOtp(typed);
 * if (otp?.publicId === 'cccccccccccb') {
 *   const { kind } = await validateOnline(otp, settings);
 * }
 */
export async function validateOnline(otp: Otp, settings: ValidationSettings): Promise<Validation> {
  const asked: Asked = { ...settings, otp: otp.text, nonce: randomBytes(NONCE_BYTES).toString('hex') };
  const query = queryFor(asked, settings);
  const end = new AbortController();
  const timer = setTimeout(
    () => end.abort(new ChannelError('no answer within the deadline')),
    settings.deadlineMs,
  );
  try {
    return await firstDecision(settings.servers, (server) =>
      askServer(server, query, asked, settings, end.signal),
    );
  } finally {
    clearTimeout(timer);
    end.abort(new ChannelError('another server decided'));
  }
}

/** The request, signed: protocol 2.0, "Request". */
function queryFor({ otp, nonce, syncLevel, apiKey }: Asked, { clientId }: ValidationSettings): string {
  const parameters = new Map([
    ['id', clientId],
    ['nonce', nonce],
    ['otp', otp],
    // Asks for the counters, too.
    ['timestamp', '1'],
  ]);
  if (syncLevel !== undefined) {
    parameters.set('sl', String(syncLevel));
  }
  parameters.set('h', sign(parameters, apiKey));
  return [...parameters].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
}

async function askServer(
  server: URL,
  query: string,
  asked: Asked,
  settings: ValidationSettings,
  signal: AbortSignal,
): Promise<Judgement> {
  const url = new URL(server);
  url.search = query;
  try {
    const { status, body } = await fetchAnswer(url, settings, signal);
    return checkAnswer(status, body, asked);
  } catch (error) {
    return { kind: 'unavailable', why: reasonOf(signal.aborted ? signal.reason : error) };
  }
}

/** The first answer that decides; when there is none, a server that refuses us is worth more than one that is not there. */
function firstDecision(
  servers: readonly URL[],
  ask: (server: URL) => Promise<Judgement>,
): Promise<Validation> {
  return new Promise((resolve) => {
    const failures: ServerFailure[] = [];
    let refused = false;
    const count = async (server: URL): Promise<void> => {
      const judgement = await ask(server);
      switch (judgement.kind) {
        case 'right':
        case 'wrong':
        case 'replayed':
          resolve({ ...judgement, failures: [...failures] });
          return;
        case 'misconfigured':
        case 'unavailable':
          refused ||= judgement.kind === 'misconfigured';
          failures.push({ server: server.host, why: judgement.why });
      }
      if (failures.length === servers.length) {
        resolve({ kind: refused ? 'misconfigured' : 'unavailable', failures });
      }
    };
    servers.forEach((server) => void count(server));
  });
}

/** Messages of Node may quote what was sent; its codes do not. */
function reasonOf(error: unknown): string {
  if (error instanceof ChannelError) {
    return error.message;
  }
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
