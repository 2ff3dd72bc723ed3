#!/usr/bin/env python3
"""What a job that computes costs the ticks: jobs_bench.py BUILD [flood|live ...] [--seconds S] [--rounds N] [--symbols N] [--window N] [--nice N]

A B C D A B C D ... in one run, each on a fresh daemon that has 1,000 daily bars of N symbols in history.db:

A   nothing else
B   a job computes the comprehensive features of all N symbols, then the next one, at analysis.nice N (10)
C   in place of the job a loop that touches nothing, on each processor at nice 10: what of B is the processors'
D   the same loops as SCHED_IDLE: what of it is the scheduler's, which may let a nice program finish its slice

flood   1,000 symbols as fast as they are acknowledged, durability normal: ticks a second, the daemon's processor time per tick
live    20,000 ticks a second by the clock, durability full: how old a tick is when a subscriber holds it

The job's process shares the processors with the daemon, whoever sends and whoever subscribes.  Its own work is reported: symbols
a second, and the processors that it had (of jobs that ended).  Medians, and the medians of the differences from A, round by
round.  Not to be run under nice: then the job is less behind the daemon than it would be.
One fact per line: bench <tab> variant <tab> measure <tab> value.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import reportparts as rp  # noqa: E402
from e2e_bench import config, cpu_seconds, facts, wait_dry  # noqa: E402

FLOODED, RATE, BARS = 1000, 20000, 1000
START = datetime.date(2020, 1, 1)
SHAPES = 16  # different series; each symbol has one of them
NICE = 10  # of loops
SIDES = {"A": "without", "B": "with", "C": "with loops", "D": "with idle loops"}
LOOPS = {"C": ["nice", "-n", str(NICE)], "D": ["chrt", "-i", "0"]}
DIFFERENCES = {"flood": ("k ticks/s", "CPU us/tick"), "live": ("call to event, us, p50", "call to event, us, p99")}


def walk(shape):
    price, out = 100.0, []
    for i in range(BARS):
        price *= 1 + (zlib.crc32(f"{shape}/{i}".encode()) % 2001 - 1000) / 50000
        c = round(price, 2)
        out.append({"t": rp.midnight(START + datetime.timedelta(days=i)), "o": c, "h": c, "l": c, "c": c, "v": 1000 + i, "n": 1, "vw": c})
    return out


WALKS = [walk(k) for k in range(SHAPES)]


class Daemon(rp.World):
    def __init__(self, build, nice, durability, clock, prefix):
        ctl = os.path.join(build, "cli", "tickbusctl")
        super().__init__(os.path.join(build, "daemon", "tickbusd"), ctl)
        self.first.bars = lambda s: WALKS[zlib.crc32(s.encode()) % SHAPES]
        with open(self.config, encoding="ascii") as f:
            text = f.read().replace("durability: full", f"durability: {durability}").replace("mode: feed", f"mode: {clock}")
        with open(self.config, "w", encoding="ascii") as f:
            f.write(text + config(prefix) + f"analysis: {{program: {ctl}, nice: {nice}}}\n")

    def bring(self, symbols):
        text = self.file("symbols.txt", "\n".join(symbols))
        self.ctl("ingest", "--text", text, "--start", START.isoformat(), "--end", (START + datetime.timedelta(days=BARS)).isoformat(),
                 "--timeframe", "1d", "--vendor", "first")

    def computed(self):
        line = next(x for x in self.http("/metrics")[1].splitlines() if x.startswith("tickbus_analysis_symbols_total "))
        return int(line.split()[1])


def children_seconds(pid):
    """Of those that have ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


class Jobs:
    """One job after the other until it is over."""

    def __init__(self, d, symbols, window):
        self.d, self.over = d, threading.Event()
        self.order = {"what": "features", "symbols": symbols,
                      "options": {"timeframe": "1d", "set": "comprehensive", "window": str(window)}}
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            id = self.d.admin("analyse", **self.order)["result"]["job"]["id"]
            while self.d.admin("job", id=id)["result"]["job"]["state"] == "running":
                if self.over.wait(0.2):
                    self.d.admin("job_cancel", id=id)
                    return

    def stop(self):
        self.over.set()
        self.thread.join(60)


