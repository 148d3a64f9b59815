"""What the module does with every daemon, host and person, good or bad."""

import collections
import json
import os
import signal
import socket
import subprocess
import sys
import time

from scripted import *  # the vocabulary of a test

Case = collections.namedtuple("Case", "group name seconds root plain run")
CASES = []
DEFAULT_DELAY = 2_000_000
YUBIKEY = "cccccckdvvulethkhtvkrlgkgchufdvbcdjrkbgjlihh"
DVORAK = "jxe.uidchtnbpygkjxe.uidchtnbpygkjxe.uidchtnb"


def case(group, name, seconds=0, root=False, plain=False):
    """Registers a test; the long ones start first, and a plain one is not
    run with sanitizers."""

    def register(function):
        CASES.append(Case(group, name, seconds, root, plain, function))
        return function

    return register


def expect_delay(result, want):
    """libpam varies a delay by up to half."""
    if not want * 0.5 <= result.delay <= want * 1.5:
        raise Failure(f"delay: got {result.delay}, expected about {want}")


def expect_deadline(result, seconds):
    """On a busy machine the whole program is late. But a delay of three times
    the deadline means that the module uses another deadline."""
    low, high = seconds - 0.2, seconds * 3
    if not low <= result.took <= high:
        raise Failure(f"it took {result.took:.2f} s, expected {low} to {high}")


def expect_failure(result, rc):
    expect(result.rc, rc, "return value")
    expect_delay(result, DEFAULT_DELAY)


def says(*frames):
    """A daemon that answers START with these frames and waits for the end.

    They leave in one piece: the module may hang up after any of them.
    """

    def script(conn):
        conn.start()
        conn.send(b"".join(frames))
        conn.end()

    return script


# --- verdicts -------------------------------------------------------------

for code, args, rc, delay in [
    (OK, "", SUCCESS, None),
    (OK, "nullok", SUCCESS, None),
    (DENIED, "", AUTH_ERR, 1_000_000),
    (DENIED, "nullok", AUTH_ERR, 1_000_000),
    (DENIED, "", AUTH_ERR, 0),
    (DENIED, "", AUTH_ERR, 10_000_000),
    (NOT_ENROLLED, "", AUTH_ERR, 3_000_000),
    (NOT_ENROLLED, "nullok", IGNORED, None),
    (NOT_ENROLLED, "nullok2 xnullok nullo", AUTH_ERR, 3_000_000),
    (UNKNOWN, "nullok", USER_UNKNOWN, 1_000_000),
    (TOO_MANY, "nullok", MAXTRIES, 1_000_000),
    (UNAVAILABLE, "nullok", SYSTEM_ERR, 1_000_000),
    (EXEMPT, "", IGNORED, None),
]:

    @case("verdicts", f"code {code} {args}")
    def _(box, code=code, args=args, rc=rc, delay=delay):
        box.daemon(says(verdict(code, delay=delay or 0)))
        result = box.login(args=args)
        expect(result.rc, rc, "return value")
        expect_delay(result, delay or 0)


@case("verdicts", "a zeroed verdict is a denial")
def _(box):
    box.daemon(says(frame(VERDICT, bytes(6))))
    expect(box.login(args="nullok").rc, AUTH_ERR, "return value")


@case("verdicts", "setcred succeeds without a daemon")
def _(box):
    expect(box.login(ops=["setcred"]).rc in (0, IGNORED), True, "setcred")


# --- absent daemons -------------------------------------------------------


@case("absent", "no socket")
def _(box):
    expect_failure(box.login(args="nullok"), AUTHINFO_UNAVAIL)


@case("absent", "no directory")
def _(box):
    result = box.login(sockets=[box.dir + "/no/pam.sock"])
    expect_failure(result, AUTHINFO_UNAVAIL)


@case("absent", "nobody listens")
def _(box):
    box.listen().close()
    expect_failure(box.login(), AUTHINFO_UNAVAIL)


@case("absent", "the path is too long for a socket")
def _(box):
    result = box.login(sockets=["/tmp/" + "x" * 120])
    expect_failure(result, SYSTEM_ERR)


@case("absent", "the path is below a file")
def _(box):
    result = box.login(sockets=["/etc/passwd/pam.sock"])
    expect_failure(result, SYSTEM_ERR)


# --- malformed frames -----------------------------------------------------

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "..", "wire-vectors.json"), encoding="utf-8") as _f:
    VECTORS = json.load(_f)["vectors"]


def to_module(vector):
    return vector["message"] in ("prompt", "notice", "verdict")


for vector in VECTORS:
    if not to_module(vector) or vector["valid"]:
        continue

    @case("malformed", vector["name"])
    def _(box, vector=vector):
        def script(conn):
            conn.start()
            conn.send(bytes.fromhex(vector["hex"]))
            conn.sock.shutdown(socket.SHUT_WR)
            conn.end()

        box.daemon(script)
        stops = vector["error"] == "incomplete"
        result = box.login("123456", args="nullok")
        expect_failure(result, SYSTEM_ERR if stops else SERVICE_ERR)
        expect(result.of("prompt"), [], "questions")


@case("malformed", "a bad length is refused at once")
def _(box):
    box.daemon(says(b"\xff\xff"))
    result = box.login()
    # A module that waits for the rest ends with SYSTEM_ERR.
    expect_failure(result, SERVICE_ERR)


