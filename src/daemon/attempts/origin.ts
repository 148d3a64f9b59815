import { isIP } from 'node:net';

/** Longer host names than any real one are cut: RFC 1035, section 2.3.4. */
const MAX_HOST_LENGTH = 255;
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * The origin of a login, for which failures are counted separately: the remote host, or else the terminal. Of an IPv6 address it
 * is the /64 network, because one user usually has all addresses of it.
 *
 * @param rhost - PAM_RHOST, if there is one
 * @param tty - PAM_TTY, if there is one
 * @returns a text that is equal for equal origins
 */
export function originOf(rhost: string | undefined, tty: string | undefined): string {
  if (rhost !== undefined && rhost !== '') {
    return `rhost ${networkOf(rhost.slice(0, MAX_HOST_LENGTH).toLowerCase())}`;
  }
  return tty === undefined || tty === '' ? 'none' : `tty ${tty.slice(0, MAX_HOST_LENGTH)}`;
}

function networkOf(host: string): string {
  const address = host.replace(/%.*$/, '');
  if (isIP(address) !== 6) {
    return host;
  }
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped?.[1] !== undefined) {
    return mapped[1];
  }
  return `${groupsOf(address).slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** The eight groups of an IPv6 address (RFC 4291, section 2.2), without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // A dotted quad at the end stands for two groups. Only the first four groups are needed, so its value does not matter.
  const width = [...before, ...after].reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0);
  const zeros = tail === undefined ? [] : Array.from({ length: GROUPS - width }, () => '0');
  return [...before, ...zeros, ...after].map((group) => group.replace(/^0+(?=.)/, ''));
}
