/** What datacenter.cfg says about keys of browsers: they work for one site only, and so nowhere but in the web interface. */
export interface DatacenterConfig {
  /** The domain for which WebAuthn keys are registered; undefined: it is not set up. */
  readonly webauthnId: string | undefined;
  /** The site for which U2F keys are registered; undefined: it is not set up. */
  readonly u2fAppId: string | undefined;
}

/**
 * Reads datacenter.cfg. Nobody's login depends on it: what cannot be understood is passed over.
 *
 * @param text - the whole file
 * @returns what it says
 */
export function parseDatacenterConfig(text: string): DatacenterConfig {
  return {
    webauthnId: partOf(text, 'webauthn', 'id'),
    u2fAppId: partOf(text, 'u2f', 'appid'),
  };
}

function partOf(text: string, setting: string, part: string): string | undefined {
  const [, value] = new RegExp(`^${setting}:\\s*(.*)$`, 'm').exec(text) ?? [];
  return value
    ?.split(',')
    .map((each) => each.trim())
    .find((each) => each.startsWith(`${part}=`))
    ?.slice(part.length + 1);
}
