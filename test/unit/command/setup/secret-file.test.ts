import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { secretFileText, writeSecretFile } from '../../../../src/command/setup/secret-file.ts';
import {
  modeOf,
  rateLimitOf,
  secretOf,
  stepSizeOf,
  windowSizeOf,
} from '../../../../src/daemon/enrolments/home/settings.ts';
import { scratchCodes } from '../../../../src/daemon/enrolments/home/state-file.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const GENERATOR = { secret: Buffer.from('12345678901234567890'), algorithm: 'sha1', digits: 6 } as const;
const TOTP = { ...GENERATOR, period: 30, window: 3 };
const SETTINGS = {
  disallowReuse: true,
  window: 17,
  limit: { attempts: 3, seconds: 30 },
  scratchCodes: ['12345678', '87654321'],
};

describe('secretFileText', () => {
  it('says what google-authenticator would, in its order', () => {
    expect(secretFileText(TOTP, SETTINGS)).toBe(
      [
        'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
        '" RATE_LIMIT 3 30',
        '" WINDOW_SIZE 17',
        '" DISALLOW_REUSE',
        '" TOTP_AUTH',
        '12345678',
        '87654321\n',
      ].join('\n'),
    );
    expect(
      secretFileText(
        { ...GENERATOR, counter: 1 },
        { ...SETTINGS, window: 3, limit: undefined, scratchCodes: [] },
      ),
    ).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n" WINDOW_SIZE 3\n" HOTP_COUNTER 1\n');
  });

  it('is read back by what reads such files', () => {
    const text = secretFileText({ ...TOTP, period: 60 }, SETTINGS);
    expect([secretOf(text), modeOf(text), stepSizeOf(text), windowSizeOf(text)]).toEqual([
      GENERATOR.secret,
      { kind: 'totp' },
      60,
      17,
    ]);
    expect(rateLimitOf(text)).toMatchObject({ attempts: 3, seconds: 30 });
    expect(scratchCodes(text)).toEqual([12345678, 87654321]);
  });
});

describe('writeSecretFile', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = makeDirectory();
    path = join(directory, 'file');
  });

  it('writes a file that its owner alone reads, and leaves nothing beside it', () => {
    writeSecretFile(path, 'new\n');
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o7777]).toEqual(['new\n', 0o400]);
    writeSecretFile(path, 'newer\n');
    expect(readFileSync(path, 'utf8')).toBe('newer\n');
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('replaces a link, not what it leads to', () => {
    writeFileSync(join(directory, 'other'), 'other');
    symlinkSync('other', path);
    writeSecretFile(path, 'new');
    expect(readFileSync(join(directory, 'other'), 'utf8')).toBe('other');
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  it('leaves what was there when it cannot write', () => {
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), 'old');
    expect(() => writeSecretFile(path, 'new')).toThrow('What was there before is untouched.');
    expect(readdirSync(directory)).toEqual(['file']);
    expect(() => writeSecretFile(join(directory, 'none', 'file'), 'new')).toThrow('(ENOENT)');
    expect(readFileSync(join(path, 'inside'), 'utf8')).toBe('old');
    chmodSync(directory, 0o755);
  });
});
