import type { Machine } from './machine.ts';

/** How sshd treats one way of logging in. */
interface Line {
  readonly service: string;
  readonly says: string;
}

const PASSWORD = 'sshd, with a password';
const KEY = 'sshd, with a key';
const ROOT_BY_KEY = /^(without|prohibit)-password$/;

/**
 * What sshd does with a password and with a key.
 *
 * @param machine - runs sshd
 * @param user - whose login
 * @param asks - whether the stack of sshd has our line
 * @param stack - the words about that stack
 * @returns a line for each way
 */
export async function sshdWords(
  machine: Pick<Machine, 'run' | 'stat'>,
  user: string,
  asks: boolean,
  stack: string,
): Promise<readonly Line[]> {
  const settings = await settingsOf(machine, user);
  if (settings === undefined) {
    return [
      {
        service: PASSWORD,
        says: asks ? `${stack}, unless sshd's settings differ: only root can read them` : stack,
      },
      {
        service: KEY,
        says: asks ? 'not known: only root can read its settings' : 'does not ask for a code',
      },
    ];
  }
  return [
    { service: PASSWORD, says: passwordWords(settings, user, stack) },
    { service: KEY, says: keyWords(settings, user, stack) },
  ];
}

type Settings = (name: string) => string;

/** sshd's own settings, Match blocks included; undefined if sshd does not print them, or not to this user. */
async function settingsOf(machine: Pick<Machine, 'run'>, user: string): Promise<Settings | undefined> {
  const { status, stdout } = await machine.run(
    'sshd',
    '-T',
    '-C',
    `user=${user},host=localhost,addr=127.0.0.1`,
  );
  return status === 0
    ? (name) => new RegExp(`^${name} (.*)$`, 'm').exec(stdout)?.[1]?.trim() ?? ''
    : undefined;
}

function passwordWords(of: Settings, user: string, stack: string): string {
  const methods = methodsOf(of);
  if (user === 'root' && of('permitrootlogin') !== 'yes') {
    return 'refuses root (PermitRootLogin)';
  }
  if (!methods.some((list) => !list.includes('publickey'))) {
    return 'refuses: it needs a key, too (AuthenticationMethods)';
  }
  if (of('usepam') !== 'yes') {
    return 'does not ask for a code: it does not ask PAM at all (UsePAM no)';
  }
  if (of('kbdinteractiveauthentication') === 'yes') {
    return stack;
  }
  return of('passwordauthentication') === 'no'
    ? 'refuses: it takes no passwords'
    : stack.startsWith('asks for a code')
      ? 'refuses: it cannot ask for a code (KbdInteractiveAuthentication no)'
      : stack;
}

function keyWords(of: Settings, user: string, stack: string): string {
  const roots = of('permitrootlogin');
  if (of('pubkeyauthentication') === 'no') {
    return 'refuses: it takes no keys';
  }
  if (user === 'root' && roots === 'no') {
    return 'refuses root (PermitRootLogin)';
  }
  const methods = methodsOf(of).filter((list) => list.includes('publickey') || list.includes('any'));
  if (methods.length === 0) {
    return 'refuses: a key is not among its AuthenticationMethods';
  }
  if (methods.some((list) => !list.some((method) => method.startsWith('keyboard-interactive')))) {
    return 'does not ask for a code: the key is enough';
  }
  return user === 'root' && ROOT_BY_KEY.test(roots)
    ? 'refuses root, who may use only a key (PermitRootLogin)'
    : `${stack}, after the key`;
}

function methodsOf(of: Settings): readonly (readonly string[])[] {
  const lists = of('authenticationmethods');
  return (lists === '' ? 'any' : lists).split(/\s+/).map((list) => list.split(','));
}
