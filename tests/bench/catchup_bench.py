#!/usr/bin/env python3
"""Catch-up beside live subscribers: catchup_bench.py BUILD [ROUNDS] [TICKS]

A tickbusd is filled with TICKS (3,000,000) of 1,000 symbols.  Then, in turns, ROUNDS (3) times: live ticks by the wall
clock alone (20,000 a second, libtickbus, for 6 s), and the same while another process fetches all history over and over.
Prints events a second of catch-up, alone and beside live, and the live p99 of both, call to event, in microseconds: medians.
"""
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402

BUILD = sys.argv[1]
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
TICKS = sys.argv[3] if len(sys.argv) > 3 else "3000000"


def program(name):
    return os.path.join(BUILD, "tests", "bench", "bench_" + name)


def facts(text, measure):
    return [float(line.split("\t")[2]) for line in text.splitlines() if line.split("\t")[1:2] == [measure]]


def run(*args):
    return subprocess.run([str(a) for a in args], check=True, stdout=subprocess.PIPE, text=True).stdout


def main():
    d = tb.Tickbusd(os.path.join(BUILD, "daemon", "tickbusd"), durability="normal", clock="wall").start()
    alone, beside, p99, p99_beside = [], [], [], []
    try:
        base = d.port["ingest"]
        run(program("flood"), f"tcp://127.0.0.1:{base}", 1000, 600, 1000000, 0, TICKS)
        time.sleep(3)
        for _ in range(ROUNDS):
            alone += facts(run(program("history"), base, 1), "events_per_s")
            p99 += facts(run(program("live"), base, 20000, 6, 100), "call_to_event_us_p99")
            other = subprocess.Popen([program("history"), str(base), "1000"], stdout=subprocess.PIPE, text=True)
            time.sleep(0.5)
            p99_beside += facts(run(program("live"), base, 20000, 6, 100), "call_to_event_us_p99")
            other.terminate()
            beside += facts(other.communicate()[0], "events_per_s")
        for name, values in (("alone_events_per_s", alone), ("beside_events_per_s", beside),
                             ("live_p99_us", p99), ("live_p99_us_beside", p99_beside)):
            print(f"catchup\t{name}\t{statistics.median(values):.0f}\t({' '.join(f'{v:.0f}' for v in values)})")
    finally:
        d.remove()


if __name__ == "__main__":
    main()
