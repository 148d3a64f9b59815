import type { LineEnd, LineName, LoginLines } from '../../host/login-lines.ts';
import type { Advance, Claim, Claims } from '../ledger/ledger.ts';

/* The end of a turn of the event loop: commit, log, answers. */

/** To whom a frame goes. */
interface Addressee {
  readonly line: LineName;
  /** Called if the frame cannot be sent. */
  ended(how: LineEnd): void;
}

/** A frame that is sent at the end of a turn. */
interface Outgoing {
  readonly to: Addressee;
  readonly frame: Buffer;
  readonly last: boolean;
}

interface Waiting {
  readonly claim: Claim;
  readonly settled: (outcome: Advance) => void;
}

/**
 * The work at the end of one turn of the event loop: one commit of all claims, then the log, then the answers. So no answer is
 * sent before it is durable, and many logins share one write.
 */
export class Turn {
  readonly #lines: Pick<LoginLines, 'send' | 'hangUp'>;
  readonly #ledger: Claims;
  #claims: Waiting[] = [];
  #outgoing: Outgoing[] = [];

  /**
   * @param lines - where answers go
   * @param ledger - where claims are committed
   */
  constructor(lines: Pick<LoginLines, 'send' | 'hangUp'>, ledger: Claims) {
    this.#lines = lines;
    this.#ledger = ledger;
  }

  /**
   * Adds a claim to the next commit.
   *
   * @param claim - from the ledger
   * @param settled - gets the result, in this turn or a later one
   */
  commit(claim: Claim, settled: (outcome: Advance) => void): void {
    this.#claims.push({ claim, settled });
  }

  /**
   * Sends a frame.
   *
   * @param to - whom
   * @param frame - what
   * @param last - whether to hang up then
   */
  send(to: Addressee, frame: Buffer, last: boolean): void {
    this.#outgoing.push({ to, frame, last });
  }

  /** Does all waiting work, and the work that follows from it: after a commit, logins continue. */
  end(): void {
    while (this.#claims.length > 0 || this.#outgoing.length > 0) {
      this.#commitAll();
      this.#sendAll();
    }
  }

  #commitAll(): void {
    while (this.#claims.length > 0) {
      const waiting = this.#claims;
      this.#claims = [];
      const outcomes = this.#ledger.commit(waiting.map(({ claim }) => claim));
      if (outcomes instanceof Promise) {
        void outcomes.then((later) => {
          settle(waiting, later);
          this.end();
        });
      } else {
        settle(waiting, outcomes);
      }
    }
  }

  #sendAll(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    for (const { to, frame, last } of outgoing) {
      const sent = this.#lines.send(to.line, frame);
      if (!sent || last) {
        this.#lines.hangUp(to.line);
      }
      if (!sent && !last) {
        to.ended('gone');
      }
    }
  }
}

function settle(waiting: readonly Waiting[], outcomes: readonly Advance[]): void {
  waiting.forEach(({ settled }, index) => settled(outcomes[index] ?? 'unavailable'));
}
