import { beforeEach, describe, expect, it } from 'vitest';
import type { Lookup, LookupRequest } from '../../../../../src/daemon/enrolments/enrolment.ts';
import type { ReadResult } from '../../../../../src/daemon/enrolments/home/file-access.ts';
import { FileDirectories } from '../../../../../src/daemon/enrolments/home/file-directories.ts';
import { DEFAULT_LOOKUP } from '../../../../../src/config/lookup-options.ts';
import { addTotp } from '../../../../../src/daemon/enrolments/store/add-factor.ts';
import { Store } from '../../../../../src/daemon/enrolments/store/store.ts';
import { storeSource } from '../../../../../src/daemon/enrolments/store/store-source.ts';
import { lineSource } from '../../../../../src/daemon/enrolments/yubico/line-source.ts';
import type { YubicoLine } from '../../../../../src/config/yubico-line.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { DIRECTORY, OneHomeFile } from '../../../fixtures/one-home-file.ts';
import { temporaryDirectories } from '../../../fixtures/temporary-directory.ts';
import { VirtualYubikey } from '../../../fixtures/virtual-yubikey.ts';
import { verified } from '../../../fixtures/verified.ts';

const makeDirectory = temporaryDirectories();
const ANA = { name: 'ana', uid: 1000 };
const CENTRAL: YubicoLine = { idLength: 12, authfile: '/etc/yubikey_mappings' };
const OWN: YubicoLine = { idLength: 12 };

let files: OneHomeFile;
let ledger: InMemoryLedger;
let store: Store;
let yubikey: VirtualYubikey;
let sent: string[];
let troubles: string[];

beforeEach(() => {
  const directory = makeDirectory();
  yubikey = new VirtualYubikey();
  files = new OneHomeFile(`# who has what\nana:${yubikey.publicId}\nbob:ccccccbcgujh\n`);
  ledger = new InMemoryLedger();
  store = new Store({ path: (name) => `${directory}/${name}` });
  store.initialise();
  [sent, troubles] = [[], []];
});

function lookUp(line: YubicoLine, who: LookupRequest['account'] | 'nobody' = ANA): Promise<Lookup> {
  const source = lineSource({
    files,
    places: new FileDirectories(ledger, () => 0),
    store: storeSource(store, ledger, () => 0),
    nobody: { name: 'nobody', uid: 65_534, gid: 65_534 },
    yubikeysOf: () => ({
      lookUp: (user, { text }) => {
        sent.push(`${user} ${text}`);
        return Promise.resolve({ kind: 'right', mark: sent.length });
      },
    }),
    trouble: ({ name }, why) => troubles.push(`${name}: ${why}`),
  });
  const account = who === 'nobody' ? undefined : who;
  const home = account === undefined ? {} : { gid: 1000, home: '/home/ana', loginName: 'ana' };
  return source.lookUp(
    {
      account,
      gid: undefined,
      home: undefined,
      loginName: 'x',
      rhost: undefined,
      ...home,
      options: { ...DEFAULT_LOOKUP, yubico: line },
    },
    line,
  );
}

async function type(lookup: Lookup, typed: string): Promise<string> {
  if (lookup.kind !== 'enrolled') {
    return lookup.kind;
  }
  const shape = { class: 'modhex', length: typed.length } as const;
  return (await verified(lookup.enrolment, new InMemoryLedger(), [{ shape, text: Buffer.from(typed) }], 0))
    .kind;
}

function inStore(): void {
  store.write(addTotp(ANA, undefined, {}, 0).record);
}

