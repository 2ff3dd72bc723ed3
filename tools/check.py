#!/usr/bin/env python3
"""check - is this tree good?  Builds it four ways, runs every test, prints the count.

    tools/check             all of it
    tools/check --quick     the gcc build and its tests alone
    tools/check NAME...     these builds alone

    gcc       release flags, warnings are errors; every suite but fuzz, which says more
              under a sanitizer
    clang     clang and its thread-safety roles: the programs and the unit tests
    address   AddressSanitizer and UBSan; every suite but lint; kill, whose processes die
              before a sanitizer could say anything; torture, oracle and browser, which
              are long and run nothing that the others do not
    thread    ThreadSanitizer; the tests that have threads, and the whole daemon

Build trees are kept in build-check/; the last line is "N passed, N failed" and counts
every test that the meson logs name (TAP tests one by one), plus one per build and
one for the format.  Exit code 0 when none failed.
"""
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREES = ROOT / "build-check"
CCACHE = "ccache " if shutil.which("ccache") else ""
# -g1 (functions and lines) is all that a stack trace shows, and compiles in three quarters of the time.
COMMON = ["-Dbuildtype=debugoptimized", "-Dc_args=-g1"]
LOOSE = ["-Db_lundef=false"]  # the sanitizers' symbols come with the program
# Compiled in three quarters of the time; gcc's guess of how long a text may become is better at -O2, where it is asked.
QUICK = ["-Doptimization=1"]

# name, compiler, meson options, arguments of meson test
BUILDS = [
    ("gcc", "gcc", COMMON, ["--no-suite", "fuzz"]),
    ("clang", "clang-14", COMMON + LOOSE + QUICK, ["--suite", "unit"]),
    ("address", "gcc", COMMON + LOOSE + QUICK + ["-Dc_args=-g1 -Wno-format-truncation -Wno-restrict", "-Db_sanitize=address,undefined"],
     [a for suite in ("lint", "kill", "torture", "oracle", "browser") for a in ("--no-suite", suite)]),
    ("thread", "gcc", COMMON + LOOSE + ["-Db_sanitize=thread"], "THREADED"),
]
THREADED = ("base.mailbox", "base.parker", "base.log", "base.histogram", "bus.", "client.",
            "workers.tier2_worker", "workers.worker", "daemon.history_thread", "integration.daemon",
            "integration.restart", "integration.analysis", "integration.live_feeds", "feeds.ws", "ops.backup")
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT}/tests/tsan.supp",
    # Everything under the sanitizers is several times slower.
    "TICKBUS_SLOW": "1",
}


SHM = Path("/dev/shm")
SHM_FREE = 6 << 30


def quick_tmp():
    """A place in memory for the tests' state, where there is room: they wait for disks most of all, and what a lost
    power does to a disk is simulated, never tried."""
    try:
        if shutil.disk_usage(SHM).free < SHM_FREE:
            return None
        tmp = tempfile.mkdtemp(prefix="tb", dir=SHM)
        os.chmod(tmp, 0o1777)  # some tests are another user
        return tmp
    except OSError:
        return None


class Count:
    passed = failed = 0
    names = []

    def add(self, ok, name):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.names.append(name)


def run(args, **kwargs):
    return subprocess.run(args, cwd=ROOT, **kwargs).returncode == 0


def build(name, compiler, options, selection):
    tree = TREES / name
    env = {**os.environ, "CC": CCACHE + compiler}
    if not (tree / "build.ninja").exists():
        shutil.rmtree(tree, ignore_errors=True)
        if not run(["meson", "setup", "-Dtests=enabled", *options, str(tree)], env=env,
                   stdout=subprocess.DEVNULL):
            return False
    targets = needed(tree, selection) if name != "gcc" else []
    return run(["ninja", "-C", str(tree), "--quiet", *targets])


def introspect(tree, what):
    return json.loads(subprocess.run(["meson", "introspect", what, str(tree)], cwd=ROOT,
                                     capture_output=True, text=True, check=True).stdout)


