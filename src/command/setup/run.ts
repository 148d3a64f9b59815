import type { Session } from '../session/session.ts';
import { FlagError, parseFlags } from './flags.ts';
import { SETUP_HELP } from './help.ts';

const EXIT_FAILED = 1;

/**
 * The setup, from its command line to its exit status. A wrong command line ends with 1, as that of google-authenticator does.
 *
 * @param session - connection, questions and output
 * @param words - its command line
 * @param version - of this program
 * @returns the exit status
 * @throws CommandError, NoAnswerError as setUp
 */
export async function runSetup(session: Session, words: readonly string[], version: string): Promise<number> {
  try {
    return await start(session, words, version);
  } catch (error) {
    if (error instanceof FlagError) {
      session.output.note(`pve-google-authenticator: ${error.message}`);
      session.output.note('See: pve-google-authenticator setup --help');
      return EXIT_FAILED;
    }
    throw error;
  }
}

async function start(session: Session, words: readonly string[], version: string): Promise<number> {
  if (words.includes('--proxmox') && !words.includes('--help')) {
    const { enrolInProxmox } = await import('../proxmox/enrol.ts');
    await enrolInProxmox(session, words);
    return 0;
  }
  const flags = parseFlags(words.filter((word) => word !== '--proxmox'));
  if (flags.show !== undefined) {
    session.output.line(flags.show === 'help' ? SETUP_HELP.trim() : version);
    return 0;
  }
  // Loaded only here, so that the help and other commands start faster.
  const { setUp } = await import('./setup.ts');
  await setUp(session, flags);
  return 0;
}
