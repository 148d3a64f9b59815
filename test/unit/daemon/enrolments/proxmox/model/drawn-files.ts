import fc from 'fast-check';
import type { ModelFiles } from './proxmox-model.ts';

/* Files of Proxmox as fast-check draws them: mostly as Proxmox writes them, often odd, sometimes broken. */

/** JSON that may name a member twice, and writes numbers as it likes. */
type Drawn = string | readonly Drawn[] | { readonly raw: string } | readonly ['object', readonly Member[]];
type Member = readonly [string, Drawn];

const raw = (text: string): Drawn => ({ raw: text });
const object = (members: readonly Member[]): Drawn => ['object', members];
const isObject = (value: Drawn): value is readonly ['object', readonly Member[]] =>
  Array.isArray(value) && value[0] === 'object';

function written(value: Drawn): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (isObject(value))
    return `{${value[1].map(([name, of]) => `${JSON.stringify(name)}:${written(of)}`).join(',')}}`;
  return Array.isArray(value) ? `[${value.map(written).join(',')}]` : (value as { raw: string }).raw;
}

/** Mostly the first; else one of the others. */
const mostly = <T>(usual: T, ...odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 25 * odd.length, arbitrary: fc.constant(usual) },
    ...odd.map((value) => fc.constant(value)),
  );

/** Once in forty times. */
const rarely = <T>(drawn: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 39, arbitrary: fc.constant(null) }, drawn);

const member = (name: string, value: fc.Arbitrary<Drawn>): fc.Arbitrary<Member> =>
  value.map((of): Member => [name, of]);
/** A part that is often present. */
const maybe = (one: fc.Arbitrary<Member>): fc.Arbitrary<readonly Member[]> =>
  fc.option(one, { freq: 6 }).map((drawn) => (drawn === null ? [] : [drawn]));
/** An optional part, present now and then. */
const seldom = (...members: readonly Member[]): fc.Arbitrary<readonly Member[]> =>
  rarely(fc.constantFrom(...members)).map((drawn) => (drawn === null ? [] : [drawn]));
const joined = (...parts: readonly fc.Arbitrary<readonly Member[]>[]): fc.Arbitrary<Drawn> =>
  fc.tuple(...parts).map((all) => object(all.flat()));

const SECRETS = [
  ...[
    'GEZDGNBVGY3TQOJQ',
    'gezdgnbvgy3tqojq',
    'GEZDGNBVGY3TQOJQ======',
    'GEZDGNBV=Y3TQOJQ',
    'GEZDGNBVGY3TQOJQG',
  ],
  ...['ME', 'A', '', '0189', 'A'.repeat(208), 'GEZD GNBV', 'GEZDGNBVGY3TQOJQ%3D', 'GEZDGNBVGY3TQOJQ%FF'],
] as const;
const uri = fc
  .tuple(
    mostly('otpauth://totp/', 'otpauth://hotp/', 'otpauth://TOTP/'),
    mostly('a', 'Proxmox%20VE:ana%40pam', '%FF', ''),
    mostly(...(SECRETS as readonly string[] as [string, ...string[]])),
    mostly(
      '',
      '&digits=8',
      '&digits=5',
      '&digits=10',
      '&digits=255',
      '&digits=256',
      '&digits=%2B6',
      '&digits=',
    ),
    mostly('', '&period=60', '&period=0', '&period=301', '&period=99999999999999', `&period=${2n ** 64n}`),
    mostly('', '&algorithm=sha512', '&algorithm=SHA256', '&algorithm=MD5'),
    mostly(
      '&issuer=Proxmox%20VE',
      '&issuer=%FF',
      '&issuer=100%',
      '&issuer=%zz',
      '&image=x',
      '&%FF=x',
      '&issuer',
      '',
    ),
  )
  .map(([scheme, label, secret, ...more]) => `${scheme}${label}?secret=${secret}${more.join('')}`);

