import { randomBytes } from 'node:crypto';
import { chownSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { recordFileName } from '../../src/contracts/record-file-name.ts';
import { formatRecord } from '../../src/daemon/enrolments/store/record.ts';
import { encodeModhex } from '../../src/yubico-otp/index.ts';
import { contenderOf, type Group } from './contenders.ts';
import { startDaemon } from './daemon.ts';
import { logIn } from './driver.ts';
import { enrolInStore } from './enrol.ts';
import { loginsOf, roundOf, type Results } from './measure.ts';
import { DAEMON_UID } from './programs.ts';
import { timeSteps } from './typed-codes.ts';
import { userOf, usersOf } from './users.ts';
import { CONFIG, serviceOf, UNLIMITED } from './world.ts';

/* TOTP logins while YubiKeys are touched and all validation servers are dead, and without YubiKeys configured. */

const TURNS = 20;
const LOGINS = 50;
const WARM_UP = 2;
/** Milliseconds that a touch may wait for the servers, as config.toml says it here. */
export const TOUCH_DEADLINE_MS = 2000;
/** How many touches run at once. */
const OWNERS = 8;
/** The users who touch come after all users who log in with TOTP. Each may have ten look-ups a minute. */
const FIRST_OWNER = 20_000;
const PUBLIC_ID = 'cccccccccccb';

/** The results. */
export interface DeadServers {
  readonly results: Results;
  /** What each touch took until it was answered, milliseconds. */
  readonly touches: readonly number[];
}

/**
 * Measures TOTP logins of two daemons in turns: one asks dead servers about YubiKeys all the time, the other knows none.
 *
 * @param data - where service files and states are
 * @returns logins by label, and the touches
 */
export async function measureDeadServers(data: string): Promise<DeadServers> {
  const silent = await listen();
  const refusing = await listen();
  const ports = [silent, refusing].map(({ server }) => (server.address() as AddressInfo).port);
  await refusing.close();
  const plainConfig = CONFIG + UNLIMITED;
  const urls = ports.map((port) => `"https://127.0.0.1:${port}/"`).join(', ');
  const yubico = `[yubico]\nmode = "online"\nid = 1\nkey = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="\nurls = [${urls}]\ndeadline = ${TOUCH_DEADLINE_MS / 1000}\n`;
  writeFileSync(`${data}/plain.toml`, plainConfig);
  writeFileSync(`${data}/keys.toml`, plainConfig + yubico);
  const daemons = [];
  for (const name of ['plain', 'keys']) {
    const daemon = await startDaemon(data, name, { config: `${data}/${name}.toml` });
    await daemon.ready();
    enrolInStore(`${data}/state-${name}`, DAEMON_UID, usersOf('totp'));
    serviceOf(data, `ours-${name}`, daemon.socket);
    daemons.push(daemon);
  }
  const contenders = ['plain', 'keys'].map((name) =>
    contenderOf(`dead/${name}`, `ours-${name}`, timeSteps()),
  );
  const group: Group = { title: 'dead servers', contenders, processes: 1, logins: LOGINS, block: LOGINS / 5 };
  const touching = touchAllTheTime(data);
  const took = new Map<string, number[]>();
  for (let turn = -WARM_UP; turn < TURNS; turn++) {
    const order = turn % 2 === 0 ? contenders : [...contenders].reverse();
    for (const [label, times] of await loginsOf(data, { ...group, contenders: order })) {
      took.set(label, [...(took.get(label) ?? []), ...(turn < 0 ? [] : times)]);
    }
  }
  const touches = await touching.stop();
  for (const daemon of daemons) {
    await daemon.stop();
  }
  await silent.close();
  return { results: new Map([...took].map(([label, times]) => [label, [roundOf(times)]])), touches };
}

/** Each touch is by another user, because a user's look-ups are limited. */
function touchAllTheTime(data: string): { stop: () => Promise<number[]> } {
  const over = new AbortController();
  const touches: number[] = [];
  let next = FIRST_OWNER;
  const one = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const user = userOf(next++ % (2 * FIRST_OWNER));
      enrolKey(`${data}/state-keys`, user.name, user.uid);
      const code = PUBLIC_ID + encodeModhex(randomBytes(16));
      const { logins } = await logIn(data, 1, [
        { label: 'touch', service: 'ours-keys', user: user.name, code },
      ]);
      const [login] = logins;
      // PAM_SYSTEM_ERR: no server answered.
      if (login?.rc !== 4) {
        throw new Error(`a touch ended with ${String(login?.rc)}`);
      }
      touches.push(login.took / 1000);
    }
  };
  const all = Promise.all(Array.from({ length: OWNERS }, one));
  return {
    stop: async () => {
      over.abort();
      await all;
      return touches;
    },
  };
}

function enrolKey(stateDir: string, user: string, uid: number): void {
  const path = `${stateDir}/enrolments/${recordFileName(user)}`;
  const key = { kind: 'yubikey-online', id: 'key1', name: 'key', added: 0, publicId: PUBLIC_ID } as const;
  writeFileSync(path, formatRecord({ user, uid, factors: [key] }), { mode: 0o600 });
  chownSync(path, DAEMON_UID, DAEMON_UID);
}

/** A server that accepts and never says anything. */
async function listen(): Promise<{ server: Server; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined))).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  return {
    server,
    close: async () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
