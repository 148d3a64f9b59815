import { describe, expect, it, test } from 'vitest';
import type { AccountLookup } from '../../../../../src/daemon/enrolments/enrolment.ts';
import { decodeBase32 } from '../../../../../src/factors/base32.ts';
import { hotpCode } from '../../../../e2e/harness/code.ts';
import { modelVerdict, type ModelFiles, type ModelVerdict } from './model/proxmox-model.ts';
import { NOW, sourceOver } from './source-over.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { verified } from '../../../fixtures/verified.ts';

const SECRET = 'GEZDGNBVGY3TQOJQ';
const uri = (more = '', secret = SECRET): string => `otpauth://totp/a?secret=${secret}${more}`;
const entry = (of: unknown, more: object = {}): object => ({ id: '1', created: 1, ...more, entry: of });
const user = (of: object, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ users: { 'ana@pam': of, ...more } });
const totp = (of: unknown, more: object = {}): string => user({ totp: [entry(of, more)] });
const old = (type: string, data: object, name = 'ana@pam'): string =>
  `${name}:${type}:${Buffer.from(JSON.stringify(data)).toString('base64')}\n`;
const oldOath = (keys: string, config: object = {}): string => old('oath', { keys, config });
const KNOWN = 'user:ana@pam:1:0:::::x:\n';

interface Texts {
  readonly tfa?: string | Buffer;
  readonly users?: string;
  readonly domains?: string;
}
interface App {
  readonly secret: string;
  readonly digits?: number;
  readonly period?: number;
}
const typed = ({ secret, digits = 6, period = 30 }: App) => {
  const code = hotpCode(decodeBase32(secret)!, Math.floor(NOW / 1000 / period), digits);
  return { shape: { class: 'digits', length: digits }, text: Buffer.from(code) } as const;
};
const filesOf = ({ tfa = '', users = KNOWN, domains = '' }: Texts): ModelFiles => ({
  tfa: Buffer.from(tfa),
  users: Buffer.from(users),
  domains: Buffer.from(domains),
});

/** A case, Proxmox's decision about the login, and ours about ana's. */
type Row = readonly [what: string, Texts, ModelVerdict, AccountLookup['kind'], RegExp?];

