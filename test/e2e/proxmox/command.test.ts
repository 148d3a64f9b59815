import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { logIn, PAM } from '../daemon/pam-login.ts';
import { asUser, type Person } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { run, type Ended } from '../harness/run.ts';
import { spawn } from 'node:child_process';
import { entry, PASSKEY, phone, uriOf, useProxmox } from './proxmox-stage.ts';

/* Stand-ins for pvesh and pveum, which record their arguments, and what everybody could see of them meanwhile. */

const CALLS = '/tmp/proxmox-calls';
const STAND_IN = `#!/usr/bin/perl
use strict;
use warnings;
use JSON::PP;
open my $cmdline, '<', "/proc/$$/cmdline" or die;
open my $environ, '<', "/proc/$$/environ" or die;
local $/;
my $seen = <$cmdline> . "\\0" . <$environ>;
open my $calls, '>>', '${CALLS}' or die;
print $calls encode_json({ program => $0, argv => [@ARGV], seen => $seen }), "\\n";
close $calls;
if (-e '${CALLS}.refuse') { print STDERR "\\n400 not this time", -s _ ? " @ARGV" : '', "\\n"; exit 2; }
print "{\\"id\\":\\"new\\"}\\n";
exit 0;
`;

interface Call {
  readonly program: string;
  readonly argv: readonly string[];
  readonly seen: string;
}

