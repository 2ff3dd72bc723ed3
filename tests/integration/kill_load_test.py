#!/usr/bin/env python3
"""The kill switch under load: kill_load_test.py TICKBUSD TICKBUSCTL

A producer sends without a pause, as fast as it is acknowledged, while each level is killed, the daemon killed with -9 and
started again, and the level resumed.  Then every tick is in the log once, at the position that was promised; a subscriber has
every event once; and the log derives to the same bytes with 1, 2 and 4 workers.  One symbol is killed before its first bar, one
has two sources of which one is killed.  Prints TAP.
"""
import os
import struct
import subprocess
import sys
import threading
import time
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import kill_switch_test as ks  # noqa: E402
import tickbusd as tb  # noqa: E402

MORE = """
bars: {source_timeout: 1h}
defaults: {timeframes: [1s], price_types: [last], source_return: 1s}
tickers: {A: {}, B: {}, C: {}, D: {}, E: {sources: [one, two]}}
universes:
  k: {symbols: [A, B, C], timeframe: 1s, window: 20, min_obs: 5}
  every: {symbols: all, max_symbols: 8, timeframe: 1s, window: 20, min_obs: 5}
"""
FEEDS = [("A", "one"), ("B", "one"), ("C", "two"), ("D", "two"), ("E", "one"), ("E", "two")]
ROUND_S = 5  # of event time in a request
PER_S = 4    # ticks a second, symbol and source