const ROWS: readonly Row[] = [
  // An invalid YubiKey.
  ...['', 'x', 'cccccccccccx', 'cccccccccccbccccccc'].map((id): Row => [
    `"${id}" for a YubiKey`,
    { tfa: user({ yubico: [entry(id)] }) },
    'asks',
    'blocked',
    /YubiKey/,
  ]),
  [
    'a YubiKey that is none, switched off',
    { tfa: user({ yubico: [entry('x', { enable: false })] }) },
    'lets in',
    'absent',
  ],
  [
    'a YubiKey that is none, where the realm wants one',
    { tfa: user({ yubico: [entry('x')] }), domains: 'pam: pam\n\ttfa type=yubico,id=1,key=AA==\n' },
    'asks',
    'blocked',
    /invalid public id/,
  ],
  [
    'a YubiKey that is none beside a code',
    { tfa: user({ yubico: [entry('x')], totp: [entry(uri())] }) },
    'asks',
    'enrolled',
  ],
  ['an old YubiKey that is none', { tfa: old('yubico', { keys: 'x' }) }, 'asks', 'blocked', /YubiKey/],
  // Old keys.
  ['an old key in small letters', { tfa: oldOath('gezdgnbvgy3tqojq') }, 'asks', 'enrolled'],
  ['an old key with a tab and a line feed', { tfa: oldOath('\tGEZDGNBVGY3TQOJQ\n') }, 'asks', 'enrolled'],
  ['an old key of three bytes', { tfa: oldOath('v2-0xabcdef') }, 'asks', 'blocked', /out of range/],
  ['an old key of no known form', { tfa: oldOath('GEZDGNBV') }, 'refuses', 'failed', /line 1/],
  [
    "somebody else's old key of no known form",
    { tfa: old('oath', { keys: 'GEZDGNBV', config: {} }, 'bob@pam') },
    'refuses',
    'failed',
    /line 1/,
  ],
  ['an old line without a key', { tfa: oldOath('') }, 'lets in', 'blocked', /out of range/],
  ['an old registration that was not finished', { tfa: old('u2f', { challenge: 'x' }) }, 'lets in', 'absent'],
  // Files that the crate can read.
  ['a used code without its step', { tfa: totp({ totp: uri() }) }, 'asks', 'enrolled'],
  ['an escape in the issuer that is no UTF-8', { tfa: totp(uri('&issuer=%FF')) }, 'asks', 'enrolled'],
  ['a percent sign in the issuer', { tfa: totp(uri('&issuer=100%')) }, 'asks', 'enrolled'],
  [
    'a time beyond 2^53',
    { tfa: totp(uri(), { created: 0 }).replace(':0,', ':9007199254740993,') },
    'asks',
    'enrolled',
  ],
  [
    'a time beyond 2^63',
    { tfa: totp(uri(), { created: 0 }).replace(':0,', ':9223372036854775808,') },
    'refuses',
    'failed',
  ],
  [
    'unknown fields in recovery keys',
    {
      tfa: user({ recovery: { secret: '00', entries: ['ab'], created: 1, later: {} }, totp: [entry(uri())] }),
    },
    'asks',
    'enrolled',
  ],
  [
    'a user twice, last with a code',
    { tfa: `{"users":{"ana@pam":{},"ana@pam":${JSON.stringify({ totp: [entry(uri())] })}}}` },
    'asks',
    'enrolled',
  ],
  [
    'a user twice, last with nothing',
    { tfa: `{"users":{"ana@pam":${JSON.stringify({ totp: [entry(uri())] })},"ana@pam":{}}}` },
    'lets in',
    'absent',
  ],
  ['a secret of five bytes', { tfa: totp(uri('', 'GEZDGNBV')) }, 'asks', 'blocked', /out of range/],
  ['a secret of 130 bytes', { tfa: totp(uri('', 'A'.repeat(208))) }, 'asks', 'enrolled'],
  ['five digits', { tfa: totp(uri('&digits=5')) }, 'asks', 'blocked', /out of range/],
  ['nine digits', { tfa: totp(uri('&digits=9')) }, 'asks', 'blocked', /out of range/],
  ['a period of 301 seconds', { tfa: totp(uri('&period=301')) }, 'asks', 'blocked', /out of range/],
  ['a period of no seconds', { tfa: totp(uri('&period=0')) }, 'asks', 'blocked', /out of range/],
  [
    'a code out of range beside one that is not',
    { tfa: user({ totp: [entry(uri('&digits=5')), entry(uri())] }) },
    'asks',
    'enrolled',
  ],
  // Files that it cannot read, so nobody can log in there.
  ['enable as a number', { tfa: totp(uri(), { enable: 1 }) }, 'refuses', 'failed', /enable/],
  [
    "an unknown name in somebody else's entry",
    { tfa: user({}, { 'bob@pam': { totp: [entry(uri(), { later: 1 })] } }) },
    'refuses',
    'failed',
    /bob@pam/,
  ],
  ['a mark at the beginning', { tfa: `\ufeff${totp(uri())}` }, 'refuses', 'failed'],
  ['a NUL', { tfa: totp(uri()).replace('"1"', '"1\0"') }, 'refuses', 'failed'],
  [
    'bytes that are no UTF-8',
    { tfa: Buffer.from(totp(uri(), { description: '\u00e9' }), 'latin1') },
    'refuses',
    'failed',
  ],
  ['CR LF', { tfa: totp(uri()).replaceAll(',', ',\r\n') }, 'asks', 'enrolled'],
  ['CR LF in the old form', { tfa: `# x\r\n${oldOath(SECRET).replace('\n', '\r\n')}` }, 'asks', 'enrolled'],
  // user.cfg, whose users get the question of their realm.
  ...[
    'user : ana@pam :1:0:::::x:',
    '\tuser:ana@pam:1:0:::::x:',
    'user:ana@pam',
    'user:ana@pam:0:0:::::x:',
    'user:ana@pam:1:1:::::x:\r',
  ].map((line): Row => [
    `${JSON.stringify(line)}, where the realm wants a code`,
    { users: `${line}\n`, domains: 'pam: pam\n\ttfa type=oath\n' },
    'refuses',
    'blocked',
    /realm requires codes/,
  ]),
  [
    'a user who is switched off and has a code',
    { tfa: totp(uri()), users: 'user:ana@pam:0:0:::::x:\n' },
    'asks',
    'enrolled',
  ],
  ['a user who is switched off and has none', { users: 'user:ana@pam:0:0:::::x:\n' }, 'lets in', 'absent'],
  [
    'a name with another @',
    { tfa: user({}, { 'b@ana@pam': { totp: [entry(uri())] } }), users: `${KNOWN}user:b@ana@pam:1:0::::::\n` },
    'lets in',
    'absent',
  ],
  // domains.cfg
  ...['type=webauthn', 'type=oath,digits=9', 'type=oath,step=5', ''].map((tfa): Row => [
    `a realm that wants "${tfa}"`,
    { domains: `pam: pam\n\ttfa ${tfa}\n` },
    'lets in',
    'blocked',
    /cannot be read/,
  ]),
  [
    'a realm that wants what cannot be read, and a code',
    { tfa: totp(uri()), domains: 'pam: pam\n\ttfa type=later\n' },
    'asks',
    'enrolled',
  ],
  [
    'a realm that wants YubiKeys of no server',
    { domains: 'pam: pam\n\ttfa type=yubico\n' },
    'asks',
    'blocked',
    /requires a YubiKey/,
  ],
  [
    'a realm that wants codes of a long step, and an old key',
    { users: `user:ana@pam:1:0:::::${SECRET}:\n`, domains: 'pam: pam\n\ttfa type=oath,step=600\n' },
    'refuses',
    'blocked',
    /out of range/,
  ],
  [
    'a line of blanks before what the realm wants',
    { domains: 'pam: pam\n \n\ttfa type=oath\n' },
    'refuses',
    'blocked',
  ],
  [
    'CR LF in domains.cfg',
    { domains: 'pam: pam\r\n\r\nad: corp\r\n\ttfa type=oath\r\n' },
    'refuses',
    'blocked',
  ],
];

