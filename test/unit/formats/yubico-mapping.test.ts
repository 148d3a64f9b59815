import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMapping } from '../../../src/formats/yubico-mapping.ts';

describe("a mapping of pam_yubico's", () => {
  it('has a line for each user; several lines of one user add up', () => {
    const text =
      '# comment\nalice:ccccccbcgujh:ccccccbcgujk\n\nbob:ccccccbcgujl\nalice:ccccccbcgujh:ccccccbcgujn\n';
    expect(parseMapping(text)).toEqual({
      users: [
        { user: 'alice', publicIds: ['ccccccbcgujh', 'ccccccbcgujk', 'ccccccbcgujn'] },
        { user: 'bob', publicIds: ['ccccccbcgujl'] },
      ],
      problems: [],
    });
  });

  it('is read with Windows line ends, capitals, spaces and empty fields', () => {
    expect(parseMapping(' alice : CCCCCCBCGUJH ::\r\n')).toEqual({
      users: [{ user: 'alice', publicIds: ['ccccccbcgujh'] }],
      problems: [],
    });
  });

  it('says in which line something is wrong', () => {
    const text = 'alice:ccccccbcgujh:1234\n:ccccccbcgujh\nbob\ncarol:\n #dave\n';
    expect(parseMapping(text)).toEqual({
      users: [{ user: 'alice', publicIds: ['ccccccbcgujh'] }],
      problems: [
        { line: 1, what: 'a public id must be up to 16 letters of modhex' },
        { line: 2, what: 'there is no user name' },
        { line: 3, what: 'there is no public id for "bob"' },
        { line: 4, what: 'there is no public id for "carol"' },
        { line: 5, what: 'there is no public id for "#dave"' },
      ],
    });
  });

  it('is read in long lines, too', () => {
    const publicIds = Array.from({ length: 256 }, (_, index) =>
      Array.from(index.toString(16).padStart(12, '0'), (digit) =>
        'cbdefghijklnrtuv'.charAt(parseInt(digit, 16)),
      ).join(''),
    );
    expect(parseMapping(`alice:${publicIds.join(':')}`).users).toEqual([{ user: 'alice', publicIds }]);
  });

  it('of any text has only public ids in it, and never fails', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        for (const { user, publicIds } of parseMapping(text).users) {
          expect(user).not.toBe('');
          expect(publicIds.length).toBeGreaterThan(0);
          publicIds.forEach((publicId) => expect(publicId).toMatch(/^[cbdefghijklnrtuv]{1,16}$/));
        }
      }),
    );
  });
});