@case("malformed", "frames that come byte by byte")
def _(box):
    def script(conn):
        conn.start()
        conn.drip(0.002, [bytes([byte]) for byte in prompt()])
        expect(conn.answer(), [(0, b"123456")], "answer")
        conn.drip(0.002, [bytes([byte]) for byte in verdict(OK)])

    box.daemon(script)
    expect(box.login("123456").rc, SUCCESS, "return value")


# --- end of file ----------------------------------------------------------


def hangs_up(*frames):
    def script(conn):
        conn.start()
        conn.send(b"".join(frames))

    return script


for name, script in [
    ("at once", lambda conn: None),
    ("after START", hangs_up()),
    ("in a length", hangs_up(b"\0")),
    ("after a length", hangs_up(b"\0\7")),
    ("in a frame", hangs_up(verdict(OK)[:-1])),
    ("after a notice", hangs_up(notice("one moment"))),
    ("while the person thinks", hangs_up(prompt())),
    ("after ANSWER", lambda conn: (conn.start(), conn.ask())),
]:

    @case("end of file", name)
    def _(box, script=script):
        box.daemon(script)
        result = box.login("123456", args="nullok", options=["-w", "100"])
        expect_failure(result, SYSTEM_ERR)


# --- order and limits -----------------------------------------------------


def asks(*prompts, then=verdict(OK)):
    def script(conn):
        conn.start()
        for data in prompts:
            conn.send(data)
            conn.answer()
        conn.send(then)

    return script


@case("order", "16 prompts")
def _(box):
    box.daemon(asks(*[prompt()] * 16))
    expect(box.login(*["1"] * 16).rc, SUCCESS, "return value")


@case("order", "17 prompts")
def _(box):
    box.daemon(asks(*[prompt()] * 16, then=prompt()))
    result = box.login(*["1"] * 17)
    expect_failure(result, SERVICE_ERR)
    expect(len(result.of("prompt")), 16, "questions")


@case("order", "32 notices")
def _(box):
    box.daemon(says(*[notice("x")] * 32, verdict(OK)))
    result = box.login()
    expect(result.rc, SUCCESS, "return value")
    expect(len(result.of("message")), 32, "notices")


@case("order", "33 notices")
def _(box):
    box.daemon(says(*[notice("x")] * 33, verdict(OK)))
    result = box.login()
    expect_failure(result, SERVICE_ERR)
    expect(len(result.of("message")), 32, "notices")


@case("order", "33 notices that are not shown")
def _(box):
    box.daemon(says(*[notice("x")] * 33, verdict(OK)))
    expect_failure(box.login(options=["-f", "0x8000"]), SERVICE_ERR)


@case("order", "the stacked password twice")
def _(box):
    stacked = prompt(source=STACKED, part=TAIL)
    box.daemon(asks(stacked, then=stacked))
    result = box.login(options=["-i", "AUTHTOK=secret123456"])
    expect_failure(result, SERVICE_ERR)


@case("order", "the stacked password after a question")
def _(box):
    stacked = prompt(source=STACKED, part=TAIL)
    box.daemon(asks(prompt(), then=stacked))
    result = box.login("1", options=["-i", "AUTHTOK=secret123456"])
    expect_failure(result, SERVICE_ERR)


for code, args, rc in [
    (OK, "", SYSTEM_ERR),
    (DENIED, "", AUTH_ERR),
    (NOT_ENROLLED, "", SYSTEM_ERR),
    (NOT_ENROLLED, "nullok", SYSTEM_ERR),
    (UNKNOWN, "", USER_UNKNOWN),
    (TOO_MANY, "", MAXTRIES),
    (UNAVAILABLE, "", SYSTEM_ERR),
    (EXEMPT, "", SYSTEM_ERR),
]:

    @case("order", f"verdict {code} {args} while the person thinks")
    def _(box, code=code, args=args, rc=rc):
        box.daemon(says(prompt(), verdict(code, delay=2_000_000)))
        result = box.login("123456", args=args, options=["-w", "200"])
        expect_failure(result, rc)

    @case("order", f"verdict {code} {args} and hang up while the person thinks")
    def _(box, code=code, args=args, rc=rc):
        box.daemon(hangs_up(prompt(), verdict(code, delay=2_000_000)))
        result = box.login("123456", args=args, options=["-w", "200"])
        expect_failure(result, rc)

    @case("order", f"verdict {code} {args} from who cannot hear the answer")
    def _(box, code=code, args=args, rc=rc):
        def script(conn):
            conn.start()
            conn.send(prompt())
            conn.sock.shutdown(socket.SHUT_RD)
            time.sleep(0.5)
            conn.send(verdict(code, delay=2_000_000))
            time.sleep(0.2)

        box.daemon(script)
        result = box.login("123456", args=args, options=["-w", "200"])
        expect_failure(result, rc)


@case("order", "a notice and a refusal while the person thinks")
def _(box):
    box.daemon(hangs_up(prompt(), notice("going down"), verdict(DENIED)))
    result = box.login("123456", options=["-w", "200"])
    expect(result.rc, AUTH_ERR, "return value")
    expect(result.of("message"), [], "notices")


@case("order", "two prompts at once")
def _(box):
    box.daemon(says(prompt(), prompt()))
    expect_failure(box.login("1", "2", options=["-w", "200"]), SERVICE_ERR)


@case("order", "notices without end while the person thinks")
def _(box):
    box.daemon(says(prompt(), *[notice("x")] * 33, verdict(DENIED)))
    expect_failure(box.login("1", options=["-w", "300"]), SERVICE_ERR)


@case("order", "garbage while the person thinks")
def _(box):
    box.daemon(says(prompt(), b"\xff\xff\xff"))
    expect_failure(box.login("1", options=["-w", "200"]), SERVICE_ERR)


