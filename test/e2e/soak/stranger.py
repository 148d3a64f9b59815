#!/usr/bin/env python3
"""
stranger.py burn SECONDS
stranger.py attack SECONDS RUNTIME_DIR NAME START ANSWER

One unprivileged process at 100% of its core: it only computes, or it tries
everything to keep others from logging in. START and ANSWER are frames of a
login as NAME, in hexadecimal. Prints how often it did what, as JSON.
"""

import json
import socket
import sys
import time

PIPELINED = 1700
ENOUGH = 65536


def connected(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(0.2)
    connection.connect(path)
    return connection


def request(method, path, body=""):
    head = "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    return (head % (method, path, len(body)) + body).encode()


class Stranger:
    def __init__(self, runtime_dir, name, start, answer):
        self.control = runtime_dir + "/control.sock"
        self.user = runtime_dir + "/user.sock"
        self.root = runtime_dir + "/pam.sock"
        self.start, self.answer = bytes.fromhex(start), bytes.fromhex(answer)
        self.me = "/v1/users/" + name
        self.step = 0
        self.kept = []

    def ask(self, data, wait=True):
        with connected(self.control) as connection:
            connection.sendall(data)
            if wait:
                connection.recv(ENOUGH)

    def pipeline(self):
        self.ask(request("GET", "/v1/users") * PIPELINED)

    def hang_up(self):
        self.ask(request("GET", "/v1/users"), wait=False)

    def fill_ledger(self):
        self.step += 1
        factor = {"kind": "totp", "name": "x", "usedStep": self.step}
        changes = [{"do": "add", "factor": factor}, {"do": "remove", "factor": "x"}]
        self.ask(request("POST", self.me + "/changes", json.dumps({"changes": changes})))

    def guess(self):
        self.ask(request("POST", self.me + "/unlock", '{"proof":"123456"}'))

    def look_at_others(self):
        self.ask(request("GET", "/v1/users/root"))

    def log_in(self):
        with connected(self.user) as connection:
            connection.sendall(self.start)
            connection.recv(ENOUGH)
            connection.sendall(self.answer)
            connection.recv(ENOUGH)

    def break_protocol(self):
        with connected(self.user) as connection:
            connection.sendall(self.start + self.start + b"\xff" * 100)

    def connect(self):
        with connected(self.user):
            pass

    def keep(self):
        self.kept.append(connected(self.user))
        self.kept[-1].sendall(self.start)
        if len(self.kept) > 20:
            self.kept.pop(0).close()

    def knock_at_root(self):
        with connected(self.root):
            pass


def attack(until, *where):
    stranger = Stranger(*where)
    acts = [name for name in dir(Stranger) if name[0] != "_" and name != "ask"]
    counts = {name: [0, 0] for name in acts}
    number = 0
    while time.monotonic() < until:
        # Some of each in a row: whatever is bounded by a rate is past it by then.
        name = acts[number // 50 % len(acts)]
        number += 1
        try:
            getattr(stranger, name)()
            counts[name][0] += 1
        except OSError:
            counts[name][1] += 1
    return counts


def burn(until):
    while time.monotonic() < until:
        pass
    return {}


print("begun", flush=True)
do = {"attack": attack, "burn": burn}[sys.argv[1]]
print(json.dumps(do(time.monotonic() + float(sys.argv[2]), *sys.argv[3:])), flush=True)
