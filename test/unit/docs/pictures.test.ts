import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { draw, linesOf, textLines } from '../../../scripts/pictures/draw.ts';
import { readScreen } from '../../../scripts/pictures/screen.ts';

const pictures = resolve(import.meta.dirname, '../../../docs/pictures');
const ESCAPE = '\x1b[';

describe('a recorded screen', () => {
  const screen = readScreen(
    `$ qr <a> & b\n${ESCAPE}38;5;16m${ESCAPE}48;5;231m▀█▄ ${ESCAPE}0m\n${ESCAPE}1;31mRed${ESCAPE}0m, then plain   \n\n\n`,
  );

  it('is drawn with all of its text, and read back', () => {
    const svg = draw('A title', 20, [{ screen, seconds: 1 }]);
    expect(linesOf(svg)).toEqual([['$ qr <a> & b', 'Red, then plain']]);
    expect(linesOf(svg)).toEqual([textLines(screen)]);
  });

  it('has its blocks as areas, not as characters', () => {
    const svg = draw('A title', 20, [{ screen, seconds: 1 }]);
    expect(svg).not.toMatch(/[▀▄█]/);
    // The upper half of the second line: dark, dark, light, light; the lower one: light, dark, dark, light.
    expect(svg).toContain('d="M0 18h16.8v9H0zM8.4 27h16.8v9H8.4z"');
    expect(svg).toContain('d="M16.8 18h16.8v9H16.8zM0 27h8.4v9H0zM25.2 27h8.4v9H25.2z"');
  });

  it('shows one frame after the other, and the last where nothing moves', () => {
    const svg = draw('A title', 20, [
      { screen, seconds: 1 },
      { screen, seconds: 3 },
    ]);
    expect(svg).toContain(
      '@keyframes show0 { 0.00% { visibility: visible; } 25.00% { visibility: hidden; } }',
    );
    expect(svg).toContain('#frame1 { visibility: visible; }');
    expect(svg).toContain('prefers-reduced-motion');
  });
});

describe('the pictures', () => {
  it.each(readdirSync(pictures))('%s says what it shows, and fetches nothing', (name) => {
    const svg = readFileSync(`${pictures}/${name}`, 'utf8');
    expect(svg).toMatch(/<title>[^<]+<\/title>/);
    expect(svg).not.toMatch(/href|url\(http|<script|<image/);
  });
});
