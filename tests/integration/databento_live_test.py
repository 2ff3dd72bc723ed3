#!/usr/bin/env python3
"""A daemon on Databento's live gateway and history, both made up, and the log afterwards.

usage: databento_live_test.py TICKBUSD TICKBUSCTL [SEED]    prints TAP
"""
import collections
import os
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from databento_vendor import DATASET, KEY, Databento  # noqa: E402
from feedparts import FeedWorld  # noqa: E402
from tickbusd import Tickbusd, frame_blocks  # noqa: E402

SYMBOLS = ["AAPL", "BRK.B", "MSFT"]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 6)
CONFIG = """
bars: {{source_timeout: 1s}}
fetch: {{plain_http: true, private_addresses: true}}
vendors:
  test: {{adapter: databento, dataset: {dataset}, base_url: "http://127.0.0.1:{http}", stream_url: "tcp://127.0.0.1:{port}", requests: 1000, per: 1s}}
feeds:
  itch: {{vendor: test, symbols: [AAPL, BRK.B, MSFT], quotes: true, mute: 1s, redial_max: 1s, refill_overlap: 2s, refill_delay: 500ms}}
"""


class World(FeedWorld):
    FEED = "itch"

    def __init__(self):
        self.vendor = Databento(SYMBOLS, SEED)
        self.d = Tickbusd(sys.argv[1], clock="wall", durability="normal", more=CONFIG.format(
            dataset=DATASET, http=self.vendor.http_port, port=self.vendor.port))

    def start(self):
        self.d.start(env={"TICKBUS_TEST_KEY": KEY})

    def log(self):
        """How often the log holds each tick, keyed as the vendor's are."""
        counts = collections.Counter()
        for f in self.d.frames(["tick"]):
            for b in frame_blocks(f):
                event, price, seq = struct.unpack_from("<q8xq", b, 16) + struct.unpack_from("<Q", b, 80)
                counts[(b[112:144].rstrip(b"\0").decode(), price != -2 ** 63, event, seq >> 32)] += 1
        return counts

    def compare(self):
        """Every tick since the stream first flowed is in the log as often as in the market."""
        market = collections.Counter(t.key for t in self.vendor.snapshot())
        log, first = self.log(), self.vendor.first_flow_ns
        missing = [(k, n, log[k]) for k, n in market.items() if k[2] >= first and log[k] < n]
        double = [(k, n, market[k]) for k, n in log.items() if n > market[k]]
        assert not missing, f"{len(missing)} of {len(market)} missing: {missing[:5]}"
        assert not double, f"{len(double)} too often: {double[:5]}"
        assert len(log) > 100 and max(market.values()) == 3, f"only {len(log)} ticks came, {len(market)} were made"
        print(f"# {sum(log.values())} ticks, {self.vendor.dials} connections, {self.vendor.requests} questions")

    def close(self):
        self.d.remove()
        self.vendor.close()


def cuts_at_any_byte_and_kills_leave_no_hole(w):
    w.vendor.cut = lambda: w.vendor.rng.randrange(100, 20000)
    w.vendor.history_fails = 0.1
    w.start()
    for _ in range(2):
        time.sleep(w.vendor.rng.uniform(1, 3))
        w.d.kill()
        w.start()
    dials = w.vendor.dials
    w.until(lambda: w.vendor.dials > dials + 2, 30, "it does not dial again")
    w.settle()
    w.compare()
    assert w.source()["refilled"] > 0
    r = subprocess.run([sys.argv[2], "--admin", os.path.join(w.d.dir, "admin.sock"), "gaps", "AAPL", "--all"],
                       capture_output=True, text=True, check=False)
    assert r.returncode == 0 and "refilled" in r.stdout and "live" in r.stdout, r.stdout


def silence_is_blind_and_refilled(w):
    w.start()
    w.until(lambda: w.source().get("state") == "live", 10, "not live")
    time.sleep(1)
    w.vendor.silent = True
    w.until(lambda: w.source()["blind"], 5, "not blind")
    w.vendor.ends_silence = True
    w.until(lambda: w.vendor.dials > 1, 5, "not dialled again")
    w.settle()
    w.compare()


def the_key_is_never_sent_and_a_refusal_is_not_hammered(w):
    w.vendor.refuse = True
    w.start()
    w.until(lambda: w.source().get("state") == "failed", 10, "not failed")
    assert "Authentication failed" in w.source()["why"], w.source()
    time.sleep(1.5)
    assert w.vendor.dials == 1, f"{w.vendor.dials} connections"
    assert len(w.vendor.heard) == 1 and KEY not in w.vendor.heard[0], w.vendor.heard
    assert KEY not in w.d.errors() and KEY not in w.d.http("/metrics")[1]


def main():
    tests = [cuts_at_any_byte_and_kills_leave_no_hole, silence_is_blind_and_refilled,
             the_key_is_never_sent_and_a_refusal_is_not_hammered]
    failed = 0
    print(f"1..{len(tests)}\n# seed {SEED}", flush=True)
    for i, f in enumerate(tests, 1):
        w = World()
        try:
            f(w)
            print(f"ok {i} - {f.__name__}", flush=True)
        except Exception as e:  # every failure is a line, the rest still runs
            failed += 1
            print(f"not ok {i} - {f.__name__}", flush=True)
            print(f"{f.__name__}: {type(e).__name__}: {str(e)[:3000]}", file=sys.stderr, flush=True)
        finally:
            w.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
