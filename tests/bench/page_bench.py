#!/usr/bin/env python3
"""The page of a daemon at work: page_bench.py BUILD [--rate N] [--symbols N] [--seconds S] [--pairs N]

A B A B ... in one run, each on a fresh daemon that takes --rate ticks a second (50,000) of --symbols symbols (2,000) by the wall clock:

A  nobody looks
B  the page is open in Chromium, beside them on the same processors

daemon   processor time of the daemon, % of one processor: A, B, and the median of the pairs' differences
frames   in the page, ms from one painted frame to the next (requestAnimationFrame), after a warm-up

One fact per line: bench <tab> variant <tab> measure <tab> value.  Needs chromium and chromedriver.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402
import webdriver  # noqa: E402
from e2e_bench import config, cpu_seconds, flood_ports  # noqa: E402

WARM_S = 3
COUNT = """window.gaps = [];
let last = performance.now();
const step = now => { window.gaps.push(now - last); last = now; requestAnimationFrame(step) };
requestAnimationFrame(step)"""


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def look(d, seconds):
    """(gaps between frames in ms, what the page says at its end)"""
    b = webdriver.Browser()
    try:
        b.go(f"http://127.0.0.1:{d.port['http']}/")
        b.until("return document.getElementById('state').textContent === 'ready'", "ready")
        time.sleep(WARM_S)
        b.run(COUNT)
        begin = cpu_seconds(d.process.pid), time.monotonic()
        time.sleep(seconds)
        spent = (cpu_seconds(d.process.pid) - begin[0]) / (time.monotonic() - begin[1])
        gaps = b.run("return window.gaps")
        count = b.text("#count")
        complaints = b.console()
    finally:
        b.close()
    assert not complaints, complaints
    return gaps[5:], count, spent


def phase(args, is_open):
    d = tb.Tickbusd(os.path.join(args.build, "daemon", "tickbusd"), durability="normal", clock="wall", more=config("L"))
    try:
        d.start()
        live = subprocess.Popen([os.path.join(args.build, "tests", "bench", "bench_live"), str(flood_ports(d)[0]), str(args.rate),
                                 str(args.seconds + 4 * WARM_S), str(args.symbols)], stdout=subprocess.PIPE, text=True)
        tb.until(lambda: d.admin("status")["result"]["ticks_accepted"] > args.rate * WARM_S, "ticks come", 60)
        if is_open:
            gaps, count, spent = look(d, args.seconds)
            assert count == f"({args.symbols})", count
        else:
            begin = cpu_seconds(d.process.pid), time.monotonic()
            time.sleep(args.seconds)
            gaps, spent = [], (cpu_seconds(d.process.pid) - begin[0]) / (time.monotonic() - begin[1])
        assert live.poll() is None, "the ticks ended before the page was looked at: --seconds"
        live.kill()
        live.wait()
        return spent * 100, gaps
    finally:
        d.remove()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("build")
    for name, value in (("rate", 50000), ("symbols", 2000), ("seconds", 10), ("pairs", 3)):
        p.add_argument("--" + name, type=int, default=value)
    args = p.parse_args()
    if webdriver.absent():
        sys.exit(f"there is no {webdriver.absent()}")
    variant = f"{args.symbols} symbols, {args.rate}/s"
    print(f"# load {os.getloadavg()[0]:.1f}", flush=True)
    alone, seen, gaps = [], [], []
    for _ in range(args.pairs):
        alone.append(phase(args, False)[0])
        spent, more = phase(args, True)
        seen.append(spent)
        gaps += more
        print("# " + json.dumps({"A %": round(alone[-1], 2), "B %": round(spent, 2), "frames": len(more),
                                 "p95 ms": round(quantile(more, .95), 1)}), flush=True)
    facts = {"daemon alone, %": statistics.median(alone), "daemon with a page, %": statistics.median(seen),
             "difference, % of a processor": statistics.median(b - a for a, b in zip(alone, seen)),
             "frames": len(gaps), "frame ms p50": quantile(gaps, .5), "frame ms p95": quantile(gaps, .95),
             "frame ms p99": quantile(gaps, .99), "frame ms max": max(gaps)}
    for measure, value in facts.items():
        print(f"page\t{variant}\t{measure}\t{value:.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
