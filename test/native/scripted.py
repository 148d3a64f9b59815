"""A daemon that follows a script, and the PAM client that meets it.

A test gets a Box: a directory of its own with a PAM service and sockets. It
says what the daemon does (a function of a Connection, run in a thread), then
logs in and looks at the result.
"""

import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

NOBODY = 65534
ROOT = os.geteuid() == 0
PATIENCE = 40  # seconds after which a test is stuck

SUCCESS, SERVICE_ERR, SYSTEM_ERR, AUTH_ERR = 0, 3, 4, 7
AUTHINFO_UNAVAIL, USER_UNKNOWN, MAXTRIES, CONV_ERR = 9, 10, 11, 19
IGNORED = 6  # libpam's own PERM_DENIED: every module of the stack said IGNORE

START, ANSWER, CANCEL = 0x01, 0x02, 0x03
PROMPT, NOTICE, VERDICT = 0x81, 0x82, 0x83
DENIED, OK, NOT_ENROLLED, UNKNOWN, TOO_MANY, UNAVAILABLE, EXEMPT = range(7)
HIDDEN, VISIBLE, STACKED = range(3)
WHOLE, TAIL = range(2)
DIGITS, MODHEX, RECOVERY = 1, 2, 3
NONE = 0xFF


class Failure(Exception):
    """A test that failed."""


class Skip(Exception):
    """A test that cannot run here."""


def expect(got, want, what):
    if got != want:
        raise Failure(f"{what}: got {got!r}, expected {want!r}")


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(data)) + data


def frame(kind, payload):
    return struct.pack(">HB", len(payload) + 1, kind) + payload


def prompt(shapes=((DIGITS, 6),), source=HIDDEN, part=WHOLE, message="Code: "):
    listed = b"".join(bytes(shape) for shape in shapes)
    head = bytes([source, part, len(shapes)])
    return frame(PROMPT, head + listed + text(message))


def notice(message, kind=0):
    return frame(NOTICE, bytes([kind]) + text(message))


def verdict(code, shape=NONE, delay=0):
    return frame(VERDICT, struct.pack(">BBI", code, shape, delay))


def lines(answers):
    """Answers as pam-client -x reads them."""
    data = [a if isinstance(a, bytes) else a.encode() for a in answers]
    return b"".join(one.hex().encode() + b"\n" for one in data)


def writable_memory(pid):
    data = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, mode = line.split()[:2]
            low, high = (int(end, 16) for end in span.split("-"))
            if mode.startswith("rw"):
                mem.seek(low)
                data.append(mem.read(high - low))
    return b"".join(data)


