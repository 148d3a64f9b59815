import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import ts from 'typescript';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

/* What the unit runs, with a program in place of the daemon that says which of its texts was compiled. */

const SOURCE = new URL('../../../src/daemon/start.cts', import.meta.url);
const FLAGS = ['--max-old-space-size=64', '--disallow-code-generation-from-strings'];
const programThatSays = (word: string): string => `
  const says = () => '${word}';
  if (process.argv.includes('--runtime-dir')) {
    const directory = process.argv[process.argv.indexOf('--runtime-dir') + 1];
    require('node:net').createServer((connection) => {
      connection.once('data', (start) => {
        connection.write(Buffer.from([0, 1, 0x81]));
        connection.once('data', () => connection.write(Buffer.from([0, 1, 0x83])));
        require('node:fs').writeFileSync(__dirname + '/start', start);
      });
    }).listen(directory + '/pam.sock');
    process.on('SIGTERM', () => { says(); process.exit(Number(process.env.ENDS_WITH ?? 0)); });
  } else {
    console.log(says());
  }
`;

const newDirectory = temporaryDirectories();
let directory: string;
const file = (name: string): string => join(directory, name);
const run = (words: readonly string[] = [], environment = {}): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [...FLAGS, file('main.js'), ...words], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: directory, ...environment },
  });
const made = (): boolean => existsSync(file('program.cache'));

beforeEach(() => {
  directory = newDirectory();
  const { outputText } = ts.transpileModule(readFileSync(SOURCE, 'utf8'), {
    fileName: 'start.cts',
    compilerOptions: { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(file('main.js'), outputText);
  writeFileSync(file('package.json'), '{ "type": "commonjs" }');
  writeFileSync(file('program.cjs'), programThatSays('one'));
});

describe('the start of the daemon', () => {
  it('needs no cache', () => {
    expect(run().stdout).toBe('one\n');
    expect(made()).toBe(false);
  });

  it('makes a cache after a login, and leaves nothing else', () => {
    expect(run(['--make-code-cache']).status).toBe(0);
    expect(statSync(file('program.cache')).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory).sort()).toEqual(
      ['main.js', 'package.json', 'program.cache', 'program.cjs', 'start'].sort(),
    );
    const start = readFileSync(file('start'));
    expect(start.readUInt16BE(0)).toBe(start.length - 2);
    expect(run().stdout).toBe('one\n');
  });

  it('makes none where the daemon did not start', () => {
    expect(run(['--make-code-cache'], { ENDS_WITH: '1' }).status).toBe(1);
    expect(made()).toBe(false);
  });

  it('uses it, and ignores one that is not of this program, or damaged', () => {
    run(['--make-code-cache']);
    writeFileSync(file('program.cjs'), programThatSays('two'));
    expect(run().stdout, 'of another program').toBe('two\n');
    const cache = readFileSync(file('program.cache'));
    // As if the cache were of this program: what it says shows that it is used.
    cache.writeUInt32BE(crc32(cache.subarray(4), crc32(readFileSync(file('program.cjs')))));
    writeFileSync(file('program.cache'), cache);
    expect(run().stdout, 'used').toBe('one\n');
    cache[cache.length >> 1] = cache[cache.length >> 1]! ^ 1;
    writeFileSync(file('program.cache'), cache);
    expect(run().stdout, 'damaged').toBe('two\n');
    writeFileSync(file('program.cache'), '');
    expect(run().stdout, 'empty').toBe('two\n');
  });
});
