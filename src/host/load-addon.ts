import { fileURLToPath } from 'node:url';

let loaded: unknown;

/**
 * Loads the native addon on first use, so that importing its users needs no compiled addon.
 *
 * @returns its functions, which check no arguments: `addon.ts` and `user-files.ts` declare and guard them
 * @throws Error when it is not built
 */
export function loadAddon(): unknown {
  if (loaded === undefined) {
    // The path is the same from src/host, dist/host and dist/daemon.
    const file = fileURLToPath(
      new URL('../../native/addon/build/Release/pve_authenticator.node', import.meta.url),
    );
    try {
      const addon = { exports: {} };
      process.dlopen(addon, file);
      loaded = addon.exports;
    } catch (cause) {
      throw new Error(`cannot load the native addon ${file}. To build it: make build`, { cause });
    }
  }
  return loaded;
}
