#!/usr/bin/env python3
"""The whole daemon measured from outside: e2e_bench.py BUILD [flood|live|memory ...]

	--rounds N     every variant so often, in turns; medians are printed (3)
	--seconds S    of one flood (60); live runs take a sixth of it
	--rate N       ticks per second of event time in a flood (20000)

BUILD is a build directory (release flags).  Each run starts a tickbusd of its own on
an empty state directory, durability full, bars of 1s, 1m and 1h, feature vectors, a
matrix of 20 symbols, and one subscriber to everything.

flood   as fast as the daemon acknowledges; then until it is dry.  "acknowledged":
        ticks a second while producing; "drained": until the subscriber had the last
        event of any kind.  The run counts what was lost, at every place.
live    20,000 ticks a second by the wall clock, producer to subscriber.
memory  resident set idle, and when 1,000 and 10,000 symbols have full histories;
        time from start to ready.

Standard library only.  One fact per line: bench <tab> variant <tab> measure <tab> value.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402

CONFIG = """
defaults: {{timeframes: [{timeframes}], price_types: [last], spread: true}}
universes:
  u20: {{symbols: [{symbols}], timeframe: 1m, window: 120}}
workers: {{threads: 2}}
"""
QUIET_S = 5  # a subscriber that heard nothing for so long is done


def config(prefix="S", timeframes="1s, 1m, 1h"):
    return CONFIG.format(symbols=", ".join(f"{prefix}{i:04d}" for i in range(20)), timeframes=timeframes)


def facts(text):
    """The last two fields of every line that a program printed."""
    out = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) >= 3:
            out[fields[-2]] = float(fields[-1])
    return out


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        rows = dict(line.split(":", 1) for line in f)
    return {k: int(rows[k].split()[0]) for k in ("VmRSS", "RssAnon", "RssShmem", "VmHWM")}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, build, args):
        self.build, self.args, self.got = build, args, {}

    def program(self, name):
        return os.path.join(self.build, "tests", "bench", "bench_" + name)

    def daemon(self, clock="feed", more=""):
        return tb.Tickbusd(os.path.join(self.build, "daemon", "tickbusd"), clock=clock, more=more)

    def fact(self, variant, measure, value):
        self.got.setdefault((variant, measure), []).append(value)

    def report(self):
        for (variant, measure), values in self.got.items():
            spread = f"\t({min(values):.6g} - {max(values):.6g})" if len(values) > 1 else ""
            print(f"e2e\t{variant}\t{measure}\t{statistics.median(values):.6g}{spread}", flush=True)


def flood_ports(d):
    return d.port["ingest"], f"tcp://127.0.0.1:{d.port['ingest']}"


def wait_dry(d, seconds=120):
    """Until every committed record is dispatched and nothing more is published."""
    end, before = time.monotonic() + seconds, None
    while time.monotonic() < end:
        s = d.admin("status")["result"]
        now = (s["position"], s["dispatched"], sorted(s["published"].items()))
        if now == before and s["dispatched"] >= s["position"]:
            return s
        before = now
        time.sleep(0.5)
    raise RuntimeError(f"not dry after {seconds} s: {now}")


def flood(b, symbols, ring=False):
    variant = f"{symbols} symbols" + (", shared memory" if ring else "")
    d = b.daemon(more=config())
    try:
        d.start()
        base, url = flood_ports(d)
        drain = subprocess.Popen(
            [b.program("drain"), str(base), str(QUIET_S)] + ([os.path.join(d.dir, "ring.sock")] if ring else []),
            stdout=subprocess.PIPE, text=True)
        begin = time.monotonic()
        made = facts(subprocess.run([b.program("flood"), url, str(symbols), str(b.args.seconds), str(b.args.rate)],
                                    stdout=subprocess.PIPE, text=True, check=True).stdout)
        sent_s = time.monotonic() - begin
        status = wait_dry(d)
        text, _ = drain.communicate(timeout=600)
        had = facts(text)
        rss, cpu = memory_kib(d.process.pid), cpu_seconds(d.process.pid)
        drops = {k: v for k, v in d.admin("top")["result"]["drops"].items() if v}
        code = d.stop()
        if code != 0:
            raise RuntimeError(f"tickbusd ended with {code}: {d.errors()}")
    finally:
        d.remove()
    published = sum(status["published"].values())
    ticks = status["ticks_accepted"]
    b.fact(variant, "k ticks/s acknowledged", made["ticks_per_s"] / 1e3)
    complete = had["events"] == published and not (had["holes"] or had["lost"] or made["rejected"])
    if complete:
        b.fact(variant, "k ticks/s drained", ticks / had["seconds"] / 1e3)
    b.fact(variant, "runs with every event delivered", int(complete))
    b.fact(variant, "seconds of the producer", sent_s)
    b.fact(variant, "seconds of the subscriber", had["seconds"])
    b.fact(variant, "ticks", ticks)
    b.fact(variant, "events published", published)
    b.fact(variant, "events the subscriber had", had["events"])
    for measure in ("holes", "lost", "filled"):
        b.fact(variant, measure, had[measure])
    b.fact(variant, "daemon CPU us/tick", cpu / ticks * 1e6)
    b.fact(variant, "subscriber CPU us/event", had["cpu_seconds"] / had["events"] * 1e6)
    b.fact(variant, "MiB resident after", rss["VmRSS"] / 1024)
    for name, n in drops.items():
        b.fact(variant, "counter " + name, n)
    if not complete:
        print(f"e2e\t{variant}\tNOT COMPLETE\t{published - had['events']:.0f} of {published}")


def live(b, ring=False, rate=20000, symbols=1000):
    variant = f"live {rate}/s, {symbols} symbols" + (", shared memory" if ring else "")
    d = b.daemon(clock="wall", more=config("L"))
    try:
        d.start()
        ring_path = [os.path.join(d.dir, "ring.sock")] if ring else []
        out = subprocess.run([b.program("live"), str(flood_ports(d)[0]), str(rate),
                              str(max(5, b.args.seconds // 6)), str(symbols)] + ring_path,
                             stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        d.stop()
    finally:
        d.remove()
    for measure, value in facts(out.stdout).items():
        b.fact(variant, measure, value)


def ready_ms(b):
    """From exec to the first answered greeting on ingest, on an empty directory."""
    d = b.daemon(more=config())
    try:
        begin = time.monotonic()
        d.start(wait=False)
        while True:
            try:
                d.ingest().close()
                break
            except OSError:
                time.sleep(0.002)
        took = (time.monotonic() - begin) * 1e3
        wait_dry(d, 10)
        b.fact("idle", "ms from start to ready", took)
        put_memory(b, "idle", d)
        before, at = cpu_seconds(d.process.pid), time.monotonic()
        time.sleep(2)
        b.fact("idle", "CPU %", (cpu_seconds(d.process.pid) - before) / (time.monotonic() - at) * 100)
        d.stop()
    finally:
        d.remove()


def put_memory(b, variant, d):
    m = memory_kib(d.process.pid)
    b.fact(variant, "MiB resident", m["VmRSS"] / 1024)
    b.fact(variant, "of these private MiB", m["RssAnon"] / 1024)
    b.fact(variant, "of these rings in shared memory MiB", m["RssShmem"] / 1024)


def grown(b, symbols, timeframes):
    """1,200 ticks for each symbol: histories hold 1,024."""
    variant = f"{symbols} symbols, {timeframes}"
    d = b.daemon(more=config(timeframes=timeframes))
    try:
        d.start()
        subprocess.run([b.program("flood"), flood_ports(d)[1], str(symbols), "300", str(b.args.rate), "0",
                        str(symbols * 1200)], stdout=subprocess.PIPE, check=True)
        wait_dry(d)
        put_memory(b, variant, d)
        d.stop()
    finally:
        d.remove()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("build")
    p.add_argument("what", nargs="*", default=["flood", "live", "memory"])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=60)
    p.add_argument("--rate", type=int, default=20000)
    args = p.parse_intermixed_args()
    steps = {"flood": [lambda b: flood(b, 20), lambda b: flood(b, 1000), lambda b: flood(b, 1000, True)],
             "live": [live, lambda b: live(b, True)],
             "memory": [ready_ms] + [lambda b, n=n, t=t: grown(b, n, t)
                                     for n in (1000, 10000) for t in ("1m, 5m, 1h", "1s, 1m, 1h")]}
    unknown = [w for w in args.what if w not in steps]
    if unknown:
        p.error(f"no benchmark is called {unknown[0]}")
    for what in args.what:
        b = Bench(args.build, args)
        for _ in range(args.rounds):
            for step in steps[what]:
                step(b)
        b.report()


if __name__ == "__main__":
    main()
