#!/usr/bin/env python3
"""Faults on purpose: chaos_test.py TICKBUSD TICKBUSCTL

Each of `tickbusctl chaos` does what it says while it lasts, and nothing is wrong with the daemon afterwards: the
verification that ends it says equal, and what was sent is in the log.  Prints TAP.
"""
import functools
import json
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import tickbusd as tb  # noqa: E402
from feedparts import FeedWorld  # noqa: E402
from livevendor import KEY, SECRET, LiveVendor  # noqa: E402

BINARY, CTL = map(os.path.abspath, sys.argv[1:3])
MORE = """
workers: {threads: 2}
defaults: {timeframes: [1m]}
chaos: {enabled: true}
"""
FEED = """
fetch: {{plain_http: true, private_addresses: true}}
vendors:
  alpaca: {{base_url: "http://127.0.0.1:{p}", stream_url: "ws://127.0.0.1:{p}/v2/iex", feed: iex, requests: 1000, per: 1s}}
feeds:
  iex: {{vendor: alpaca, symbols: [AAPL], mute: 5s, redial_max: 1s, refill_delay: 500ms}}
"""
os.environ.update({"TICKBUS_ALPACA_KEY": KEY, "TICKBUS_ALPACA_SECRET": SECRET})


def ctl(d, *args):
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "--port", str(d.port["ingest"]), *args],
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def chaos(d, *args):
    code, out, err = ctl(d, "chaos", *args)
    assert code == 0 and "equal" in out, (args, code, out, err)
    return out


until = functools.partial(tb.until, seconds=60)


def send(d, minute, producer="p"):
    """Ticks of two symbols, one per worker, in this minute, and the clock behind it; the last position."""
    ticks = [tb.trade(s, 60 * minute + i, 100 + i, 10 * minute + i + 1) for i in range(5) for s in ("AAA", "BBB")]
    reply = tb.feed(d, ticks, producer, 10 * minute + 1)
    if reply["status"] == 0:
        tb.feed_json(d, tb.clock_request(60 * minute + 70, minute + 1))
    return reply


class Meanwhile(threading.Thread):
    """chaos() on a thread of its own."""

    def __init__(self, d, *args):
        super().__init__()
        self.d, self.args, self.out, self.error = d, args, None, None
        self.start()

    def run(self):
        try:
            self.out = chaos(self.d, *self.args)
        except AssertionError as e:
            self.error = e

    def result(self):
        self.join()
        if self.error:
            raise self.error
        return self.out


def without_the_key_nothing_is_done(d):
    assert "chaos.enabled is true" in d.errors(), "it is not said at the start"
    text = open(d.config, encoding="ascii").read()
    assert d.stop() == 0
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace("chaos: {enabled: true}", ""))
    d.start()
    send(d, 0)
    for args in (["kill"], ["stall-worker", "0"], ["poison", "AAA"], ["drop-feed", "x"], ["fill-quota"]):
        code, out, err = ctl(d, "chaos", *args)
        assert code == 1 and "chaos.enabled is false" in err and not out, (args, code, out, err)
    assert d.process.poll() is None and send(d, 1)["accepted"] == 10
    assert d.admin("quarantine", n=10)["result"]["refused"] == []


def a_killed_daemon_comes_back_whole(d):
    send(d, 0)
    send(d, 1)
    bars = until(lambda: d.events("bar"), "bars")
    died = []

    def manager():
        died.append(d.process.wait())
        d.start()

    t = threading.Thread(target=manager)
    t.start()
    out = chaos(d, "kill")
    t.join()
    assert died == [-9] and "killed: process" in out, (died, out)
    assert len(d.all_ticks()) == 20
    again = d.events("bar")
    assert len(again) >= len(bars) and set(bars) <= set(again)


def without_a_manager_a_kill_is_no_verdict(d):
    send(d, 0)
    code, _, err = ctl(d, "chaos", "kill", "--wait", "1")
    assert code == 75 and "no daemon was ready" in err, (code, err)
    assert d.process.wait() == -9


