import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { PVE_FILES } from '../../../../../src/daemon/enrolments/proxmox/config-files.ts';
import { CurrentFiles } from '../../../../../src/daemon/enrolments/proxmox/current-files.ts';
import {
  lastGoodIn,
  type FileTexts,
  type LastGood,
} from '../../../../../src/daemon/enrolments/proxmox/last-good.ts';
import type { ProxmoxRead } from '../../../../../src/daemon/enrolments/proxmox/proxmox-files.ts';
import { proxmoxSource } from '../../../../../src/daemon/enrolments/proxmox/proxmox-source.ts';
import { RealmYubikeys } from '../../../../../src/daemon/enrolments/proxmox/realm-yubikeys.ts';
import { newBounds, type LookedUp } from '../../../../../src/daemon/enrolments/yubico/online-yubikeys.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { pausedWhile } from '../../../fixtures/paused.ts';

const NOW = 1_800_000_000_000;
const OTP = 'cccccccccccbiucvrkjiegbhidrcicvlgrcgkgurhjnj';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface World {
  readonly tfa?: object;
  readonly users?: readonly string[];
  readonly domains?: string;
  readonly realms?: readonly string[];
  readonly lookedUp?: LookedUp;
  readonly read?: () => ProxmoxRead | Promise<ProxmoxRead>;
  readonly copy?: FileTexts;
  readonly lastGood?: LastGood;
}

/** A source over a test's files, with a record of its events. */
function worldOf({ tfa = {}, users = [], domains = '', realms = ['pam'], ...more }: World) {
  const told: string[] = [];
  const kept: FileTexts[] = [];
  const asked: string[] = [];
  const files: ProxmoxRead = {
    kind: 'files',
    files: {
      'priv/tfa.cfg': { kind: 'read', contents: base64(JSON.stringify({ users: tfa })) },
      'user.cfg': {
        kind: 'read',
        contents: base64(users.map((user) => `user:${user}:1:0::::::\n`).join('')),
      },
      'domains.cfg': { kind: 'read', contents: base64(domains) },
    },
  };
  const current = new CurrentFiles(
    { read: () => Promise.resolve(more.read?.() ?? files) },
    PVE_FILES,
    more.lastGood ?? {
      load: () => (more.copy === undefined ? undefined : { texts: more.copy, doubts: {} }),
      keep: ({ texts }) => kept.push(texts),
    },
    { trouble: (why, served) => told.push(`${served} ${why}`), recovered: () => told.push('recovered') },
  );
  const source = proxmoxSource({
    current: () => current.current(),
    realms,
    now: () => NOW,
    ledger: new InMemoryLedger(),
    yubikeysOf: (realm) => ({
      lookUp: (user, otp) => {
        asked.push(`${user} ${otp.publicId} ${JSON.stringify(realm)}`);
        return Promise.resolve(more.lookedUp ?? { kind: 'right', mark: 256 });
      },
    }),
  });
  const lookUp = (name: string) => source.lookUp({ name, uid: 1000 });
  return { lookUp, told, kept, asked };
}

const totp = { totp: [{ id: '1', created: 1, entry: 'otpauth://totp/x?secret=JBSWY3DPEHPK3PXP' }] };
const touch = { shape: { class: 'modhex', length: 44 } as const, text: Buffer.from(OTP) };

describe('which user of Proxmox a UNIX user is', () => {
  it.each([
    [['pam'], 'ana@pam', '', 'enrolled'],
    [['pam'], 'ana@corp', '', 'absent'],
    [['pam', 'corp'], 'ana@corp', '', 'enrolled'],
    [['corp'], 'ana@corp', 'ad: corp\n', 'enrolled'],
    [['corp'], 'ANA@corp', 'ad: corp\n\tcase-sensitive 0\n', 'enrolled'],
    [['corp'], 'ANA@corp', 'ad: corp\n', 'absent'],
    [['pam'], 'root@pam', '', 'absent'],
  ])('in %j, where there is %s, %j: %s', async (realms, userId, domains, kind) => {
    const { lookUp } = worldOf({ tfa: { [userId]: totp }, realms, domains });
    expect((await lookUp('ana')).kind).toBe(kind);
  });

  it('the first realm that knows the name decides', async () => {
    const { lookUp } = worldOf({ tfa: { 'ana@corp': totp }, users: ['ana@pam'], realms: ['pam', 'corp'] });
    expect((await lookUp('ana')).kind).toBe('absent');
  });

  it('of two that differ in capitals only, none is guessed, and nobody let in', async () => {
    const { lookUp } = worldOf({
      tfa: { 'ANA@corp': totp, 'Ana@corp': totp },
      realms: ['corp'],
      domains: 'ad: corp\n\tcase-sensitive 0\n',
    });
    expect((await lookUp('ana')).kind).toBe('blocked');
    expect((await lookUp('Ana')).kind).toBe('blocked');
  });
});

