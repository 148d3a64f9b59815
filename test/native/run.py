"""Runs every test of the module: run.py BUILD [WORD], only what has WORD.

One line a group, what failed in full, and last `N passed, N failed`.
"""

import concurrent.futures
import os
import subprocess
import sys

import binary
import scenarios
from scripted import ROOT, Box, Failure, Skip, Stage


class Tally:
    """Counts by group, in the order in which groups appear."""

    def __init__(self):
        self.groups, self.errors = {}, []

    def add(self, group, outcome, name="", why=""):
        self.groups.setdefault(group, {"passed": 0, "failed": 0, "skipped": 0})
        self.groups[group][outcome] += 1
        if outcome == "failed":
            self.errors.append(f"FAILED {group}: {name}: {why}")
        if outcome == "skipped":
            self.errors.append(f"skipped {group}: {name}: {why}")

    def total(self, outcome):
        return sum(counts[outcome] for counts in self.groups.values())

    def report(self):
        for line in self.errors:
            print(line)
        for group, counts in self.groups.items():
            told = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
            print(f"{group}: {told}")
        print(f"{self.total('passed')} passed, {self.total('failed')} failed")


def run_case(stage, case):
    if case.root and not ROOT:
        raise Skip("needs root")
    box = Box(stage)
    try:
        case.run(box)
        box.check()
    finally:
        box.close()


def outcome_of(future):
    try:
        future.result()
        return "passed", ""
    except Skip as reason:
        return "skipped", str(reason)
    except Failure as failure:
        return "failed", str(failure)
    except Exception as error:  # a mistake in a test is a failure too
        return "failed", f"{type(error).__name__}: {error}"


def run_scenarios(build, word, tally):
    stages = [Stage(build, name) for name in ("native-test", "native-sanitized")]
    wanted = [
        (stage, case)
        for stage in stages
        for case in scenarios.CASES
        if word in f"{case.group} {case.name}"
        and not (case.plain and stage.variant == "native-sanitized")
    ]
    longest_first = sorted(wanted, key=lambda pair: -pair[1].seconds)
    with concurrent.futures.ThreadPoolExecutor(max_workers=48) as pool:
        jobs = {pair: pool.submit(run_case, *pair) for pair in longest_first}
    for stage, case in wanted:
        suffix = ", sanitized" if stage.variant == "native-sanitized" else ""
        outcome, why = outcome_of(jobs[stage, case])
        tally.add(case.group + suffix, outcome, case.name, why)
    for stage in stages:
        stage.remove()


def run_wire_test(build, tally):
    for variant in ("native-test", "native-sanitized"):
        program = os.path.join(build, variant, "wire-test")
        done = subprocess.run([program], capture_output=True, text=True)
        good = done.returncode == 0 and not done.stderr
        told = (done.stdout + done.stderr).strip() or f"status {done.returncode}"
        group = f"wire vectors in C, {variant} ({told.splitlines()[-1]})"
        tally.add(group, "passed" if good else "failed", "", told[-2000:])


def run_binary_checks(build, tally):
    for name, check in binary.CHECKS:
        try:
            check(build)
            tally.add("build", "passed")
        except Skip as reason:
            tally.add("build", "skipped", name, str(reason))
        except Failure as failure:
            tally.add("build", "failed", name, str(failure))


def main():
    build = os.path.abspath(sys.argv[1])
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    tally = Tally()
    if not word:
        run_wire_test(build, tally)
        run_binary_checks(build, tally)
    run_scenarios(build, word, tally)
    tally.report()
    sys.exit(tally.total("failed") != 0)


main()
