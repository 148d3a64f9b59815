/** All texts at a login prompt. They are short and kind, and do not tell who exists or has which factor. */
export const TEXTS = {
  askForCode: 'Verification code: ',
  askForPasswordAndCode: 'Password & verification code: ',
  askForYubikey: (user: string): string => `YubiKey for \`${user}': `,
  askForTouchToo: 'Now touch your YubiKey: ',
  askForCodeToo: 'Now the verification code: ',
  askForOther: 'YubiKeys cannot be checked right now. Another code: ',
  askForPasswordAndOther: 'YubiKeys cannot be checked right now. Password & another code: ',
  touchMissing: 'A touch of a YubiKey is needed, too.',
  codeMissing: 'A verification code is needed, too.',
  unavailable: 'Your code cannot be checked right now. Please try again later, or tell your administrator.',
  tooManyTries: 'Too many tries. Please wait a moment, then try again.',
  keysOfProxmox:
    'That is no verification code. Recovery keys of Proxmox work only in its web interface; here, the codes do that "pve-google-authenticator recovery" made.',
  fewRecoveryCodes: (left: number): string =>
    `You have ${left === 0 ? 'no recovery codes' : left === 1 ? 'one recovery code' : `${left} recovery codes`} left. New ones: pve-google-authenticator recovery`,
} as const;
