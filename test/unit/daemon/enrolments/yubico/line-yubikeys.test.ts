import { expect, it } from 'vitest';
import { lineYubikeys } from '../../../../../src/daemon/enrolments/yubico/line-yubikeys.ts';
import { noOnlineYubikeys } from '../../../../../src/daemon/enrolments/yubico/online-yubikeys.ts';

const LINE = { idLength: 12 };

it('is made once for each line that says something about servers, and kept for the last 64', () => {
  const usual = noOnlineYubikeys('usual');
  const made: string[] = [];
  const ofLine = lineYubikeys(usual, ({ clientId = '' }) => {
    made.push(clientId);
    return noOnlineYubikeys(clientId);
  });
  expect(ofLine(LINE)).toBe(usual);
  expect(ofLine({ ...LINE, authfile: '/x', idLength: 8 })).toBe(usual);
  const first = ofLine({ ...LINE, clientId: '1' });
  expect(ofLine({ ...LINE, clientId: '1', authfile: '/x' })).toBe(first);
  expect(ofLine({ ...LINE, clientId: '1', key: 'other' })).not.toBe(first);
  expect(made).toEqual(['1', '1']);
  for (let id = 2; id <= 64; id++) {
    ofLine({ ...LINE, clientId: String(id) });
  }
  expect(ofLine({ ...LINE, clientId: '1' })).not.toBe(first);
});
