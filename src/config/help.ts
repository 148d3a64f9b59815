/** What `pve-authenticatord --help` says. */
export const DAEMON_HELP = `Usage: pve-authenticatord [options]

Check the second factors of this machine's logins. systemd starts it, with
pve-authenticator.socket.

Options:
  --runtime-dir DIRECTORY  Open the sockets there
                           (default: /run/pve-authenticator)
  --state-dir DIRECTORY    Keep factors and used codes there
                           (default: /var/lib/pve-authenticator)
  --config FILE            Read the configuration from FILE
                           (default: /etc/pve-authenticator/config.toml)
  --require-state          Do not start without a store: its file system may
                           not be mounted
  --init-state             Make an empty store if there is none, and end
  --with-files             Start the reader of users' files, too: in a checkout
  --help                   Show this help
  --version                Print the version

Exit status: 0 stopped as asked, 1 an error, 64 a wrong command line.
See also: man pve-authenticatord`;