describe('a realm that wants YubiKeys', () => {
  const domains = 'pam: pam\n\ttfa type=yubico,id=7,key=AAAA,url=https://yk.example/verify\n';
  const yubico = { yubico: [{ id: '1', created: 1, entry: OTP.slice(0, 12) }] };

  it('has them looked up with its own id, key and url', async () => {
    const { lookUp, asked } = worldOf({ tfa: { 'ana@pam': yubico }, domains });
    const lookup = await lookUp('ana');
    expect(lookup.kind === 'enrolled' && lookup.enrolment.shapes).toEqual([touch.shape]);
    const verify = () => (lookup.kind === 'enrolled' ? lookup.enrolment.verify([touch], NOW) : undefined);
    expect(await verify()).toMatchObject({ kind: 'accepted', factor: 'yubikey:proxmox:1' });
    expect(await verify()).toMatchObject({ kind: 'rejected', reason: 'code-already-used' });
    expect(asked[0]).toBe(
      'ana cccccccccccb {"type":"yubico","id":"7","key":"AAAA","url":"https://yk.example/verify"}',
    );
  });

  it('asks nobody about the key of somebody else', async () => {
    const other = { yubico: [{ id: '1', created: 1, entry: 'cccccccccccd' }] };
    const { lookUp, asked } = worldOf({ tfa: { 'ana@pam': other }, domains });
    const lookup = await lookUp('ana');
    const verification = lookup.kind === 'enrolled' && (await lookup.enrolment.verify([touch], NOW));
    expect(verification).toMatchObject({ kind: 'rejected', reason: 'wrong-code' });
    expect(asked).toEqual([]);
  });

  it.each([
    [undefined, 'AAAA', 'https://yk.example/verify'],
    ['7', undefined, 'https://yk.example/verify'],
    ['7', 'AAAA', 'http://yk.example/verify'],
    ['7', 'AAAA', 'nowhere'],
  ])('cannot have them looked up with id %s, key %s and url %s', async (id, key, url) => {
    const reports = {
      misconfigured: () => undefined,
      unavailable: () => undefined,
      degraded: () => undefined,
    };
    const yubikeys = new RealmYubikeys(
      reports,
      newBounds(() => 0),
    );
    const otp = { text: OTP, publicId: OTP.slice(0, 12), token: Buffer.alloc(16) };
    expect(await yubikeys.of({ type: 'yubico', id, key, url }).lookUp('ana', otp as never)).toMatchObject({
      kind: 'unavailable',
    });
  });
});