# --- deadlines ------------------------------------------------------------


@case("deadlines", "5 s to the first frame", seconds=5)
def _(box):
    box.daemon(says())
    result = box.login(args="nullok")
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 5)


@case("deadlines", "5 s when nobody accepts", seconds=5)
def _(box):
    box.listen()
    result = box.login()
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 5)


@case("deadlines", "5 s when the daemon is stopped", seconds=5)
def _(box):
    sock = box.listen()
    code = "import signal; signal.pause()"
    daemon = subprocess.Popen(
        [sys.executable, "-S", "-c", code], pass_fds=[sock.fileno()]
    )
    try:
        daemon.send_signal(signal.SIGSTOP)
        result = box.login()
    finally:
        daemon.kill()
        daemon.wait()
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 5)


@case("deadlines", "a notice does not prolong the 5 s", seconds=5)
def _(box):
    def script(conn):
        conn.start()
        conn.drip(1, [notice("still here")] * 20)

    box.daemon(script)
    result = box.login()
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 5)


@case("deadlines", "a slow frame does not prolong the 5 s", seconds=5)
def _(box):
    def script(conn):
        conn.start()
        conn.drip(1, [bytes([byte]) for byte in verdict(OK)])

    box.daemon(script)
    result = box.login()
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 5)


@case("deadlines", "signals do not prolong the 5 s", seconds=5)
def _(box):
    box.daemon(says())
    result = box.login(options=["-e"])
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 5)


@case("deadlines", "the first frame after 4 s", seconds=4)
def _(box):
    def script(conn):
        conn.start()
        time.sleep(4)
        conn.send(verdict(OK))

    box.daemon(script)
    expect(box.login().rc, SUCCESS, "return value")


@case("deadlines", "15 s after an answer", seconds=15)
def _(box):
    def script(conn):
        conn.start()
        conn.ask()
        conn.end()

    box.daemon(script)
    result = box.login("123456")
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 15)


@case("deadlines", "a notice does not prolong the 15 s", seconds=15)
def _(box):
    def script(conn):
        conn.start()
        conn.ask()
        conn.drip(2, [notice("still here")] * 25)

    box.daemon(script)
    result = box.login("123456")
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 15)


@case("deadlines", "a verdict 13 s after the answer", seconds=13)
def _(box):
    def script(conn):
        conn.start()
        conn.ask()
        time.sleep(13)
        conn.send(verdict(OK))

    box.daemon(script)
    expect(box.login("123456").rc, SUCCESS, "return value")


@case("deadlines", "15 s for the last word", seconds=16)
def _(box):
    def script(conn):
        conn.start()
        conn.send(prompt())
        conn.sock.shutdown(socket.SHUT_RD)
        conn.wait_for_hangup(50)

    box.daemon(script)
    result = box.login("123456", options=["-w", "200"])
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 15)


@case("deadlines", "a person may think for 17 s", seconds=17)
def _(box):
    box.daemon(asks(prompt()))
    expect(box.login("1", options=["-w", "17000"]).rc, SUCCESS, "return value")


@case("deadlines", "a verdict that came while a notice was shown", seconds=6)
def _(box):
    box.daemon(says(notice("read me"), verdict(OK)))
    expect(box.login(options=["-w", "6000"]).rc, SUCCESS, "return value")


def fill(box, sock):
    """Connects until the backlog is full."""
    waiting = []
    while True:
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.setblocking(False)
        waiting.append(one)
        try:
            one.connect(box.path)
        except BlockingIOError:
            return waiting


@case("deadlines", "2 s with a full backlog", seconds=2)
def _(box):
    waiting = fill(box, box.listen(backlog=0))
    result = box.login(args="nullok")
    for one in waiting:
        one.close()
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 2)


@case("deadlines", "2 s with a full backlog and signals", seconds=2)
def _(box):
    waiting = fill(box, box.listen(backlog=0))
    result = box.login(options=["-e"])
    for one in waiting:
        one.close()
    expect_failure(result, SYSTEM_ERR)
    expect_deadline(result, 2)


@case("deadlines", "a backlog that is full for 1 s", seconds=1)
def _(box):
    sock = box.listen(backlog=0)
    waiting = fill(box, sock)
    ignored = [lambda conn: None] * (len(waiting) - 1)
    box.serve(sock, *ignored, says(verdict(OK)), after=1)
    result = box.login()
    for one in waiting:
        one.close()
    expect(result.rc, SUCCESS, "return value")


# --- shapes ---------------------------------------------------------------

