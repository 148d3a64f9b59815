#!/usr/bin/env python3
"""
flood.py SOCKET START

Connects as often as it can, keeps what it gets, sends START (hexadecimal) on
some of it and nonsense on the rest. Prints "." when it has begun, and the
number of its connections when its standard input ends.
"""

import select
import socket
import sys

KEPT = 200


def main(path, start):
    start = bytes.fromhex(start)
    kept, count = [], 0
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            connection.connect(path)
            connection.send((start, b"\xff\xff", start + start, b"\0")[count % 4])
            kept.append(connection)
            count += 1
            if count == KEPT:
                print(".", flush=True)
        except OSError:
            connection.close()
        if len(kept) > KEPT:
            kept.pop(0).close()
        if select.select([sys.stdin], [], [], 0)[0]:
            break
    print(count)


main(*sys.argv[1:])