class Loops:
    def __init__(self, how):
        self.running = [subprocess.Popen([*how, "sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count() or 1)]

    def stop(self):
        for p in self.running:
            p.kill()
            p.wait()


def with_daemon(args, names, side, durability, clock, prefix, measure):
    """What @measure says, and what jobs did in the meantime."""
    d, other = Daemon(args.build, args.nice, durability, clock, prefix), None
    try:
        d.start()
        d.bring(names)
        if side != "A":
            other = Jobs(d, names, args.window) if side == "B" else Loops(LOOPS[side])
            time.sleep(1)  # it computes
        begun, before, rows = time.monotonic(), cpu_seconds(d.process.pid), d.computed()
        got = measure(d, before)
        took = time.monotonic() - begun
        got["symbols computed/s"] = (d.computed() - rows) / took
        if side == "B":
            other.stop()
        got["processors of ended jobs"] = children_seconds(d.process.pid) / took
    finally:
        if side in LOOPS and other is not None:
            other.stop()
        d.remove()
    return got


def flood(args, names, side):
    def measure(d, before):
        program = os.path.join(args.build, "tests", "bench", "bench_flood")
        out = subprocess.run([program, f"tcp://127.0.0.1:{d.port['ingest']}", str(FLOODED), str(args.seconds), str(RATE)],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
        status = wait_dry(d)
        return {"k ticks/s": facts(out)["ticks_per_s"] / 1e3,
                "CPU us/tick": (cpu_seconds(d.process.pid) - before) / status["ticks_accepted"] * 1e6}

    return with_daemon(args, names, side, "normal", "feed", "S", measure)


def live(args, names, side):
    def measure(d, _):
        program = os.path.join(args.build, "tests", "bench", "bench_live")
        out = facts(subprocess.run([program, str(d.port["ingest"]), str(RATE), str(max(5, args.seconds)), str(FLOODED)],
                                   stdout=subprocess.PIPE, text=True, check=True, timeout=600).stdout)
        if out["missing"] or out["lost"]:
            raise RuntimeError(f"not complete: {out}")
        return {f"{what.replace('_', ' ')}, us, {q}": out[f"{what}_us_{q}"]
                for what in ("call_to_event", "due_to_event") for q in ("p50", "p99")}

    return with_daemon(args, names, side, "full", "wall", "L", measure)


def compare(what, got):
    for measure in got["A"][0]:
        for side, name in SIDES.items():
            print(f"jobs\t{what}, {name}\t{measure}\t{statistics.median(x[measure] for x in got[side]):.4g}")
    for side in "BCD":
        for measure in DIFFERENCES[what]:
            rounds = [(x[measure] / a[measure] - 1) * 100 for a, x in zip(got["A"], got[side])]
            print(f"jobs\t{what}, {SIDES[side]}\tdifference of {measure}, %\t{statistics.median(rounds):.1f}"
                  f"\t({min(rounds):.1f} - {max(rounds):.1f})", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("build")
    p.add_argument("what", nargs="*", default=["flood", "live"])
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--symbols", type=int, default=1000)
    p.add_argument("--window", type=int, default=500)
    p.add_argument("--nice", type=int, default=NICE, help="of the job; 20: SCHED_IDLE")
    args = p.parse_intermixed_args()
    phases = {"flood": flood, "live": live}
    unknown = [w for w in args.what if w not in phases]
    if unknown:
        p.error(f"no benchmark is called {unknown[0]}")
    names = [f"H{i:04d}" for i in range(args.symbols)]
    print(f"# load {os.getloadavg()[0]:.1f}", flush=True)
    for what in args.what:
        got = {side: [] for side in SIDES}
        for _ in range(args.rounds):
            for side in SIDES:
                got[side].append(phases[what](args, names, side))
                print(f"# {what} {side}: " + json.dumps({k: round(v, 2) for k, v in got[side][-1].items()}), flush=True)
        compare(what, got)
    print(f"# load {os.getloadavg()[0]:.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
