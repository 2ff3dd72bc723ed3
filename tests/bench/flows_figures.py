#!/usr/bin/env python3
"""The figures of indicators, features and reports, each beside what it should be: flows_figures.py FIGURE BUILD [RUNS]

FIGURE is indicators (SMA20, RSI14 and BBANDS20, ns a bar), features (efficient set: one series, and the command over 500
series of 500 values on two threads), report (combined, 500 symbols, 2 workers) or scaling (the same with 1 worker
beside 2), or all.  Figures of time are those of the clock: for an idle machine, whose load is said.  Processor time
stands beside them for a machine that is not.  Exit code 1: something is not reached.
"""
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURE, BUILD = sys.argv[1], os.path.abspath(sys.argv[2])
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 7
CTL = os.path.join(BUILD, "cli", "tickbusctl")
missed = []


def say(what, value, unit, target, beside, at_least=False):
    reached = value >= target if at_least else value <= target
    if not reached:
        missed.append(what)
    print(f"{what}: {value:.3g} {unit}, to reach {target:g} {unit}: {'yes' if reached else 'NO'}; {beside}", flush=True)


def program(name):
    for folder, _, files in os.walk(BUILD):
        if name in files:
            return os.path.join(folder, name)
    sys.exit(f"{name} is not in {BUILD}: meson configure -Dbench=true, and build")


def lines(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def indicators():
    """bench_ind takes processor time, and of 15 runs the median."""
    runs = [float(line.split()[3]) for _ in range(RUNS) for line in lines(program("bench_ind"), "20000", "50")
            if line.startswith("all three") and " batch " in line]
    say("SMA20 + RSI14 + BBANDS20, a bar", min(runs), "ns", 8, f"median of the runs {statistics.median(runs):.3g}, largest {max(runs):.3g}")


def seconds_of(*command):
    """(clock, processor) of a command."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begin, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def features():
    for line in lines(program("bench_tsf")):
        values = dict(word.split("=") for word in line.split())
        if (values["set"], values["threads"]) == ("efficient", "1"):
            say("efficient set, one series of 500 values", float(values["median_us"]) / 1000, "ms", 1.6, "one core, median of 500 series")
        if (values["set"], values["threads"]) == ("efficient", "2"):
            say("the same, 500 series, 2 threads", float(values["all_ms"]) / 1000, "s", 0.5, "computing alone")
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
        f.write("symbol,close\n")
        for i in range(500):
            for k in range(500):
                f.write(f"S{i:03},{100 + 10 * math.sin(k / (5 + i % 17)) + (k * 7919 + i * 104729) % 997 / 500:.4f}\n")
        f.flush()
        runs = [seconds_of(CTL, "features", "extract", "--csv", f.name, "--set", "efficient", "--threads", "2") for _ in range(RUNS)]
    clock, cpu = (statistics.median(column) for column in zip(*runs))
    say("features extract, 500 series, 2 threads", clock, "s", 0.5, f"the whole command, file to file; {cpu:.3g} s of processors")


def reports(workers):
    """Medians of (clock, processor of tickbusctl, processor of the daemon) for each number of workers."""
    sys.argv = [sys.argv[0], BUILD, str(RUNS)]
    sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]
    import report_bench as rb
    w = rb.rp.World(os.path.join(BUILD, "daemon", "tickbusd"), CTL)
    try:
        w.start()
        w.fetch(rb.SYMBOLS)
        w.fetch(rb.SYMBOLS, "second")
        w.fetch_news(rb.SYMBOLS)
        rb.once(w, "combined", 2)  # what is read first is read from the disk
        rows = {n: [] for n in workers}
        for _ in range(RUNS):
            for n in workers:
                rows[n].append(rb.once(w, "combined", n))
        return {n: [statistics.median(column) for column in zip(*rows[n])] for n in workers}
    finally:
        w.remove()


def report():
    clock, ctl, daemon = reports([2])[2]
    say("combined report, 500 symbols, 2 workers", clock, "s", 2, f"processor: tickbusctl {ctl:.3g} s, tickbusd {daemon:.3g} s")


def scaling():
    got = reports([1, 2])
    say("2 workers beside 1", got[1][0] / got[2][0], "x", 1.8, f"{got[1][0]:.3g} s and {got[2][0]:.3g} s; processor of both programs "
        f"{sum(got[1][1:]):.3g} s and {sum(got[2][1:]):.3g} s", at_least=True)


ALL = {f.__name__: f for f in (indicators, features, report, scaling)}
if FIGURE not in ALL and FIGURE != "all":
    sys.exit(__doc__)
print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
for name, figure in ALL.items():
    if FIGURE in (name, "all"):
        figure()
sys.exit(1 if missed else 0)
