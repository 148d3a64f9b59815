/*
 * What the unit runs: pve-authenticatord from one file, program.cjs, with what V8 compiled of it at the installation, program.cache.
 * Compiling takes longer than all else that a start does. A cache of another program, Node or flags is ignored.
 *
 * `--make-code-cache` makes the cache: the daemon is started with an empty store in a directory of its own, one person without a factor
 * tries to log in, and what was compiled by then is kept. It wants the same flags of Node as the daemon.
 *
 *   program.cache = u32 CRC-32 of program.cjs and of the rest · what V8 made
 */
{
  const fs = process.getBuiltinModule('node:fs');
  const { crc32 } = process.getBuiltinModule('node:zlib');
  const { Script } = process.getBuiltinModule('node:vm');

  const PROGRAM = `${__dirname}/program.cjs`;
  const CACHE = `${__dirname}/program.cache`;
  const SUM_BYTES = 4;
  const MAKE = '--make-code-cache';

  const sumOf = (source: Buffer, made: Buffer): Buffer => {
    const sum = Buffer.alloc(SUM_BYTES);
    sum.writeUInt32BE(crc32(made, crc32(source)));
    return sum;
  };

  /** V8 looks at its version, its flags and the length of the program, and takes the rest as it is. */
  const cacheOf = (program: Buffer): Buffer | undefined => {
    let file: Buffer;
    try {
      file = fs.readFileSync(CACHE);
    } catch {
      return undefined;
    }
    const made = file.subarray(SUM_BYTES);
    return file.length > SUM_BYTES && file.subarray(0, SUM_BYTES).equals(sumOf(program, made))
      ? made
      : undefined;
  };

  /** The program is ASCII: it is read as it is. */
  const program = fs.readFileSync(PROGRAM);
  const source = program.toString('latin1');
  const making = process.argv[2] === MAKE;
  const cachedData = making ? undefined : cacheOf(program);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: PROGRAM,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const start = script.runInThisContext() as (...names: unknown[]) => void;

  /** By rename: a daemon that starts meanwhile finds the old one, the new one or none. */
  const save = (): void => {
    const made = script.createCachedData();
    const fd = fs.openSync(`${CACHE}.new`, 'w', 0o644);
    fs.fchmodSync(fd, 0o644);
    fs.writeSync(fd, Buffer.concat([sumOf(program, made), made]));
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.renameSync(`${CACHE}.new`, CACHE);
  };

  /** START of somebody without a factor: docs/reference/protocol.md. */
  const startFrame = (): Buffer => {
    const items = ['sshd', 'root', 'ssh', '192.0.2.1', '', '', '0', '0', '/root', 'root'].flatMap(
      (text, index) =>
        text === '' ? [] : [Buffer.from([index + 1, 0, text.length]), Buffer.from(text, 'latin1')],
    );
    const payload = Buffer.concat([Buffer.from([0x01, 1, 0]), ...items]);
    return Buffer.concat([Buffer.from([payload.length >> 8, payload.length & 0xff]), payload]);
  };
  const EMPTY_ANSWER = Buffer.from([0, 1, 0x02]);
  const VERDICT = 0x83;
  const RETRY_MS = 20;

  /** Tries to log in when the daemon serves, and ends it. */
  const visit = (socket: string): void => {
    const connection = process.getBuiltinModule('node:net').connect(socket);
    connection.on('error', () => setTimeout(() => visit(socket), RETRY_MS));
    connection.on('connect', () => connection.write(startFrame()));
    connection.on('data', (frame) => {
      if (frame[2] === VERDICT) {
        process.kill(process.pid, 'SIGTERM');
      } else {
        connection.write(EMPTY_ANSWER);
      }
    });
  };

  if (making) {
    const directory = fs.mkdtempSync(`${process.getBuiltinModule('node:os').tmpdir()}/pve-authenticator-`);
    process.on('exit', (status) => {
      fs.rmSync(directory, { recursive: true, force: true });
      if (status === 0) {
        save();
      }
    });
    process.argv.splice(
      2,
      1,
      '--runtime-dir',
      directory,
      '--state-dir',
      `${directory}/state`,
      '--config',
      '/nowhere',
    );
    visit(`${directory}/pam.sock`);
  }
  start(exports, require, module, PROGRAM, __dirname);
}
