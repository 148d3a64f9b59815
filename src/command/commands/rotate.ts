import type { Command } from 'commander';
import { hostname } from 'node:os';
import type { FactorView, NewFactor, UserView } from '../../contracts/control-requests.ts';
import { encodeBase32 } from '../../factors/base32.ts';
import type { Hotp } from '../../factors/hotp.ts';
import type { Totp } from '../../factors/totp.ts';
import { CommandError } from '../session/control-client.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { change, checkChange } from '../session/ask-with-proof.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { confirmCode } from '../setup/confirm.ts';
import type { QrMode } from '../terminal/qr.ts';
import { userOption, whoseWords, type ForUser } from '../session/whose.ts';
import { qrModeOption } from './qr.ts';

interface RotateOptions extends ForUser, Agreement {
  readonly confirm: boolean;
  readonly qrMode?: QrMode;
  readonly json?: true;
}

/**
 * `rotate FACTOR`: gives a factor a new secret. The old secret works until a code of the new one is typed, which replaces it in
 * one change. With --no-confirm, both stay.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function rotateCommand(program: Command, session: Session): void {
  program
    .command('rotate')
    .description("Replace a factor's secret; the old one works until you confirm")
    .argument('<factor>', 'its ID or name, as "list" shows it')
    .addOption(userOption())
    .addOption(yesOption())
    .option('-C, --no-confirm', 'do not ask for a code: both secrets work until you remove the old one')
    .addOption(qrModeOption())
    .option('--json', 'print the result as JSON, with the secret; do not ask for a code')
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator rotate pixel-7',
        'sudo pve-google-authenticator rotate pixel-7 --no-confirm --user alice',
      ),
    )
    .action(async (which: string, options: RotateOptions) => {
      await rotate(session, options.user ?? session.self(), which, options);
    });
}

async function rotate(session: Session, user: string, which: string, options: RotateOptions): Promise<void> {
  const { output } = session;
  const old = await factorOf(session, user, which);
  const { kind, algorithm, digits, window, limit } = old;
  if (options.json !== true && options.confirm) {
    const again = { kind: kind === 'hotp' ? kind : 'totp', algorithm, digits, window, limit } as const;
    await checkChange(session, user, [
      { do: 'remove', factor: old.id },
      { do: 'add', factor: again },
    ]);
    await askBeforeLoss(
      session,
      options,
      `The old secret of ${old.name} (${old.kind}, ${old.id}) of ${user} stops working as soon as you type a code of the new one.`,
    );
  }
  const { newSecret } = await import('../secrets/otp.ts');
  const { phoneFactor } = await import('../secrets/show-factor.ts');
  const { showSecret } = await import('../secrets/show-secret.ts');
  const secret = encodeBase32(newSecret(old.algorithm ?? 'sha1'));
  const factor = phoneFactor({ user, factor: old, secret });
  const show = (): void =>
    showSecret(output, factor, { issuer: hostname(), label: user, mode: options.qrMode });
  if (options.json !== true) {
    show();
  }
  const confirmed =
    options.confirm && options.json !== true ? await confirmCode(session, factor, show) : undefined;
  const swap = confirmed !== undefined;
  const wanted = newFactor(old, factor, secret, swap ? old.name : undefined, confirmed);
  const { added, view } = await change(session, user, [
    ...(swap ? [{ do: 'remove', factor: old.id } as const] : []),
    { do: 'add', factor: wanted },
  ]);
  const [token] = added;
  if (options.json === true) {
    output.line(JSON.stringify(token));
  } else if (swap) {
    output.line(`Done: the old secret of ${old.name} no longer works.`);
  } else {
    const whose = whoseWords(session, view.user);
    output.line(
      `Both work now: ${old.name} (${old.id}) and ${token?.factor.name ?? 'the new one'}. After a login with the new one: pve-google-authenticator remove ${old.id}${whose}`,
    );
  }
}

async function factorOf(session: Session, user: string, which: string): Promise<FactorView> {
  const { factors } = await session.daemon().ask<UserView>('GET', ['users', user]);
  const whose = whoseWords(session, user);
  const factor = factors.find(({ id }) => id === which) ?? factors.find(({ name }) => name === which);
  if (factor === undefined) {
    throw new CommandError(
      'ERR_NO_SUCH_FACTOR',
      `${user} has no such factor: see "pve-google-authenticator list${whose}"`,
    );
  }
  if (factor.kind !== 'totp' && factor.kind !== 'hotp') {
    throw new CommandError(
      'ERR_NOT_ROTATED',
      factor.kind === 'recovery'
        ? `To make new recovery codes: pve-google-authenticator recovery${whose}`
        : `This factor cannot be rotated: add another one, then remove it`,
    );
  }
  return factor;
}

function newFactor(
  old: FactorView,
  factor: Totp | Hotp,
  secret: string,
  name: string | undefined,
  confirmed: number | undefined,
): NewFactor {
  const { window, limit } = old;
  const { algorithm, digits } = factor;
  const token = { secret, name, algorithm, digits, window, limit };
  return 'period' in factor
    ? { kind: 'totp', ...token, period: factor.period, usedStep: confirmed }
    : { kind: 'hotp', ...token, counter: confirmed === undefined ? 0 : confirmed + 1 };
}
