"""Writes the first inputs of the fuzzers: seeds.py VECTORS DIRECTORY.

DIRECTORY/decoder gets the frames to the module of test/wire-vectors.json and
answers of every shape. DIRECTORY/relay gets logins: each of these frames as
the daemon's only frame, and scripts (script.h) of every kind of login.
"""

import json
import os
import struct
import sys

(HOST, ITEM, ARGUMENT, TYPED, THINK, FAULT, RAW, FRAME, PROMPT, NOTICE,
 VERDICT, WAIT, HANGUP, PIECES) = range(14)
NOW = 0x80  # out of turn
HIDDEN, VISIBLE, STACKED = range(3)
WHOLE, TAIL = range(2)
SIX, MODHEX, CODE, CODE_TAIL = (1, 6), (2, 32), (3, 16), (3, 19)
USER, RHOST, TTY, RUSER, HOME, NAME, AUTHTOK = range(7)
(SOCKET, DUP, CONNECT, PEER, POLL, RECV, SEND, CLOCK, CLOSE, GET_USER,
 GET_AUTHTOK, SET_AUTHTOK, ASK) = range(13)
TEXTS = {
    SIX: "287082",
    MODHEX: "cbdefghijklnrtuvcbdefghijklnrtuv",
    CODE: "ABCDEFGHIJKLM234",
    CODE_TAIL: "ABCD-efgh-IJKL-M234",
}


def op(kind, data=b""):
    assert len(data) < 256
    return bytes([kind, len(data)]) + data


def repeat(count, pattern=b"x"):
    return b"\xfe" + struct.pack(">H", count) + pattern


def host(flags=0, socket=0):
    return op(HOST, struct.pack(">BBII", flags, socket, 1000, 100))


def item(which, text):
    return op(ITEM, bytes([which]) + text)


def typed(text, how=0):
    data = text if isinstance(text, bytes) else text.encode()
    return op(TYPED, bytes([how]) + data)


def fault(call, which=0, effect=0):
    return op(FAULT, bytes([call, which, effect]))


def prompt(*shapes, source=HIDDEN, part=WHOLE, text=b"Code: ", now=0):
    listed = b"".join(bytes(shape) for shape in shapes)
    return op(PROMPT | now, bytes([source, part, len(shapes)]) + listed + text)


def notice(text=b"\x1b[2Jhello", kind=0, now=0):
    return op(NOTICE | now, bytes([kind]) + text)


def verdict(code, shape=0xFF, delay=1000, now=0):
    return op(VERDICT | now, struct.pack(">BBI", code, shape, delay))


def wait(ms):
    return op(WAIT, struct.pack(">H", ms))


OK = verdict(1)
LOGIN = typed("287 082") + prompt(SIX) + OK
TAIL_LOGIN = typed("secret287082") + prompt(SIX, part=TAIL) + verdict(1, 0)


def logins():
    yield from verdicts()
    yield from shapes()
    yield from conversations()
    yield from hosts()
    yield from disorder()
    yield from faults()


def verdicts():
    for code in range(7):
        yield verdict(code)
        yield op(ARGUMENT, b"nullok") + verdict(code, 0, 0)
        yield typed("287082") + prompt(SIX) + verdict(code)
    yield op(VERDICT, bytes(6))


def shapes():
    for shape, text in TEXTS.items():
        part = TAIL if shape == CODE_TAIL else WHOLE
        yield typed(text) + prompt(shape, part=part) + OK
        yield typed("password" + text) + prompt(shape, part=part) + OK
    every = (SIX, (1, 7), (1, 8), MODHEX, (2, 44), CODE)
    yield typed("not a code") + prompt(*every) + verdict(0)
    yield typed("jxe.uidchtnbpygkjxe.uidchtnbpygk") + prompt(MODHEX) + OK
    yield TAIL_LOGIN
    yield typed("287082") + prompt(SIX, part=TAIL) + verdict(1, 0)
    yield typed("secret") + prompt(SIX, part=TAIL) + verdict(1, 0)
    yield (typed("secret287082") + prompt(SIX, part=TAIL) + typed("1")
           + prompt() + prompt(SIX) + verdict(1, 0))
    for second in ("secret", "", "other123456", repeat(1025, b"1")):
        yield (typed("secret287082") + prompt(SIX, part=TAIL) + typed(second)
               + prompt(SIX, part=TAIL) + verdict(1, 0))
    stacked = prompt(SIX, source=STACKED, part=TAIL)
    yield item(AUTHTOK, b"secret287082") + stacked + verdict(1, 0)
    yield item(AUTHTOK, b"secret287082") + stacked + prompt(SIX) + OK
    yield stacked + prompt(SIX) + OK
    yield stacked + stacked + OK
    yield prompt(SIX) + stacked + OK


