/** What `--help` says about the setup. */
export const SETUP_HELP = `
Setup (no command): asks what is needed, shows a QR code, and changes nothing
before the end. Ctrl-C leaves at any point.

  -t, --time-based          codes that change with the time
  -c, --counter-based       codes that are counted
  -C, --no-confirm          ask for no code of the phone
  -d, --disallow-reuse      each code works once (in the store always)
  -D, --allow-reuse         the opposite, for a file of --secret only
  -f, --force               do not ask before saving
  -q, --quiet               show nothing; with --force, ask nothing
  -l, --label=LABEL         whose code it is, for the phone; default: the user
  -i, --issuer=ISSUER       who asks for it, for the phone; default: the host
  -Q, --qr-mode=MODE        NONE, ANSI, ANSI_INVERSE, ANSI_GREY, UTF8,
                            UTF8_INVERSE or UTF8_GREY
  -r, --rate-limit=N        at most N tries (1 to 10) ...
  -R, --rate-time=M         ... in M seconds (15 to 600)
  -u, --no-rate-limit       no limit for this factor; the daemon's own stays
  -w, --window-size=W       so many codes are accepted (1 to 21)
  -W, --minimal-window      3 codes by time, 1 by counter
  -S, --step-size=S         seconds of a code (1 to 60; in the store 15 to 60)
  -e, --emergency-codes=N   so many recovery codes (0 to 10)
  -s, --secret=FILE         write a file of pam_google_authenticator, and
                            leave the store alone
      --period=SECONDS      as -S, up to 120
      --algorithm=NAME      sha1, sha256 or sha512
      --digits=N            6, 7 or 8
      --name=NAME           of the device, for example pixel-7
      --own-secret          read the secret from standard input
      --user=NAME           set up somebody else, as root
      --proxmox             as root: add the phone to Proxmox VE, whose web
                            interface then asks for it, too; with --user,
                            --name, --issuer and --qr-mode only
      --plain               no QR code: for screen readers
      --json                print the result as JSON; it holds the secrets

Examples:
  pve-google-authenticator
  pve-google-authenticator -t --name=pixel-7
  pve-google-authenticator -t -f -q --json
  pve-google-authenticator -t -d -f -q -r 3 -R 30 -w 3 -Q none -C -s FILE

Exit status: 0 done, or left as it was on request; 1 not done (setup: also
wrong options); 2 wrong options of a command; 130 left by Ctrl-C.
`;
