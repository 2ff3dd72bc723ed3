#!/usr/bin/env python3
"""How long a start takes after kill -9: recovery_bench.py BUILD [--ticks N] [--symbols N ...]

A tickbusd (durability full, bars of 1s, 1m and 1h, vectors, a matrix of 20 symbols,
`store.snapshot` at its default) is given N ticks (10,000,000) as fast as it takes them
and killed.  Then, each in a copy of the state directory:

snapshot   start as it is: the newest state snapshot and what came after it
whole      start with the snapshots deleted: the whole log

Printed: seconds until ready, records read, size of the newest snapshot; and from the run
itself how often saving kept a worker from its items for more than 5 ms.
Standard library only.  One fact per line: bench <tab> variant <tab> measure <tab> value.
"""
import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402
from e2e_bench import config, memory_kib  # noqa: E402

READY = re.compile(r"ready after (\d+) ms; (\d+) records")


def fact(variant, measure, value):
    print(f"recovery\t{variant}\t{measure}\t{value}", flush=True)


def fill(build, args, symbols):
    d = tb.Tickbusd(os.path.join(build, "daemon", "tickbusd"), clock="feed", more=config())
    d.start()
    begin = time.monotonic()
    subprocess.run([os.path.join(build, "tests", "bench", "bench_flood"), f"tcp://127.0.0.1:{d.port['ingest']}", str(symbols), "600",
                    "20000", "0", str(args.ticks)], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - begin
    fact(f"fill {symbols}", "ticks_per_s", round(args.ticks / took))
    _, text = d.http("/metrics")
    metrics = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    for name in ("tickbus_snapshot_bytes", "tickbus_snapshots_total", "tickbus_snapshot_pauses_total"):
        if name in metrics:
            fact(f"fill {symbols}", name, metrics[name])
    d.kill()
    return d


def start(d, variant):
    begin = time.monotonic()
    d.start()
    took = time.monotonic() - begin
    said = READY.findall(d.errors())[-1:]
    fact(variant, "ready_s", round(took, 2))
    fact(variant, "records_read", said[0][1] if said else "?")
    fact(variant, "rss_mib", memory_kib(d.process.pid)["VmRSS"] // 1024)
    d.kill()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("--ticks", type=int, default=10_000_000)
    p.add_argument("--symbols", type=int, nargs="*", default=[20, 1000])
    args = p.parse_args()
    for symbols in args.symbols:
        d = fill(args.build, args, symbols)
        copy = d.dir + ".copy"
        shutil.copytree(d.dir, copy, ignore=shutil.ignore_patterns("*.sock"))
        start(d, f"snapshot {symbols}")
        shutil.rmtree(d.dir)
        os.rename(copy, d.dir)
        db = sqlite3.connect(os.path.join(d.dir, "tickbus.db"))
        db.execute("DELETE FROM snapshot")
        db.execute("DELETE FROM snapshot_part")
        db.commit()
        db.close()
        start(d, f"whole {symbols}")
        d.remove()


if __name__ == "__main__":
    main()
