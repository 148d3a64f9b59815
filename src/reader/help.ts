/** What `pve-authenticator-files --help` says. */
export const READER_HELP = `Usage: pve-authenticator-files [options]

Read and replace users' files for pve-authenticatord, each as its user.
systemd starts it when the daemon first asks.

Options:
  --runtime-dir DIRECTORY  Open files.sock there
                           (default: /run/pve-authenticator)
  --daemon-user NAME       Answer this user only (default: your own)
  --daemon-uid UID         The same by its number
  --attached               End with the standard input: as a child of the daemon
  --pve-dir DIRECTORY      Read the files of Proxmox VE there
                           (default: /etc/pve)
  --pbs-dir DIRECTORY      Read those of Proxmox Backup Server there
                           (default: /etc/proxmox-backup)
  --help                   Show this help
  --version                Print the version

Exit status: 0 stopped as asked, 1 an error, 64 a wrong command line.
See also: man pve-authenticatord`;
