import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOutlet } from '../../../src/host/addon.ts';
import { journalLog, type LogFields } from '../../../src/log/log.ts';

let directory: string;
let file: string;
let fd: number;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'));
  file = join(directory, 'log');
  fd = openSync(file, 'a');
});

afterAll(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

/** The output of one call of event(). */
function written(write: () => void): string {
  const before = readFileSync(file).length;
  write();
  return readFileSync(file).subarray(before).toString();
}

/** Reads ` name=value` pairs as a log reader would: a value is one word, or stands in double quotes with escapes. */
function parsed(line: string): Record<string, string> {
  const fields: Record<string, string> = {};
  const pair = / ([a-z]+)=(?:"((?:[^"\\]|\\["\\]|\\u[0-9a-f]{4})*)"|([^ "]+))/gy;
  let at = 0;
  for (let match = pair.exec(line); match !== null; match = pair.exec(line)) {
    expect(fields).not.toHaveProperty(match[1]!);
    fields[match[1]!] = (match[2] ?? match[3]!).replaceAll(/\\u([0-9a-f]{4})|\\(.)/g, (_, hex, character) =>
      hex === undefined ? String(character) : String.fromCharCode(parseInt(String(hex), 16)),
    );
    at = pair.lastIndex;
  }
  expect(line.slice(at)).toBe('');
  return fields;
}

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom('x rhost=1.2.3.4', 'x" rhost="1.2.3.4', '\n<1>forged rhost=1.2.3.4', '\\', '"', '', '...'),
);

describe('journalLog', () => {
  it('writes priority, message and fields in one line', () => {
    const line = written(() =>
      journalLog(openOutlet(fd)).event('notice', 'Invalid verification code for alice', {
        service: Buffer.from('sshd'),
        rhost: '192.0.2.1',
        tty: undefined,
        count: 3,
        user: '',
      }),
    );
    expect(line).toBe(
      '<5>Invalid verification code for alice service=sshd rhost=192.0.2.1 count=3 user=""\n',
    );
  });

  it.each([
    ['alert', 1],
    ['error', 3],
    ['warning', 4],
    ['notice', 5],
    ['info', 6],
    ['debug', 7],
  ] as const)('gives %s the number of syslog', (priority, number) => {
    expect(written(() => journalLog(openOutlet(fd)).event(priority, 'x'))).toBe(`<${number}>x\n`);
  });

  it('writes exactly one line, whose fields are exactly those that were given', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.option(nasty, { nil: undefined }), {
          maxKeys: 6,
        }),
        (fields: LogFields) => {
          const line = written(() => journalLog(openOutlet(fd)).event('info', 'It happened', fields));
          expect(line.endsWith('\n')).toBe(true);
          const content = line.slice(0, -1);
          expect(content).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]|\p{Bidi_Control}/u);
          expect(content.startsWith('<6>It happened')).toBe(true);
          const expected = Object.entries(fields)
            .filter(([, value]) => value !== undefined)
            .map(([name, value]) => {
              const text = String(value);
              return [name, text.length > 256 ? `${text.slice(0, 256)}...` : text] as const;
            });
          expect(parsed(content.slice('<6>It happened'.length))).toEqual(Object.fromEntries(expected));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not throw when nobody reads the log', () => {
    const closed = openSync('/dev/null', 'w');
    closeSync(closed);
    // The number stays unused, because nothing opens a descriptor in between.
    expect(() => journalLog(openOutlet(closed)).event('error', 'lost')).not.toThrow();
    const full = openSync('/dev/full', 'w');
    expect(() => journalLog(openOutlet(full)).event('error', 'lost')).not.toThrow();
    closeSync(full);
  });
});