SIX, EIGHT, KEY = (DIGITS, 6), (DIGITS, 8), (MODHEX, 44)
SHAPES = [
    (WHOLE, [SIX], "123456", [(0, "123456")]),
    (WHOLE, [SIX], " 12\t3-45 6 ", [(0, "123456")]),
    (WHOLE, [SIX], "hunter2", []),
    (WHOLE, [SIX], "", []),
    (WHOLE, [SIX], "12345", []),
    (WHOLE, [SIX], "1234567", []),
    (WHOLE, [SIX], "12345\n", []),
    (WHOLE, [SIX], "hunter123456", []),
    (WHOLE, [SIX], "\b\n\r\177INCORRECT", []),
    (WHOLE, [SIX], b"\xb1\xb2\xb3\xb4\xb5\xb6", []),
    (WHOLE, [SIX, EIGHT], "1234 5678", [(1, "12345678")]),
    (WHOLE, [SIX, SIX], "123456", [(0, "123456"), (1, "123456")]),
    (WHOLE, [SIX, KEY], YUBIKEY, [(1, YUBIKEY)]),
    (WHOLE, [SIX, KEY], YUBIKEY.upper(), [(1, YUBIKEY.upper())]),
    (WHOLE, [SIX, KEY], DVORAK, [(1, DVORAK)]),
    (WHOLE, [SIX, KEY], YUBIKEY[1:], []),
    (WHOLE, [(RECOVERY, 16)], "abcd-efgh-ijkl-m234", [(0, "abcdefghijklm234")]),
    (WHOLE, [(RECOVERY, 16)], "ABCDEFGHIJKLM234", [(0, "ABCDEFGHIJKLM234")]),
    (WHOLE, [(RECOVERY, 16)], "ABCDEFGHIJKLM018", []),
    (WHOLE, [SIX], "123456" + " " * 1018, [(0, "123456")]),
    (WHOLE, [SIX], "123456" + " " * 1019, []),
    (WHOLE, [KEY], "c" * 1024, []),
    (WHOLE, [], "123456", []),
    (TAIL, [], "123456", []),
    (TAIL, [SIX], "hunter2123456", [(0, "123456")]),
    (TAIL, [SIX], "123456", [(0, "123456")]),
    (TAIL, [SIX], "12345", []),
    (TAIL, [SIX], "hunter2 123 456", []),
    (TAIL, [SIX], "hunter2123456 ", []),
    (TAIL, [SIX, EIGHT], "pw12345678", [(0, "345678"), (1, "12345678")]),
    (TAIL, [EIGHT, SIX], "pw123456", [(1, "123456")]),
    (TAIL, [SIX, KEY], "pw" + YUBIKEY, [(1, YUBIKEY)]),
    (TAIL, [KEY], "pw-" + DVORAK, [(0, DVORAK)]),
    (TAIL, [(RECOVERY, 19)], "pwABCD-EFGH-IJKL-M234", [(0, "ABCD-EFGH-IJKL-M234")]),
    (TAIL, [(RECOVERY, 19)], "pwABCDEFGHIJKLM234567", []),
    (TAIL, [SIX], "p" * 1018 + "123456", [(0, "123456")]),
    (TAIL, [SIX], "p" * 1019 + "123456", []),
    (TAIL, [SIX] * 8, "123456", [(i, "123456") for i in range(8)]),
]

for part, shapes, typed, wanted in SHAPES:
    wanted = [(index, answer.encode()) for index, answer in wanted]
    name = f"{'whole' if part == WHOLE else 'tail'} {typed[:40]!r} {shapes}"

    @case("shapes", name)
    def _(box, part=part, shapes=shapes, typed=typed, wanted=wanted):
        def script(conn):
            conn.start()
            expect(conn.ask(shapes, part=part), wanted, "answer")
            conn.send(verdict(OK))

        box.daemon(script)
        expect(box.login(typed).rc, SUCCESS, "return value")

    @case("shapes", f"stacked {name}")
    def _(box, part=part, shapes=shapes, typed=typed, wanted=wanted):
        def script(conn):
            conn.start()
            expect(conn.ask(shapes, STACKED, part), wanted, "answer")
            conn.send(verdict(OK))

        box.daemon(script)
        data = typed if isinstance(typed, bytes) else typed.encode()
        result = box.login(options=["-i", b"AUTHTOK=" + data])
        expect(result.rc, SUCCESS, "return value")
        expect(result.of("prompt"), [], "questions")
        expect(result.authtok, data, "PAM_AUTHTOK")


@case("shapes", "no stacked password")
def _(box):
    def script(conn):
        conn.start()
        expect(conn.ask([SIX], STACKED, TAIL), [], "answer")
        expect(conn.ask([SIX]), [(0, b"123456")], "answer")
        conn.send(verdict(OK))

    box.daemon(script)
    result = box.login("123456")
    expect(result.rc, SUCCESS, "return value")
    expect(result.authtok, None, "PAM_AUTHTOK")


# --- the rest of the answer -----------------------------------------------

for typed, shapes, index, wanted in [
    ("hunter2123456", [SIX], 0, "hunter2"),
    ("hunter2123456", [EIGHT, SIX], 1, "hunter2"),
    ("pw12345678", [SIX, EIGHT], 1, "pw"),
    ("pw12345678", [SIX, EIGHT], 0, "pw12"),
    ("pw" + YUBIKEY, [SIX, KEY], 1, "pw"),
    ("pwABCD-EFGH-IJKL-M234", [(RECOVERY, 19)], 0, "pw"),
    ("pass wörd\t%s 123456", [SIX], 0, "pass wörd\t%s "),
    ("p" * 1018 + "123456", [SIX], 0, "p" * 1018),
    ("123456", [SIX], 0, ""),
    ("123456", [SIX] * 8, 7, ""),
]:

    @case("forwarding", f"{typed[:30]!r} without shape {index} of {shapes}")
    def _(box, typed=typed, shapes=shapes, index=index, wanted=wanted):
        box.daemon(asks(prompt(shapes, part=TAIL), then=verdict(OK, index)))
        result = box.login(typed, options=["-i", "AUTHTOK=older"])
        expect(result.rc, SUCCESS, "return value")
        expect(result.authtok, wanted.encode(), "PAM_AUTHTOK")


