import type { PayloadReader } from './payload-reader.ts';
import type { PayloadWriter } from './payload-writer.ts';
import { WireError } from './wire-error.ts';

/**
 * A shape of answer. The module sends only answers with a listed shape, so it never sends a password.
 * `digits`: 6 to 8. `modhex`: 32 to 48 characters, as a YubiKey types. `recovery`: 16 base32 characters.
 */
export type Shape =
  | { readonly class: 'digits'; readonly length: number }
  | { readonly class: 'modhex'; readonly length: number }
  | { readonly class: 'recovery'; readonly length: number };

const CLASS_NUMBER = { digits: 1, modhex: 2, recovery: 3 } as const;
const BOUNDS = { digits: [6, 8], modhex: [32, 48], recovery: [16, 16] } as const;

/** Characters of a recovery code at the tail of a password: `xxxx-xxxx-xxxx-xxxx`. */
const RECOVERY_TAIL_LENGTH = 19;

/**
 * Adds a shape to a PROMPT.
 *
 * @param writer - the payload
 * @param shape - the shape
 * @param part - of the PROMPT: at the tail of a password a recovery code is recognised by its dashes, which count
 */
export function encodeShape(writer: PayloadWriter, shape: Shape, part: 'whole' | 'tail'): void {
  const length = shape.class === 'recovery' && part === 'tail' ? RECOVERY_TAIL_LENGTH : shape.length;
  writer.u8(CLASS_NUMBER[shape.class]).u8(length);
}

/**
 * Reads a shape of a PROMPT: what the module does, here for tests.
 *
 * @param reader - the payload
 * @param part - of the PROMPT
 * @returns the shape
 * @throws WireError ERR_FIELD when the class is unknown or the length is not allowed for it
 */
export function decodeShape(reader: PayloadReader, part: 'whole' | 'tail'): Shape {
  const number = reader.u8();
  const length = reader.u8();
  for (const name of ['digits', 'modhex', 'recovery'] as const) {
    if (CLASS_NUMBER[name] !== number) {
      continue;
    }
    const dashed = name === 'recovery' && part === 'tail';
    const [min, max] = dashed ? [RECOVERY_TAIL_LENGTH, RECOVERY_TAIL_LENGTH] : BOUNDS[name];
    if (length < min || length > max) {
      throw new WireError(
        'ERR_FIELD',
        `PROMPT has ${name} of length ${length}, ${min} to ${max} are allowed`,
      );
    }
    return { class: name, length: dashed ? BOUNDS.recovery[0] : length };
  }
  throw new WireError('ERR_FIELD', `PROMPT has the unknown shape class ${number}`);
}