const integer = mostly(raw('1700000000'), raw('-1'), raw('9007199254740993'), raw('9223372036854775807')).map(
  (value) => value,
);
const badInteger = fc.constantFrom(
  ...['9223372036854775808', '1e3', '1.0', '-0', '"1"', 'null'].map((text) => raw(text)),
);
const number = fc.oneof({ weight: 150, arbitrary: integer }, badInteger);

const totp = fc.oneof(
  { weight: 3, arbitrary: uri },
  joined(
    member('totp', uri).map((drawn) => [drawn]),
    maybe(member('last-count', number)),
    seldom(['last-used', '1'], ['totp', 'x']),
  ),
);
const yubico: fc.Arbitrary<Drawn> = mostly<Drawn>(
  'cccccccccccb',
  'CCCCCCCCCCCB',
  'cccccccccccx',
  '',
  'x',
  raw('1'),
);
const u2f = mostly(
  object([
    [
      'key',
      object([
        ['keyHandle', 'AAEC'],
        ['version', 'U2F_V2'],
      ]),
    ],
    ['public-key', 'BAUG'],
  ]),
  object([
    [
      'key',
      object([
        ['keyHandle', 'AAEC'],
        ['version', 'U2F_V2'],
        ['later', raw('{}')],
      ]),
    ],
    ['public-key', 'BAUG'],
    ['later', raw('1')],
  ]),
  object([
    ['key', object([])],
    ['public-key', 'BAUG'],
  ]),
  raw('null'),
  raw('[]'),
);
const webauthn = mostly(
  object([
    ['cred_id', 'AAEC'],
    ['cred', object([['type_', 'ES256']])],
    ['counter', raw('7')],
  ]),
  object([
    ['cred_id', 'AAEC'],
    ['cred', object([])],
    ['counter', raw('7')],
    ['later', raw('[1]')],
  ]),
  object([
    ['cred_id', 'AAEC'],
    ['cred', object([])],
  ]),
  object([
    ['cred_id', 'AAEC'],
    ['cred', object([])],
    ['counter', raw('4294967296')],
  ]),
  'x',
);
const recovery = fc.oneof(
  {
    weight: 9,
    arbitrary: joined(
      fc.constant([['secret', '0011223344556677']] as const),
      member('entries', mostly<Drawn>(raw('[null,"ab"]'), raw('[null]'), raw('[]'), raw('[1]'))).map(
        (one) => [one],
      ),
      member('created', number).map((one) => [one]),
      seldom(['later', raw('1')], ['created', raw('1')]),
    ),
  },
  fc.constantFrom(raw('null'), raw('{}')),
);

const entries = (name: string, of: fc.Arbitrary<Drawn>, without: number): fc.Arbitrary<readonly Member[]> =>
  fc
    .oneof(
      { weight: without, arbitrary: fc.constant(null) },
      fc.array(
        joined(
          fc.constant([['id', '11111111-2222-4333-8444-555555555555']] as const),
          maybe(member('description', mostly<Drawn>('phone', '', '\ud83d\ude00'))),
          member('created', number).map((one) => [one]),
          maybe(
            member(
              'enable',
              fc.oneof(
                { weight: 9, arbitrary: fc.constantFrom(raw('false'), raw('true')) },
                fc.constantFrom(raw('0'), raw('null'), raw('"false"')),
              ),
            ),
          ),
          member('entry', of).map((one) => [one]),
          seldom(['last-used', raw('1')], ['id', 'x'], ['enable', raw('false')]),
        ),
        { maxLength: 2 },
      ),
    )
    .map((drawn): readonly Member[] => (drawn === null ? [] : [[name, drawn]]));

const user = joined(
  entries('totp', totp, 1),
  entries('yubico', yubico, 3),
  entries('u2f', u2f, 5),
  entries('webauthn', webauthn, 5),
  fc
    .oneof({ weight: 3, arbitrary: fc.constant(null) }, member('recovery', recovery))
    .map((one) => (one === null ? [] : [one])),
  seldom(
    ...([
      ['totp-locked', raw('true')],
      ['totp-locked', raw('null')],
      ['tfa-locked-until', raw('null')],
    ] as const),
    ...([
      ['tfa-locked-until', raw('9007199254740993')],
      ['hotp', raw('[]')],
      ['totp', raw('[]')],
    ] as const),
    ['totp', raw('null')],
  ),
);