for typed, wanted in [("pw123456", b"pw"), ("123456", b"older")]:

    @case("forwarding", f"{typed!r}, where an empty rest is not set")
    def _(box, typed=typed, wanted=wanted):
        box.daemon(asks(prompt([EIGHT, SIX], part=TAIL), then=verdict(OK, 0x41)))
        result = box.login(typed, options=["-i", "AUTHTOK=older"])
        expect(result.rc, SUCCESS, "return value")
        expect(result.authtok, wanted, "PAM_AUTHTOK")


@case("forwarding", "from the stacked password")
def _(box):
    box.daemon(asks(prompt([SIX], STACKED, TAIL), then=verdict(OK, 0)))
    result = box.login(options=["-i", "AUTHTOK=hunter2123456"])
    expect(result.rc, SUCCESS, "return value")
    expect(result.authtok, b"hunter2", "PAM_AUTHTOK")


@case("forwarding", "the stacked password, though a question followed")
def _(box):
    box.daemon(
        asks(prompt([SIX], STACKED, TAIL), prompt([SIX]), then=verdict(OK, 0))
    )
    result = box.login("654321", options=["-i", "AUTHTOK=hunter2123456"])
    expect(result.rc, SUCCESS, "return value")
    expect(result.authtok, b"hunter2", "PAM_AUTHTOK")


@case("forwarding", "the last of two tails")
def _(box):
    tail = prompt([EIGHT, SIX], part=TAIL)
    box.daemon(asks(tail, tail, then=verdict(OK, 1)))
    result = box.login("wrong111111", "right222222")
    expect(result.rc, SUCCESS, "return value")
    expect(result.authtok, b"right", "PAM_AUTHTOK")


for name, script, answers in [
    ("no question", says(verdict(OK, 0)), []),
    ("only a whole answer", asks(prompt(), then=verdict(OK, 0)), ["123456"]),
    ("a tail that did not fit", asks(prompt(part=TAIL), then=verdict(OK, 0)), ["x"]),
    (
        "a shape that did not fit",
        asks(prompt([SIX, EIGHT], part=TAIL), then=verdict(OK, 1)),
        ["p123456"],
    ),
    ("a shape not listed", asks(prompt(part=TAIL), then=verdict(OK, 1)), ["123456"]),
    (
        "a shape not listed, whose empty rest is not set",
        asks(prompt(part=TAIL), then=verdict(OK, 0x41)),
        ["123456"],
    ),
    (
        "an earlier tail",
        asks(*[prompt(part=TAIL)] * 2, then=verdict(OK, 0)),
        ["p123456", "x"],
    ),
]:

    @case("forwarding", f"refused: {name}")
    def _(box, script=script, answers=answers):
        box.daemon(script)
        result = box.login(*answers, options=["-i", "AUTHTOK=older"])
        expect_failure_after_verdict(result)


def expect_failure_after_verdict(result):
    expect(result.rc, SERVICE_ERR, "return value")
    expect(result.authtok, b"older", "PAM_AUTHTOK")


for code in (DENIED, NOT_ENROLLED, UNKNOWN, TOO_MANY, UNAVAILABLE, EXEMPT):

    @case("forwarding", f"not with verdict {code}")
    def _(box, code=code):
        box.daemon(asks(prompt(part=TAIL), then=verdict(code, 0)))
        options = ["-i", "AUTHTOK=older"]
        result = box.login("pw123456", options=options, args="nullok")
        expect(result.authtok, b"older", "PAM_AUTHTOK")


@case("forwarding", "not without a shape")
def _(box):
    box.daemon(asks(prompt(part=TAIL), then=verdict(OK)))
    result = box.login("pw123456", options=["-i", "AUTHTOK=older"])
    expect(result.rc, SUCCESS, "return value")
    expect(result.authtok, b"older", "PAM_AUTHTOK")


# --- the conversation -----------------------------------------------------

for kind, reason in [
    ("fail", 1), ("null", 1), ("empty", 1), ("system", 2), ("none", 2),
]:

    @case("conversation", f"{kind}: CANCEL {reason}")
    def _(box, kind=kind, reason=reason):
        def script(conn):
            conn.start()
            conn.send(prompt())
            expect(conn.frame(), (CANCEL, bytes([reason])), "frame")
            conn.end()

        box.daemon(script)
        result = box.login("1", options=["-c", kind], args="nullok")
        expect_failure(result, CONV_ERR)


@case("conversation", "it fails at the second question")
def _(box):
    def script(conn):
        conn.start()
        conn.ask()
        conn.send(prompt())
        expect(conn.frame(), (CANCEL, b"\1"), "frame")
        conn.end()

    box.daemon(script)
    result = box.login("1", "2", options=["-n", "2"])
    expect_failure(result, CONV_ERR)


@case("conversation", "it fails and the daemon is gone")
def _(box):
    box.daemon(hangs_up(prompt(), verdict(OK)))
    options = ["-c", "fail", "-w", "100"]
    expect_failure(box.login(options=options), CONV_ERR)


@case("conversation", "a host that cannot show notices")
def _(box):
    box.daemon(says(notice("hello"), verdict(OK)))
    expect(box.login(options=["-c", "fail"]).rc, SUCCESS, "return value")


@case("conversation", "a host that answers notices")
def _(box):
    box.daemon(says(notice("one"), notice("two", 1), verdict(OK)))
    result = box.login(options=["-c", "chatty"])
    expect(result.rc, SUCCESS, "return value")


