import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME_TYPE } from '../../../../src/daemon/wire/frame.ts';
import { encodePrompt, promptFrame, type Prompt } from '../../../../src/daemon/wire/prompt.ts';
import type { Shape } from '../../../../src/daemon/wire/shape.ts';

const shape: fc.Arbitrary<Shape> = fc.oneof(
  fc.integer({ min: 6, max: 8 }).map((length): Shape => ({ class: 'digits', length })),
  fc.integer({ min: 32, max: 48 }).map((length): Shape => ({ class: 'modhex', length })),
  fc.constant<Shape>({ class: 'recovery', length: 16 }),
);

/** Few of each, so that many prompts differ in one thing only. */
const prompt: fc.Arbitrary<Prompt> = fc.record({
  source: fc.constantFrom('ask-hidden', 'ask-visibly', 'stacked-password'),
  part: fc.constantFrom('whole', 'tail'),
  shapes: fc.array(shape, { maxLength: 3 }),
  text: fc.oneof(fc.constantFrom('', 'Code: ', '\n', ' digits6'), fc.string({ maxLength: 300 })),
});

const made = (asked: Prompt): Buffer => encodeFrame(FRAME_TYPE.prompt, encodePrompt(asked));

describe('promptFrame', () => {
  it('is the frame of just this question, whatever was asked before', () => {
    fc.assert(
      fc.property(fc.array(prompt, { maxLength: 100 }), (prompts) => {
        for (const asked of [...prompts, ...prompts]) {
          expect(promptFrame(asked).equals(made(asked))).toBe(true);
        }
      }),
    );
  });

  it('keeps a frame, and in the end forgets it', () => {
    const asked: Prompt = { source: 'ask-hidden', part: 'whole', shapes: [], text: 'kept' };
    const first = promptFrame(asked);
    expect(promptFrame({ ...asked })).toBe(first);
    for (let other = 0; other < 64; other++) {
      promptFrame({ ...asked, text: `other ${other}` });
    }
    expect(promptFrame(asked)).not.toBe(first);
    expect(promptFrame(asked).equals(first)).toBe(true);
  });
});
