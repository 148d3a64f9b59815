import { expect } from 'vitest';
import type { Ended } from '../harness/run.ts';
import { CHECKOUT_THERE, Machine } from './machine.ts';
import { prepareSsh, ssh } from './ssh.ts';

/** The name of the undo's service and timer. */
export const UNDO = 'pve-authenticator-undo';
/** Of alice and root. */
export const PASSWORD = 'correct-horse';

/** The file with the kernel's clock source. */
const CLOCK_SOURCE = '/sys/devices/system/clocksource/clocksource0/current_clocksource';

/**
 * Lines of shell after which a machine keeps its own clock until the next boot: it does not look like a container, and neither the
 * hypervisor nor the time server of the computer that runs the tests counts.
 */
export const OWN_CLOCK = `
  printf '#!/bin/sh\\nexit 1\\n' >/usr/local/bin/systemd-detect-virt
  printf '#!/bin/sh\\necho no\\n' >/usr/local/bin/timedatectl
  chmod 755 /usr/local/bin/systemd-detect-virt /usr/local/bin/timedatectl
  echo tsc >/run/clock-source
  mount --bind /run/clock-source ${CLOCK_SOURCE}`;

/** A machine that can be booted again, with everything installed, sshd that can ask, and alice, who has recovery codes. */
export class GuardedMachine {
  readonly machine: Machine;
  readonly #codes = new Map<string, string[]>();

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  /**
   * Boots and installs.
   *
   * @returns the machine
   */
  static async boot(): Promise<GuardedMachine> {
    const machine = await Machine.boot('kept');
    const guarded = new GuardedMachine(machine);
    await machine.shell(`
      useradd --create-home --shell /bin/sh alice
      printf '%s:${PASSWORD}\\n' alice root | chpasswd
      ${OWN_CLOCK}`);
    await prepareSsh(machine);
    await guarded.install();
    await guarded.synchronise();
    return guarded;
  }

  /** `make install`. */
  async install(): Promise<void> {
    await this.machine.runWell(['make', '--no-print-directory', '-C', CHECKOUT_THERE, 'install']);
  }

  /** There is no network, but somebody keeps the clock. */
  async synchronise(): Promise<void> {
    await this.machine.shell('mkdir -p /run/systemd/timesync && touch /run/systemd/timesync/synchronized');
  }

  /** A reboot, and the clock is kept. */
  async reboot(): Promise<void> {
    await this.machine.reboot();
    await this.machine.shell(OWN_CLOCK);
    await this.synchronise();
  }

  /** The command, as root. */
  command(...words: readonly string[]): Promise<Ended> {
    return this.machine.run(['pve-google-authenticator', ...words]);
  }

  /** Replaces somebody's recovery codes. */
  async enrol(user: string): Promise<void> {
    const printed = await this.machine.runWell([
      'pve-google-authenticator',
      'recovery',
      '--yes',
      '--user',
      user,
      '--json',
    ]);
    this.#codes.set(user, [...(JSON.parse(printed) as { codes: string[] }).codes]);
  }

  /** A fresh one-time code. */
  code(user: string): string {
    return this.#codes.get(user)?.shift() ?? 'none';
  }

  /** A file of pam.d, byte for byte. */
  pam(service: string): Promise<string> {
    return this.machine.shell(`base64 -w0 /etc/pam.d/${service}`);
  }

  /**
   * Logs in over SSH, with the password and a one-time code.
   *
   * @param user - who
   * @param code - the answer to every question but the password
   * @param more - further options of the client
   * @returns how the client ended
   */
  ssh(user = 'alice', code = this.code(user), options: readonly string[] = []): Promise<Ended> {
    return ssh(this.machine, { user, password: PASSWORD, code, options });
  }

  /** Waits until a line of shell succeeds. */
  async until(line: string, seconds = 60): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    let last: Ended;
    do {
      last = await this.machine.run(['sh', '-euc', line]);
      if (last.status === 0) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    } while (Date.now() < deadline);
    const journal = await this.machine.run(['journalctl', '--no-pager', '-n', '30', '-u', UNDO]);
    expect.fail(`not in time: ${line}\n${last.stdout}${last.stderr}${journal.stdout}`);
  }

  /** Waits until nothing waits to be confirmed. */
  async untilUndone(): Promise<void> {
    await this.until('test ! -e /etc/pve-authenticator/switch/pending');
  }
}
