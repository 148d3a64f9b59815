import type { Command, Option } from 'commander';
import { MARK } from '../pam-d/guard.ts';
import { DOORS } from '../pam-d/services.ts';

/* Completion scripts for shells, made from the program's own command definitions. */

/** A word that may come at a place, with its meaning. */
interface Word {
  readonly word: string;
  readonly meaning: string;
}

/** Which PAM services are offered: those that `enable --all` takes, those that `enable` wrote into, or every one. */
type Services = 'doors' | 'ours' | 'all';

const SERVICES_OF: Readonly<Record<string, Services>> = { enable: 'doors', disable: 'ours' };

/** A place in the command line, after these commands. */
interface Place {
  /** The commands before this place; `''` at the start. */
  readonly path: string;
  /** Subcommands, and the values of an argument that is one of a few. */
  readonly commands: readonly Word[];
  readonly flags: readonly Word[];
  /** Whether a user's name may come. */
  readonly users: boolean;
  /** The PAM services that may come: one before everything else, or any number; undefined if none. */
  readonly services: { readonly of: Services; readonly many: boolean } | undefined;
}

/** A flag whose value is one of a few. */
interface Choice {
  readonly flag: string;
  readonly values: readonly string[];
}

/** All completions. */
export interface Completions {
  readonly places: readonly Place[];
  readonly choices: readonly Choice[];
  /** Flags whose value is a user's name. */
  readonly userFlags: readonly string[];
}

/**
 * Collects what can be completed.
 *
 * @param program - with all its commands
 * @param setupFlags - flags that stand in place of a command, as they are written
 * @returns all places
 */
export function completionsOf(program: Command, setupFlags: readonly string[]): Completions {
  const places: Place[] = [];
  const choices = new Map<string, readonly string[]>();
  // The setup has this flag, too.
  const userFlags = new Set(['--user']);
  const visit = (command: Command, path: string): void => {
    const own = flagsOf(command.options, choices, userFlags);
    const setup =
      path === '' || path === 'setup'
        ? setupFlags.map((word) => ({ word, meaning: 'set up a phone or token' }))
        : [];
    places.push({
      path,
      commands: [
        ...command.commands.map((child) => ({
          word: child.name(),
          meaning: child.summary() || child.description(),
        })),
        ...command.registeredArguments.flatMap(({ argChoices = [], description }) =>
          argChoices.map((word) => ({ word, meaning: description })),
        ),
      ],
      flags: [...own, ...setup, { word: '--help', meaning: 'help' }].filter(
        ({ word }, index, all) => all.findIndex((other) => other.word === word) === index,
      ),
      users: command.registeredArguments.some((each) => each.name() === 'user'),
      services: servicesOf(command),
    });
    for (const child of command.commands) {
      visit(child, path === '' ? child.name() : `${path} ${child.name()}`);
    }
  };
  visit(program, '');
  return {
    places,
    choices: [...choices].map(([flag, values]) => ({ flag, values })),
    userFlags: [...userFlags],
  };
}

function servicesOf(command: Command): Place['services'] {
  const argument = command.registeredArguments.find((each) => each.name() === 'service');
  return argument && { of: SERVICES_OF[command.name()] ?? 'all', many: argument.variadic };
}

function flagsOf(
  options: readonly Option[],
  choices: Map<string, readonly string[]>,
  userFlags: Set<string>,
): Word[] {
  return options.flatMap(({ short, long, flags, description, argChoices }) => {
    const words = [short, long].filter((word) => word !== undefined);
    if (argChoices !== undefined) {
      words.forEach((word) => choices.set(word, argChoices));
    }
    if (flags.includes('<user>')) {
      words.forEach((word) => userFlags.add(word));
    }
    return words.map((word) => ({ word, meaning: description }));
  });
}

/** For both shells: a function that prints the services of one kind, one a line. */
function servicesFunction(files: string): string {
  return `_pve_google_authenticator_services() {
	local file name
	for file in ${files}; do
		name=\${file##*/}
		case $name in
		common-*|other|*.dpkg-*|*[!A-Za-z0-9_.+@-]*) continue ;;
		esac
		case $1:$name in
		all:*|${DOORS.map((name) => `doors:${name}`).join('|')}) echo "$name" ;;
		ours:*) ! grep -qs -e '${MARK}' "$file" || echo "$name" ;;
		esac
	done
}`;
}

