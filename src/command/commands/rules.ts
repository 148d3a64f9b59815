import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { RuleTest } from '../../contracts/control-requests.ts';
import { placesBelow } from '../switching/places.ts';
import { examples } from './examples.ts';
import { addressWord, serviceWord } from '../session/login-words.ts';
import type { Session } from '../session/session.ts';
import { userOption, type ForUser } from '../session/whose.ts';

const MEANING = {
  skip: 'no code is asked for: the module lets the login pass',
  deny: 'nobody gets in',
  both: 'a code and a touch of a YubiKey are needed',
} as const;

interface RulesOptions extends Required<ForUser> {
  readonly json?: true;
}

/**
 * `rules test SERVICE [ADDRESS] --user USER`: which rule of config.toml applies to a login, and why.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function rulesCommand(program: Command, session: Session): void {
  program
    .command('rules')
    .description('Show which rule of config.toml applies to a login')
    .addHelpText('after', examples('sudo pve-google-authenticator rules test sshd 192.0.2.7 --user alice'))
    .command('test')
    .description('Show which rule applies to a login, and why')
    .argument('<service>', 'PAM service, for example sshd')
    .argument('[address]', 'address that the login comes from (default: a local login)')
    .addOption(userOption('the user who logs in').makeOptionMandatory())
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'sudo pve-google-authenticator rules test sshd 192.0.2.7 --user alice',
        'sudo pve-google-authenticator rules test login --user root',
      ),
    )
    .action(async (service: string, address: string | undefined, options: RulesOptions) => {
      const { user } = options;
      const from = address === undefined ? [] : [addressWord(address)];
      const path = ['rules', serviceWord(service), user, ...from];
      const result = await session.daemon().ask<RuleTest>('GET', path);
      if (options.json === true) {
        session.output.line(JSON.stringify(result));
      } else {
        warnOfNoService(service, session);
        show(result, user, session);
      }
    });
}

/** A rule may name any service, so a misspelt name would go unnoticed. */
function warnOfNoService(service: string, { output }: Session): void {
  const { pam, vendor } = placesBelow();
  if (![pam, vendor].some((directory) => existsSync(`${directory}/${service}`))) {
    output.note(`There is no ${pam}/${service}: is ${service} the name of the service?`);
  }
}

function show({ userExists, rules, holds }: RuleTest, user: string, { output }: Session): void {
  if (!userExists) {
    output.note(`There is no user ${user} on this machine.`);
  }
  for (const { number, action, applies, because } of rules) {
    if (holds !== null && number > holds) {
      break;
    }
    output.line(`Rule ${number} (${action}) ${applies ? 'applies' : 'does not apply'}: ${because}.`);
  }
  const rule = rules.find(({ number }) => number === holds);
  output.line(
    rule === undefined ? 'No rule applies: one factor is asked for.' : `So ${MEANING[rule.action]}.`,
  );
}
