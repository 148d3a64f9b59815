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
