"""Fuzzes the PAM module and parts of the addon: run.py BUILD. docs/explanation/fuzzing.md has the whole story.

FUZZ_SECONDS: how long each fuzzer runs (60; with ROUNDS=reduced 10).
REPORT: a file that gets what is printed, too.
The last line is `N passed, N failed`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PAM = os.path.join(HERE, "..", "..", "native", "pam")
REDUCED = os.environ.get("ROUNDS") == "reduced"
SECONDS = int(os.environ.get("FUZZ_SECONDS") or (10 if REDUCED else 60))
FRAMES = 100_000 if REDUCED else 1_000_000
LINES_WANTED = 92.0  # per cent
INPUT_MAX = {"decoder": 8300, "relay": 2048, "primitives": 512, "lines": 512}
MODULE = ("decoder", "relay")  # those that reach lines of native/pam
GRACE = 300  # seconds that a slow machine may take longer
SANITIZERS = {
    # A small quarantine: more of the time is spent in the module.
    "ASAN_OPTIONS": "quarantine_size_mb=16:detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "LLVM_PROFILE_FILE": "/dev/null",
}


class Report:
    """Prints, and keeps what was printed for the file REPORT."""

    def __init__(self):
        self.lines, self.counts = [], {True: 0, False: 0}

    def say(self, line):
        print(line, flush=True)
        self.lines.append(line)

    def result(self, good, line):
        self.counts[good] += 1
        self.say(line if good else f"FAILED {line}")

    def end(self):
        passed, failed = self.counts[True], self.counts[False]
        self.say(f"{passed} passed, {failed} failed")
        if os.environ.get("REPORT"):
            with open(os.environ["REPORT"], "w", encoding="utf-8") as file:
                file.write("\n".join(self.lines) + "\n")
        return failed == 0


def works(clang):
    """True if this clang has libFuzzer and the sanitizers' libraries."""
    flags = ["-fsanitize=fuzzer,address,undefined", "-fprofile-instr-generate"]
    source = b"int LLVMFuzzerTestOneInput(const char *d, long n)\n"
    source += b"{ return d == 0 && n != 0; }\n"
    with tempfile.TemporaryDirectory() as directory:
        tried = subprocess.run(
            [clang, *flags, "-x", "c", "-", "-o", f"{directory}/program"],
            input=source, capture_output=True, check=False)
    return tried.returncode == 0


def version_of(program):
    told = subprocess.run([program, "--version"], capture_output=True,
                          text=True, check=False)
    found = re.search(r"version (\d+)", told.stdout)
    return int(found[1]) if found else 0


def find_tools():
    """The newest clang that works and its llvm-profdata and llvm-cov."""
    names = ["clang", *(f"clang-{n}" for n in range(14, 40))]
    found = [path for path in map(shutil.which, names) if path]
    for clang in sorted(found, key=version_of, reverse=True):
        version = version_of(clang)
        tools = [clang]
        for tool in ("llvm-profdata", "llvm-cov"):
            named = shutil.which(f"{tool}-{version}")
            plain = shutil.which(tool)
            if not named and plain and version_of(plain) == version:
                named = plain
            tools.append(named)
        if all(tools) and works(clang):
            return tools
    return None


def build(out, *arguments):
    subprocess.run(
        ["make", "--no-print-directory", "-s", "-C", HERE,
         f"BUILD={os.path.dirname(out)}", *arguments], check=True)


class Program:
    """A program that runs beside the others; its output goes to a file."""

    def __init__(self, name, command, log, **variables):
        self.name, self.log = name, log
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=file, stdin=subprocess.DEVNULL,
                env={**os.environ, **SANITIZERS, **variables})

    def wait(self):
        try:
            return self.process.wait(SECONDS + GRACE) == 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()


def fuzzer(out, temporary, name, *arguments, log="fuzz", **variables):
    corpus, found = f"{out}/corpus/{name}", f"{out}/found"
    seeds = f"{out}/seeds/{name}"
    for directory in (corpus, found, seeds):
        os.makedirs(directory, exist_ok=True)
    command = [
        f"{out}/{name}-fuzz", *arguments, "-timeout=5", "-print_final_stats=1",
        f"-dict={HERE}/tokens.dict", f"-max_len={INPUT_MAX[name]}",
        f"-artifact_prefix={found}/{name}-", corpus, seeds]
    return Program(f"{name}-fuzz", command, f"{out}/{name}-{log}.log",
                   TMPDIR=temporary, **variables)


