"""What the built module and its sources must look like."""

import os
import platform
import re
import subprocess

from scripted import Failure, Skip, expect

CHECKS = []
SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../native/pam")
COLUMNS, FUNCTION_LINES, TAB = 80, 40, 4


def check(function):
    CHECKS.append((function.__name__.replace("_", " "), function))
    return function


def module(build, variant="native"):
    return os.path.join(build, variant, "pam_pve_authenticator.so")


def tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def need(pattern, where, what):
    if not re.search(pattern, where):
        raise Failure(f"no {what}")


@check
def two_symbols_and_no_more(build):
    for variant in ("native", "native-test"):
        told = tool("nm", "-D", "--defined-only", module(build, variant))
        names = sorted(line.split()[-1] for line in told.splitlines())
        expect(names, ["pam_sm_authenticate", "pam_sm_setcred"], "symbols")


@check
def no_data_of_its_own(build):
    told = tool("nm", "--defined-only", "-S", module(build))
    kept = [line.split() for line in told.splitlines()]
    ours = [w[-1] for w in kept if w[-2] in "dDbB" and not w[-1].startswith(("_", "completed"))]
    expect(ours, [], "variables")


@check
def no_forbidden_calls(build):
    told = tool("nm", "-D", "--undefined-only", module(build))
    names = {line.split()[-1].split("@")[0] for line in told.splitlines()}
    bad = {"malloc", "calloc", "realloc", "strdup", "asprintf", "fork", "vfork",
           "system", "popen", "pthread_create", "signal", "sigaction", "alarm",
           "setitimer", "sigprocmask", "getenv", "setenv", "exit", "abort",
           "pam_get_authtok", "pam_set_data", "syslog", "printf", "getpwnam"}
    expect(sorted(names & bad), [], "calls")


@check
def relro_and_bind_now(build):
    told = tool("readelf", "-W", "-l", "-d", module(build))
    need(r"GNU_RELRO", told, "RELRO")
    need(r"BIND_NOW|FLAGS_1.*NOW", told, "BIND_NOW")


@check
def stack_not_executable(build):
    told = tool("readelf", "-W", "-l", module(build))
    stack = re.search(r"GNU_STACK.*", told)
    expect(bool(stack) and "RWE" not in stack.group(), True, "stack")


@check
def no_text_relocations(build):
    expect("TEXTREL" in tool("readelf", "-d", module(build)), False, "TEXTREL")


@check
def no_search_path(build):
    told = tool("readelf", "-d", module(build))
    expect(bool(re.search(r"RPATH|RUNPATH", told)), False, "RPATH")


@check
def only_libpam_and_libc(build):
    told = tool("readelf", "-d", module(build))
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", told))
    expect(needed <= {"libpam.so.0", "libc.so.6"}, True, f"libraries {needed}")


@check
def control_flow_protection(build):
    if platform.machine() != "x86_64":
        raise Skip("x86-64 only")
    # The note that says so is missing where libc's start files lack it.
    told = tool("objdump", "-d", module(build))
    need(r"<pam_sm_authenticate>:\n.*endbr64", told, "endbr64")


@check
def stack_protector_and_fortify(build):
    told = tool("nm", "-D", "--undefined-only", module(build))
    need(r"__stack_chk_fail", told, "stack protector")
    need(r"_chk", told, "fortified calls")


@check
def no_socket_argument_in_production(build):
    for variant, there in (("native", False), ("native-test", True)):
        with open(module(build, variant), "rb") as file:
            expect(b"socket=" in file.read(), there, f"socket= in {variant}")


def sources():
    for name in sorted(os.listdir(SOURCES)):
        if name.endswith((".c", ".h")):
            with open(os.path.join(SOURCES, name), encoding="ascii") as file:
                yield name, file.read().splitlines()


@check
def lines_of_80_columns(build):
    for name, lines in sources():
        for number, line in enumerate(lines, 1):
            if len(line.expandtabs(TAB)) > COLUMNS:
                raise Failure(f"{name}:{number} is too long")


@check
def functions_of_40_lines(build):
    for name, lines in sources():
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            if line == "}" and start is not None:
                if number - start - 1 > FUNCTION_LINES:
                    raise Failure(f"{name}:{start} is too long")
                start = None


@check
def numbers_are_named(build):
    for name, lines in sources():
        if name in ("channel.h", "wire.h"):
            continue
        code = re.sub(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", "", "\n".join(lines), flags=re.S)
        found = re.findall(r"(?<![\w.])(?:0x[0-9A-Fa-f]+|[3-9]|\d\d+)\b", code)
        expect(found, [], f"bare numbers in {name}")


@check
def it_can_be_read_in_one_sitting(build):
    code = sum(
        1
        for name, lines in sources()
        for line in lines
        if line.strip() and not re.match(r"\s*(/\*|\*|[{}]\s*$)", line)
    )
    if code > 650:
        raise Failure(f"{code} lines of code")
