#!/usr/bin/env python3
"""Does a stopped or a slow subscriber cost the others anything?  slow_subscribers.py BUILD [--seconds S] [--pairs N]

A: six subscribers.  B: the same six, one that is stopped (SIGSTOP) and one that reads a
byte now and then.  A B A B ... in one run, each on a fresh daemon that is flooded; the
medians of the acknowledged rates are compared.  The six must have every event, and the
daemon's memory is looked at all the time.
"""
import argparse
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402
from e2e_bench import config, facts, memory_kib, wait_dry  # noqa: E402

GOOD = 6
QUIET_S = 5


class Slow(threading.Thread):
    """Reads a few bytes a second."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.sock, self.stop = d.subscribe("tick"), threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stop.wait(0.1):
                self.sock.sock.recv(1)
        except OSError:
            pass
        self.sock.close()


class Peak(threading.Thread):
    """The most memory that a process has had."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.kib, self.stop = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.stop.wait(0.2):
            self.kib = max(self.kib, memory_kib(self.pid)["RssAnon"])


def phase(build, seconds, with_bad):
    def program(name):
        return os.path.join(build, "tests", "bench", "bench_" + name)

    d = tb.Tickbusd(os.path.join(build, "daemon", "tickbusd"), durability="normal", more=config())
    bad = []
    try:
        d.start()
        good = [subprocess.Popen([program("drain"), str(d.port["ingest"]), str(QUIET_S)], stdout=subprocess.PIPE, text=True)
                for _ in range(GOOD)]
        if with_bad:
            stopped = subprocess.Popen([program("drain"), str(d.port["ingest"]), "600"], stdout=subprocess.DEVNULL)
            time.sleep(0.5)
            stopped.send_signal(signal.SIGSTOP)
            bad = [stopped, Slow(d)]
        time.sleep(0.5)
        peak = Peak(d.process.pid)
        made = facts(subprocess.run([program("flood"), f"tcp://127.0.0.1:{d.port['ingest']}", "100", str(seconds), "20000"],
                                    stdout=subprocess.PIPE, text=True, check=True).stdout)
        published = sum(wait_dry(d)["published"].values())
        had = [facts(g.communicate(timeout=600)[0]) for g in good]
        peak.stop.set()
        complete = sum(h["events"] == published and not h["holes"] and not h["lost"] for h in had)
    finally:
        if bad:
            bad[0].kill()
            bad[0].wait()
            bad[1].stop.set()
        d.remove()
    return made["ticks_per_s"], complete, peak.kib / 1024


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("--seconds", type=int, default=5)
    p.add_argument("--pairs", type=int, default=5)
    args = p.parse_args()
    rates, complete, peaks = {False: [], True: []}, 0, {False: [], True: []}
    for _ in range(args.pairs):
        for with_bad in (False, True):
            rate, n, mib = phase(args.build, args.seconds, with_bad)
            rates[with_bad].append(rate)
            peaks[with_bad].append(mib)
            complete += n
            print(f"# {'B' if with_bad else 'A'}: {rate / 1e3:.0f} k ticks/s, {n} of {GOOD} complete, "
                  f"{mib:.0f} MiB private at most", flush=True)
    a, b = statistics.median(rates[False]), statistics.median(rates[True])
    print(f"slow_subscribers\twithout\tk ticks/s\t{a / 1e3:.0f}")
    print(f"slow_subscribers\twith one stopped and one slow\tk ticks/s\t{b / 1e3:.0f}")
    print(f"slow_subscribers\tdifference\tpercent\t{(b / a - 1) * 100:.1f}")
    print(f"slow_subscribers\tcomplete\tof {args.pairs * 2 * GOOD}\t{complete}")
    print(f"slow_subscribers\tmost private memory, without\tMiB\t{max(peaks[False]):.0f}")
    print(f"slow_subscribers\tmost private memory, with\tMiB\t{max(peaks[True]):.0f}")


if __name__ == "__main__":
    main()
