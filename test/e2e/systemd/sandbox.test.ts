import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT_THERE, Machine, whyNoMachine } from './machine.ts';

/*
 * A shell in place of the daemon or the reader tries everything that an attacker would after taking it over. Then each setting of
 * the sandbox is left out in turn, which must open exactly what it protects.
 */

const TEST_MS = 900_000;
const DAEMON = 'pve-authenticator.service';
const READER = 'pve-authenticator-files.service';
const TRY = '/usr/local/bin/try';
const OUT = '/run/tried';
const STORE = '/var/lib/pve-authenticator/store.json';
/** Each is made readable for everybody: the modes protect nothing here. */
const SECRETS = [
  ...['/etc/shadow', '/etc/gshadow', '/etc/ssh/open', '/etc/pve/priv/tfa.cfg', '/var/lib/pve-cluster/open'],
  ...['/home/alice/open', '/root/open', '/boot/open', '/mnt/open', '/media/open', '/tmp/open'],
];
const SHARE = '/srv/open';
/** Each may be written to by everybody. */
const PLACES = ['/etc/open.d', '/usr/open.d', '/var/open.d', '/home/alice/open.d'];
const NAMESPACE = 'makes a namespace';
const [NO_CAPABILITY, SETUID_AND_SETGID] = ['0000000000000000', '00000000000000c0'];

const SCRIPT = `#!/bin/sh
network=$1 own=$2
shift 2
for file in ${[...SECRETS, SHARE, '/proc/1/status'].join(' ')}; do
	cat $file >/dev/null 2>&1 && echo "reads $file"
done
for place in ${PLACES.join(' ')}; do
	touch $place/new 2>/dev/null && echo "writes to $place" && rm $place/new
done
cp /bin/true $own/program 2>/dev/null && chmod u+s $own/program 2>/dev/null && echo 'makes a setuid program'
rm -f $own/program 2>/dev/null
unshare --user true 2>/dev/null && echo '${NAMESPACE}'
nice -n 1 true 2>&1 | grep -q . || echo 'sets a priority'
[ "$(readlink /proc/self/ns/net)" != $network ] || echo 'is in the network of the machine'
node -e 'net.connect(22, "127.0.0.1").on("error", ({ code }) => { if (code !== "EAFNOSUPPORT") console.log("makes an internet socket"); })
  .on("connect", () => { console.log("makes an internet socket"); process.exit(); })'
grep -E 'CapBnd|NoNewPrivs' /proc/self/status | tr '\\t' ' '
echo "core $(ulimit -H -c)"
`;

/** A setting to leave out, and what is open without it. */
type Opens = readonly [setting: string, opens: string];

const OF_DAEMON: readonly Opens[] = [
  ['InaccessiblePaths=', 'reads /etc/shadow'],
  ['InaccessiblePaths=', 'reads /etc/pve/priv/tfa.cfg'],
  ['ProtectHome=no', 'reads /home/alice/open'],
  ['ProtectHome=no', 'reads /root/open'],
  ['ProtectSystem=no', 'writes to /etc/open.d'],
  ['PrivateTmp=no', 'reads /tmp/open'],
  ['ProtectProc=default', 'reads /proc/1/status'],
  ['PrivateNetwork=no', 'is in the network of the machine'],
  ['RestrictAddressFamilies=', 'makes an internet socket'],
  ['SystemCallFilter=', 'sets a priority'],
  ['RestrictNamespaces=no', NAMESPACE],
  ['RestrictSUIDSGID=no', 'makes a setuid program'],
  ['LimitCORE=infinity', 'core unlimited'],
];
const OF_READER: readonly Opens[] = [
  ['InaccessiblePaths=', 'reads /etc/shadow'],
  ['ProtectSystem=no', 'writes to /usr/open.d'],
  ['SystemCallFilter=', 'sets a priority'],
  ['PrivateNetwork=no', 'is in the network of the machine'],
  ['RestrictAddressFamilies=', 'makes an internet socket'],
  ['RestrictNamespaces=no', NAMESPACE],
  ['LimitCORE=infinity', 'core unlimited'],
];