def needed(tree, selection):
    """The files of the targets that the selected tests depend on, and all that is no test."""
    names = tests_with_threads(tree) if selection == "THREADED" else []
    ids = set()
    for t in introspect(tree, "--tests"):
        is_of = bool({s.split(":")[-1] for s in t["suite"]} & set(selection))
        if t["name"] in names or (not names and is_of != ("--no-suite" in selection)):
            ids |= set(t["depends"])
    return sorted({os.path.relpath(f, tree) for t in introspect(tree, "--targets")
                   for f in t["filename"] if t["build_by_default"] and
                   (t["id"] in ids or not Path(f).is_relative_to(tree / "tests"))})


def tests_with_threads(tree):
    return [t["name"] for t in introspect(tree, "--tests")
            if t["name"].startswith(THREADED) and not t["name"].startswith("client.python")]


def count_log(tree, label, count):
    """Every <testcase>: one per test program, or one per line of TAP."""
    found = 0
    for suite in xml.etree.ElementTree.parse(tree / "meson-logs/testlog.junit.xml").iter("testsuite"):
        for case in suite.iter("testcase"):
            bad = case.find("failure") is not None or case.find("error") is not None
            if case.find("skipped") is not None:
                continue
            found += 1
            count.add(not bad, f"{label}: {suite.get('name')} {case.get('name')}")
    return found


def test(name, selection, count):
    tree = TREES / name
    log = tree / "meson-logs/testlog.junit.xml"
    log.unlink(missing_ok=True)
    # More than processors: many tests wait for a daemon most of their time.
    jobs = str(3 + (os.cpu_count() or 1))
    args = tests_with_threads(tree) if selection == "THREADED" else selection
    is_sanitizer = name not in ("gcc", "clang")
    ok = run(["meson", "test", "-C", str(tree), "--no-rebuild", "--print-errorlogs", "--num-processes", jobs,
              "--timeout-multiplier", "10" if is_sanitizer else "6", *args],
             env={**os.environ, **(ENVIRONMENT if is_sanitizer else {})})
    before = count.failed
    found = count_log(tree, name, count) if log.exists() else 0
    if found == 0 or (not ok and count.failed == before):
        count.add(False, f"{name}: meson test failed without saying which")


def check_format(count):
    files = sorted(f for f in ROOT.glob("*/**/*.[ch]") if not f.relative_to(ROOT).parts[0].startswith("build"))
    bad = [f for f in files if not run(["clang-format-14", "--dry-run", "--Werror", str(f)], stderr=subprocess.DEVNULL)]
    for f in bad:
        print(f"format: clang-format-14 -i {f.relative_to(ROOT)}")
    count.add(not bad, "format")


class Builder(threading.Thread):
    """Builds one tree after the other.  The first has the machine to itself; the others take what the tests of
    the tree before leave, which wait for daemons and disks most of their time."""

    def __init__(self, builds):
        super().__init__(daemon=True)
        self.builds, self.done = builds, queue.Queue()
        self.start()

    def run(self):
        for i, (name, compiler, options, selection) in enumerate(self.builds):
            if i == 1:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)  # this thread's children
            begin = time.monotonic()
            ok = build(name, compiler, options, selection)
            self.done.put((name, selection, ok, time.monotonic() - begin))


def main():
    names = ["gcc" if a == "--quick" else a for a in sys.argv[1:]] or [b[0] for b in BUILDS]
    if set(names) - {b[0] for b in BUILDS}:
        print(__doc__, file=sys.stderr)
        return 64
    start = time.monotonic()
    count = Count()
    tmp = quick_tmp()
    if tmp:
        os.environ["TMPDIR"] = tmp
    builder = Builder([b for b in BUILDS if b[0] in names])
    for _ in builder.builds:
        name, selection, ok, took = builder.done.get()
        print(f"== {name}: build {'passed' if ok else 'FAILED'}, {took:.0f} s", flush=True)
        count.add(ok, f"{name}: build")
        if ok:
            test(name, selection, count)
        print(f"== {name}: done after {time.monotonic() - start:.0f} s", flush=True)
    if tmp:
        shutil.rmtree(tmp, ignore_errors=True)
    print("== format", flush=True)
    check_format(count)
    for name in count.names:
        print("failed:", name)
    print(f"check: {time.monotonic() - start:.0f} s")
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
