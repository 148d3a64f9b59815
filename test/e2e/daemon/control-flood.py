#!/usr/bin/env python3
"""
control-flood.py SOCKET COUNT AT_ONCE

Sends COUNT requests that are wrong in different ways, each on its own connection, AT_ONCE at the same time, and prints how many
were sent. The daemon may
answer or hang up.
"""

import concurrent.futures
import itertools
import random
import socket
import sys

RANDOM = random.Random(5)


def body(text, path=b"/v1/users/root/changes", length=None):
    size = len(text) if length is None else length
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path, size, text)


WRONG = [
    lambda: RANDOM.randbytes(200),
    lambda: b"",
    lambda: b"\0" * 64,
    lambda: b"GET /v1/users HTTP/9.9\r\n\r\n",
    lambda: b"GET /v1/users/" + b"%" * 50 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    lambda: b"GET / HTTP/1.1\r\nX: " + b"x" * 20000,
    lambda: body(b"x" * 20000),
    lambda: body(b"{}", length=100),
    lambda: body(b"[" * 16000),
    lambda: body(b'{"changes":[{"do":"add","factor":{"kind":"totp"}}]}'),
    lambda: body(b'{"__proto__":{"proof":"1"},"changes":[]}', b"/v1/users/nobody/changes"),
    lambda: b"POST /v1/users/root/unlock HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


def send(path, data):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        try:
            client.connect(path)
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:
            pass


path, count, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
wrong = [make() for _, make in zip(range(count), itertools.cycle(WRONG))]
with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
    print(sum(1 for _ in pool.map(lambda data: send(path, data), wrong)))
