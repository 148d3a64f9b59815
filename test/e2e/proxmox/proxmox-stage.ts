import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Stage, type Daemon, type Person } from '../daemon/stage.ts';

/** Entries of a user in tfa.cfg. */
export type Entries = Readonly<Record<string, unknown>>;

/** A stage with Proxmox VE: files in place of those of /etc/pve, and the daemon. */
export class ProxmoxStage {
  stage!: Stage;
  daemon!: Daemon;
  readonly #tfa = new Map<string, Entries>();
  readonly #users = new Map<string, string>();
  #written = 0;

  /** Replaces this daemon by a new one. */
  async restart(): Promise<void> {
    await this.daemon.stop();
    this.daemon = await this.stage.start();
  }

  /**
   * A new person whom Proxmox knows.
   *
   * @param entries - their entries in tfa.cfg; undefined: none
   * @returns the person
   */
  person(entries?: (person: Person) => Entries): Person {
    const person = this.stage.person({ enrolled: false });
    this.#users.set(`${person.name}@pam`, entries === undefined ? '' : 'x');
    if (entries !== undefined) {
      this.#tfa.set(`${person.name}@pam`, entries(person));
    }
    this.writeFiles();
    return person;
  }

  /**
   * Gives a person other entries.
   *
   * @param person - whom
   * @param entries - what stands in tfa.cfg from now on
   */
  change({ name }: Person, entries: Entries | undefined): void {
    if (entries === undefined) {
      this.#tfa.delete(`${name}@pam`);
    } else {
      this.#tfa.set(`${name}@pam`, entries);
    }
    this.writeFiles();
  }

  /** tfa.cfg as Proxmox writes it. */
  get tfa(): string {
    return JSON.stringify({ users: Object.fromEntries(this.#tfa) });
  }

  /** Writes tfa.cfg and user.cfg. */
  writeFiles(): void {
    this.write('priv/tfa.cfg', this.tfa);
    const lines = [...this.#users].map(([userId, keys]) => `user:${userId}:1:0:::::${keys}:\n`);
    this.write('user.cfg', lines.join(''));
  }

  /**
   * Replaces a file as Proxmox does: another one takes its name.
   *
   * @param name - in /etc/pve
   * @param text - what it shall hold; undefined: it is removed
   */
  write(name: string, text: string | undefined): void {
    const file = `${this.stage.pveDir}/${name}`;
    if (text === undefined) {
      rmSync(file, { force: true });
      return;
    }
    const temporary = `${file}.tmp.${++this.#written}`;
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, file);
  }

  /** Takes the directory away, as when its file system is not mounted. */
  unmount(): void {
    renameSync(this.stage.pveDir, `${this.stage.dir}/pve-away`);
    mkdirSync(this.stage.pveDir);
  }

  /** Brings it back. */
  mount(): void {
    rmSync(this.stage.pveDir, { recursive: true });
    renameSync(`${this.stage.dir}/pve-away`, this.stage.pveDir);
  }
}

/** An entry as Proxmox writes it. */
export function entry(of: unknown, more: object = {}): object {
  return { id: '11111111-2222-4333-8444-555555555555', description: 'phone', created: 1, ...more, entry: of };
}

/** A passkey as Proxmox writes it. */
export const PASSKEY = { cred_id: 'AAEC', cred: { type_: 'ES256', key: {} }, counter: 7 };

/** The URI of a person's app. */
export function uriOf({ name, secret }: Person): string {
  return `otpauth://totp/Proxmox%20VE:${name}%40pam?secret=${secret}&digits=6&algorithm=SHA1&period=30&issuer=Proxmox%20VE`;
}

/** Entries of somebody who has an app. */
export function phone(person: Person): Entries {
  return { totp: [entry(uriOf(person))] };
}

/**
 * A stage for all tests of the file that calls this.
 *
 * @param toml - further configuration
 * @returns it; filled before the first test
 */
export function useProxmox(toml = ''): ProxmoxStage {
  const proxmox = new ProxmoxStage();
  beforeAll(async () => {
    proxmox.stage = await Stage.build({ withProxmox: true });
    proxmox.stage.configure(toml);
    proxmox.daemon = await proxmox.stage.start();
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') {
      console.log(`The daemon's log:\n${proxmox.daemon.log.lines.slice(-20).join('\n')}`);
    }
  });
  afterAll(() => proxmox.stage.clear());
  return proxmox;
}
