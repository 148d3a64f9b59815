import { beforeEach, describe, expect, it } from 'vitest';
import type { LineEnd } from '../../../../src/host/login-lines.ts';
import type { Advance, Claim } from '../../../../src/daemon/ledger/ledger.ts';
import { Turn } from '../../../../src/daemon/server/turn.ts';

const claimOf = (value: number): Claim => ({ key: 'key', value });

/** The events, in order. */
let course: string[];
let outcomes: (claims: readonly Claim[]) => readonly Advance[] | Promise<readonly Advance[]>;
let takes: boolean;
let turn: Turn;

beforeEach(() => {
  course = [];
  takes = true;
  outcomes = (claims) => claims.map(() => 'advanced');
  turn = new Turn(
    {
      send(line, bytes) {
        course.push(`send ${line}: ${Buffer.from(bytes).toString()}`);
        return takes;
      },
      hangUp: (line) => void course.push(`hang up ${line}`),
    },
    {
      commit(claims) {
        course.push(`commit ${claims.map(({ value }) => value).join()}`);
        return outcomes(claims);
      },
    },
  );
});

const to = (line: number): { line: number; ended(how: LineEnd): void } => ({
  line,
  ended: (how) => void course.push(`ended ${line}: ${how}`),
});

describe('Turn', () => {
  it('commits all claims at once, and only then sends', () => {
    turn.send(to(1), Buffer.from('question'), false);
    for (const value of [5, 6]) {
      turn.commit(claimOf(value), (outcome) => {
        course.push(`${value} ${outcome}`);
        turn.send(to(value), Buffer.from('verdict'), true);
      });
    }
    expect(course).toEqual([]);
    turn.end();
    expect(course).toEqual([
      'commit 5,6',
      '5 advanced',
      '6 advanced',
      'send 1: question',
      'send 5: verdict',
      'hang up 5',
      'send 6: verdict',
      'hang up 6',
    ]);
  });

  it('commits what comes of a commit before anything is sent', () => {
    turn.commit(claimOf(1), () => {
      turn.send(to(1), Buffer.from('first'), false);
      turn.commit(claimOf(2), () => turn.send(to(2), Buffer.from('second'), false));
    });
    turn.end();
    expect(course).toEqual(['commit 1', 'commit 2', 'send 1: first', 'send 2: second']);
  });

  it('does not wait for a slow commit, and sends what comes of it later', async () => {
    outcomes = () => Promise.resolve(['unavailable']);
    turn.commit(claimOf(1), (outcome) => turn.send(to(1), Buffer.from(outcome), true));
    turn.send(to(2), Buffer.from('other'), false);
    turn.end();
    expect(course).toEqual(['commit 1', 'send 2: other']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(course.slice(2)).toEqual(['send 1: unavailable', 'hang up 1']);
  });

  it('treats a claim without a result as failed', () => {
    outcomes = () => [];
    turn.commit(claimOf(1), (outcome) => void course.push(outcome));
    turn.end();
    expect(course).toEqual(['commit 1', 'unavailable']);
  });

  it('reports unreachable modules, but not after the verdict', () => {
    takes = false;
    turn.send(to(1), Buffer.from('question'), false);
    turn.send(to(2), Buffer.from('verdict'), true);
    turn.end();
    expect(course).toEqual([
      'send 1: question',
      'hang up 1',
      'ended 1: gone',
      'send 2: verdict',
      'hang up 2',
    ]);
  });
});
