#!/usr/bin/env python3
"""
protocol-client.py SOCKET SERVICE USER ANSWER [ARGUMENT...]

A module written from docs/reference/protocol.md alone: logs USER in over the wire protocol, version 1, and types
ANSWER at every question; "-" cancels. Each ARGUMENT is one of the module's in
pam.d. Prints the daemon's frames, one JSON object a line.
"""

import json
import pwd
import re
import socket
import struct
import sys

VERSION = 1
START, ANSWER, CANCEL = 0x01, 0x02, 0x03
PROMPT, NOTICE, VERDICT = 0x81, 0x82, 0x83
FIRST_FRAME_S, ANSWERED_S = 5, 15
LONGEST_FRAME = 8214
TYPED_MAX = 1024
CONVERSATION_FAILED = 1
NO_SHAPE = 0xFF
GROUP = "[A-Za-z2-7]{4}"
MODHEX = "[cbdefghijklnrtuvCBDEFGHIJKLNRTUV]"
DVORAK = r"[jxe.uidchtnbpygkJXEUIDCHTNBPYGK]"


class Broken(Exception):
    """The daemon broke the protocol, or is gone."""


class Reader:
    """The fields of a payload, in order; every byte must be used up."""

    def __init__(self, data):
        self.data = data

    def take(self, size):
        if len(self.data) < size:
            raise Broken("payload too short")
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def u8(self, most=0xFF):
        value = self.take(1)[0]
        if value > most:
            raise Broken(f"{value} is more than {most}")
        return value

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def text(self):
        value = self.take(struct.unpack(">H", self.take(2))[0])
        if b"\0" in value:
            raise Broken("a text holds a 0")
        return value

    def end(self):
        if self.data:
            raise Broken("bytes left over")


def text(value):
    return struct.pack(">H", len(value)) + value


class Connection:
    """One login: frames in lock-step."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(FIRST_FRAME_S)
        self.socket.connect(path)

    def send(self, kind, payload):
        self.socket.sendall(struct.pack(">HB", 1 + len(payload), kind) + payload)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise Broken("end of file")
            data += more
        return data

    def receive(self):
        (length,) = struct.unpack(">H", self.read(2))
        if not 1 <= length <= LONGEST_FRAME:
            raise Broken(f"a frame of {length} bytes")
        data = self.read(length)
        return data[0], Reader(data[1:])


def start(service, user, arguments):
    items = [(1, service), (2, user)] + [(6, value) for value in arguments]
    try:
        entry = pwd.getpwnam(user)
        items += [(7, str(entry.pw_uid)), (8, str(entry.pw_gid)),
                  (9, entry.pw_dir), (10, entry.pw_name)]
    except KeyError:
        pass
    listed = b"".join(bytes([tag]) + text(value.encode()) for tag, value in items)
    return bytes([VERSION, 0]) + listed


def pattern(kind, length, tail):
    if kind == 1 and 6 <= length <= 8:
        return f"[0-9]{{{length}}}"
    if kind == 2 and 32 <= length <= 48:
        return f"({MODHEX}{{{length}}}|{DVORAK}{{{length}}})"
    if kind == 3 and length == (19 if tail else 16):
        return f"{GROUP}-{GROUP}-{GROUP}-{GROUP}" if tail else f"({GROUP}){{4}}"
    raise Broken(f"shape {kind} of length {length}")


def answer(reader, typed):
    """The question of a PROMPT, and the payload of the ANSWER to it."""
    source, part, count = reader.u8(2), reader.u8(1), reader.u8(8)
    shapes = [(reader.u8(), reader.u8()) for _ in range(count)]
    question = reader.text()
    reader.end()
    patterns = [pattern(kind, length, part == 1) for kind, length in shapes]
    if source == 2:
        typed = ""  # there is no stacked password here
    if part == 0:
        typed = re.sub("[ \t-]", "", typed)
    payload = b""
    for index, (kind, length) in enumerate(shapes):
        bare = typed[-length:] if part == 1 else typed
        if len(typed) <= TYPED_MAX and re.fullmatch(patterns[index], bare):
            payload += bytes([index]) + text(bare.encode())
    return {"question": question.decode(), "part": part, "shapes": shapes}, payload


def verdict(reader):
    code, shape, delay = reader.u8(6), reader.u8(), reader.u32()
    reader.end()
    if (shape > 7 and shape != NO_SHAPE) or delay > 10_000_000:
        raise Broken("bad shape or delay")
    return {"verdict": code, "shape": shape, "delay_us": delay}


def log_in(path, service, user, typed, arguments):
    connection = Connection(path)
    connection.send(START, start(service, user, arguments))
    while True:
        kind, reader = connection.receive()
        if kind == NOTICE:
            is_error = reader.u8(1)
            yield {"notice": reader.text().decode(), "error": is_error == 1}
            reader.end()
        elif kind == PROMPT:
            asked, payload = answer(reader, typed)
            yield asked
            if typed == "-":
                connection.send(CANCEL, bytes([CONVERSATION_FAILED]))
                return
            connection.send(ANSWER, payload)
            connection.socket.settimeout(ANSWERED_S)
        elif kind == VERDICT:
            yield verdict(reader)
            return
        else:
            raise Broken(f"frame of type {kind}")


def main(path, service, user, typed, *arguments):
    for event in log_in(path, service, user, typed, arguments):
        print(json.dumps(event))


main(*sys.argv[1:])