describeInBox('the command on a node of Proxmox VE', () => {
  const proxmox = useProxmox();

  beforeAll(() => {
    for (const program of ['/usr/bin/pvesh', '/usr/bin/pveum']) {
      writeFileSync(program, STAND_IN);
      chmodSync(program, 0o755);
    }
  });
  beforeEach(() => rmSync(CALLS, { force: true }));
  afterAll(() => {
    rmSync('/usr/bin/pvesh');
    rmSync('/usr/bin/pveum');
  });

  const calls = (): Call[] =>
    existsSync(CALLS)
      ? readFileSync(CALLS, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Call)
      : [];
  const argv = (...words: readonly string[]): string[] => [
    ...['node', `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', proxmox.stage.runtimeDir],
    ...words,
  ];
  const command = (...words: readonly string[]): Promise<Ended> =>
    run(argv(...words), '', proxmox.stage.environment);

  /** Enrols as a person does: reads the key, types the code that the phone shows for it. */
  async function enrol(
    name: string,
  ): Promise<{ secret: string; shown: Log; said: Log; status: number | null }> {
    const [program = '', ...words] = argv(
      '--proxmox',
      `--user=${name}`,
      '--name',
      "Ana's phone",
      '-Q',
      'NONE',
    );
    const child = spawn(program, words, { env: proxmox.stage.environment, stdio: 'pipe' });
    const shown = new Log('command', child.stdout);
    const said = new Log('command', child.stderr);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const [line = ''] = await shown.waitFor(/Key for your authenticator app/);
    const secret = line.replace(/^.*: /, '').replaceAll(' ', '');
    child.stdin.write('000\n');
    await said.waitFor(/Code incorrect/);
    child.stdin.end(`${codeOf({ secret })}\n`);
    return { secret, shown, said, status: await ended };
  }

  test('--proxmox adds a phone through pvesh, and nobody sees its secret', async () => {
    const person = proxmox.person();
    const { secret, status, shown } = await enrol(person.name);
    expect(status).toBe(0);
    expect(shown.lines.join('\n')).toContain(`was added for ${person.name}@pam in Proxmox`);
    const [call, ...more] = calls();
    expect(more).toEqual([]);
    expect(call!.argv).toEqual([
      ...['create', `/access/tfa/${person.name}@pam`, '--type', 'totp'],
      ...['--description', "Ana's phone", '--totp', expect.stringContaining(`secret=${secret}`)],
      ...['--value', expect.stringMatching(/^[0-9]{6}$/), '--output-format', 'json'],
    ]);
    expect(call!.program).toBe('/usr/bin/pvesh');
    expect(call!.seen).not.toContain(secret);
    expect(call!.seen).not.toContain('otpauth');
    // The entry that Proxmox would have written now counts here.
    proxmox.change(person, { totp: [entry(call!.argv[7])] });
    const service = proxmox.stage.service();
    expect((await logIn(proxmox.stage, person.name, codeOf({ secret }), { service })).rc).toBe(PAM.success);
  });

  test('when Proxmox refuses, it says why, but not the secret', async () => {
    try {
      writeFileSync(`${CALLS}.refuse`, '');
      const first = await enrol(proxmox.person().name);
      expect(first.status).toBe(1);
      expect(first.said.lines.at(-1)).toContain('pve-google-authenticator: pvesh: 400 not this time');
      // A message that has the arguments in it.
      writeFileSync(`${CALLS}.refuse`, 'with arguments');
      const second = await enrol(proxmox.person().name);
      expect(second.status).toBe(1);
      expect(second.said.lines.at(-1)).toContain(
        'pve-google-authenticator: pvesh failed and did not say why',
      );
      expect(second.said.lines.join('\n')).not.toContain(second.secret);
    } finally {
      rmSync(`${CALLS}.refuse`);
    }
  });

  test('without root it says who can', async () => {
    const { status, stderr } = await run(
      [...asUser(65_534), ...argv('--proxmox', '--user=ana')],
      '',
      proxmox.stage.environment,
    );
    expect(status).toBe(1);
    expect(stderr).toContain('sudo pve-google-authenticator --proxmox --user=ana@pam');
    expect(calls()).toEqual([]);
  });

  const everything = (person: Person): Record<string, unknown> => ({
    ...phone(person),
    webauthn: [entry(PASSKEY, { id: 'w1', description: 'passkey' })],
    u2f: [
      entry(
        { key: { keyHandle: 'AAEC', version: 'U2F_V2' }, 'public-key': 'BAUG' },
        { id: 'u1', description: 'old key' },
      ),
    ],
    yubico: [entry('cccccccccccb', { id: 'y1', description: 'blue key', enable: false })],
    recovery: { secret: '0011223344556677', entries: [null, 'ab'], created: 1 },
  });

  test('list shows the factors in Proxmox beside ours, with their kinds', async () => {
    const person = proxmox.person(everything);
    const { stdout } = await command('list', '--user', person.name);
    const id = '11111111-2222-4333-8444-555555555555';
    const inProxmox = `in Proxmox as ${person.name}@pam`;
    for (const text of [
      `phone (totp ${inProxmox}, proxmox:${id})`,
      `passkey (webauthn ${inProxmox}, proxmox:w1), added 1970-01-01 00:00, works only in the web interface`,
      `old key (u2f ${inProxmox}, proxmox:u1)`,
      `blue key (yubico ${inProxmox}, proxmox:y1), added 1970-01-01 00:00, switched off`,
      `recovery (recovery ${inProxmox}, proxmox:recovery), added 1970-01-01 00:00, keys left: 1`,
    ]) {
      expect(stdout).toContain(`${person.name}: ${text}`);
    }
    expect(stdout).not.toContain(person.secret);
    const all = JSON.parse((await command('list', '--json')).stdout) as { user: string; proxmox?: object }[];
    expect(all.find(({ user }) => user === person.name)?.proxmox).toMatchObject({ totpLocked: false });
  });

  test('remove and unlock call pveum', async () => {
    const person = proxmox.person((who) => ({ ...everything(who), 'totp-locked': true }));
    expect((await command('list', '--user', person.name)).stderr).toContain('Proxmox has locked the codes');
    expect((await command('remove', 'proxmox:w1', '--user', person.name, '--yes')).status).toBe(0);
    expect((await command('remove', 'proxmox:none', '--user', person.name)).stderr).toContain(
      'no factor proxmox:none',
    );
    expect((await command('unlock', '--user', person.name)).status).toBe(0);
    expect(calls().map((call) => [call.program, ...call.argv])).toEqual([
      ['/usr/bin/pveum', 'user', 'tfa', 'delete', `${person.name}@pam`, '--id', 'w1'],
      ['/usr/bin/pveum', 'user', 'tfa', 'unlock', `${person.name}@pam`],
    ]);
    rmSync(CALLS);
    const free = proxmox.person(phone);
    expect((await command('unlock', '--user', free.name)).status).toBe(0);
    expect(calls()).toEqual([]);
  });

  test('recovery codes of ours work beside the phone in Proxmox', async () => {
    const person = proxmox.person(phone);
    const { stdout, stderr } = await command('recovery', '--user', person.name);
    const code = /[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}/.exec(stdout)?.[0] ?? stderr;
    const service = proxmox.stage.service();
    expect((await logIn(proxmox.stage, person.name, code, { service })).rc).toBe(PAM.success);
    expect((await logIn(proxmox.stage, person.name, code, { service })).rc).toBe(PAM.denied);
    const now = codeOf({ secret: person.secret });
    expect(uriOf(person)).toContain(person.secret);
    expect((await logIn(proxmox.stage, person.name, now, { service })).rc).toBe(PAM.success);
  });
});
