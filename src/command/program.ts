import { Command, Option } from 'commander';
import { addCommand } from './commands/add.ts';
import { completionCommand } from './commands/completion.ts';
import { confirmCommand } from './commands/confirm.ts';
import { disableCommand } from './commands/disable.ts';
import { doctorCommand } from './commands/doctor.ts';
import { enableCommand } from './commands/enable.ts';
import { exportCommand } from './commands/export.ts';
import { forgetCommand } from './commands/forget.ts';
import { importCommand } from './commands/import.ts';
import { listCommand } from './commands/list.ts';
import { pauseCommands } from './commands/pause.ts';
import { qrCommand } from './commands/qr.ts';
import { recoveryCommand } from './commands/recovery.ts';
import { rehearseCommand } from './commands/rehearse.ts';
import { removeCommand } from './commands/remove.ts';
import { renameCommand } from './commands/rename.ts';
import { renameUserCommand } from './commands/rename-user.ts';
import { repairCommand } from './commands/repair.ts';
import { rotateCommand } from './commands/rotate.ts';
import { rulesCommand } from './commands/rules.ts';
import { setupCommand } from './commands/setup.ts';
import { statusCommand } from './commands/status.ts';
import { unlockCommand } from './commands/unlock.ts';
import { yubicoCommand } from './commands/yubico.ts';
import { examples } from './commands/examples.ts';
import type { Session } from './session/session.ts';

/** Each command stands in one group of the help. */
const GROUPS: readonly (readonly [
  heading: string,
  commands: readonly ((program: Command, session: Session) => void)[],
])[] = [
  ['Set up:', [setupCommand, addCommand, recoveryCommand, completionCommand]],
  [
    'Your factors:',
    [
      ...[listCommand, statusCommand, qrCommand, renameCommand],
      ...[pauseCommands, rotateCommand, removeCommand, unlockCommand],
    ],
  ],
  ['Switch on and off:', [rehearseCommand, enableCommand, confirmCommand, disableCommand]],
  [
    'Find out what is wrong:',
    [doctorCommand, rulesCommand, yubicoCommand, repairCommand, forgetCommand, renameUserCommand],
  ],
  ['Move from other tools:', [importCommand, exportCommand]],
];

/**
 * The command with all its commands.
 *
 * @param session - connection and output
 * @param runtimeDir - the default place of the daemon's sockets
 * @returns the program; it throws CommanderError instead of ending the process
 */
export function programOf(session: Session, runtimeDir: string): Command {
  const program = new Command('pve-google-authenticator')
    .description('Manage the second factor of Linux logins.')
    .usage('[command] [options]')
    .addOption(
      new Option('--runtime-dir <directory>', `find the daemon there (default: ${runtimeDir})`).hideHelp(),
    )
    .option('--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    // main.ts turns "help COMMAND" into "COMMAND --help".
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', examples('pve-google-authenticator', 'sudo pve-google-authenticator enable sshd'))
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) });
  for (const [heading, commands] of GROUPS) {
    program.commandsGroup(heading);
    commands.forEach((add) => add(program, session));
  }
  return program;
}
