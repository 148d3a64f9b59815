import { closeSync, writeSync } from 'node:fs';
import { acceptFrom, type Acceptor, type Peer } from './addon.ts';
import { Door } from './door.ts';
import type { UidRate } from './uid-rate.ts';

/** Who is accepted at a socket, and the answer to the others. */
export interface AcceptTerms {
  /** How often uids other than root may connect; left out: without a limit. */
  readonly rate?: UidRate | undefined;
  /** The answer to a caller who connects too often. */
  readonly refusal: Buffer;
  accepted(fd: number, peer: Peer): void;
}

/**
 * Accepts connections from a socket that somebody opened for us, and turns away callers who connect too often.
 *
 * @param fd - the listening socket
 * @param terms - who gets in
 * @returns the acceptor; if its caller pauses it, it stays paused until resumed
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
 * This must be cheap, because a rejected caller may connect again at once.
 *
 * @param fd - a connection; it is closed
 * @param last - the answer
 */
export function sayAndClose(fd: number, last: Buffer): void {
  try {
    writeSync(fd, last);
  } catch {
    // It is gone already.
  }
  closeSync(fd);
}