describe('oddities in Proxmox, and here', () => {
  for (const [what, texts, verdict, kind, why = /^/] of ROWS) {
    test(`${what}: Proxmox ${verdict}, here ${kind}`, async () => {
      const files = filesOf(texts);
      expect(modelVerdict(files, 'ana', 'pam')).toBe(verdict);
      const lookup = await sourceOver(files)('ana', 'pam');
      expect(lookup.kind).toBe(kind);
      expect('why' in lookup ? lookup.why : '').toMatch(why);
    });
  }

  it('a realm that is not there', async () => {
    const users = 'user:ana@corp:1:0:::::x:\n';
    expect(modelVerdict(filesOf({ users }), 'ana', 'corp')).toBe('refuses');
    expect(await sourceOver(filesOf({ users }))('ana', 'corp')).toMatchObject({ kind: 'blocked' });
  });

  it('an account whose name is too long for Proxmox', async () => {
    const name = 'a'.repeat(61);
    const tfa = user({}, { [`${name}@pam`]: { totp: [entry(uri())] } });
    expect((await sourceOver(filesOf({ tfa }))(name, 'pam')).kind).toBe('enrolled');
  });
});

describe('what can be taken is taken: the code', () => {
  const cases: readonly (readonly [string, string, App])[] = [
    ['of an old key in small letters', oldOath('gezdgnbvgy3tqojq'), { secret: SECRET }],
    [
      'of an old key with digits and step',
      oldOath(SECRET, { digits: '8', step: 60 }),
      { secret: SECRET, digits: 8, period: 60 },
    ],
    ['of a secret of 130 bytes', totp(uri('', 'A'.repeat(208))), { secret: 'A'.repeat(208) }],
    [
      'of a secret with a sign in the middle',
      totp(uri('', 'GEZDGNBV=Y3TQOJQ')),
      { secret: 'GEZDGNBVAY3TQOJQ' },
    ],
    ['of an entry without its step', totp({ totp: uri() }), { secret: SECRET }],
  ];
  it.each(cases)('%s', async (_, tfa, app) => {
    const lookup = await sourceOver(filesOf({ tfa }))('ana', 'pam');
    expect(
      lookup.kind === 'enrolled' &&
        (await verified(lookup.enrolment, new InMemoryLedger(), [typed(app)], NOW)),
    ).toMatchObject({
      kind: 'accepted',
    });
  });

  it('but none of an entry whose last step is beyond all', async () => {
    const tfa = totp({ totp: uri(), 'last-count': 0 }).replace(':0}', ':9223372036854775807}');
    const lookup = await sourceOver(filesOf({ tfa }))('ana', 'pam');
    expect(
      lookup.kind === 'enrolled' &&
        (await verified(lookup.enrolment, new InMemoryLedger(), [typed({ secret: SECRET })], NOW)),
    ).toMatchObject({
      kind: 'rejected',
      reason: 'code-already-used',
    });
  });
});
