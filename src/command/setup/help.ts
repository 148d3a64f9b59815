/** What `setup --help` says. */
export const SETUP_HELP = `Usage: pve-google-authenticator [setup] [flags]

Set up a phone or token. The setup asks what the flags leave open, shows a QR
code, and changes nothing before your last answer. Ctrl-C leaves at any point.

  -t, --time-based          Use codes that change with the time
  -c, --counter-based       Use codes that are counted
  -C, --no-confirm          Do not ask for a code of the new phone
  -d, --disallow-reuse      Accept each code once (in the store always)
  -D, --allow-reuse         Accept a code again: for --secret=FILE only
  -f, --force               Save without asking
  -q, --quiet               Show nothing; with --force, ask nothing either
  -l, --label=LABEL         Name the account in the app; default: the user
  -i, --issuer=ISSUER       Name the machine in the app; default: the host
  -Q, --qr-mode=MODE        Draw the QR code as NONE, ANSI, ANSI_INVERSE,
                            ANSI_GREY, UTF8, UTF8_INVERSE or UTF8_GREY
  -r, --rate-limit=N        Allow N tries (1 to 10) ...
  -R, --rate-time=M         ... in M seconds (15 to 600)
  -u, --no-rate-limit       Set no limit of the factor; the daemon's own stays
  -w, --window-size=W       Accept W codes (1 to 21)
  -W, --minimal-window      Accept 3 codes by time, 1 by counter
  -S, --step-size=S         Use codes of S seconds (1 to 60; in the store 15
                            to 60)
  -e, --emergency-codes=N   Make N recovery codes (0 to 10)
  -s, --secret=FILE         Write a file of pam_google_authenticator, and leave
                            the store alone
      --period=SECONDS      The same as -S, up to 120
      --algorithm=NAME      Use sha1, sha256 or sha512
      --digits=N            Use codes of 6, 7 or 8 digits
      --name=NAME           Name the device, for example pixel-7
      --own-secret          Read the secret from standard input
      --user=USER           Set up somebody else, as root
      --proxmox             Add the phone to Proxmox VE, as root: its web
                            interface then asks for it, too. Goes with --user,
                            --name, --issuer and --qr-mode only
      --plain               Draw no QR code: for screen readers
      --json                Print the result as JSON; it holds the secrets
  -h, --help                Show this help
      --version             Print the version

Examples:
  pve-google-authenticator -t --name=pixel-7
  pve-google-authenticator -t -f -q --json
  pve-google-authenticator -t -d -f -q -r 3 -R 30 -w 3 -Q none -C -s FILE

Exit status: 0 saved, or left as it was because you said so; 1 not done, or a
wrong command line; 130 left by Ctrl-C.
`;