@case("conversation", "styles")
def _(box):
    def script(conn):
        conn.start()
        conn.send(notice("for you") + notice("bad", 1))
        conn.ask(message="hidden?")
        conn.ask(source=VISIBLE, message="visible?")
        conn.send(verdict(OK))

    box.daemon(script)
    result = box.login("1", "2")
    expect(
        [(e["style"], e["msg"]) for e in result.events if "style" in e],
        [("info", "for you"), ("error", "bad"), ("hidden", "hidden?"),
         ("visible", "visible?")],
        "messages",
    )


@case("conversation", "PAM_SILENT hides notices, not questions")
def _(box):
    def script(conn):
        expect(conn.start()[0], 1, "flags")
        conn.send(notice("for you") + notice("bad", 1))
        conn.ask()
        conn.send(verdict(OK))

    box.daemon(script)
    result = box.login("1", options=["-f", "0x8000"])
    expect(result.rc, SUCCESS, "return value")
    expect(result.of("message"), [], "notices")
    expect(len(result.of("prompt")), 1, "questions")


TRICKY = "\n%s%n\ta\x01\x08\x0b\x0c\r\x1b[2Jb\x1f\x7fö\x85\x9b2J\u00a0"
TAMED = "\n%s%n\ta??????[2Jb??ö????2J\u00a0"


@case("conversation", "control characters in texts")
def _(box):
    box.daemon(asks(notice(TRICKY) + prompt(message=TRICKY)))
    result = box.login("1")
    shown = [e["msg"] for e in result.events if "msg" in e]
    expect(shown, [TAMED, TAMED], "texts")


@case("conversation", "texts of 8 KiB")
def _(box):
    long = "█" * 2730 + "xy"
    box.daemon(asks(notice(long) + prompt([SIX] * 8, message=long)))
    result = box.login("1")
    expect(result.rc, SUCCESS, "return value")
    shown = [e["msg"] for e in result.events if "msg" in e]
    expect(shown, [long, long], "texts")


@case("conversation", "the host asks for the name")
def _(box):
    box.daemon(says(verdict(OK)))
    result = box.login("root", user="")
    expect(result.rc, SUCCESS, "return value")
    expect(result.op["user"], "root", "user")


@case("conversation", "there is no name")
def _(box):
    result = box.login(user="", options=["-n", "1"])
    expect_failure(result, CONV_ERR)


# --- START ----------------------------------------------------------------


def started(box, wanted_flags, wanted, **login):
    def script(conn):
        flags, items = conn.start()
        expect(flags, wanted_flags, "flags")
        expect(items, [(tag, value) for tag, value in wanted], "items")
        conn.send(verdict(OK))

    box.daemon(script)
    expect(box.login(**login).rc, SUCCESS, "return value")


ROOT_ENTRY = [(7, b"0"), (8, b"0"), (9, b"/root"), (10, b"root")]


@case("start", "only what there is")
def _(box):
    started(box, 0, [(1, b"test"), (2, b"root"), *ROOT_ENTRY])


@case("start", "everything")
def _(box):
    options = ["-i", "TTY=/dev/pts/3", "-i", "RHOST=192.0.2.1"]
    options += ["-i", "RUSER=alice", "-f", "0x8001"]
    items = [(1, b"test"), (2, b"root"), (3, b"/dev/pts/3"), (4, b"192.0.2.1")]
    items += [(5, b"alice"), (6, b"nullok"), (6, b"secret=/x y"), (6, b"nullok")]
    started(box, 3, items + ROOT_ENTRY, options=options,
            args="nullok [secret=/x y] nullok")


@case("start", "empty texts")
def _(box):
    items = [(1, b"test"), (2, b"root"), (3, b""), (4, b""), *ROOT_ENTRY]
    started(box, 0, items, options=["-i", "TTY=", "-i", "RHOST="])


@case("start", "a user without an entry")
def _(box):
    name = "no-such-user-\\x"
    started(box, 0, [(1, b"test"), (2, name.encode())], user=name)


@case("start", "a user of strange bytes")
def _(box):
    name = b"a\xff\n%n%s\x1b"
    started(box, 0, [(1, b"test"), (2, name)], user=name)


@case("start", "a user of 8000 bytes")
def _(box):
    name = b"u" * 8000
    started(box, 0, [(1, b"test"), (2, name)], user=name)


for size in (8300, 70000, 100000):

    @case("start", f"a user of {size} bytes is refused, not cut")
    def _(box, size=size):
        box.daemon(lambda conn: conn.end())
        result = box.login(user=b"u" * size)
        expect_failure(result, SERVICE_ERR)


@case("start", "three tries on one handle")
def _(box):
    box.daemon(
        asks(prompt(), then=verdict(DENIED)),
        asks(prompt(), then=verdict(DENIED)),
        asks(prompt(), then=verdict(OK)),
    )
    result = box.login("1", "2", "3", options=["-k"], ops=["auth"] * 3)
    expect([e["rc"] for e in result.of("op")], [AUTH_ERR, AUTH_ERR, 0], "results")


# --- peers ----------------------------------------------------------------


@case("peers", "own uid", root=True)
def _(box):
    box.daemon(asks(prompt()), uid=NOBODY)
    result = box.login("123456", uid=NOBODY, user="nobody")
    expect(result.rc, SUCCESS, "return value")


@case("peers", "root, met by an ordinary user", root=True)
def _(box):
    box.daemon(asks(prompt()))
    result = box.login("123456", uid=NOBODY, user="nobody")
    expect(result.rc, SUCCESS, "return value")


@case("peers", "another uid", root=True)
def _(box):
    box.daemon(lambda conn: conn.end(), uid=NOBODY)
    expect_failure(box.login(args="nullok"), SYSTEM_ERR)


