#!/usr/bin/env python3
"""A stranger with the installed library: install_test.py BUILD_DIR SOURCE_DIR TICKBUSD

Installs into a directory of its own, and there compiles the examples as C11 and the header as C++17, with what pkg-config
says and all warnings as errors; runs them against a daemon; looks at what the shared library shows.  Prints TAP.
"""
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tickbusd as tb  # noqa: E402

BUILD, SOURCE, BINARY = sys.argv[1:4]
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]
CPP = """
#include <cstdio>
#include <tickbus.h>
int main()
{
	tickbus_tick tick;
	int64_t price = 0;
	if (tickbus_tick_init(&tick, "AAPL", 1) || tickbus_decimal_parse("187.25", TICKBUS_PRICE, &price))
		return 1;
	std::printf("%s %lld %s\\n", tickbus_version(), static_cast<long long>(price), tickbus_kind_name(EVENT_BAR));
	return tickbus_decimal_parse("no", TICKBUS_PRICE, &price) < 0 && *tickbus_error() ? 0 : 2;
}
"""


class Stranger:
    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="tickbus-install-")
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.root],
                       check=True, stdout=subprocess.DEVNULL)
        found = {f: d for d, _, files in os.walk(self.root) for f in files}
        self.libdir, pc = found["libtickbus.so.0.1.0"], found["tickbus.pc"]
        self.env = {**os.environ, "PKG_CONFIG_LIBDIR": pc, "PKG_CONFIG_PATH": "", "PKG_CONFIG_SYSROOT_DIR": self.root,
                    "LD_LIBRARY_PATH": self.libdir}
        # nng has no page for pkg-config of its own; nothing else may be needed.
        self.flags = subprocess.run(["pkg-config", "--cflags", "--libs", "tickbus"], check=True, env=self.env,
                                    stdout=subprocess.PIPE, text=True).stdout.split()

    def compile(self, compiler, standard, source):
        out = os.path.join(self.root, os.path.basename(source) + ".run")
        done = subprocess.run([compiler, "-std=" + standard, *STRICT, source, "-o", out, *self.flags], env=self.env,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return out

    def run(self, program, *args):
        return subprocess.run([program, *map(str, args)], env=self.env, capture_output=True, text=True, timeout=240)


def cpp_programs_compile_and_run(s, _):
    source = os.path.join(s.root, "stranger.cpp")
    with open(source, "w", encoding="ascii") as f:
        f.write(CPP)
    done = s.run(s.compile("g++", "c++17", source))
    assert done.returncode == 0 and " 187250000000 " in done.stdout, done


def the_examples_publish_and_subscribe(s, d):
    pub = s.compile("gcc", "c11", os.path.join(SOURCE, "client", "example_pub.c"))
    sub = s.compile("gcc", "c11", os.path.join(SOURCE, "client", "example_sub.c"))
    base = d.port["ingest"]
    done = s.run(pub, base, "AAPL", "187.25", "100")
    assert done.returncode == 0 and re.match(r"accepted at log position \d+, on the disk", done.stdout), done
    done = s.run(pub, base, "AAPL", "-1", "100")
    assert done.returncode == 1 and done.stdout == "rejected: price_not_positive\n", done
    now = int(time.time())
    tb.feed_json(d, '{"producer":"c","source":"example","first_seq":1,"ticks":[{"type":"clock","time":%d}]}' %
                 ((now + 180) * tb.SECOND))
    child = subprocess.Popen([sub, str(base), "AAPL"], env=s.env, stdout=subprocess.PIPE, text=True)
    try:
        assert select.select([child.stdout], [], [], 30)[0], "no bar within 30 s"
        line = child.stdout.readline()
        assert '"symbol":"AAPL","timeframe":"1m"' in line and '"close":187.25' in line, line
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def only_the_api_is_visible(s, _):
    names = subprocess.run(["nm", "-D", "--defined-only", os.path.join(s.libdir, "libtickbus.so.0.1.0")], check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    shown = [line.split()[2] for line in names.splitlines()]
    strange = [n for n in shown if not n.startswith("tickbus_")]
    assert not strange, strange
    with open(os.path.join(SOURCE, "client", "tickbus.h"), encoding="utf-8") as f:
        declared = set(re.findall(r"TICKBUS_API[^;]*?\b(tickbus_\w+)\(", f.read()))
    assert set(shown) == declared, set(shown) ^ declared


def main():
    stranger, d, failed = Stranger(), None, 0
    tests = [cpp_programs_compile_and_run, the_examples_publish_and_subscribe, only_the_api_is_visible]
    print(f"1..{len(tests)}", flush=True)
    try:
        d = tb.Tickbusd(BINARY).start()
        for i, test in enumerate(tests, 1):
            try:
                test(stranger, d)
                print(f"ok {i} - {test.__name__}", flush=True)
            except Exception as e:
                failed += 1
                print(f"not ok {i} - {test.__name__}", flush=True)
                print(f"{test.__name__}: {type(e).__name__}: {str(e)[:3000]}", file=sys.stderr, flush=True)
    finally:
        if d is not None:
            d.remove()
        shutil.rmtree(stranger.root, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
