import { Argument, type Command } from 'commander';
import { bashCompletion, completionsOf, zshCompletion } from './completion-script.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { flagWords } from '../setup/flags.ts';

/**
 * `completion bash|zsh`: prints what the shell needs to complete this command. The package brings both.
 *
 * @param program - where the command is added, and whose commands are completed
 * @param session - output
 */
export function completionCommand(program: Command, session: Session): void {
  program
    .command('completion')
    .description('Print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh']))
    .addHelpText('after', examples('pve-google-authenticator completion bash'))
    .action((shell: 'bash' | 'zsh') => {
      const completions = completionsOf(program, flagWords());
      const script = shell === 'bash' ? bashCompletion(completions) : zshCompletion(completions);
      session.output.line(script.trimEnd());
    });
}
