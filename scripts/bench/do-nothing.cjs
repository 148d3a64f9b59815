'use strict';
/*
 * The floor under every daemon on Node: it accepts a connection, asks for a code as soon as START has come, and says "ok" as soon as
 * the answer has. It reads neither, knows nobody and writes nothing. It uses plain `node:net`, not our addon, and gets its
 * sockets as our daemon does. Its frames are ready to send: BENCH_PROMPT and BENCH_VERDICT, in hexadecimal.
 */
const { createServer } = require('node:net');

/** SD_LISTEN_FDS_START: pam.sock, the first of the sockets that scripts/activate opens. */
const SOCKET = 3;
const prompt = Buffer.from(process.env.BENCH_PROMPT, 'hex');
const verdict = Buffer.from(process.env.BENCH_VERDICT, 'hex');

createServer((connection) => {
  let asked = false;
  connection.on('error', () => connection.destroy());
  connection.on('data', () => {
    if (asked) {
      connection.end(verdict);
    } else {
      asked = true;
      connection.write(prompt);
    }
  });
}).listen({ fd: SOCKET }, () => process.stderr.write('Ready\n'));

process.on('SIGTERM', () => process.exit(0));