def conversations():
    for how in range(5):
        yield typed(b"\x06123456", how) + prompt(SIX) + OK
        yield host(4) + typed(b"\x0687082", how) + LOGIN
    yield typed(repeat(1024, b"1")) + prompt(SIX, part=TAIL) + verdict(1, 0)
    yield typed(repeat(1025, b"1")) + prompt(SIX, part=TAIL) + verdict(1, 0)
    yield typed("") + prompt(SIX, source=VISIBLE) + verdict(0)
    yield notice() + notice(kind=1) + prompt(SIX, text=repeat(8192)) + OK
    yield prompt(SIX, text=repeat(8193)) + OK
    yield host(1) + notice() + LOGIN
    yield op(THINK, struct.pack(">H", 60000)) + LOGIN


def hosts():
    for flag in (2, 8, 16, 32, 64, 64 + 128):
        yield host(flag) + LOGIN
        yield host(flag, 1) + LOGIN
    yield host(0, 2) + LOGIN
    for which in range(6):
        yield item(which, b"some text") + LOGIN
        yield item(which, repeat(9000)) + LOGIN
    for argument in (b"nullok", b"secret=${HOME}/.ga", b"forward_pass"):
        yield op(ARGUMENT, argument) + LOGIN
    yield op(PIECES, b"\x01") + LOGIN


def disorder():
    yield prompt(SIX) * 17 + OK
    yield notice() * 33 + OK
    yield prompt(SIX) + prompt(SIX, now=NOW) + OK
    yield verdict(1, now=NOW)
    yield prompt(SIX) + op(HANGUP, b"\0")
    yield prompt(SIX) + op(HANGUP | NOW, b"\1")
    for code in range(7):
        yield prompt(SIX) + notice(now=NOW) + verdict(code, now=NOW)
    yield wait(4999) + LOGIN
    yield wait(5001) + LOGIN
    yield prompt(SIX) + wait(10000) + notice() + wait(6000) + OK


def faults():
    second = host(64)
    for call in range(13):
        for effect in range(8):
            yield fault(call, 0, effect) + LOGIN
            yield fault(call, 1, effect) + TAIL_LOGIN
            yield fault(call, 0, effect | 0x80) + second + LOGIN
            yield (fault(call, 0, effect) + host(16)
                   + item(AUTHTOK, b"secret287082")
                   + prompt(SIX, source=STACKED, part=TAIL) + verdict(1, 0))
            yield fault(call, 3, effect) + LOGIN + notice()
    for effect in (2, 3):
        yield fault(SEND, 1, effect) + LOGIN + verdict(0, now=NOW)


def frames(path):
    with open(path, encoding="utf-8") as file:
        for vector in json.load(file)["vectors"]:
            if vector["message"] in ("prompt", "notice", "verdict"):
                yield bytes.fromhex(vector["hex"])


def answers():
    for shape, text in TEXTS.items():
        yield bytes((0xFF, *shape, shape == CODE_TAIL)) + text.encode()
        yield bytes((0xFF, *shape, shape == CODE_TAIL)) + text[:-1].encode()


def write(directory, inputs):
    os.makedirs(directory, exist_ok=True)
    for index, data in enumerate(inputs):
        with open(f"{directory}/seed-{index:04}", "wb") as file:
            file.write(data)


def short(frame):
    return len(frame) < 250


def main(vectors, directory):
    heard = list(frames(vectors))
    one_frame = [op(RAW, frame) + OK for frame in filter(short, heard)]
    write(f"{directory}/decoder", [*heard, *answers()])
    write(f"{directory}/relay", [*one_frame, *logins()])


main(*sys.argv[1:])
