import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { CODE, IN, lines, NOTHING, out, totp, type Scenario, unusable } from '../scenario.ts';

const NOT_ACCEPTED = /^(?![^]*Accepted)/;
const REUSE = totp('" DISALLOW_REUSE');

/** Mode, owner and kind of the file, and where it cannot be written. */
export const FILE_CHECKS: readonly Scenario[] = [
  { title: 'mode 0400', mode: 0o400, ...IN },
  {
    title: 'mode 0600, and 0400 once it was written',
    file: REUSE,
    ...IN,
    after: totp('" DISALLOW_REUSE {step}'),
  },
  { title: 'the group may read', mode: 0o640, ...unusable(/permissions/) },
  { title: 'others may read', mode: 0o604, ...unusable(/permissions/) },
  { title: 'the owner may execute', mode: 0o700, ...unusable(/permissions/) },
  { title: 'the sticky bit', mode: 0o1600, ...unusable(/permissions/) },
  { title: 'the set-uid bit is not looked at', mode: 0o4600, ...IN },
  { title: 'allowed_perm= lets the group read', options: 'allowed_perm=0640', mode: 0o640, ...IN },
  {
    title: 'allowed_perm= does not let others',
    options: 'allowed_perm=0640',
    mode: 0o644,
    ...unusable(/permissions/),
  },
  { title: 'allowed_perm= is no mode that is needed', options: 'allowed_perm=0777', mode: 0o400, ...IN },
  {
    title: 'allowed_perm= twice: the last',
    options: 'allowed_perm=0777 allowed_perm=0600',
    mode: 0o644,
    ...unusable(/permissions/),
  },
  {
    title: 'a file of somebody else',
    options: 'allowed_perm=0644',
    owner: 'root',
    mode: 0o644,
    ...unusable(/owned by/),
  },
  {
    title: 'no_strict_owner: a file of somebody else',
    options: 'allowed_perm=0644 no_strict_owner',
    owner: 'root',
    mode: 0o644,
    ...IN,
  },
  { title: 'a file that the user may not read', owner: 'root', ...unusable(/Failed to read/) },
  {
    title: 'nullok: a file that the user may not read',
    options: 'nullok',
    owner: 'root',
    ...unusable(/Failed to read/),
  },
  { title: 'an empty file', file: '', ...unusable(/file size/) },
  { title: 'a file of 65536 bytes', file: totp().padEnd(65_536 + '{secret}'.length - 32, '#\n'), ...IN },
  {
    title: 'a file of 65537 bytes',
    file: totp().padEnd(65_537 + '{secret}'.length - 32, '#\n'),
    ...unusable(/file size/),
  },
  { title: 'a NUL in the file', file: totp('" X \0'), ...unusable(/file contents/) },
  {
    title: 'a directory',
    file: null,
    prepare: ({ file }) => mkdirSync(file),
    answer: '123456',
    ...unusable(/not a regular file/),
  },
  {
    title: 'a FIFO',
    file: null,
    prepare: ({ file, uid }) => {
      spawnSync('mkfifo', ['-m', '600', file]);
      chownSync(file, uid, uid);
    },
    answer: '123456',
    ...unusable(/not a regular file/),
    google: { why: 'opening one must not wait for its writer', end: 'hangs', reason: null, shown: NOTHING },
  },
  {
    title: 'a symbolic link',
    prepare: ({ file, home }) => {
      renameSync(file, `${home}/real`);
      symlinkSync(`${home}/real`, file);
    },
    ...IN,
  },
  {
    title: 'a symbolic link to nothing',
    options: 'nullok',
    file: null,
    prepare: ({ file }) => symlinkSync('nothing', file),
    answer: '123456',
    end: 'unavailable',
    reason: 'unavailable',
    says: /leads nowhere/,
    google: {
      why: 'it may lead into a home that is not mounted, which is not one without a file',
      end: 'ignored',
      reason: null,
      shown: NOTHING,
    },
  },
  {
    title: 'a home that is not there',
    file: null,
    prepare: ({ home }) => rmSync(home, { recursive: true }),
    answer: '123456',
    ...out('not-enrolled'),
  },
  {
    title: 'a home that cannot be entered is not one without a file',
    options: 'nullok',
    prepare: ({ home }) => {
      chmodSync(home, 0o700);
      chownSync(home, 0, 0);
    },
    ...unusable(/Failed to read/),
  },
  {
    title: 'a home that cannot be written: nothing to write',
    prepare: ({ home }) => chownSync(home, 0, 0),
    mode: 0o600,
    ...unusable(/Failed to read/),
  },
  {
    title: 'a directory that cannot be written: a code that may be used again',
    options: 'secret=~/d/mfa',
    path: '{home}/d/mfa',
    ...IN,
  },
  {
    title: 'a directory that cannot be written: the use cannot be noted',
    options: 'secret={top}/mfa',
    path: '{top}/mfa',
    file: REUSE,
    ...out('not-recorded'),
    says: NOT_ACCEPTED,
    google: { why: 'accepted is who gets in, not whose code is right', says: /^Accepted /m },
  },
  {
    title: 'allow_readonly: the code is good once',
    options: 'secret={top}/mfa allow_readonly',
    path: '{top}/mfa',
    file: REUSE,
    ...IN,
    then: [
      {
        ...out('code-already-used'),
        google: { why: 'a code is used up even if the file cannot say so', ...IN },
      },
    ],
  },
  {
    title: 'allow_readonly: without DISALLOW_REUSE a code is good again',
    options: 'secret={top}/mfa allow_readonly',
    path: '{top}/mfa',
    file: totp('" RATE_LIMIT 3 30'),
    ...IN,
    then: [IN, { answer: '{code-1}', ...IN }],
  },
  {
    title: 'allow_readonly: after a code, none before it',
    options: 'secret={top}/mfa allow_readonly',
    path: '{top}/mfa',
    file: REUSE,
    answer: '{code+1}',
    ...IN,
    then: [
      {
        ...out('code-already-used'),
        google: { why: 'what is remembered elsewhere is the last step', ...IN },
      },
    ],
  },
  {
    title: 'allow_readonly: a scratch code is good once',
    options: 'secret={top}/mfa allow_readonly',
    path: '{top}/mfa',
    file: lines('{secret}', '12345678'),
    answer: '12345678',
    ...IN,
    then: [
      {
        answer: '12345678',
        ...out('code-already-used'),
        google: { why: 'a code is used up even if the file cannot say so', ...IN },
      },
    ],
  },
  {
    title: 'allow_readonly: a file that can be written is',
    options: 'allow_readonly',
    file: REUSE,
    ...IN,
    after: totp('" DISALLOW_REUSE {step}'),
    shown: [CODE],
  },
];
