import { isIP } from 'node:net';
import { isServiceName } from '../pam-d/services.ts';
import { CommandError } from './control-client.ts';

/*
 * The words that describe a login on a command line: a PAM service, a user, an address. Invalid words are refused before any
 * request.
 */

/** A login name: no blank or control character, colon or slash, in passwd(5) or in a directory. Blanks inside are taken. */
const USER = /^[^\s\p{Cc}:/-](?:[^\p{Cc}:/]{0,254}[^\s\p{Cc}:/])?$/u;

/**
 * A PAM service, as typed.
 *
 * @param word - as typed
 * @returns the same word
 * @throws CommandError when no service can have that name
 */
export function serviceWord(word: string): string {
  return isServiceName(word)
    ? word
    : refuse(
        `${JSON.stringify(word)} cannot be the name of a service: a name has letters, digits and _.+@-, and no slash. ` +
          'The files in /etc/pam.d are named like the services, for example sshd',
      );
}

/**
 * A user's name, as typed. Whether there is such a user is another question.
 *
 * @param word - as typed
 * @returns the same word
 * @throws CommandError when no user can have that name
 */
export function userWord(word: string): string {
  return USER.test(word)
    ? word
    : refuse(
        `${JSON.stringify(word)} cannot be the name of a user. Names are as "getent passwd" lists them, for example alice`,
      );
}

/**
 * A literal address, as typed: rules compare addresses, and never look up a name.
 *
 * @param word - as typed
 * @returns the same word
 * @throws CommandError when it is none
 */
export function addressWord(word: string): string {
  return isIP(word) > 0
    ? word
    : refuse(
        `${JSON.stringify(word)} is not an address. Type an IPv4 or IPv6 address without a prefix length or a port, for example 192.0.2.7 or 2001:db8::1`,
      );
}

function refuse(message: string): never {
  throw new CommandError('ERR_USAGE', message);
}