def a_stalled_worker_holds_up_its_own_and_nothing_is_lost(d):
    assert send(d, 0)["accepted"] == 10
    c = Meanwhile(d, "stall-worker", "0", "--seconds", "4")
    until(lambda: "asked to: stall-worker" in d.errors(), "the stall")
    time.sleep(0.3)  # a worker that slept has woken by now
    pos = send(d, 1)["last_pos"]

    def stages():
        t = d.admin("trace", pos=pos)["result"]
        return {s["stage"] for s in t.get("step", {"stages": []})["stages"]}

    held = until(lambda: (s := stages()) and "worker 1" in s and s, "worker 1 goes on")
    assert "worker 0" not in held and "publish" not in held, held
    c.result()
    assert {"worker 0", "publish"} <= stages()
    assert len(d.all_ticks()) == 20
    code, _, err = ctl(d, "chaos", "stall-worker", "2")
    assert code == 1 and "there are the workers 0 .. 1" in err, err


def a_poisoned_symbol_takes_no_other_with_it(d):
    send(d, 0)
    bars = sorted(b for b in until(lambda: d.events("bar"), "bars") if b"BBB" in b)
    out = chaos(d, "poison", "AAA", "--ticks", "800")
    taken, refused = map(int, re.search(r"(\d+) ticks taken, (\d+) refused", out).groups())
    assert taken + refused == 800 and taken == 400, out
    counted = {k: n for k, n in d.admin("metrics")["result"].items() if k.startswith("ticks_rejected_total") and n > 0}
    assert sum(counted.values()) == refused and len(counted) >= 3, counted
    sources = {r["source"] for r in d.admin("sources")["result"]["sources"]}
    assert "chaos" in sources, sources
    # The other symbol's bars: as before, then as ever.
    send(d, 1)
    now = until(lambda: (b := [x for x in d.events("bar") if b"BBB" in x]) and len(b) > len(bars) and b, "more bars")
    assert set(bars) <= set(now)
    code, _, err = ctl(d, "chaos", "poison", "NOBODY")
    assert code == 1 and "no such symbol" in err, err


def a_full_quota_refuses_and_what_was_refused_may_be_sent_again(d):
    assert send(d, 0)["accepted"] == 10
    c = Meanwhile(d, "fill-quota", "--seconds", "4")
    until(lambda: "asked to: fill-quota" in d.errors(), "the fault")
    d.admin("log_count")  # goes the way of the fault, behind it
    reply = send(d, 1)
    assert reply["status"] != 0 and reply["accepted"] == 0 and reply["retry_ms"] > 0, reply
    assert d.admin("status")["result"]["state"] == "ready"
    assert d.admin("metrics")["result"]["no_space_total"] >= 1
    c.result()
    assert send(d, 1)["accepted"] == 10
    assert len({t[1:3] for t in d.all_ticks()}) == 20, d.all_ticks()


class World(FeedWorld):
    FEED = "iex"

    def __init__(self, d, vendor):
        self.d, self.vendor = d, vendor


def a_dropped_feed_dials_again_and_has_no_hole(_):
    vendor = LiveVendor(["AAPL"], 1, 200)
    d = tb.Tickbusd(BINARY, clock="wall", more=MORE + FEED.format(p=vendor.port))
    w = World(d, vendor)
    try:
        d.start()
        w.until(lambda: w.source().get("state") == "live", 30, "it does not flow")
        chaos(d, "drop-feed", "iex", "--seconds", "1")
        assert "closed on purpose: chaos" in d.errors()
        w.until(lambda: vendor.dials >= 2 and w.is_whole(), 30, "it does not dial again")
        code, _, err = ctl(d, "chaos", "drop-feed", "other")
        assert code == 1 and "no such live feed" in err, err
    finally:
        d.remove()
        vendor.close()


def main():
    tests = [without_the_key_nothing_is_done, a_killed_daemon_comes_back_whole, without_a_manager_a_kill_is_no_verdict,
             a_stalled_worker_holds_up_its_own_and_nothing_is_lost, a_poisoned_symbol_takes_no_other_with_it,
             a_full_quota_refuses_and_what_was_refused_may_be_sent_again, a_dropped_feed_dials_again_and_has_no_hole]
    return tb.tap(tests, lambda: tb.Tickbusd(BINARY, more=MORE))


if __name__ == "__main__":
    sys.exit(main())
