/** What the setup says and asks. */
export const SETUP_TEXTS = {
  timeBased:
    'Shall codes change with the time, as phones have it? With n they are counted, as some tokens have it.',
  another: (user: string, names: string): string => `${user} has ${names}. This sets up another one beside.`,
  ownSecret: 'Your own secret, base32 (or hexadecimal behind 0x): ',
  badSecret:
    'That is no secret: 10 to 128 bytes in base32, or in hexadecimal behind 0x. Nothing was changed.',
  codes: 'Recovery codes, each good for one login. Keep them where the phone is not:',
  codesKept: 'The recovery codes that are there already stay.',
  save: (file: string | undefined, user: string): string =>
    file === undefined ? `Save this for ${user}?` : `Do you want me to write ${JSON.stringify(file)}?`,
  singleUse: 'Each code works once.',
  reuseRefused: '-D is not needed: here each code works once, always. It goes on without it.',
  disallowReuse: 'Shall each code work only once? It shows when somebody read one over your shoulder.',
  timeWindow:
    'Codes of 30 seconds before and after are accepted too. Enlarge that to 4 minutes, for clocks that are wrong?',
  counterWindow: (usual: number, wide: number): string =>
    `${usual} codes ahead are accepted, for those that were not used. Enlarge that to ${wide} codes?`,
  limit: 'Limit tries for this factor to 3 in 30 seconds?',
  saved: (user: string, name: string, id: string, whose: string): string =>
    `Done: ${user} has the factor ${name} (${id}) now. See it with: pve-google-authenticator list${whose}`,
  written: (file: string): string => `Done: ${file} is written.`,
  nothingChanged: 'Nothing was changed.',
} as const;
