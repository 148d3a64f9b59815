/** The first descriptor that systemd passes: SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_FD = 3;

/**
 * The sockets that systemd (or a program that acts like it) opened for this process: sd_listen_fds_with_names(3).
 *
 * @param environment - the process's environment; the variables are removed from it, so that children do not see them
 * @param pid - this process's id
 * @returns descriptors by name; empty when there are none for this process
 * @throws Error when the variables contradict each other
 */
export function activatedSockets(environment: NodeJS.ProcessEnv, pid: number): Map<string, number> {
  const forPid = environment['LISTEN_PID'];
  const count = Number(environment['LISTEN_FDS'] ?? 0);
  const names = count === 0 ? [] : (environment['LISTEN_FDNAMES'] ?? '').split(':');
  for (const name of ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) {
    Reflect.deleteProperty(environment, name);
  }
  if (forPid !== String(pid)) {
    return new Map();
  }
  if (!Number.isInteger(count) || count < 0 || names.length !== count) {
    throw new Error(`LISTEN_FDS and LISTEN_FDNAMES disagree: ${count} sockets, ${names.length} names`);
  }
  if (new Set(names).size !== count) {
    throw new Error(`LISTEN_FDNAMES has a name twice: ${names.join(':')}`);
  }
  return new Map(names.map((name, index) => [name, FIRST_FD + index]));
}
