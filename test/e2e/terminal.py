#!/usr/bin/env python3
"""
Drives a program on a terminal of its own, as a person would.

Reads one JSON object from standard input:

  argv      the program and its arguments
  env       its whole environment
  steps     in order, each {"expect": REGEX, and one of
              "type": HEX    the bytes to type, without Enter
              "enter": HEX   the same, then Enter
              "hangUp": true the terminal is closed
              "interrupt": true Ctrl-C, once a second until the program ends:
                             right after its prompt, sudo may miss the first
            }, optionally "hidden": true: type only once the echo is off
  timeout   seconds for all of it

Writes one JSON object to standard output:

  screen    everything shown, without escape sequences and carriage returns
  status    the exit status, 128 + N for signal N, null if it did not end
  unmet     the expect that was never seen, else null
"""

import fcntl
import json
import os
import re
import select
import signal
import sys
import termios
import time

ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[@-Z\\^_()][0-9A-B]?"
    r"|\r"
)


class Terminal:
    def __init__(self, argv, env):
        # login hangs the terminal up before it opens it again. Keeping the
        # holder open as well keeps that from looking like the end.
        self.master, self.holder = os.openpty()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.holder, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.holder, fd)
            os.execvpe(argv[0], argv, env)
        self.seen = b""
        self.status = None

    def screen(self):
        return ESCAPES.sub("", self.seen.decode("utf-8", "replace"))

    def read(self):
        """Waits a moment for output; false if there was none."""
        if self.master is None:
            time.sleep(0.02)
            return False
        ready, _, _ = select.select([self.master], [], [], 0.05)
        if not ready:
            return False
        try:
            self.seen += os.read(self.master, 65536)
        except OSError:
            return False
        return True

    def has_ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.status = code if code >= 0 else 128 - code
        return self.status is not None

    def echo_is_off(self):
        # Asked at the master: the holder is dead after a hang-up.
        return not termios.tcgetattr(self.master)[3] & termios.ECHO

    def type(self, data):
        while data:
            data = data[os.write(self.master, data):]

    def interrupt(self, deadline):
        while not self.has_ended() and time.monotonic() < deadline:
            self.type(b"\x03")
            again = time.monotonic() + 1
            while not self.has_ended() and time.monotonic() < again:
                self.read()

    def hang_up(self):
        os.close(self.holder)
        os.close(self.master)
        self.master = None


def run(terminal, steps, deadline):
    """Plays the steps; returns the expect that was not met, or None."""
    position = 0
    for step in steps:
        wanted = re.compile(step["expect"])
        while not (match := wanted.search(terminal.screen(), position)):
            if not terminal.read() and (terminal.has_ended() or time.monotonic() > deadline):
                match = wanted.search(terminal.screen(), position)
                break
        if not match:
            return step["expect"]
        position = match.end()
        while step.get("hidden") and not terminal.echo_is_off():
            if terminal.has_ended() or time.monotonic() > deadline:
                return step["expect"]
            terminal.read()
        if step.get("hangUp"):
            terminal.hang_up()
        elif "enter" in step:
            terminal.type(bytes.fromhex(step["enter"]) + b"\r")
        elif "type" in step:
            terminal.type(bytes.fromhex(step["type"]))
        elif step.get("interrupt"):
            terminal.interrupt(deadline)
    return None


def main():
    order = json.load(sys.stdin)
    terminal = Terminal(order["argv"], order["env"])
    deadline = time.monotonic() + order["timeout"]
    unmet = run(terminal, order["steps"], deadline)
    while unmet is None and not terminal.has_ended() and time.monotonic() < deadline:
        terminal.read()
    while terminal.master is not None and terminal.read():
        pass
    status = terminal.status
    if status is None:
        os.kill(terminal.pid, signal.SIGKILL)
        os.waitpid(terminal.pid, 0)
    json.dump({"screen": terminal.screen(), "status": status, "unmet": unmet}, sys.stdout)


main()