class Connection:
    """The daemon's end of one login."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(PATIENCE)

    def send(self, data):
        self.sock.sendall(data)

    def drip(self, seconds, pieces):
        """Sends the pieces slowly, until the module hangs up."""
        try:
            for piece in pieces:
                self.send(piece)
                time.sleep(seconds)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def wait_for_hangup(self, seconds):
        """Waits for the module without reading what it says."""
        poll = select.poll()
        poll.register(self.sock, 0)
        poll.poll(seconds * 1000)

    def close(self):
        self.sock.close()

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            if not more:
                raise Failure("the module hung up")
            data += more
        return data

    def frame(self):
        (length,) = struct.unpack(">H", self.exactly(2))
        body = self.exactly(length)
        return body[0], body[1:]

    def start(self):
        kind, payload = self.frame()
        expect(kind, START, "type")
        expect(payload[0], 1, "version")
        items, rest = [], payload[2:]
        while rest:
            tag, size = struct.unpack(">BH", rest[:3])
            items.append((tag, rest[3 : 3 + size]))
            rest = rest[3 + size :]
        return payload[1], items

    def answer(self):
        kind, rest = self.frame()
        expect(kind, ANSWER, "type")
        shapes = []
        while rest:
            index, size = struct.unpack(">BH", rest[:3])
            shapes.append((index, rest[3 : 3 + size]))
            rest = rest[3 + size :]
        return shapes

    def ask(self, *args, **kwargs):
        self.send(prompt(*args, **kwargs))
        return self.answer()

    def end(self):
        """Waits until the module hangs up; it may say nothing more."""
        try:
            expect(self.sock.recv(1), b"", "after the end")
        except ConnectionResetError:
            pass

    def pid(self):
        creds = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.unpack("3i", creds)[0]


class Result:
    """What the client told."""

    def __init__(self, output, errors, took):
        lines = output.decode(errors="surrogateescape").split("\n")
        self.events = [json.loads(line) for line in lines if line]
        self.errors = errors
        self.took = took

    def of(self, kind):
        return [event for event in self.events if event["ev"] == kind]

    @property
    def op(self):
        ops = self.of("op")
        if not ops:
            raise Failure(f"the client ended early: {self.errors!r}")
        return ops[-1]

    @property
    def rc(self):
        return self.op["rc"]

    @property
    def delay(self):
        return self.op["delay"]

    @property
    def authtok(self):
        value = self.of("authtok")[-1]["hex"]
        return None if value is None else bytes.fromhex(value)


class Stage:
    """The programs under test, where every user can reach them."""

    def __init__(self, build, variant):
        self.variant = variant
        self.dir = tempfile.mkdtemp(prefix="pve-authenticator-test-")
        os.chmod(self.dir, 0o755)
        for name in ("pam-client", "pam_probe.so", "pam_pve_authenticator.so"):
            shutil.copy(os.path.join(build, variant, name), self.dir)
        self.probe = os.path.join(build, "native-test", "probe")
        self.production = os.path.join(self.dir, "production.so")
        shutil.copy(
            os.path.join(build, "native", "pam_pve_authenticator.so"),
            self.production,
        )

    def path(self, name):
        return os.path.join(self.dir, name)

    def remove(self):
        shutil.rmtree(self.dir)


class Box:
    """One test's directory, sockets and daemon threads."""

    def __init__(self, stage):
        self.stage = stage
        self.dir = tempfile.mkdtemp(prefix="box-", dir=stage.dir)
        os.chmod(self.dir, 0o755)
        self.pam_d = os.path.join(self.dir, "pam.d")
        os.mkdir(self.pam_d)
        self.path = os.path.join(self.dir, "pam.sock")
        self.sockets, self.threads, self.failures = [], [], []

    def listen(self, path=None, backlog=16, uid=None, mode=0o666):
        """Binds a socket; with `uid`, it is that user who calls listen()."""
        path = path or self.path
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(path)
        os.chmod(path, mode)
        if uid is None:
            sock.listen(backlog)
        else:
            code = (
                "import os, socket; "
                f"sock = socket.socket(fileno={sock.fileno()}); "
                f"os.setuid({uid}); sock.listen({backlog})"
            )
            command = [sys.executable, "-S", "-c", code]
            subprocess.run(command, pass_fds=[sock.fileno()], check=True)
        sock.settimeout(PATIENCE)
        self.sockets.append(sock)
        return sock

    def daemon(self, *scripts, path=None, **kwargs):
        """Serves one connection per script, in order."""
        self.serve(self.listen(path=path, **kwargs), *scripts)

    def serve(self, sock, *scripts, after=0):
        thread = threading.Thread(
            target=self._serve, args=(sock, scripts, after), daemon=True
        )
        thread.start()
        self.threads.append(thread)

    def _serve(self, sock, scripts, after):
        time.sleep(after)
        for script in scripts:
            conn = None
            try:
                conn = Connection(sock.accept()[0])
                script(conn)
            except Exception as error:  # told by check()
                self.failures.append(error)
            finally:
                if conn is not None:
                    conn.close()

    def service(self, args="", module=None, sockets=None, then="",
                probe=True):
        module = module or self.stage.path("pam_pve_authenticator.so")
        sockets = [self.path] if sockets is None else sockets
        probe = f"auth optional {self.stage.path('pam_probe.so')}\n" if probe else ""
        told = " ".join(f"socket={path}" for path in sockets)
        with open(os.path.join(self.pam_d, "test"), "w") as file:
            file.write(f"{probe}auth required {module} {told} {args}\n{probe}{then}")

    def _command(self, options, user, ops, prefix):
        client = [*prefix, self.stage.path("pam-client"), "-x", "-d", self.pam_d]
        return [*client, *options, "test", user, *ops]

    def login(self, *answers, options=(), user="root", ops=("auth", "authtok"),
              uid=None, prefix=(), **service):
        self.service(**service)
        began = time.monotonic()
        done = subprocess.run(
            self._command(options, user, ops, prefix), input=lines(answers),
            capture_output=True, timeout=PATIENCE + 20, user=uid, cwd="/",
            env={"ASAN_OPTIONS": "detect_leaks=1"},
        )
        took = time.monotonic() - began
        result = Result(done.stdout, done.stderr.decode(), took)
        if done.stderr and "-z" not in options:
            raise Failure(f"errors: {result.errors[:2000]}")
        if done.returncode not in (0, 1):
            raise Failure(f"the client died: {done.returncode}")
        return result

    def health_check(self, *words):
        """Its exit status and what it says, when it asks at this box."""
        words = words or (self.path,)
        done = subprocess.run(
            [self.stage.probe, *words], capture_output=True, timeout=PATIENCE
        )
        return done.returncode, done.stderr.decode()

    def memory_after_login(self, *answers, options=()):
        """All that the client may write to, when the module has returned."""
        self.service(probe=False)
        command = self._command(options, "root", ["auth", "pause"], [])
        client = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with client:
            client.stdin.write(lines(answers))
            client.stdin.flush()
            while b'"pause"' not in (line := client.stdout.readline()):
                if not line:
                    raise Failure("the client ended early")
            return writable_memory(client.pid)

    def check(self):
        """Waits for the daemons and tells what went wrong in them."""
        for thread in self.threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                raise Failure("a daemon is stuck")
        if self.failures:
            raise Failure(f"in the daemon: {self.failures[0]}")

    def close(self):
        for sock in self.sockets:
            sock.close()
