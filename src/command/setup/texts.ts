/** What the setup says and asks. */
export const SETUP_TEXTS = {
  timeBased:
    'Should codes change with the time, as on phones? Answer n for counted codes, as on some tokens.',
  another: (user: string, names: string): string => `${user} already has ${names}. This adds another one.`,
  ownSecret: 'Your own secret, base32 (or hexadecimal after 0x): ',
  badSecret:
    'That is not a secret. It must be 10 to 128 bytes in base32, or in hexadecimal after 0x. Nothing was changed.',
  codes: 'Recovery codes, each good for one login. Keep them where the phone is not:',
  codesKept: 'The existing recovery codes stay valid.',
  save: (file: string | undefined, user: string): string =>
    file === undefined ? `Save this for ${user}?` : `Do you want me to write ${JSON.stringify(file)}?`,
  singleUse: 'Each code works once.',
  reuseRefused: '-D has no effect here: each code works only once.',
  disallowReuse: 'Should each code work only once? Then nobody can use a code that they saw you type.',
  timeWindow:
    'Codes from 30 seconds before and after are accepted, too. Enlarge that to 4 minutes, for wrong clocks?',
  counterWindow: (usual: number, wide: number): string =>
    `The next ${usual} codes are accepted, in case you skip some. Enlarge that to ${wide} codes?`,
  limit: 'Limit tries for this factor to 3 in 30 seconds?',
  saved: (user: string, name: string, id: string, whose: string): string =>
    `Done: ${user} now has the factor ${name} (${id}). To see it: pve-google-authenticator list${whose}`,
  written: (file: string): string => `Done: ${file} is written.`,
  nothingChanged: 'Nothing was changed.',
} as const;
