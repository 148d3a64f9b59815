import fc from 'fast-check';
import { encode } from 'uqr';
import { describe, expect, it } from 'vitest';
import { drawQr, QR_MODES, type QrMode } from '../../../../src/command/terminal/qr.ts';
import { fittingDrawing, grouped } from '../../../../src/command/secrets/show-secret.ts';
import { fits, takesUtf8, usualMode } from '../../../../src/command/terminal/terminal.ts';
import { modulesOf } from '../../fixtures/drawn-modules.ts';

const DRAWN = QR_MODES.filter((mode) => mode !== 'NONE');
const SMALL = { columns: 80, rows: 24, colours: true, utf8: true };
const FACTOR = { secret: Buffer.alloc(20, 1), algorithm: 'sha1', digits: 6, period: 30, window: 3 } as const;

/** The matrix without its quiet zone. */
const matrixOf = (text: string): boolean[][] => encode(text, { ecc: 'L', border: 0 }).data;

describe('drawQr', () => {
  it.each(DRAWN)('draws what was encoded, with four light modules around it: %s', (mode) => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 150 }), (text) => {
        const { lines, width } = drawQr(text, mode);
        const drawn = modulesOf(lines, mode);
        const matrix = matrixOf(text);
        const side = matrix.length + 8;
        expect(width).toBe(mode.startsWith('UTF8') ? side : 2 * side);
        const expected = Array.from({ length: side }, (_, row) =>
          Array.from({ length: side }, (__, column) => matrix[row - 4]?.[column - 4] ?? false),
        );
        expect(drawn.slice(0, side)).toEqual(expected);
        // An odd number of rows leaves half a line, which is light.
        expect(drawn.slice(side).flat()).not.toContain(true);
      }),
      { numRuns: 20 },
    );
  });

  it('draws nothing in the mode NONE', () => {
    expect(drawQr('x', 'NONE')).toEqual({ lines: [], width: 0 });
  });

  it('ends each line in the colours of the terminal, and is bare in UTF8', () => {
    for (const mode of DRAWN) {
      const { lines } = drawQr('x', mode);
      const bare = mode === 'UTF8' || mode === 'UTF8_INVERSE';
      for (const line of lines) {
        expect(line.includes('\x1b')).toBe(!bare);
        expect(bare || line.endsWith('\x1b[0m')).toBe(true);
      }
    }
  });
});

describe('what fits', () => {
  it('takes 106 bytes on 80x24 with a prompt below, and not one more', () => {
    expect(fits(drawQr('x'.repeat(106), 'UTF8'), SMALL)).toBe(true);
    expect(fits(drawQr('x'.repeat(107), 'UTF8'), SMALL)).toBe(false);
    expect(fits(drawQr('x'.repeat(107), 'UTF8'), undefined)).toBe(true);
    expect(fits(drawQr('x', 'ANSI'), SMALL)).toBe(false);
    expect(fits(drawQr('x', 'ANSI'), { ...SMALL, rows: 60 })).toBe(true);
    expect(fits(drawQr('x', 'ANSI'), { ...SMALL, columns: 57, rows: 60 })).toBe(false);
  });

  const drawing = (issuer: string, label: string, mode: QrMode = 'UTF8', secret = FACTOR.secret): unknown =>
    fittingDrawing({ ...FACTOR, secret }, { issuer, label, mode }, mode, SMALL);
  const uri = (issuer: string, label: string): string =>
    `otpauth://totp/${issuer}:${label}?secret=AEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIB&issuer=${issuer}`;

  it('shortens the names for a small terminal, domains first', () => {
    expect(drawing('pve', 'alice')).toEqual(drawQr(uri('pve', 'alice'), 'UTF8'));
    expect(drawing('pve1.cluster.example.org', 'alice')).toEqual(drawQr(uri('pve1', 'alice'), 'UTF8'));
    expect(drawing('pve1.example.org', 'alice@example.org')).toEqual(
      drawQr(uri('pve1', 'alice%40example.org'), 'UTF8'),
    );
    expect(drawing('pve1.example.org', 'alice@a-longer.cluster.example.org')).toEqual(
      drawQr(uri('pve1', 'alice'), 'UTF8'),
    );
    expect(drawing('a-very-long-host-name-indeed', 'bartholomew')).toEqual(
      drawQr(uri('a-very-long-hos', 'bartholomew'), 'UTF8'),
    );
    expect(drawing('ä'.repeat(40), '日'.repeat(40))).toBeDefined();
  });

  it('gives up when the shortest names do not help', () => {
    expect(drawing('pve', 'alice', 'UTF8', Buffer.alloc(64, 1))).toBeUndefined();
    expect(drawing('pve', 'alice', 'ANSI')).toBeUndefined();
  });

  it('is drawn in its own colours where there are some', () => {
    expect(usualMode(SMALL)).toBe('UTF8_GREY');
    expect(usualMode({ ...SMALL, colours: false })).toBe('UTF8');
    expect(usualMode(undefined)).toBe('UTF8');
  });

  it('has no half blocks where the locale is of another character set', () => {
    expect(usualMode({ ...SMALL, utf8: false })).toBe('ANSI_GREY');
    expect(usualMode({ ...SMALL, utf8: false, colours: false })).toBe('ANSI');
    for (const env of [{}, { LC_ALL: 'C' }, { LANG: 'de_DE.UTF-8' }, { LC_ALL: '', LANG: 'C.utf8' }]) {
      expect(takesUtf8(env), JSON.stringify(env)).toBe(true);
    }
    for (const env of [
      { LANG: 'de_DE.ISO-8859-1' },
      { LC_CTYPE: 'de_DE.ISO-8859-15@euro', LANG: 'de_DE.UTF-8' },
      { LC_ALL: 'ru_RU.KOI8-R', LC_CTYPE: 'C.UTF-8' },
    ]) {
      expect(takesUtf8(env), JSON.stringify(env)).toBe(false);
    }
  });
});

it('shows keys in groups of four', () => {
  expect(grouped('ABCDEFGHIJ')).toBe('ABCD EFGH IJ');
  expect(grouped('')).toBe('');
});