describe('authfile=', () => {
  beforeEach(() => (files.uid = 0));

  it("maps users to keys: only a user's own keys are looked up", async () => {
    const lookup = await lookUp(CENTRAL);
    expect(lookup).toMatchObject({
      kind: 'enrolled',
      enrolment: { shapes: [{ class: 'modhex', length: 44 }] },
    });
    const otp = yubikey.touch();
    expect(await type(lookup, otp)).toBe('accepted');
    expect(sent).toEqual([`ana ${otp}`]);
    const stranger = new VirtualYubikey({ publicId: 'ccccccbcgujh' });
    expect(await type(lookup, stranger.touch())).toBe('rejected');
    expect(sent).toHaveLength(1);
    expect(files.asked[0]).toBe('read /etc/yubikey_mappings');
  });

  it('does not know users outside of it, even if the store does', async () => {
    inStore();
    files.text = 'bob:ccccccbcgujh\n';
    expect(await lookUp(CENTRAL)).toEqual({ kind: 'absent' });
  });

  it('alone counts for its users: a code that was added meanwhile does not replace the touch', async () => {
    inStore();
    expect(await lookUp(CENTRAL)).toMatchObject({ enrolment: { shapes: [{ class: 'modhex', length: 44 }] } });
  });

  it('is read again at the touch: a removed key lets nobody in', async () => {
    const lookup = await lookUp(CENTRAL);
    files.text = 'ana:ccccccbcgujh\n';
    expect(await type(lookup, yubikey.touch())).toBe('rejected');
    expect(sent).toEqual([]);
  });

  it('is also read at the question: a key that was added meanwhile works from the next login on', async () => {
    const lookup = await lookUp(CENTRAL);
    const added = new VirtualYubikey();
    files.text = `ana:${yubikey.publicId}:${added.publicId}\n`;
    expect(await type(lookup, added.touch())).toBe('rejected');
    expect(sent).toEqual([]);
    expect(await type(await lookUp(CENTRAL), added.touch())).toBe('accepted');
  });

  it('has only keys of the length that the line says', async () => {
    files.text = 'ana:cccc:ccccccbcgujhcccc\n';
    expect(await lookUp(CENTRAL)).toEqual({ kind: 'absent' });
    expect((await lookUp({ ...CENTRAL, idLength: 4 })).kind).toBe('enrolled');
  });

  it('that is missing says of nobody that they are not enrolled', async () => {
    files.text = undefined;
    expect(await lookUp(CENTRAL)).toMatchObject({
      kind: 'failed',
      why: 'there is no /etc/yubikey_mappings, which authfile names',
    });
  });

  it.each<[string, () => void]>([
    ['belongs to a user', () => (files.uid = 1000)],
    ['can be written by a group', () => (files.mode = 0o664)],
    ['can be written by all', () => (files.mode = 0o646)],
  ])('that %s is not used', async (_, change) => {
    change();
    expect((await lookUp(CENTRAL)).kind).toBe('blocked');
  });

  it.each<[ReadResult, string]>([
    [{ kind: 'no-reader', code: 'ENOENT' }, 'failed'],
    [{ kind: 'hung' }, 'failed'],
    [{ kind: 'unfit', why: 'too-large' }, 'blocked'],
  ])('that cannot be read (%j) lets nobody pass', async (read, kind) => {
    files.reads.push(read);
    expect((await lookUp(CENTRAL)).kind).toBe(kind);
  });

  it('is read for users who do not exist, too', async () => {
    expect(await lookUp(CENTRAL, 'nobody')).toEqual({ kind: 'absent' });
    expect(files.asked).toEqual(['read /etc/yubikey_mappings']);
  });
});

describe("a user's own ~/.yubico/authorized_yubikeys", () => {
  it('counts beside the store, for its own user only', async () => {
    expect(await lookUp(OWN)).toMatchObject({ enrolment: { shapes: [{ class: 'modhex', length: 44 }] } });
    inStore();
    const lookup = await lookUp(OWN);
    expect(lookup).toMatchObject({
      enrolment: {
        shapes: [
          { class: 'digits', length: 6 },
          { class: 'modhex', length: 44 },
        ],
      },
    });
    expect(await type(lookup, yubikey.touch())).toBe('accepted');
    expect(files.asked[0]).toBe('read /home/ana/.yubico/authorized_yubikeys');
  });

  it("may be root's or the user's, but nobody else may write it", async () => {
    files.uid = 0;
    expect((await lookUp(OWN)).kind).toBe('enrolled');
    files.uid = 1001;
    expect((await lookUp(OWN)).kind).toBe('blocked');
    files.uid = 1000;
    files.mode = 0o620;
    expect((await lookUp(OWN)).kind).toBe('blocked');
  });

  it('that never existed means no key; one on an unmounted home is not missing', async () => {
    files.text = undefined;
    expect(await lookUp(OWN)).toEqual({ kind: 'absent' });
    files.text = `ana:${yubikey.publicId}\n`;
    await lookUp(OWN);
    files.text = undefined;
    expect(await lookUp(OWN)).toEqual({ kind: 'absent' });
    files.reads.push({ kind: 'missing', directory: { ...DIRECTORY, ino: '99' }, symlink: false });
    expect(await lookUp(OWN)).toMatchObject({
      kind: 'failed',
      why: expect.stringContaining('forget --user ana'),
    });
    files.reads.push({ kind: 'missing', directory: DIRECTORY, symlink: true });
    expect((await lookUp(OWN)).kind).toBe('failed');
  });

  it('that is unusable is reported, and the store still counts', async () => {
    inStore();
    files.reads.push({ kind: 'hung' });
    expect(await lookUp(OWN)).toMatchObject({ enrolment: { shapes: [{ class: 'digits', length: 6 }] } });
    expect(troubles).toEqual([expect.stringMatching(/^ana: .*does not answer/)]);
  });

  it('is looked for as nobody for users who do not exist', async () => {
    expect(await lookUp(OWN, 'nobody')).toEqual({ kind: 'absent' });
    expect(files.asked).toEqual(['read /.yubico/authorized_yubikeys']);
  });
});