@case("peers", "another uid, met by an ordinary user", root=True)
def _(box):
    box.daemon(lambda conn: conn.end(), uid=NOBODY - 1)
    result = box.login(uid=NOBODY, user="nobody")
    expect_failure(result, SYSTEM_ERR)


@case("peers", "no access: the second socket", root=True)
def _(box):
    box.listen(mode=0o600)
    second = box.dir + "/user.sock"
    box.daemon(asks(prompt()), path=second)
    ops = ["host", "auth", "host"]
    sockets = [box.path, second]
    result = box.login("1", uid=NOBODY, user="nobody", sockets=sockets, ops=ops)
    expect(result.rc, SUCCESS, "return value")
    before, after = result.of("host")
    expect(after, before, "state of the process")


@case("peers", "no access, and no second socket", root=True)
def _(box):
    box.listen(mode=0o600)
    sockets = [box.path, box.dir + "/user.sock"]
    result = box.login(uid=NOBODY, user="nobody", sockets=sockets)
    expect_failure(result, AUTHINFO_UNAVAIL)


@case("peers", "no access to either", root=True)
def _(box):
    box.listen(mode=0o600)
    second = box.dir + "/user.sock"
    box.listen(path=second, mode=0o600)
    result = box.login(uid=NOBODY, user="nobody", sockets=[box.path, second])
    expect_failure(result, SYSTEM_ERR)


@case("peers", "absent: the second socket is not tried")
def _(box):
    second = box.dir + "/user.sock"
    box.listen(path=second)
    result = box.login(sockets=[box.path, second])
    expect_failure(result, AUTHINFO_UNAVAIL)


UNPRIVILEGED = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def in_namespace(mount, become=()):
    """A command prefix: with mounts of its own, perhaps as another user."""
    script = mount + ' && exec "$@"'
    prefix = ["unshare", "--mount", "--", "sh", "-c", script, "sh", *become]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        raise Skip("no mount namespaces")
    return prefix


def production(box, *answers, become=(), **login):
    """Meets the production build at its fixed path."""
    there = "/run/pve-authenticator"
    mount = "mount -t tmpfs none /run && mkdir " + there
    mount += f" && mount --bind {box.dir} {there}"
    prefix = in_namespace(mount, become)
    return box.login(*answers, module=box.stage.production, prefix=prefix, **login)


@case("peers", "production: root at the fixed path", root=True, plain=True)
def _(box):
    def script(conn):
        items = conn.start()[1]
        expect((6, b"socket=/nowhere") in items, True, "argument forwarded")
        conn.send(verdict(OK))

    box.daemon(script)
    result = production(box, sockets=["/nowhere"])
    expect(result.rc, SUCCESS, "return value")


@case("peers", "production: another uid", root=True, plain=True)
def _(box):
    box.daemon(lambda conn: conn.end(), uid=NOBODY)
    expect_failure(production(box), SYSTEM_ERR)


@case("peers", "production: own uid, but not root", root=True, plain=True)
def _(box):
    box.listen(mode=0o600)
    box.daemon(lambda conn: conn.end(), uid=NOBODY, path=box.dir + "/user.sock")
    expect_failure(production(box, become=UNPRIVILEGED), SYSTEM_ERR)


@case("peers", "production: an ordinary user gets to user.sock", root=True, plain=True)
def _(box):
    box.listen(mode=0o600)
    box.daemon(asks(prompt()), path=box.dir + "/user.sock")
    result = production(box, "1", become=UNPRIVILEGED)
    expect(result.rc, SUCCESS, "return value")


# --- the host process -----------------------------------------------------

for name, script, answers in [
    ("success", asks(prompt()), ["123456"]),
    ("denial", asks(prompt(), then=verdict(DENIED)), ["123456"]),
    ("garbage", says(b"\0\1\xff"), []),
    ("end of file", hangs_up(), []),
    ("failed conversation", lambda conn: (conn.start(), conn.send(prompt()),
                                          conn.frame()), []),
]:

    @case("host", f"left as it was after {name}")
    def _(box, script=script, answers=answers):
        box.daemon(script)
        ops = ["host", "auth", "host"]
        result = box.login(*answers, options=["-k"], ops=ops)
        before, after = result.of("host")
        expect(after, before, "state of the process")


@case("host", "left as it was without a daemon")
def _(box):
    result = box.login(options=["-k"], ops=["host", "auth", "auth", "host"])
    before, after = result.of("host")
    expect(after, before, "state of the process")


@case("host", "left as it was after another uid", root=True)
def _(box):
    box.daemon(lambda conn: conn.end(), uid=NOBODY)
    result = box.login(options=["-k"], ops=["host", "auth", "host"])
    before, after = result.of("host")
    expect(after, before, "state of the process")


def descriptors(conn):
    """The sockets of the process at the other end: {fd: flags}."""
    base, found = f"/proc/{conn.pid()}", {}
    for fd in os.listdir(base + "/fd"):
        if os.readlink(f"{base}/fd/{fd}").startswith("socket:"):
            with open(f"{base}/fdinfo/{fd}") as file:
                flags = [line for line in file if line.startswith("flags:")]
            found[int(fd)] = int(flags[0].split()[1], 8)
    return found


