import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { run } from '../harness/run.ts';

/** Light or dark, half a character cell each. */
type Row = boolean[];

const PIXELS = 6;
const LIGHT = 255;

/**
 * Photographs a screen: every half cell as light or dark.
 *
 * @param coloured - the screen with escape sequences
 * @param terminal - its size, and whether its own writing is dark on a light ground
 * @returns rows of half cells; true is light
 */
export function photograph(
  coloured: string,
  terminal: { readonly columns: number; readonly rows: number; readonly darkWriting: boolean },
): Row[] {
  const usual = { ink: !terminal.darkWriting, ground: terminal.darkWriting };
  let colours = usual;
  const rows: Row[] = [];
  for (const line of coloured.split('\n').slice(0, terminal.rows)) {
    const upper: Row = [];
    const lower: Row = [];
    // eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
    for (const [, codes, character = ''] of line.matchAll(/\x1b\[([0-9;]*)m|([^\x1b])/gu)) {
      if (codes !== undefined) {
        colours = after(codes, colours, usual);
        continue;
      }
      const { ink, ground } = colours;
      upper.push('█▀'.includes(character) ? ink : ground);
      lower.push('█▄'.includes(character) ? ink : ground);
    }
    for (const row of [upper, lower]) {
      while (row.length < terminal.columns) {
        row.push(usual.ground);
      }
      rows.push(row);
    }
  }
  return rows;
}

interface Colours {
  readonly ink: boolean;
  readonly ground: boolean;
  readonly reverse?: boolean;
}

function after(codes: string, now: Colours, usual: Colours): Colours {
  const plain: Colours = now.reverse === true ? { ink: now.ground, ground: now.ink } : now;
  let { ink, ground } = plain;
  let reverse = now.reverse === true;
  const list = codes === '' ? [0] : codes.split(';').map(Number);
  for (let at = 0; at < list.length; at++) {
    const code = list[at]!;
    if (code === 0) {
      ({ ink, ground } = usual);
      reverse = false;
    } else if (code === 7 || code === 27) {
      reverse = code === 7;
    } else if (code === 38 || code === 48) {
      const light = list[at + 2]! >= 231;
      at += 2;
      if (code === 38) {
        ink = light;
      } else {
        ground = light;
      }
    } else if (code === 39) {
      ink = usual.ink;
    } else if (code === 49) {
      ground = usual.ground;
    }
  }
  return reverse ? { ink: ground, ground: ink, reverse } : { ink, ground };
}

/**
 * Reads the QR code on a photograph with zbar. Nothing is added around it: the quiet zone has to be on the screen.
 *
 * @param photo - rows of half cells
 * @returns the text, or undefined when there is none
 */
export async function readQr(photo: readonly Row[]): Promise<string | undefined> {
  const directory = mkdtempSync(`${tmpdir()}/qr-`);
  try {
    const width = photo[0]!.length * PIXELS;
    const pixels = photo.flatMap((row) => {
      const line = row.flatMap((light) => Array<number>(PIXELS).fill(light ? LIGHT : 0));
      return Array.from({ length: PIXELS }, () => line);
    });
    const header = Buffer.from(`P5\n${width} ${photo.length * PIXELS}\n${LIGHT}\n`);
    writeFileSync(`${directory}/screen.pgm`, Buffer.concat([header, Buffer.from(pixels.flat())]));
    const { stdout } = await run(['zbarimg', '-q', '--raw', `${directory}/screen.pgm`]);
    return stdout === '' ? undefined : stdout.trimEnd();
  } finally {
    rmSync(directory, { recursive: true });
  }
}