describe('what cannot be read', () => {
  const good: FileTexts = {
    'priv/tfa.cfg': JSON.stringify({ users: { 'ana@pam': totp } }),
    'user.cfg': '',
    'domains.cfg': null,
  };
  const READS: readonly ProxmoxRead[] = [
    { kind: 'hung' },
    { kind: 'busy' },
    { kind: 'no-reader', code: 'ENOENT' },
    { kind: 'no-answer', why: 'ended' },
    { kind: 'files', files: { 'priv/tfa.cfg': { kind: 'missing', directory: false } } },
    { kind: 'files', files: { 'priv/tfa.cfg': { kind: 'failed', why: 'open: EIO' } } },
  ];
  const NOT_UNDERSTOOD: readonly ProxmoxRead[] = [
    { kind: 'files', files: { 'priv/tfa.cfg': { kind: 'read', contents: base64('{') } } },
    { kind: 'files', files: { 'priv/tfa.cfg': { kind: 'read', contents: '/w==' } } },
    { kind: 'files', files: { 'priv/tfa.cfg': { kind: 'failed', why: 'too-large' } } },
    { kind: 'files', files: { 'priv/tfa.cfg': { kind: 'failed', why: 'open: ELOOP' } } },
    {
      kind: 'files',
      files: {
        'priv/tfa.cfg': { kind: 'read', contents: base64(good['priv/tfa.cfg'] ?? '') },
        'user.cfg': { kind: 'failed', why: 'too-large' },
      },
    },
  ];

  it.each(READS)('is replaced by the copy, and reported once: %j', async (read) => {
    const { lookUp, told, kept } = worldOf({ copy: good, read: () => read });
    expect((await lookUp('ana')).kind).toBe('enrolled');
    expect((await lookUp('bob')).kind).toBe('absent');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^true /);
    expect(kept.every((texts) => texts['priv/tfa.cfg'] === good['priv/tfa.cfg'])).toBe(true);
  });

  it.each(NOT_UNDERSTOOD)('lets in nobody without a factor in the copy: %j', async (read) => {
    const { lookUp, told } = worldOf({ copy: good, read: () => read });
    expect((await lookUp('ana')).kind).toBe('enrolled');
    expect((await lookUp('bob')).kind).toBe('blocked');
    expect((await lookUp('root')).kind).toBe('blocked');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^true /);
  });

  it('files that came while the daemon was paused are heard', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let answer: (read: ProxmoxRead) => void;
    const reading = new Promise<ProxmoxRead>((resolve) => (answer = resolve));
    const { lookUp, told } = worldOf({ copy: good, read: () => reading });
    const lookup = lookUp('bob');
    await pausedWhile(5_000, () => answer({ kind: 'files', files: {} }));
    await lookup;
    expect(told.join()).not.toMatch(/does not answer/);
    vi.useRealTimers();
  });

  it('keeps a doubt while nothing can be read', async () => {
    let read = NOT_UNDERSTOOD[0]!;
    const { lookUp } = worldOf({ copy: good, read: () => read });
    expect((await lookUp('bob')).kind).toBe('blocked');
    read = { kind: 'hung' };
    expect((await lookUp('bob')).kind).toBe('blocked');
  });

  it.each(READS)('keeps a doubt while the file is unreadable, and over a restart: %j', async (outage) => {
    const path = `${mkdtempSync(`${tmpdir()}/last-good-`)}/pve.last-good.json`;
    writeFileSync(path, JSON.stringify({ format: 1, files: good }));
    const reading: { now: ProxmoxRead } = { now: NOT_UNDERSTOOD[0]! };
    const { lookUp } = worldOf({ lastGood: lastGoodIn(path), read: () => reading.now });
    expect((await lookUp('bob')).kind).toBe('blocked');
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('"doubts":{"priv/tfa.cfg"'));
    reading.now = outage;
    expect((await lookUp('bob')).kind).toBe('blocked');

    const restarted = worldOf({ lastGood: lastGoodIn(path), read: () => reading.now });
    expect((await restarted.lookUp('bob')).kind).toBe('blocked');
    expect((await restarted.lookUp('ana')).kind).toBe('enrolled');
    reading.now = {
      kind: 'files',
      files: { 'priv/tfa.cfg': { kind: 'read', contents: base64(good['priv/tfa.cfg'] ?? '') } },
    };
    expect((await restarted.lookUp('bob')).kind).toBe('absent');
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('"doubts":{}'));
  });

  it('a copy that could not be kept is kept when it is given once more', async () => {
    const directory = `${mkdtempSync(`${tmpdir()}/last-good-`)}/later`;
    const path = `${directory}/pve.last-good.json`;
    const { lookUp } = worldOf({ lastGood: lastGoodIn(path) });
    await lookUp('bob');
    mkdirSync(directory);
    await vi.waitFor(async () => {
      await lookUp('bob');
      expect(existsSync(path)).toBe(true);
    });
  });

  it.each([...READS, ...NOT_UNDERSTOOD])('is "cannot find out" without a copy: %j', async (read) => {
    const { lookUp, told, kept } = worldOf({ read: () => read });
    expect((await lookUp('ana')).kind).toBe('failed');
    expect(told[0]).toMatch(/^false /);
    expect(kept).toEqual([]);
  });

  it('a torn domains.cfg opens nothing', async () => {
    const realm = 'pam: pam\n\ttfa type=oath\n';
    const { lookUp } = worldOf({
      copy: { ...good, 'domains.cfg': realm, 'user.cfg': 'user:bob@pam:1:0::::::\n' },
      users: ['bob@pam'],
      domains: 'pam: pam\n\ttfa type=',
    });
    expect((await lookUp('bob')).kind).toBe('blocked');
  });
});
