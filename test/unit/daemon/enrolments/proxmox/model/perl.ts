/* user.cfg and domains.cfg as Proxmox's Perl reads them: bytes, here one character each; unknown parts are ignored. */

/** What Perl's \s matches in bytes. */
const S = '\\t\\n\\v\\f\\r ';
const LINE = new RegExp(`(?<![^\\n])[${S}]*([^\\n]+?)[${S}]*(?=\\n|$)`, 'g');
const BLANKS_AROUND = new RegExp(`^[${S}]+|[${S}]+$`, 'g');
const NAME = new RegExp(`^[^${S}:/]+@([A-Za-z][A-Za-z0-9.\\-_]+)$`);
const HEADER = new RegExp(`^([^${S}]+):[${S}]*([^${S}]+)[${S}]*$`);
const PROPERTY = new RegExp(`^[${S}]+([^${S}]+)(?:[${S}]+([^\\n]*[^${S}]))?[${S}]*$`);

/** `PVE::AccessControl::parse_user_config`: the names of all users. */
export function readUsers(bytes: Buffer): ReadonlySet<string> {
  const users = new Set(['root@pam']);
  for (const [, line = ''] of bytes.toString('latin1').matchAll(LINE)) {
    const [type, name = '', , expire = ''] = line
      .split(':')
      .map((field) => field.replaceAll(BLANKS_AROUND, ''));
    const valid = name.length >= 3 && name.length <= 64 && NAME.test(name);
    if (type === 'user' && valid && /^(?:|[0-9]+)$/.test(expire)) users.add(name);
  }
  return users;
}

/** A realm: the required factor, and whether names are case-sensitive. */
export interface ModelRealm {
  readonly tfa: string | undefined;
  readonly caseSensitive: boolean;
}

/** `PVE::SectionConfig::parse_config` with the sections of `PVE::Auth::Plugin`. */
export function readDomains(bytes: Buffer): ReadonlyMap<string, ModelRealm> {
  const realms = new Map<string, ModelRealm>([
    ['pve', { tfa: undefined, caseSensitive: true }],
    ['pam', { tfa: undefined, caseSensitive: true }],
  ]);
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .filter((line) => !new RegExp(`^[${S}]*#`).test(line));
  for (let at = 0; at < lines.length; at++) {
    const [, type = '', realm = ''] = HEADER.exec(lines[at]!) ?? [];
    if (realm === '') continue;
    const values = new Map<string, string>();
    // A section ends with a line that is false in Perl.
    for (at++; at < lines.length && lines[at] !== '' && lines[at] !== '0'; at++) {
      const [, name = '', value] = PROPERTY.exec(lines[at]!) ?? [];
      if (name !== '' && !values.has(name) && isValid(name, value)) values.set(name, value ?? '1');
    }
    const known = ['pam', 'pve', 'ad', 'ldap', 'openid'].includes(type.toLowerCase());
    if (known && /^[A-Za-z][A-Za-z0-9.\-_]+$/.test(realm)) {
      realms.set(realm, {
        tfa: /(?:^|,)type=(yubico|oath)(?!.*,type=)/.exec(values.get('tfa') ?? '')?.[1],
        caseSensitive: /^p/i.test(type) || !/^(?:0|off|no|false)$/i.test(values.get('case-sensitive') ?? '1'),
      });
    }
  }
  return realms;
}

function isValid(name: string, value: string | undefined): boolean {
  if (name === 'case-sensitive')
    return value === undefined || /^(?:0|1|off|on|no|yes|false|true)$/i.test(value);
  if (name !== 'tfa') return true;
  const parts = (value ?? '').replace(/,+$/, '').split(',');
  return (
    value !== undefined &&
    value.length <= 128 &&
    parts.some((part) => part.startsWith('type=')) &&
    parts.every((part) =>
      /^(?:type=(?:yubico|oath)|(?:id|key|url)=[^\t\n\v\f\r ]+|digits=[6|78]|step=[1-9][0-9]+)$/.test(part),
    )
  );
}
