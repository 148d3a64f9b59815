#!/usr/bin/env python3
"""
random-frames.py SOCKET FRAMES SEED USER UID

Speaks to the daemon like a broken module: two frames on a connection, each
random, valid, or valid with some changes.
"""

import random
import socket
import struct
import sys


def text(value):
    return struct.pack(">H", len(value)) + value


def frame(kind, payload):
    return struct.pack(">HB", len(payload) + 1, kind) + payload


def good_frames(user, uid):
    start = b"\1\0\1" + text(b"fuzz") + b"\2" + text(user)
    known = start + b"\7" + text(uid) + b"\x0a" + text(user)
    tail = known + b"\6" + text(b"forward_pass")
    starts = [frame(1, start), frame(1, known), frame(1, tail)]
    answers = [frame(2, b""), frame(2, b"\0" + text(b"12345x")), frame(3, b"\1")]
    return starts, answers


def changed(chance, good):
    data = bytearray(good)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(data))
        what = chance.randrange(4)
        if what == 0:
            data[place] = chance.randrange(256)
        elif what == 1:
            data[place:place] = chance.randbytes(chance.randrange(1, 9))
        elif what == 2:
            del data[place:place + chance.randrange(1, 4)]
        else:
            data[place] ^= 1 << chance.randrange(8)
        if not data:
            return bytes(data)
    return bytes(data)


def any_frame(chance, good):
    what = chance.randrange(8)
    if what == 0:
        return chance.randbytes(chance.randrange(1, 64))
    if what == 1:
        return frame(chance.randrange(256), chance.randbytes(chance.randrange(300)))
    if what == 2:
        return frame(chance.randrange(4), chance.randbytes(chance.randrange(30)))
    if what < 5:
        return chance.choice(good)
    return changed(chance, chance.choice(good))


def main(path, count, seed, user, uid):
    chance = random.Random(int(seed))
    starts, answers = good_frames(user.encode(), uid.encode())
    for _ in range(int(count) // 2):
        first = any_frame(chance, starts)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(path)  # waits while the backlog is full
            try:
                connection.sendall(first)
                if first in starts:
                    connection.recv(1024)  # the question; else it is too early
                connection.sendall(any_frame(chance, answers))
            except OSError:
                pass  # it has hung up on us, as it should


main(*sys.argv[1:])