/** Names of users; some mean the same person, or nobody. */
const userId = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom('ana@pam', 'ana@corp') },
  fc.constantFrom(
    'Ana@corp',
    'ANA@pam',
    'bob@pam',
    'a@na@pam',
    'ana',
    'an a@pam',
    'ana@1pam',
    'j\u00fcrgen@pam',
    'root@pam',
  ),
);

const newForm = fc
  .tuple(
    seldom(['later', raw(`${'['.repeat(70)}${']'.repeat(70)}`)], ['u2f', raw('{}')], ['u2f', raw('5')]),
    fc.array(fc.tuple(userId, user), { minLength: 1, maxLength: 3 }),
    seldom(
      ['webauthn', raw('null')],
      ['later', raw('2')],
      ['users', raw('{}')],
      ['webauthn', raw('{"rp":"x"}')],
    ),
  )
  .map(([before, users, after]) => written(object([...before, ['users', object(users)], ...after])));

const oldKeys = fc
  .array(
    fc
      .tuple(
        mostly('', '\t', '\n', ' ', '\f', '\u00a0'),
        mostly(
          ...[
            'GEZDGNBVGY3TQOJQ',
            'gezdgnbvgy3tqojq',
            'v2-gezdgnbvgy3tqojq',
            'v2-0xabcdef',
            'v2-0xabc',
            'GEZD',
          ],
          ...['ab'.repeat(20), 'zz'.repeat(20), 'v2-GEZ0', 'cccccccccccb', '', 'v2-', 'GEZDGNBVGY3TQO=='],
        ),
        mostly('', '\n', '\t', '\r'),
      )
      .map((parts) => parts.join('')),
    { minLength: 0, maxLength: 2 },
  )
  .chain((keys) => fc.constantFrom(keys.join(','), keys.join(' '), keys.join(', '), keys.join(';')));
const oldLine = fc
  .tuple(
    userId,
    mostly('oath', 'yubico', 'u2f', 'hotp'),
    oldKeys,
    mostly<Drawn>(
      object([
        ['step', '30'],
        ['digits', '6'],
      ]),
      ...[
        object([]),
        object([
          ['step', raw('30')],
          ['digits', raw('8')],
        ]),
        object([['digits', '300']]),
        raw('null'),
      ],
      ...[object([['step', '']]), object([['digits', raw('6.0')]]), object([['digits', '5']])],
    ),
    fc.boolean(),
  )
  .map(([name, type, keys, config, partial]) => {
    const data =
      type === 'u2f'
        ? object(
            partial
              ? [['challenge', 'x']]
              : [
                  ['keyHandle', 'AAEC'],
                  ['publicKey', 'BAUG'],
                ],
          )
        : object([['keys', keys], ...(type === 'oath' ? [['config', config] as const] : [])]);
    return `${name}:${type}:${Buffer.from(written(data)).toString('base64')}`;
  });
const oldForm = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: oldLine },
      fc.constantFrom('', '# comment', '  ', 'ana@pam:oath:', 'ana@pam'),
    ),
    {
      maxLength: 3,
    },
  )
  .map((lines) => lines.map((line) => `${line}\n`).join(''));

const blank = mostly('', ' ', '\t', '\r', '\f');
const userLine = fc
  .tuple(
    blank,
    mostly('user', 'User', 'group', 'token'),
    blank,
    blank,
    userId,
    blank,
    mostly('1', '0', ''),
    mostly('0', '1893456000', 'x', '', '1'),
    mostly('x', '', 'GEZDGNBVGY3TQOJQ', 'cccccccccccb', 'x!oath', 'a b'),
  )
  .map(
    ([a, type, b, c, name, d, enable, expire, keys]) =>
      `${a}${type}${b}:${c}${name}${d}:${enable}:${expire}:::::${keys}:`,
  );