const missing = whyNoMachine();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: the sandboxes of daemon and reader: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('the sandboxes', { timeout: TEST_MS }, () => {
  let machine: Machine;
  let network: string;
  /** Whether the kernel allows it at all: not in a chroot, or if an administrator forbade it. */
  let namespaces: boolean;
  const argv = (): string[] => [TRY, network, '/var/lib/pve-authenticator'];

  beforeAll(async () => {
    machine = await Machine.boot();
    await machine.runWell(['make', '--no-print-directory', '-C', CHECKOUT_THERE, 'install']);
    await machine.shell(`
      useradd --create-home alice
      mkdir -p /etc/pve/priv /var/lib/pve-cluster /srv ${PLACES.join(' ')}
      mount -t tmpfs none /srv # the checkout is below
      echo open | tee ${[...SECRETS, SHARE].filter((file) => !file.endsWith('shadow')).join(' ')} >/dev/null
      chmod 755 /etc/pve /etc/pve/priv /home/alice /root /var/lib/pve-cluster
      chmod 644 ${SECRETS.join(' ')} ${SHARE}
      chmod 777 ${PLACES.join(' ')}`);
    writeFileSync(machine.path(TRY), SCRIPT, { mode: 0o755 });
    network = await machine.shell('readlink /proc/self/ns/net');
    namespaces = (await machine.run(['unshare', '--user', 'true'])).status === 0;
    if (!namespaces) {
      process.stderr.write(
        '\n  NOT RUN: the sandboxes without RestrictNamespaces: nobody may make a namespace here\n\n',
      );
    }
  }, TEST_MS);
  afterAll(() => machine.stop());

  /** The unit runs the script, with the same sandbox but for a setting. */
  const tried = async (unit: string, setting?: string): Promise<string[]> => {
    await machine.dropIn(unit, 'try', [
      ...['Type=oneshot', 'Restart=no', 'Sockets=', 'ExecStart=', `ExecStart=${argv().join(' ')}`],
      ...[`StandardOutput=truncate:${OUT}`, ...(setting === undefined ? [] : [setting])],
    ]);
    await machine.shell(`systemctl stop ${unit}; systemctl start ${unit}`);
    return readFileSync(machine.path(OUT), 'utf8').trim().split('\n');
  };

  test('without a sandbox, as the daemon and its user, everything is open', async () => {
    const user = ['setpriv', '--reuid=pve-authenticator', '--regid=pve-authenticator', '--clear-groups'];
    const open = (await machine.runWell([...user, ...argv()])).split('\n');
    expect(open).toEqual([
      ...[...SECRETS, SHARE, '/proc/1/status'].map((file) => `reads ${file}`),
      ...PLACES.map((place) => `writes to ${place}`),
      ...['makes a setuid program', ...(namespaces ? [NAMESPACE] : []), 'sets a priority'],
      ...['is in the network of the machine', 'makes an internet socket'],
      ...[expect.stringMatching(/^CapBnd: .*[1-9a-f]/), 'NoNewPrivs: 0', 'core unlimited'],
    ]);
  });

  test('the daemon can reach only its own store', async () => {
    const own = [`CapBnd: ${NO_CAPABILITY}`, 'NoNewPrivs: 1', 'core 0'];
    expect(await tried(DAEMON)).toEqual(own);
    await machine.shell(`cp ${TRY} ${TRY}.all; printf '#!/bin/sh\\nhead -c 1 ${STORE}\\n' >${TRY}`);
    expect(await tried(DAEMON)).toEqual(['{']);
    await machine.shell(`mv ${TRY}.all ${TRY}`);
  });

  test.for(OF_DAEMON)('the daemon without its setting: %s %s', async ([setting, opens], { skip }) => {
    skip(opens === NAMESPACE && !namespaces);
    expect(await tried(DAEMON, setting)).toContain(opens);
  });

  test('the reader can reach homes, and files that pam.d may name', async () => {
    const open = [...SECRETS, SHARE].filter((file) => !file.endsWith('shadow'));
    expect(await tried(READER)).toEqual([
      ...open.map((file) => `reads ${file}`),
      'reads /proc/1/status', // the group root is shown all processes
      ...PLACES.filter((place) => !place.startsWith('/usr')).map((place) => `writes to ${place}`),
      ...[`CapBnd: ${SETUID_AND_SETGID}`, 'NoNewPrivs: 1', 'core 0'],
    ]);
  });

  test.for(OF_READER)('the reader without its setting: %s %s', async ([setting, opens], { skip }) => {
    skip(opens === NAMESPACE && !namespaces);
    expect(await tried(READER, setting)).toContain(opens);
  });
});