def tell_failure(report, program):
    """Of a failed program what matters: what broke, where, and the input."""
    wanted = re.compile(r"BROKEN|returned|ERROR|SUMMARY|unit written|"
                        r"runtime error|misunderstood|^ +#\d+ .*native/")
    lines = program.output().splitlines()
    for line in [line for line in lines if wanted.search(line)][:20]:
        report.say(f"  {line}")
    report.say(f"  all of it: {program.log}")


def finish(report, program, told):
    good = program.wait()
    report.result(good, f"{program.name}: {told(program.output())}")
    if not good:
        tell_failure(report, program)


def told_of_fuzzer(output):
    runs = re.search(r"number_of_executed_units: (\d+)", output)
    rate = re.search(r"average_exec_per_sec: +(\d+)", output)
    if not runs or not rate:
        return "ended early"
    return f"{int(runs[1]):,} runs in {SECONDS} s, {int(rate[1]):,} runs/s"


def told_of_frames(output):
    return output.strip().splitlines()[-1] if output.strip() else "no output"


def replay(report, out, temporary):
    """Runs every input once more, counting lines. Returns the profiles."""
    profiles = f"{out}/profiles"
    shutil.rmtree(profiles, ignore_errors=True)
    programs = [
        fuzzer(out, temporary, name, "-runs=0", log="replay",
               LLVM_PROFILE_FILE=f"{profiles}/{name}-%m-%p.profraw")
        for name in MODULE]
    for program in programs:
        finish(report, program, lambda output: "its inputs once more")
    return [f"{profiles}/{name}" for name in sorted(os.listdir(profiles))]


def count_lines(report, out, tools, profiles):
    _, profdata, cov = tools
    merged = f"{out}/merged.profdata"
    subprocess.run([profdata, "merge", "-o", merged, *profiles], check=True)
    told = subprocess.run(
        [cov, "export", "-summary-only", f"-instr-profile={merged}",
         f"{out}/pam_pve_authenticator.so", "-object", f"{out}/decoder-fuzz"],
        check=True, capture_output=True, text=True)
    total = covered = 0
    for file in json.loads(told.stdout)["data"][0]["files"]:
        if os.path.dirname(os.path.realpath(file["filename"])) != \
                os.path.realpath(PAM):
            continue
        lines = file["summary"]["lines"]
        if lines["count"] == 0:
            continue
        total, covered = total + lines["count"], covered + lines["covered"]
        report.say(f"  {os.path.basename(file['filename']):14}"
                   f" {lines['covered']:4} of {lines['count']:4} lines"
                   f" {lines['percent']:6.1f}%")
    percent = 100 * covered / total if total else 0
    report.result(percent >= LINES_WANTED,
                  f"coverage of native/pam: {covered} of {total} lines,"
                  f" {percent:.1f}% (at least {LINES_WANTED:.0f}%)")


def run(report, out, temporary):
    seed = str(time.time_ns() % 2**32)
    tools = find_tools()
    build(out, "frames")
    if tools is None:
        report.say("NOT RUN: the fuzzers of the PAM module: no clang with"
                   " libFuzzer and llvm-cov here ([fuzz] in"
                   " scripts/apt-packages)")
    else:
        build(out, "fuzzers", f"CLANG={tools[0]}")
    frames = Program("frames", [f"{out}/frames", str(FRAMES), seed],
                     f"{out}/frames.log")
    fuzzers = [] if tools is None else [
        fuzzer(out, temporary, name, f"-max_total_time={SECONDS}",
               f"-seed={seed}") for name in INPUT_MAX]
    finish(report, frames, lambda text: f"seed {seed}: {told_of_frames(text)}")
    for program in fuzzers:
        finish(report, program, told_of_fuzzer)
    if tools is not None:
        profiles = replay(report, out, temporary)
        count_lines(report, out, tools, profiles)


def main(directory):
    out = os.path.join(os.path.abspath(directory), "fuzz")
    os.makedirs(out, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    report = Report()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        run(report, out, temporary)
    sys.exit(0 if report.end() else 1)


main(*sys.argv[1:])
