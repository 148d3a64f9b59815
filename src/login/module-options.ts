/** What the module's arguments in pam.d say; they mean the same as pam_google_authenticator's. */
export interface ModuleOptions {
  /** Whoever has no factor is let through by the module. */
  readonly nullok: boolean;
  /** Password and code are typed in one string; the password goes on to the next module. */
  readonly forwardPass: boolean;
  /** `try`: look at the password that an earlier module asked for, then ask. `use`: only look, never ask. */
  readonly stacked: 'ignore' | 'try' | 'use';
  readonly debug: boolean;
}

/** The options, or the argument that is not one. */
export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: ModuleOptions }
  | { readonly kind: 'bad'; readonly argument: string };

const DEFAULTS: ModuleOptions = { nullok: false, forwardPass: false, stacked: 'ignore', debug: false };

const FLAGS: Readonly<Record<string, Partial<ModuleOptions>>> = {
  nullok: { nullok: true },
  forward_pass: { forwardPass: true },
  try_first_pass: { stacked: 'try' },
  use_first_pass: { stacked: 'use' },
  debug: { debug: true },
};

/**
 * Reads the module's arguments. Their order does not matter, but that the last of try_first_pass and use_first_pass holds.
 *
 * @param moduleArguments - as they stand in pam.d
 * @returns the options, or the first argument that is not known: then nobody is let in
 */
export function parseModuleOptions(moduleArguments: readonly Buffer[]): ParsedOptions {
  let options = DEFAULTS;
  for (const bytes of moduleArguments) {
    const argument = bytes.toString();
    const flag = Object.hasOwn(FLAGS, argument) ? FLAGS[argument] : undefined;
    if (flag === undefined) {
      return { kind: 'bad', argument };
    }
    options = { ...options, ...flag };
  }
  return { kind: 'options', options };
}
