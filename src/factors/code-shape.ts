/**
 * What a code looks like. Only an answer that has the shape of one of the user's factors leaves the PAM module, so that a
 * password does not. `digits`: 6 to 8. `modhex`: 32 to 48 characters, as a YubiKey types them. `recovery`: 16 base32 characters.
 */
export interface CodeShape {
  readonly class: 'digits' | 'modhex' | 'recovery';
  /** Characters of the code, without separators. */
  readonly length: number;
}

/** What a person typed, read as one shape. */
export interface TypedCode {
  readonly shape: CodeShape;
  /** A secret: its owner wipes it. */
  readonly text: Buffer;
}

const CHARACTERS: Readonly<Record<CodeShape['class'], RegExp>> = {
  digits: /^[0-9]+$/,
  modhex: /^(?:[cbdefghijklnrtuv]+|[jxe.uidchtnbpygk]+)$/i,
  recovery: /^[A-Za-z2-7]+$/,
};

/**
 * Reads what a person typed at the command, as the PAM module reads it at a login: blanks and dashes do not count.
 *
 * @param typed - the whole answer
 * @param shapes - the shapes that are asked for
 * @returns the answer as each shape that fits, in their order
 */
export function readingsOf(typed: string, shapes: readonly CodeShape[]): TypedCode[] {
  const bare = typed.replaceAll(/[ \t-]/g, '');
  return shapes
    .filter((shape) => bare.length === shape.length && CHARACTERS[shape.class].test(bare))
    .map((shape) => ({ shape, text: Buffer.from(bare, 'latin1') }));
}
