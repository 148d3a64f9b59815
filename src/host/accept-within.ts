import { closeSync, writeSync } from 'node:fs';
import { acceptFrom, type Acceptor, type Peer } from './addon.ts';
import type { UidRate } from './uid-rate.ts';

/** Waiting for more file descriptors, when there are none, in milliseconds. */
const DESCRIPTOR_PAUSE_MS = 100;
/** After so many that were turned away the socket rests, so that whoever comes again at once takes little of our time. */
const TURNED_AWAY_AT_ONCE = 8;
const REST_MS = 1;

/** Who gets in at a socket, and what the others hear. */
export interface AcceptTerms {
  /** How often uids other than root's may come; left out: as often as they want. */
  readonly rate?: UidRate | undefined;
  /** The last word to a connection that comes too often. */
  readonly refusal: Buffer;
  accepted(fd: number, peer: Peer): void;
  /** Somebody came too often: nothing of the connection was read, and it is closed. */
  turnedAway(peer: Peer): void;
  /** @param code - of the error, such as EMFILE: it is tried again soon */
  failed(code: string): void;
}

/**
 * Accepts connections from a socket that somebody opened for us, and keeps those short who come too often.
 *
 * @param fd - the listening socket
 * @param terms - who gets in
 * @returns the running side: what its caller pauses stays so until they resume it
 */
export function acceptWithin(fd: number, terms: AcceptTerms): Acceptor {
  let paused = false;
  let closed = false;
  let resting: NodeJS.Timeout | undefined;
  let turnedAway = 0;
  const rest = (milliseconds: number): void => {
    acceptor.pause();
    clearTimeout(resting);
    resting = setTimeout(() => {
      resting = undefined;
      if (!paused && !closed) {
        acceptor.resume();
      }
    }, milliseconds);
  };
  const acceptor = acceptFrom(
    fd,
    (connection, peer) => {
      if (peer.uid === 0 || terms.rate === undefined || terms.rate.spend(peer.uid)) {
        terms.accepted(connection, peer);
        return;
      }
      sayAndClose(connection, terms.refusal);
      terms.turnedAway(peer);
      turnedAway += 1;
      if (turnedAway % TURNED_AWAY_AT_ONCE === 0) {
        rest(REST_MS);
      }
    },
    (code) => {
      terms.failed(code);
      rest(DESCRIPTOR_PAUSE_MS);
    },
  );
  return {
    pause() {
      paused = true;
      acceptor.pause();
    },
    resume() {
      paused = false;
      if (resting === undefined) {
        acceptor.resume();
      }
    },
    close() {
      closed = true;
      clearTimeout(resting);
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
