import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModuleOptions } from '../../../src/login/module-options.ts';

const parse = (...texts: string[]): ReturnType<typeof parseModuleOptions> =>
  parseModuleOptions(texts.map((text) => Buffer.from(text)));
const DEFAULTS = { nullok: false, forwardPass: false, stacked: 'ignore', debug: false };

describe('parseModuleOptions', () => {
  it('asks everybody when nothing is said', () => {
    expect(parse()).toEqual({ kind: 'options', options: DEFAULTS });
  });

  it.each([
    ['nullok', { nullok: true }],
    ['forward_pass', { forwardPass: true }],
    ['try_first_pass', { stacked: 'try' }],
    ['use_first_pass', { stacked: 'use' }],
    ['debug', { debug: true }],
  ])('knows %s, and it changes nothing else', (text, change) => {
    expect(parse(text)).toEqual({ kind: 'options', options: { ...DEFAULTS, ...change } });
    expect(parse(text, text)).toEqual(parse(text));
  });

  it('takes the last of try_first_pass and use_first_pass', () => {
    expect(parse('try_first_pass', 'nullok', 'use_first_pass')).toMatchObject({
      options: { stacked: 'use' },
    });
    expect(parse('use_first_pass', 'try_first_pass')).toMatchObject({ options: { stacked: 'try' } });
  });

  it.each([
    '',
    'NULLOK',
    ' nullok',
    'nullok ',
    'nullok=1',
    'null_ok',
    'toString',
    '__proto__',
    'constructor',
    'hasOwnProperty',
  ])('does not know %j', (text) => {
    expect(parse('nullok', text, 'debug')).toEqual({ kind: 'bad', argument: text });
  });

  it('lets in nobody by an argument that is not one of five words', () => {
    const words = ['nullok', 'forward_pass', 'try_first_pass', 'use_first_pass', 'debug'];
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parse(text).kind).toBe(words.includes(text) ? 'options' : 'bad');
      }),
    );
  });
});
