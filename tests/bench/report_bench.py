#!/usr/bin/env python3
"""What a report of 500 symbols takes: report_bench.py BUILD [RUNS]

First what is at hand already (bench_report), then the command against a daemon that has
286 bars of two sources and 40 articles of each symbol: every flow, with 1 and 2 workers.
Medians of execution_time_seconds, and of the seconds of processor that tickbusctl and the
daemon had; these are worth something on a machine that does other things as well.
"""
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD, RUNS = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import reportparts as rp  # noqa: E402

SYMBOLS = [f"B{i:03}" for i in range(500)]


def daemon_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def once(w, flow, workers):
    """Seconds of the clock, of tickbusctl's processor, of the daemon's."""
    before, mine = daemon_s(w.process.pid), os.times()
    answer = w.report(flow, SYMBOLS, "--workers", str(workers))
    after, now = daemon_s(w.process.pid), os.times()
    assert answer["status"] == "success", answer["failed"][:3]
    return (answer.get("report", answer)["execution_time_seconds"],
            now.children_user + now.children_system - mine.children_user - mine.children_system, after - before)


def main():
    for folder, _, files in os.walk(BUILD):
        if "bench_report" in files:
            subprocess.run([os.path.join(folder, "bench_report")], check=True)
    w = rp.World(os.path.join(BUILD, "daemon", "tickbusd"), os.path.join(BUILD, "cli", "tickbusctl"))
    try:
        w.start()
        w.fetch(SYMBOLS)
        w.fetch(SYMBOLS, "second")
        w.fetch_news(SYMBOLS)
        for workers in (1, 2):
            for flow in ("technical", "pricing", "news", "combined"):
                runs = [once(w, flow, workers) for _ in range(RUNS)]
                clock, ctl, daemon = (statistics.median(column) for column in zip(*runs))
                print(f"daemon symbols={len(SYMBOLS)} flow={flow} workers={workers} seconds={clock:.3f} "
                      f"ctl_cpu_s={ctl:.3f} daemon_cpu_s={daemon:.3f}", flush=True)
    finally:
        w.remove()


if __name__ == "__main__":
    main()