/** Lines that name the people of the test. */
const USUAL_USERS = ['ana@pam', 'ana@corp', 'bob@pam', 'j\u00fcrgen@pam'].map(
  (name) => `user:${name}:1:0:::::x:`,
);
const userConfig = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: userLine },
      fc.constantFrom('', '# user:ana@pam', 'acl:1:/:@a:Admin:', '\f'),
    ),
    {
      maxLength: 4,
    },
  )
  .chain((lines) =>
    fc
      .tuple(mostly('\n', '\r\n', '\n\n'), fc.boolean())
      .map(([end, usual]) => [...(usual ? USUAL_USERS : []), ...lines].map((line) => line + end).join('')),
  );

const sectionLine = fc.oneof(
  {
    weight: 6,
    arbitrary: mostly(
      ...[
        'type=oath',
        'type=oath,digits=8,step=60',
        'type=yubico,id=1,key=AA==,url=https://x',
        'type=webauthn',
        '',
      ],
      ...[
        'type=oath,step=600',
        'type=oath,digits=9',
        'type=oath,digits=|',
        'oath',
        'type=oath,colour=red',
        'type=oath,',
      ],
      ...['type=yubico,type=oath', 'type=yubico', `type=oath,id=${'x'.repeat(128)}`, 'type=oath, digits=6'],
    ).map((value) => `\ttfa ${value}`),
  },
  {
    weight: 3,
    arbitrary: mostly('0', '1', 'no', 'off', 'maybe', '').map((value) => `\tcase-sensitive ${value}`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '\tcomment x',
      '# x',
      ' \t# tfa type=oath',
      '   ',
      '\t',
      '\r',
      'x',
      'tfa type=oath',
    ),
  },
);
const section = fc
  .tuple(
    mostly(
      'pam: pam',
      'ad: corp',
      'ldap: corp',
      'pve: pve',
      'PAM:pam',
      'later: pam',
      'later: corp',
      'ad: co rp',
      'pam: 1pam',
      ' pam: pam',
      'pam:',
      'openid: corp',
      'a:b: pam',
    ),
    fc.array(sectionLine, { maxLength: 4 }),
    mostly('', '0', ' ', '# x\n'),
  )
  .map(([header, lines, end]) => [header, ...lines, end].map((line) => `${line}\n`).join(''));
const domainsConfig = fc
  .tuple(fc.constantFrom('', 'ad: corp\n\n'), fc.array(section, { maxLength: 3 }))
  .map(([usual, sections]) => [usual, ...sections])
  .chain((sections) =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constant(sections.join('')) },
      fc.constant(sections.join('').replaceAll('\n', '\r\n')),
    ),
  );

/** Damage, once in a while. */
const harmed = (text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(text, rarely(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 5 }))))
    .map(([whole, harm]) => {
      const bytes = Buffer.from(whole);
      if (harm === null) return bytes;
      const [where, byte, kind] = harm;
      const at = where % (bytes.length + 1);
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
      switch (kind) {
        case 0:
          return Buffer.concat([Buffer.from('\ufeff'), bytes]);
        case 1:
          return Buffer.concat([before, Buffer.from([byte]), after]);
        case 2:
          return Buffer.concat([before, after.subarray(1)]);
        case 3:
          return before;
        case 4:
          return Buffer.concat([before, Buffer.from([0]), after]);
        default:
          return Buffer.concat([before, Buffer.from([byte]), after.subarray(1)]);
      }
    });

/** All three files. */
export const drawnFiles: fc.Arbitrary<ModelFiles> = fc.record({
  tfa: harmed(fc.oneof({ weight: 2, arbitrary: newForm }, oldForm)),
  users: harmed(userConfig),
  domains: harmed(domainsConfig),
});

/** How a counterexample is shown: the files as texts, one character a byte. */
export const shownFiles = ({ tfa, users, domains }: ModelFiles): string =>
  JSON.stringify({
    tfa: tfa.toString('latin1'),
    users: users.toString('latin1'),
    domains: domains.toString('latin1'),
  });
