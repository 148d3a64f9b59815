import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogQueue } from '../../../src/log/log-queue.ts';

const KIB = 1_024;

/** A reader that takes as much as the test allows. */
let room: number;
let written: string;
let queue: LogQueue;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  room = 0;
  written = '';
  const outlet = {
    write: (bytes: Uint8Array): number => {
      const taken = Math.min(room, bytes.length);
      written += Buffer.from(bytes).toString('latin1', 0, taken);
      room -= taken;
      return taken;
    },
  };
  queue = new LogQueue(outlet, ({ lines, kept }) => queue.push(`missing ${lines} ${kept}\n`, true));
});
afterEach(() => void vi.useRealTimers());

const lines = (): string[] => written.split('\n').slice(0, -1);

describe('a reader that is too slow', () => {
  it('gets every line in its order as soon as it reads on', () => {
    room = 5;
    for (const text of ['one\n', 'two\n', 'three\n']) {
      queue.push(text, false);
    }
    expect(written).toBe('one\nt');
    room = 100;
    vi.advanceTimersByTime(20);
    expect(lines()).toEqual(['one', 'two', 'three']);
  });

  it('reports the number of missing lines after the others', () => {
    for (let line = 0; line < 1_000; line++) {
      queue.push(`${'x'.repeat(KIB - 1)}\n`, false);
    }
    room = Infinity;
    vi.advanceTimersByTime(1_000);
    expect(lines()).toHaveLength(129);
    expect(lines().at(-1)).toBe('missing 872 0');
    written = '';
    queue.push('next\n', false);
    expect(written).toBe('next\n');
  });

  it('loses what an audit needs last', () => {
    for (let line = 0; line < 1_000; line++) {
      queue.push(`${'x'.repeat(KIB - 1)}\n`, false);
    }
    for (let line = 0; line < 256; line++) {
      queue.push(`${'a'.repeat(KIB - 1)}\n`, true);
    }
    queue.push('too much\n', true);
    room = Infinity;
    vi.advanceTimersByTime(1_000);
    expect(lines().filter((line) => line.startsWith('a'))).toHaveLength(256);
    expect(lines().at(-1)).toBe('missing 1001 1');
  });

  it('keeps at most its limit, and never starts a line after half of another', () => {
    const step = fc.record({
      kept: fc.boolean(),
      size: fc.integer({ min: 1, max: 9_000 }),
      more: fc.nat(20_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        [room, written] = [0, ''];
        let number = 0;
        const missing: number[] = [];
        const one = new LogQueue(
          {
            write: (bytes) => {
              const taken = Math.min(room, bytes.length);
              written += Buffer.from(bytes).toString('latin1', 0, taken);
              room -= taken;
              return taken;
            },
          },
          (lost) => {
            missing.push(lost.lines);
            one.push('missing\n', true);
          },
        );
        for (const { kept, size, more } of steps) {
          number += 1;
          one.push(`${number} ${'x'.repeat(size)}|\n`, kept);
          room += more;
          one.flush();
        }
        room = Infinity;
        one.flush();
        const whole = lines().filter((line) => line !== 'missing');
        expect(whole.every((line) => /^\d+ x+\|$/.test(line))).toBe(true);
        const numbers = whole.map((line) => parseInt(line));
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        expect(numbers.length + missing.reduce((sum, count) => sum + count, 0)).toBe(steps.length);
      }),
    );
  });

  it('that is gone is not waited for', () => {
    const gone = new LogQueue({ write: () => -1 }, () => undefined);
    gone.push('x\n', true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