def trade(symbol, q):
    """A price that jumps about within a fifth of a percent: no bar is flagged, no source is further from another than it may."""
    return (symbol, tb.START + q * tb.SECOND // PER_S, 10 ** 11 + q * q * ord(symbol) % 997 * 2 * 10 ** 5, 10 ** 8, q)


class Producer(threading.Thread):
    """Sends again what has no answer; sequences say what the log has already."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.d, self.at, self.over, self.why, self.sock = d, 0, False, None, None
        self.promised = {}  # (producer, sequence) -> position
        self.start()

    def ask(self, body):
        end = time.monotonic() + 240
        while True:
            try:
                if self.sock is None:
                    self.sock = self.d.ingest()
                reply = tb.sbe_reply(self.sock.ask(body))
            except OSError:  # the daemon is not there
                self.sock = None
                assert time.monotonic() < end, "nobody answers"
                time.sleep(0.02)
                continue
            if reply["retry_ms"] == 0:
                return reply
            time.sleep(reply["retry_ms"] / 1000)

    def send(self, producer, source, first, ticks):
        reply = self.ask(tb.sbe_ticks(producer, source, first, ticks))
        assert reply["accepted"] + reply["duplicate"] == len(ticks), reply
        for pos, index, n, outcome, _ in reply["runs"]:
            if outcome == 0:
                for k in range(n):
                    self.promised[producer, first + index + k] = pos + k

    def round(self):
        for symbol, source in FEEDS:
            first = self.at * PER_S + 1
            self.send(f"{symbol}-{source}", source, first, [trade(symbol, q) for q in range(first, first + ROUND_S * PER_S)])
        for s in range(self.at + 1, self.at + ROUND_S + 1):
            self.send("clock", "clock", s, [("", tb.START + s * tb.SECOND, 0, 0, 0)])
        self.at += ROUND_S

    def run(self):
        try:
            while not self.over:
                self.round()
        except Exception as e:  # told by check()
            self.why = e

    def goes_on(self, seconds):
        """Until so much event time has passed."""
        end = self.at + seconds
        tb.until(lambda: self.at >= end or self.why, f"the producer comes from {self.at} to {end}", 120)
        assert self.why is None, repr(self.why)

    def stop(self):
        self.over = True
        self.join()
        assert self.why is None, repr(self.why)


def under_load(d, producer, reader, args, verb, held):
    """Kill, kill -9, resume; all the while ticks come."""
    order = ks.json.loads(ks.ctl(d, verb, *args, "--reason", "under load", "--json"))
    producer.goes_on(20)
    d.kill()
    d.start()
    producer.goes_on(20)
    ks.expect_silence(list(reader.items), held, order["position"])
    kills = ks.json.loads(ks.ctl(d, "kill", "--list", "--json", code=1))["kills"]
    assert [(k["position"], k["quarantine"]) for k in kills] == [(order["position"], verb == "quarantine")], kills
    back = ks.json.loads(ks.ctl(d, "resume", *args, "--json"))
    producer.goes_on(20)
    return order["position"], back["position"]


def of(*symbols):
    return lambda e: e.kind in ("bar", "tier1") and e.symbol in symbols


def every_level_under_load(d):
    producer, reader, spans = None, None, {}
    # Before its first bar; the universe of all symbols must know when it joins.  The producer sends this tick again.
    assert tb.sbe_reply(d.ingest().ask(tb.sbe_ticks("D-two", "two", 1, [trade("D", 1)])))["accepted"] == 1
    early = ks.json.loads(ks.ctl(d, "kill", "D", "--reason", "too early", "--json"))["position"]
    producer, reader = Producer(d), ks.Reader(d)
    producer.goes_on(40)
    spans["D"] = (early, ks.json.loads(ks.ctl(d, "resume", "D", "--json"))["position"])
    for name, verb, args, held in (("A", "kill", ["A"], of("A")), ("B", "quarantine", ["B"], of("B")),
                                   ("source", "kill", ["--source", "one"], of("A", "B")),
                                   ("tier 1", "kill", ["--tier", "1"], lambda e: e.kind == "tier1"),
                                   ("tier 2", "kill", ["--tier", "2"], lambda e: e.kind == "tier2"),
                                   ("all", "kill", ["--all"], lambda e: e.kind in ks.DERIVED)):
        spans[name] = under_load(d, producer, reader, args, verb, held)
    producer.goes_on(20)
    producer.stop()
    ks.settle(d)
    check_log(d, producer)
    check_reader(d, reader)
    check_members(reader, spans)
    for workers in (1, 2, 4):
        assert "equal" in ks.ctl(d, "verify", "--workers", str(workers)), workers
    check_replay(d)


def check_log(d, producer):
    """No tick is lost, none is there twice, each is where it was promised."""
    n = producer.at * PER_S
    got = d.all_ticks()
    positions = [t[0] for t in got]
    assert positions == sorted(set(positions)), "two ticks at a position"
    assert len(got) == n * len(FEEDS), (len(got), n * len(FEEDS))
    seen, others = {}, {}
    for pos, symbol, source_seq, seq in got:
        seen.setdefault(symbol, []).append((pos, source_seq))
        assert seq == len(seen[symbol]), f"{symbol}: sequence {seq} at position {pos}"
    for symbol in "ABCD":
        source = dict(FEEDS)[symbol]
        assert [q for _, q in seen[symbol]] == list(range(1, n + 1)), f"{symbol}'s ticks are not those sent, in order"
        for pos, q in seen[symbol]:
            # What was answered by a process that died before the answer came is promised to nobody.
            assert producer.promised.get((f"{symbol}-{source}", q), pos) == pos, (symbol, q, pos)
    assert sorted(q for _, q in seen["E"]) == sorted(list(range(1, n + 1)) * 2)
    print(f"# {len(got)} ticks, {len(producer.promised)} positions promised", flush=True)
    # What is at the other positions is no tick.
    status, taken, at = d.admin("log_count")["result"], set(positions), 1
    while at <= status["last_pos"]:
        page = d.admin("log_range", **{"from": at, "to": status["last_pos"]})["result"]
        for r in page["records"]:
            kind = r.get("type", "tick")
            others[kind] = others.get(kind, 0) + (r["pos"] not in taken)
            assert (r["pos"] in taken) == (kind == "tick"), r
        at = page["next_pos"]
    assert len(taken) + sum(others.values()) == status["last_pos"] and others["tick"] == 0, (others, status)
    assert others["control"] >= 14 and others["clock"] == producer.at, others


def check_reader(d, reader):
    """Every event once, also those of D, whose stream nobody had seen before its release."""
    end, kinds = time.monotonic() + 240, (*ks.DERIVED, "status")
    while True:
        stored = ks.everything(d, kinds)
        want = {k: sorted((*ks.stream(e), e.seq) for e in stored[k]) for k in kinds}
        got = {k: reader.of(k) for k in kinds}
        if all(len(got[k]) >= len(want[k]) for k in kinds) or time.monotonic() > end:
            break
        time.sleep(0.2)
    reader.stop()
    assert not reader.bad, reader.bad[:3]
    for k in kinds:
        have = sorted((*ks.stream(e), e.seq) for e in got[k])
        lacking, surplus = (sorted((Counter(a) - Counter(b)).elements()) for a, b in ((want[k], have), (have, want[k])))
        assert have == want[k], f"{k}: {len(lacking)} lacking {lacking[:9]}, {len(surplus)} too many {surplus[:9]}"


def check_members(reader, spans):
    every = [e for e in reader.of("tier2") if e.symbol == "every"]
    first, last = spans["D"]
    told = {m.reason for e in every if first < e.pos < last for m in e.members if m.symbol == "D"}
    assert told == {"killed"}, f"D was killed before its first bar: {told}"
    assert {m.reason for m in every[-1].members} == {"included"} and len(every[-1].members) == 5, every[-1].members
    # With its first source killed, E goes on with the other.
    first, last = spans["source"]
    told = [(e.state, e.text) for e in reader.of("status") if e.symbol == "E" and first <= e.pos < last]
    assert ("source_chosen", "two for one, which is killed") in told, f"the arbiter was not told: {told}"
    assert [s for s, _ in told if s in ("killed", "released")] == ["killed", "released"], f"E is taken more than once: {told[:9]}"
    assert any(first < e.pos < last for e in reader.of("bar") if e.symbol == "E"), "E stands still with its source"
    quarantined = {m.reason for e in every if spans["B"][0] < e.pos < spans["B"][1] for m in e.members if m.symbol == "B"}
    assert "quarantined" in quarantined and "killed" not in quarantined, quarantined


def check_replay(d):
    """Files of two replays, which know nothing of the kills but the log, and what was published: the same bytes."""
    stored = {k: d.events(k) for k in ("bar", "tier1")}
    assert d.stop() == 0
    outs = [os.path.join(d.dir, f"out{i}") for i in (1, 2)]
    for out in outs:
        done = subprocess.run([ks.BINARY, "--replay", d.dir, "--out", out, "--format", "sbe"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    for name in sorted(os.listdir(outs[0])):
        both = [open(os.path.join(out, name), "rb").read() for out in outs]
        assert both[0] == both[1], f"{name}: two replays differ"
        kind = name.partition(".")[0]
        if kind in stored:
            blocks, at = [], 0
            while at < len(both[0]):
                (size,) = struct.unpack_from("<I", both[0], at)
                blocks += [tb.without_recv_ns(b) for b in tb.frame_blocks(both[0][at + 4:at + 4 + size])]
                at += 4 + size
            assert blocks == stored[kind], f"{name}: not what was published"


def make():
    d = tb.Tickbusd(ks.BINARY, durability="normal", more=MORE)
    text = open(d.config, encoding="ascii").read()
    with open(d.config, "w", encoding="ascii") as f:  # so that restarts begin from what was frozen
        f.write(text.replace("ballast: 0B}", "ballast: 0B, snapshot: 4000}"))
    return d


if __name__ == "__main__":
    sys.exit(tb.tap([every_level_under_load], make))
