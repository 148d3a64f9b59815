import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { codeOf } from './durable.ts';
import { SwitchError } from './switch-error.ts';

const { O_NOFOLLOW } = constants;
/** O_PATH of Linux, <fcntl.h>: a reference to a file without opening it. Node has no name for it. */
const O_PATH = 0o10000000;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Holds a file during some work, so that nobody can replace it. Follows only symbolic links that belong to root.
 *
 * @param path - absolute
 * @param work - gets a name under which only this file can be reached, and what it is; a link is held as a link
 * @returns what the work returns; undefined: there is no such file
 * @throws SwitchError when somebody else's link is in the way
 */
export function withHeldFile<T>(path: string, work: (name: string, facts: Stats) => T): T | undefined {
  const held: number[] = [];
  const hold = (name: string, follow = false): number => {
    const fd = openSync(name, O_PATH | (follow ? 0 : O_NOFOLLOW));
    held.push(fd);
    return fd;
  };
  try {
    const parts = path.split('/').filter((part) => part !== '');
    let at = hold('/');
    for (const [index, part] of parts.entries()) {
      const above = fstatSync(at);
      let next = hold(`/proc/self/fd/${at}/${part}`);
      if (fstatSync(next).isSymbolicLink() && index < parts.length - 1) {
        if (above.uid !== 0 || (above.mode & WRITABLE_BY_OTHERS) !== 0) {
          throw new SwitchError(
            `${path} is reached through a symbolic link that does not belong to root. Nothing was done.`,
          );
        }
        next = hold(`/proc/self/fd/${at}/${part}`, true);
      }
      at = next;
    }
    return work(`/proc/self/fd/${at}`, fstatSync(at));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  } finally {
    held.forEach((fd) => closeSync(fd));
  }
}