/** For both shells: whether a word of the command line is a service. */
const IS_SERVICE = '[[ -f /etc/pam.d/$word || -f /usr/lib/pam.d/$word ]]';

/**
 * A completion for bash.
 *
 * @param completions - what can be completed
 * @returns the script, to be sourced
 */
export function bashCompletion({ places, choices, userFlags }: Completions): string {
  const words = (list: readonly Word[]): string => list.map(({ word }) => word).join(' ');
  return `# bash completion for pve-google-authenticator; written by "pve-google-authenticator completion bash"
${servicesFunction('/etc/pam.d/* /usr/lib/pam.d/*')}
_pve_google_authenticator() {
	local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' service='' word words=''
	COMPREPLY=()
	# "--user=al" comes as three words.
	[[ $cur != = ]] || cur=''
	[[ $prev != = ]] || prev=\${COMP_WORDS[COMP_CWORD-2]}
	for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "\${path:+$path }$word" in
${places
  .filter(({ path }) => path !== '')
  .map(({ path }) => `\t\t'${path}') path='${path}' ;;`)
  .join('\n')}
		*) ! ${IS_SERVICE} || service=$word ;;
		esac
	done
	case $prev in
${choices.map(({ flag, values }) => `\t${flag}) words='${values.join(' ')}' ;;`).join('\n')}
	${userFlags.join('|')}) words=$(compgen -u -- "$cur") ;;
	*)
		case $path:$cur in
${places
  .map(({ path, commands, flags, users, services }) =>
    [
      `\t\t'${path}':-*) words='${words(flags)}' ;;`,
      ...(services === undefined
        ? []
        : [
            `\t\t'${path}':*)${services.many ? '' : ' [[ -n $service ]] ||'} words=$(_pve_google_authenticator_services ${services.of}) ;;&`,
          ]),
      `\t\t'${path}':*) words="\${words:-${words(commands)}${users ? '$(compgen -u -- "$cur")' : ''}}" ;;`,
    ].join('\n'),
  )
  .join('\n')}
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _pve_google_authenticator pve-google-authenticator
`;
}

/**
 * A completion for zsh.
 *
 * @param completions - what can be completed
 * @returns the script, for a directory of fpath
 */
export function zshCompletion({ places, choices, userFlags }: Completions): string {
  const quoted = ({ word, meaning }: Word): string =>
    `'${word}:${meaning.replaceAll("'", '’').replaceAll('\\', '').replaceAll(':', '\\:')}'`;
  const list = (words: readonly Word[]): string => words.map(quoted).join(' ');
  return `#compdef pve-google-authenticator
# Written by "pve-google-authenticator completion zsh".
${servicesFunction('/etc/pam.d/*(N) /usr/lib/pam.d/*(N)')}
_pve_google_authenticator() {
	local place='' service='' word
	local -a commands flags services
	for word in "\${(@)words[2,CURRENT-1]}"; do
		case "\${place:+$place }$word" in
${places
  .filter(({ path }) => path !== '')
  .map(({ path }) => `\t\t('${path}') place='${path}' ;;`)
  .join('\n')}
		(*) ! ${IS_SERVICE} || service=$word ;;
		esac
	done
	case "$words[CURRENT-1]" in
${choices.map(({ flag, values }) => `\t(${flag}) compadd -- ${values.join(' ')}; return ;;`).join('\n')}
	(${userFlags.join('|')}) _users; return ;;
	esac
	case "$place" in
${places
  .map(({ path, commands, flags, users, services }) =>
    [
      `\t('${path}') commands=(${list(commands)}); flags=(${list(flags)})`,
      ...(services === undefined
        ? []
        : [
            `${services.many ? '' : '[[ -n $service ]] || '}services=(\${(fu)"$(_pve_google_authenticator_services ${services.of})"})`,
          ]),
      ...(users ? ['[[ $PREFIX = -* || $#services -gt 0 ]] || _users'] : []),
    ].join('; '),
  )
  .map((line) => `${line} ;;`)
  .join('\n')}
	esac
	if [[ $PREFIX = (${userFlags.join('|')})=* ]]; then
		compset -P '*='
		_users
	elif [[ $PREFIX = -* ]]; then
		_describe option flags
	elif (( $#services )); then
		compadd -- $services
	else
		_describe command commands
		_files
	fi
}
_pve_google_authenticator "$@"
`;
}
