import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { encodeBase32 } from '../../factors/base32.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW, matchTotp, type Totp } from '../../factors/totp.ts';
import { CommandError } from '../session/control-client.ts';
import { newSecret, phoneUri } from '../secrets/otp.ts';
import { QR_MODES, type QrMode } from '../terminal/qr.ts';
import type { Session } from '../session/session.ts';
import { clockRemark } from '../setup/clock-remark.ts';
import { FlagError } from '../setup/flags.ts';
import { showSecret } from '../secrets/show-secret.ts';
import { pvesh } from './programs.ts';

const DEFAULT_NAME = 'phone';
/** The longest description in Proxmox. Blanks and quotes are allowed. */
const NAME = /^[^\p{Cc}]{1,255}$/u;
const ALLOWED = '--proxmox goes only with --user, --name, --issuer and --qr-mode';
const USER_ID = /^[^\s:/@]+(?:@[^\s:/@]+)*@[A-Za-z][A-Za-z0-9.\-_]+$/;

/** The parsed command line. */
interface Wanted {
  /** `name@realm`. */
  readonly userId: string;
  readonly name: string;
  readonly issuer: string;
  readonly qrMode: QrMode | undefined;
}

/**
 * `--proxmox`: adds a phone to Proxmox VE, so that its web interface knows it, too. Proxmox itself checks the first code, and nothing is
 * added before.
 *
 * @param session - questions and output
 * @param words - the command line
 * @throws FlagError when the command line cannot be used
 * @throws CommandError when it is refused
 * @throws NoAnswerError when the person cancels
 */
export async function enrolInProxmox(session: Session, words: readonly string[]): Promise<void> {
  const wanted = wantedOf(session, words);
  const { userId: user } = wanted;
  if (process.geteuid?.() !== 0) {
    throw new CommandError(
      'ERR_NOT_ROOT',
      `Only root can add a factor to Proxmox here. Use its web interface (Datacenter, Permissions, Two Factor), or: sudo pve-google-authenticator --proxmox --user=${user}`,
    );
  }
  const factor: Totp = {
    secret: newSecret('sha1'),
    algorithm: 'sha1',
    digits: 6,
    period: DEFAULT_PERIOD,
    window: DEFAULT_WINDOW,
  };
  const { issuer, userId, name, qrMode } = wanted;
  const show = (): void => showSecret(session.output, factor, { issuer, label: userId, mode: qrMode });
  show();
  const code = await confirmedCode(session, factor, show);
  const uri = phoneUri(factor, issuer, userId);
  const argv = ['create', `/access/tfa/${userId}`, '--type', 'totp', '--description', name];
  await pvesh(
    [...argv, '--totp', uri, '--value', code, '--output-format', 'json'],
    encodeBase32(factor.secret),
  );
  session.output.line(
    `${name} was added for ${userId} in Proxmox: the web interface now asks for its codes, and so do the services of this machine that ask for a code.`,
  );
}

function wantedOf(session: Session, words: readonly string[]): Wanted {
  const { user = session.self(), name, issuer, 'qr-mode': drawn } = flagsOf(words);
  const userId = user.includes('@') ? user : `${user}@pam`;
  const qrMode = QR_MODES.find((mode) => mode === drawn?.replaceAll('-', '_').toUpperCase());
  if (!USER_ID.test(userId)) {
    throw new FlagError('--user must be a user of Proxmox: NAME, or NAME@REALM');
  }
  if (!NAME.test(name)) {
    throw new FlagError('--name must have 1 to 255 characters');
  }
  if (drawn !== undefined && qrMode === undefined) {
    throw new FlagError(`--qr-mode must be one of ${QR_MODES.join(', ')}`);
  }
  return { userId, name, issuer, qrMode };
}

function flagsOf(words: readonly string[]): {
  readonly user?: string | undefined;
  readonly name: string;
  readonly issuer: string;
  readonly 'qr-mode'?: string | undefined;
} {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        proxmox: { type: 'boolean' },
        user: { type: 'string' },
        name: { type: 'string', short: 'n', default: DEFAULT_NAME },
        issuer: { type: 'string', short: 'i', default: `Proxmox VE - ${hostname()}` },
        'qr-mode': { type: 'string', short: 'Q' },
      },
    });
    return values;
  } catch (error) {
    // The first sentence names the flag. The rest explains Node's parser.
    const [why] = (error instanceof Error ? error.message : 'The flags cannot be read').split('. ');
    throw new FlagError(`${why ?? ''}. ${ALLOWED}`);
  }
}

async function confirmedCode(session: Session, factor: Totp, showAgain: () => void): Promise<string> {
  for (;;) {
    const typed = (
      await session.questions.ask('Code from your app (Enter shows the key again): ')
    ).replaceAll(/[\s-]/g, '');
    if (typed === '') {
      showAgain();
    } else if (matchTotp(factor, Buffer.from(typed, 'latin1'), session.now()) === undefined) {
      const remark = clockRemark(factor, Buffer.from(typed, 'latin1'), session.now());
      session.output.note(remark ?? 'Code incorrect. Try again.');
    } else {
      return typed;
    }
  }
}
