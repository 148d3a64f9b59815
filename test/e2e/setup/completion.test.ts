import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { MARK } from '../../../src/command/pam-d/guard.ts';
import { describeInBox } from '../harness/box.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { runWell } from '../harness/run.ts';
import { atTerminal } from '../harness/terminal.ts';

/* Completion in real shells: the command line after the Tab key. */

const PROGRAM = 'pve-google-authenticator';
/** Ctrl-X: the shells show the command line as it is, in angle brackets, and begin a new one. */
const SHOW = '\x18';

/** The start-up file of a shell. */
interface Shell {
  readonly name: 'bash' | 'zsh';
  readonly argv: (home: string) => readonly string[];
  readonly startup: (completion: string) => { readonly file: string; readonly text: string };
}

const SHELLS: readonly Shell[] = [
  {
    name: 'bash',
    argv: (home) => ['bash', '--noprofile', '--rcfile', `${home}/bashrc`, '-i'],
    startup: (completion) => ({
      file: 'bashrc',
      text: `. ${completion}/${PROGRAM}
show() { printf '<%s>\\n' "$READLINE_LINE"; READLINE_LINE=; }
bind -x '"\\C-x": show'
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
PS1='READY> '`,
    }),
  },
  {
    name: 'zsh',
    argv: (home) => ['env', `ZDOTDIR=${home}`, 'zsh', '-i'],
    startup: (completion) => ({
      file: '.zshrc',
      text: `unsetopt PROMPT_SP
fpath=(${completion} $fpath)
autoload -Uz compinit
compinit -u -D
show() { print -r -- "<$BUFFER>"; BUFFER=; zle redisplay }
zle -N show
bindkey '^X' show
LISTMAX=1000
PS1='READY> '`,
    }),
  },
];

/** The file where the shell looks for it, as the package has it. */
async function completionFor(home: string, { name }: Shell): Promise<string> {
  const directory = `${home}/completion`;
  mkdirSync(directory);
  const script = await runWell([process.execPath, `${CHECKOUT}/dist/command/main.js`, 'completion', name]);
  writeFileSync(`${directory}/${name === 'zsh' ? `_${PROGRAM}` : PROGRAM}`, script);
  return directory;
}

describeInBox('completion', () => {
  beforeAll(async () => {
    await runWell(['useradd', 'tabitha']);
    for (const service of ['tabbed-in', 'tabbed-out', 'cron']) {
      writeFileSync(`/etc/pam.d/${service}`, '@include common-auth\n');
    }
    appendFileSync('/etc/pam.d/tabbed-out', `auth required pam_pve_authenticator.so ${MARK}\n`);
  });

  test.each(SHELLS)(
    '$name completes subcommands, options, their values, services, and users',
    async (shell) => {
      const home = mkdtempSync('/tmp/completion-');
      const { file, text } = shell.startup(await completionFor(home, shell));
      writeFileSync(`${home}/${file}`, `${text}\n`);
      // What is typed before the Tab key, and the word that it becomes.
      const typed: readonly (readonly [words: string, becomes: string])[] = [
        ['stat', 'status'],
        ['--time-b', '--time-based'],
        ['rules te', 'rules test'],
        ['add totp --alg', 'add totp --algorithm'],
        ['add totp --algorithm sha5', 'add totp --algorithm sha512'],
        ['completion zs', 'completion zsh'],
        ['list --user tabi', 'list --user tabitha'],
        ['pause phone --user=tabi', 'pause phone --user=tabitha'],
        ['import --as tabi', 'import --as tabitha'],
        ['--user tabi', '--user tabitha'],
        ['rename-user tabi', 'rename-user tabitha'],
        ['import --keys /etc/os-rel', 'import --keys /etc/os-release'],
        ['enable ssh', 'enable sshd'],
        ['enable sshd log', 'enable sshd login'],
        // Nobody is there who could be asked.
        ['enable cro', 'enable cro'],
        // Only that asks for a code.
        ['disable tabb', 'disable tabbed-out'],
        ['rehearse tabbed-i', 'rehearse tabbed-in'],
        ['rehearse tabbed-in --user tabi', 'rehearse tabbed-in --user tabitha'],
        ['rules test sshd --user tabi', 'rules test sshd --user tabitha'],
        ['rules test ssh', 'rules test sshd'],
      ];
      const seen = await atTerminal(shell.argv(home), [
        ...typed.map(([words]) => ({ expect: /READY> $/, type: `${PROGRAM} ${words}\t${SHOW}` })),
        // If several words fit, they are shown, in zsh with their meaning.
        { expect: /READY> $/, type: `${PROGRAM} re\t\t` },
        {
          expect: shell.name === 'zsh' ? /rehearse +-- Try out a service/ : /recovery +remove/,
          type: '\x15exit\r',
        },
      ]);
      const lines = [...seen.screen.matchAll(/<(pve-[^>]*)>/g)].map(([, line]) => line!.trimEnd());
      expect(lines, seen.screen).toEqual(typed.map(([, becomes]) => `${PROGRAM} ${becomes}`));
      expect(seen.unmet, seen.screen).toBeNull();
    },
  );
});