for name, options in [("", []), (" in a host without 0 to 2", ["-z"])]:

    @case("host", f"one descriptor, above 2, close-on-exec{name}")
    def _(box, options=options):
        def script(conn):
            conn.start()
            conn.send(prompt())
            found = descriptors(conn)
            expect(len(found), 1, "sockets")
            for fd, flags in found.items():
                expect(fd > 2, True, f"descriptor {fd} above 2")
                expect(flags & os.O_CLOEXEC, os.O_CLOEXEC, "close-on-exec")
            conn.answer()
            conn.send(verdict(OK))

        box.daemon(script)
        options = [*options, "-w", "300"]
        ops = ["host", "auth", "host"]
        result = box.login("123456", options=options, ops=ops)
        expect(result.rc, SUCCESS, "return value")
        before, after = result.of("host")
        expect(after, before, "state of the process")


@case("host", "signals all the time")
def _(box):
    def script(conn):
        conn.start()
        time.sleep(0.2)
        conn.ask()
        time.sleep(0.2)
        conn.send(verdict(OK))

    box.daemon(script)
    expect(box.login("123456", options=["-e"]).rc, SUCCESS, "return value")


PASSWORD = "Correct-Horse-Battery-Staple-" * 3
DENY = verdict(DENIED, delay=1)

for name, part, source, secret, then in [
    ("a tail", TAIL, HIDDEN, PASSWORD + "493817", DENY),
    ("a whole answer", WHOLE, HIDDEN, "49" + "-" * 60 + "3817", DENY),
    ("an answer that fits nothing", WHOLE, HIDDEN, PASSWORD, DENY),
    ("an answer of which the tail does not fit", TAIL, HIDDEN, PASSWORD, DENY),
    ("an answer before garbage", TAIL, HIDDEN, PASSWORD + "493817", b"\0\1\xff"),
    ("an answer before the end", TAIL, VISIBLE, PASSWORD + "493817", b""),
]:

    @case("host", f"no trace of {name}", root=True, plain=True)
    def _(box, part=part, source=source, secret=secret, then=then):
        def script(conn):
            conn.start()
            conn.ask([SIX] * 2, source=source, part=part, message="This stays: ")
            conn.send(then)

        box.daemon(script)
        found = box.memory_after_login(secret)
        expect(b"493817" in found, False, "the code is left")
        expect(b"Battery-Staple" in found, False, "the password is left")
        expect(b"-" * 20 in found, False, "dashes are left")


@case("host", "a trace of what nobody wipes", root=True, plain=True)
def _(box):
    options = ["-i", "RHOST=this-can-be-found"]
    found = box.memory_after_login(options=options)
    expect(b"this-can-be-found" in found, True, "what PAM keeps is found")


# --- the health check -----------------------------------------------------

QUESTION = next(
    bytes.fromhex(vector["hex"]) for vector in VECTORS
    if vector["name"] == "start of the health check"
)


def healthy(conn):
    expect(conn.exactly(len(QUESTION)), QUESTION, "question")
    conn.send(verdict(UNAVAILABLE))
    conn.end()


def expect_hung(told, why):
    status, said = told
    expect(status, 1, "exit status")
    if why not in said:
        raise Failure(f"it says {said!r}, expected {why!r}")


@case("health check", "a daemon that answers", plain=True)
def _(box):
    box.daemon(healthy)
    expect(box.health_check(), (0, ""), "health check")


@case("health check", "a daemon that answers the second time", plain=True)
def _(box):
    box.daemon(lambda conn: None, healthy)
    expect(box.health_check(), (0, ""), "health check")


@case("health check", "no daemon: a restart would not help", plain=True)
def _(box):
    expect(box.health_check(), (0, ""), "health check")
    box.listen().close()
    expect(box.health_check(), (0, ""), "health check")


@case("health check", "a daemon that hangs", seconds=20, plain=True)
def _(box):
    box.listen()
    expect_hung(box.health_check(), "Connection timed out")


@case("health check", "a daemon that hangs up", plain=True)
def _(box):
    box.daemon(*[lambda conn: conn.exactly(len(QUESTION))] * 2)
    expect_hung(box.health_check(), "Connection reset")


@case("health check", "a daemon that asks something", plain=True)
def _(box):
    def script(conn):
        conn.exactly(len(QUESTION))
        conn.send(prompt())
        conn.end()

    box.daemon(script, script)
    expect_hung(box.health_check(), "Protocol error")


@case("health check", "another uid", root=True, plain=True)
def _(box):
    box.daemon(*[lambda conn: conn.end()] * 2, uid=NOBODY)
    expect_hung(box.health_check(), "not permitted")


@case("health check", "a command line that is wrong", plain=True)
def _(box):
    status, said = box.health_check(box.path, "more")
    expect((status, said[:6]), (64, "usage:"), "health check")


# --- with pam_unix --------------------------------------------------------


@case("pam_unix", "an empty rest is no way around a password", root=True, plain=True)
def _(box):
    pam_unix(box, "123456", 7)


@case("pam_unix", "a rest that is the password", root=True, plain=True)
def _(box):
    pam_unix(box, "secret123456", 0)


@case("pam_unix", "a rest that is not", root=True, plain=True)
def _(box):
    pam_unix(box, "secreT123456", 7)


def pam_unix(box, typed, rc):
    """The next module takes the rest as the password "secret" of nobody."""
    hashed = "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"
    with open(box.dir + "/shadow", "w") as file:
        file.write(f"nobody:{hashed}:19000:0:99999:7:::\n")
    prefix = in_namespace(f"mount --bind {box.dir}/shadow /etc/shadow")
    box.daemon(asks(prompt(part=TAIL), then=verdict(OK, 0)))
    then = "auth required pam_unix.so use_first_pass nullok\n"
    result = box.login(typed, user="nobody", prefix=prefix, then=then)
    expect(result.rc, rc, "return value")
