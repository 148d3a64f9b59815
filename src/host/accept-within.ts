import { closeSync, writeSync } from 'node:fs';
import { acceptFrom, type Acceptor, type Peer } from './addon.ts';
import { Door } from './door.ts';
import type { UidRate } from './uid-rate.ts';

/** Who gets in at a socket, and what the others hear. */
export interface AcceptTerms {
  /** How often uids other than root's may come; left out: as often as they want. */
  readonly rate?: UidRate | undefined;
  /** The last word to a connection that comes too often. */
  readonly refusal: Buffer;
  accepted(fd: number, peer: Peer): void;
}

/**
 * Accepts connections from a socket that somebody opened for us, and keeps those short who come too often.
 *
 * @param fd - the listening socket
 * @param terms - who gets in
 * @returns the running side: what its caller pauses stays so until they resume it
 */
export function acceptWithin(fd: number, terms: AcceptTerms): Acceptor {
  const acceptor = acceptFrom(
    fd,
    (connection, peer) => {
      if (peer.uid === 0 || terms.rate === undefined || terms.rate.spend(peer.uid)) {
        terms.accepted(connection, peer);
      } else {
        sayAndClose(connection, terms.refusal);
        door.turnedAway();
      }
    },
    () => door.notAccepted(),
  );
  const door = new Door(acceptor);
  return {
    pause: () => door.pause(),
    resume: () => door.resume(),
    close() {
      door.close();
      acceptor.close();
    },
  };
}

/**
 * Costs as little as can be: whoever is turned away may come again at once.
 *
 * @param fd - a connection; it is closed
 * @param last - what it hears
 */
export function sayAndClose(fd: number, last: Buffer): void {
  try {
    writeSync(fd, last);
  } catch {
    // It is gone already.
  }
  closeSync(fd);
}
