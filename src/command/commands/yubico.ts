import type { Command } from 'commander';
import type { YubicoChecked, YubicoSetUp } from '../../contracts/control-requests.ts';
import { CommandError } from '../session/control-client.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { importMappingCommand } from './yubico-import.ts';

const SAYS: Readonly<Record<YubicoChecked['result'], string>> = {
  right: 'The OTP is right: YubiKeys can be checked.',
  wrong:
    'The servers answer, and id and key are right; but the servers do not know this YubiKey, or have other secrets for it.',
  replayed: 'The servers answer, and id and key are right; but this OTP was used before: touch again.',
  misconfigured: 'The servers reject our requests:',
  unavailable: 'The check had no result:',
};

/**
 * `yubico check`, `yubico import`: the commands about validation servers and pam_yubico.
 *
 * @param program - where the command is added
 * @param session - connection, questions and output
 */
export function yubicoCommand(program: Command, session: Session): void {
  const yubico = program
    .command('yubico')
    .description('Test validation servers of YubiKeys; import keys of pam_yubico')
    .addHelpText('after', examples('sudo pve-google-authenticator yubico check'));
  yubico
    .command('check')
    .description('Test [yubico] of config.toml with one touch')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('sudo pve-google-authenticator yubico check'))
    .action((options: { json?: true }) => check(session, options.json === true));
  importMappingCommand(yubico, session);
}

async function check(session: Session, json: boolean): Promise<void> {
  const { output, questions } = session;
  const daemon = session.daemon();
  const setUp = await daemon.ask<YubicoSetUp>('GET', ['yubico']);
  if (setUp.kind === 'off') {
    throw new CommandError(
      'ERR_NOT_ONLINE',
      'No validation server is configured: [yubico] of config.toml has no mode = "online". (After a change: systemctl daemon-reload, and restart pve-authenticator)',
    );
  }
  if (setUp.kind === 'unusable') {
    throw new CommandError('ERR_NOT_ONLINE', `YubiKeys cannot be looked up: ${setUp.why}`);
  }
  if (!json) {
    setUp.servers.forEach((server) => output.note(`Server: ${server}`));
  }
  const otp = await questions.ask('Touch the YubiKey: ');
  const checked = await daemon.ask<YubicoChecked>('POST', ['yubico', 'check'], { otp });
  if (json) {
    output.line(JSON.stringify(checked));
  } else {
    show(session, checked);
  }
  if (checked.result !== 'right') {
    throw new CommandError('ERR_YUBICO_CHECK', 'The check failed');
  }
}

function show({ output }: Session, { result, countersSigned, failures }: YubicoChecked): void {
  output.line(SAYS[result]);
  for (const { server, why, hint } of failures) {
    output.line(`${server}: ${why}${hint === null ? '' : `: ${hint}`}`);
  }
  if (result === 'right' && failures.length > 0) {
    output.line('The servers above gave no result.');
  }
  if (result === 'right' && !countersSigned) {
    output.line('The server does not sign the counters, so only the server knows which OTPs were used.');
  }
}
