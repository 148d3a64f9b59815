import type { Config } from '../../../config/config.ts';
import type { YubicoLine } from '../../../config/yubico-line.ts';
import { lineSettings, yubicoSettings, type YubicoSettings } from '../../../config/yubico-settings.ts';
import { networkClosed } from '../../../host/network-closed.ts';
import type { Log } from '../../../log/log.ts';
import { lookUpReports } from '../../../log/look-up-reports.ts';
import { NETWORK_CLOSED } from '../../../log/server-hints.ts';
import { lineYubikeys } from './line-yubikeys.ts';
import { noOnlineYubikeys, onlineYubikeys, type Bounds, type OnlineYubikeys } from './online-yubikeys.ts';

/** The look-ups for YubiKeys whose secrets are not in the store. */
export interface Yubikeys {
  readonly settings: YubicoSettings;
  /** By config.toml. */
  readonly usual: OnlineYubikeys;
  /** By a line in pam.d. */
  readonly ofLine: (line: YubicoLine) => OnlineYubikeys;
}

/**
 * Makes the look-ups for YubiKeys. They need a server in config.toml or on a line in pam.d.
 *
 * @param config - config.toml
 * @param log - where troubles go
 * @param bounds - limits of look-ups
 * @returns the look-ups
 */
export function yubikeysOfConfig({ yubico }: Config, log: Log, bounds: Bounds): Yubikeys {
  const made = (settings: YubicoSettings): OnlineYubikeys => {
    switch (settings.kind) {
      case 'off':
        return noOnlineYubikeys('no validation server is configured');
      case 'unusable':
        log.event('alert', 'YubiKeys cannot be looked up', { why: settings.why });
        return noOnlineYubikeys(`the validation servers cannot be asked: ${settings.why}`);
      case 'on':
        return onlineYubikeys(settings.settings, lookUpReports(log), bounds);
    }
  };
  const settings = yubicoSettings(yubico);
  if (settings.kind === 'on') {
    void tellClosedNetwork(log);
  }
  const usual = made(settings);
  const ofLine = lineYubikeys(usual, (line) => {
    const own = lineSettings(yubico, line);
    // A line has its own id and key, but shares the network. If config.toml needs the network, it was checked above.
    if (own.kind === 'on' && settings.kind !== 'on') {
      void tellClosedNetwork(log);
    }
    return made(own);
  });
  return { settings, usual, ofLine };
}

/** If the sandbox has no network, report it before the first login. */
async function tellClosedNetwork(log: Log): Promise<void> {
  const code = await networkClosed();
  if (code !== undefined) {
    log.event('alert', 'YubiKeys cannot be looked up', { why: `${NETWORK_CLOSED} (${code})` });
  }
}
