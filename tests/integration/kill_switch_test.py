#!/usr/bin/env python3
"""The kill switch, by every level: kill_switch_test.py TICKBUSD TICKBUSCTL

What is held reaches nobody, live or by catch-up, also over a kill -9; everything else goes
on; with the release a subscriber has every event once.  Bars, features and (of what is not
made without a symbol) matrices are those of a daemon in which nothing was killed, and the
log derives to the same bytes with any number of workers.  Prints TAP.
"""
import datetime
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "client", "python")]
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
MORE = """
defaults: {timeframes: [1s], price_types: [last]}
universes: {k: {symbols: [A, B, C], timeframe: 1s, window: 20, min_obs: 5}}
"""
SOURCES = {"A": "one", "B": "one", "C": "two"}
WRITERS = {"A": "wire", "B": "wire", "C": "two"}  # of news
DERIVED = ("bar", "tier1", "tier2", "news")
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def make():
    return tb.Tickbusd(BINARY, more=MORE)


def feed(d, first_s, last_s):
    """Four trades a second and symbol, with prices that go their own ways; each five seconds an article."""
    s = d.ingest()
    for at in range(first_s, last_s):
        for symbol, source in SOURCES.items():
            ticks = [(symbol, tb.START + q * tb.SECOND // 4, 10 ** 11 + q * (7919 + ord(symbol)) % 997 * 10 ** 7, 10 ** 8, q + 1)
                     for q in range(at * 4, at * 4 + 4)]
            reply = tb.sbe_reply(s.ask(tb.sbe_ticks(f"p-{symbol}", source, at * 4 + 1, ticks)))
            assert reply["accepted"] == len(ticks), reply
            if at % 5 == 2:
                write(d, at, WRITERS[symbol], symbol)
        clock = tb.sbe_ticks("clock", "clock", at + 1, [("", tb.START + (at + 1) * tb.SECOND, 0, 0, 0)])
        assert tb.sbe_reply(s.ask(clock))["accepted"] == 1
    s.close()


def write(d, second, source, *symbols):
    """An article of every symbol, each in words of its own."""
    words = ("beats estimates", "plunges", "opens a plant", "faces a probe")[second % 4]
    at = datetime.datetime.fromtimestamp(tb.START // tb.SECOND + second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    one = {"id": f"{second}{symbols[0]}", "time": at, "headline": f"{' and '.join(symbols)} {words} ({second})", "symbols": symbols}
    assert tb.feed_json(d, json.dumps({"producer": "n", "source": source, "news": [one]}))["accepted"] == 1


def settle(d):
    """Everything that is in the log is derived, published or held, and stored."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        top, status = d.admin("top")["result"], d.admin("status")["result"]
        if top["dispatch_lag"] == 0 and top["derived_pending"] == 0 and all(
                lag >= 0 for lag in top["lag"].values()) and status["state"] == "ready":
            time.sleep(0.6)
            if d.admin("top")["result"]["position"] == top["position"]:
                return
        time.sleep(0.05)
    raise AssertionError("it does not come to rest")


def ctl(d, *args, code=0):
    r = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *args], capture_output=True, text=True, timeout=120)
    assert r.returncode == code, (args, r.returncode, r.stdout, r.stderr)
    return r.stdout


class Reader(threading.Thread):
    """A lossless subscriber of everything, with its chains checked."""

    def __init__(self, d):
        super().__init__(daemon=True)
        urls = {name: f"tcp://127.0.0.1:{d.port[name]}" for name in tickbus.PORTS}
        self.sub = tickbus.Subscriber(start="oldest", urls=urls, check_chain=True)
        self.items, self.bad, self.over = [], [], False
        self.start()

    def run(self):
        while not self.over:
            item = self.sub.next(0.1)
            if item is None or item.kind in ("live", "epoch"):
                continue
            (self.bad if item.kind in ("gap", "broken") else self.items).append(item)

    def stop(self):
        self.over = True
        self.join()
        self.sub.close()

    def of(self, kind):
        return [e for e in self.items if e.kind == kind]


def stream(e):
    return (e.kind, e.symbol, e.timeframe_s if e.kind == "tier2" else 0)


def everything(d, kinds=DERIVED):
    """{kind: events} by catch-up, as they are now given out."""
    urls = {name: f"tcp://127.0.0.1:{d.port[name]}" for name in tickbus.PORTS}
    with tickbus.history(",".join(kinds), start="oldest", urls=urls) as past:
        items = [i for i in past if i.kind in kinds]
    return {k: [e for e in items if e.kind == k] for k in kinds}


def content(e):
    """An event without what tells where in the log it came about."""
    if e.kind == "tier2":
        return (e.symbol, e.event_ns, e.content_hash)
    drop = {"pos", "chain", "recv_ns", "recv_time", "first_pos", "last_pos", "epoch", "publish_ns", "publish_time", "kind"}
    return tuple(sorted((k, repr(v)) for k, v in e.as_dict().items() if k not in drop))


def undisturbed():
    d = make()
    try:
        d.start()
        for first in (0, 20, 40):
            feed(d, first, first + 20)
        settle(d)
        return {k: [content(e) for e in events] for k, events in everything(d).items()}
    finally:
        d.remove()


def expect_silence(events, held, pos):
    leaked = [(e.kind, e.symbol, e.pos) for e in events if e.pos >= pos and held(e)]
    assert not leaked, (pos, leaked[:5])


def stands_still(reader, held, pos):
    """A kind of which nothing came from behind @pos, though not all of it is held; None: all go on."""
    for kind in ("tick",) + DERIVED:
        free = [e for e in reader.of(kind) if not held(e)]
        if free and not any(e.pos > pos for e in free):
            return kind
    return None


def check(d, args, held, without):
    """@held(event): is it to be held; @without: symbols that matrices leave out meanwhile."""
    feed(d, 0, 20)
    settle(d)
    reader = Reader(d)
    time.sleep(1.5)
    order = json.loads(ctl(d, "kill", *args, "--reason", "a test", "--json"))
    pos = order["position"]
    assert order["already"] is False and json.loads(ctl(d, "kill", *args, "--reason", "again", "--json"))["already"] is True
    for first in (20, 40):
        begin = d.admin("top")["result"]["position"]
        feed(d, first, first + 20)
        settle(d)
        tb.until(lambda: stands_still(reader, held, begin) is None, "what is not held goes on", 240)
        time.sleep(1.2)  # heartbeats
        expect_silence(reader.items, held, pos)
        expect_silence([e for events in everything(d).values() for e in events], held, pos)
        listed = json.loads(ctl(d, "kill", "--list", "--json", code=1))["kills"]
        assert [(k["reason"], k["by"], k["position"]) for k in listed] == [("a test", os.getuid(), pos)], listed
        if first == 20:
            d.kill()
            d.start()
    frozen = [e for e in reader.of("tier2") if e.pos > pos]
    assert all(m.reason == "killed" for e in frozen for m in e.members if m.symbol in without), "a matrix has it all the same"
    assert "already" not in ctl(d, "resume", *args)
    end = time.monotonic() + 80
    while time.monotonic() < end:
        stored = everything(d)
        got = {k: reader.of(k) for k in DERIVED}
        if all(len(got[k]) >= len(stored[k]) for k in DERIVED):
            break
        time.sleep(0.2)
    reader.stop()
    assert not reader.bad, reader.bad[:3]
    for kind in DERIVED:
        assert sorted((*stream(e), e.seq) for e in got[kind]) == sorted((*stream(e), e.seq) for e in stored[kind]), kind
    assert ctl(d, "kill", "--list") == "nothing is killed\n"
    for kind in ("bar", "tier1", "news") + (() if without else ("tier2",)):
        assert [content(e) for e in stored[kind]] == REFERENCE[kind], f"{kind}: not what an undisturbed daemon makes"
    newest = stored["tier2"][-1]
    assert all(m.reason == "included" for m in newest.members), [(m.symbol, m.reason) for m in newest.members]
    assert ("supersedes" in dir(newest) and newest.supersedes > 0) == bool(without), "a symbol that is back makes a version"
    for workers in (1, 2, 4):
        assert "equal" in ctl(d, "verify", "--workers", str(workers)), workers


@test
def a_symbol_is_held_and_left_out_of_matrices(d):
    check(d, ["A"], lambda e: e.kind in ("bar", "tier1", "news") and e.symbol == "A", {"A"})


@test
def a_source_takes_its_symbols_with_it(d):
    check(d, ["--source", "two"], lambda e: e.kind in ("bar", "tier1", "news") and e.symbol == "C", {"C"})


@test
def a_source_of_news_takes_what_it_writes_of(d):
    check(d, ["--source", "wire"], lambda e: e.kind == "news" and e.symbol in "AB", set())


@test
def tier_1_holds_all_features(d):
    check(d, ["--tier", "1"], lambda e: e.kind == "tier1", set())


@test
def tier_2_holds_all_matrices(d):
    check(d, ["--tier", "2"], lambda e: e.kind == "tier2", set())


@test
def all_holds_everything_but_ticks(d):
    check(d, ["--all"], lambda e: e.kind in DERIVED, set())


def wait_for(what, why):
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.1)


@test
def a_stream_that_a_source_is_in_is_held_to_its_end(d):
    """From its first article on, whoever writes what follows: its sums are in all of it."""
    feed(d, 0, 5)
    settle(d)
    reader = Reader(d)
    other = subprocess.Popen([CTL, "--port", str(d.port["ingest"]), "sub", "news", "X", "Y", "Z", "--from", "oldest", "--format", "json",
                              "--count", "11"], stdout=subprocess.PIPE, text=True)  # of libtickbus
    write(d, 5, "good", "X", "Y")
    settle(d)
    ctl(d, "kill", "--source", "wire", "--reason", "rumours")
    for second, source, symbols in ((6, "good", "XY"), (7, "wire", "XZ"), (8, "good", "XY"), (9, "good", "Z")):
        write(d, second, source, *symbols)
    settle(d)
    time.sleep(1.2)
    told = {s: [e.headline for e in reader.of("news") if e.symbol == s] for s in "XYZ"}
    assert [len(told[s]) for s in "XYZ"] == [2, 3, 0], told
    d.kill()
    d.start()
    assert [len([e for e in everything(d)["news"] if e.symbol == s]) for s in "XYZ"] == [2, 3, 0]
    write(d, 10, "good", "X", "Y")
    settle(d)
    time.sleep(1.2)
    assert [len([e for e in reader.of("news") if e.symbol == s]) for s in "XYZ"] == [2, 4, 0]
    ctl(d, "resume", "--source", "wire")
    wait_for(lambda: [len([e for e in reader.of("news") if e.symbol == s]) for s in "XYZ"] == [5, 4, 2], "what was held does not come")
    reader.stop()
    assert not reader.bad, reader.bad[:3]
    said = [(e["symbol"], e["seq"]) for e in map(json.loads, other.communicate(timeout=120)[0].splitlines())]
    assert sorted(said) == [(s, i + 1) for s, n in (("X", 5), ("Y", 4), ("Z", 2)) for i in range(n)], said
    assert "equal" in ctl(d, "verify")


@test
def a_pause_holds_the_news(d):
    feed(d, 0, 10)
    settle(d)
    reader = Reader(d)
    pos = d.admin("pause", symbol="A")["result"]["position"]
    feed(d, 10, 20)
    settle(d)
    time.sleep(1.2)
    d.kill()
    d.start()
    feed(d, 20, 30)
    settle(d)
    time.sleep(1.2)
    held = lambda e: e.kind == "news" and e.symbol == "A"  # noqa: E731
    expect_silence(reader.items, held, pos)
    expect_silence(everything(d)["news"], held, pos)
    assert [e for e in reader.of("news") if e.symbol == "B" and e.pos > pos], "the others stand still too"
    ctl(d, "resume", "A")
    wait_for(lambda: len(reader.of("news")) == 18, "what was held does not come")
    reader.stop()
    assert not reader.bad, reader.bad[:3]
    assert [e.seq for e in reader.of("news") if e.symbol == "A"] == [1, 2, 3, 4, 5, 6]
    assert "equal" in ctl(d, "verify")


def many(d, n):
    """So many trades of each symbol, four a second, in as few requests as go."""
    s = d.ingest()
    for first in range(1, n, 2000):
        for symbol, source in SOURCES.items():
            ticks = [(symbol, tb.START + q * tb.SECOND // 4, 10 ** 11 + q * q % 997 * 10 ** 6, 10 ** 8, q) for q in range(first, first + 2000)]
            assert tb.sbe_reply(s.ask(tb.sbe_ticks(f"p-{symbol}", source, first, ticks)))["accepted"] == len(ticks)
    s.close()


def said_until_ready(d, ask):
    """What ask() returns, again and again, until the daemon is ready; None: it did not answer."""
    said, state = [], None
    while state != "ready":
        try:
            state = d.admin("status")["result"]["state"]
            said.append((state, ask()))
        except OSError:  # not yet, or not any more
            pass
    return said


@test
def nothing_leaks_while_the_log_is_read_again(d):
    """The store's rows are there before the record of the kill has been read."""
    many(d, 60000)
    feed(d, 15001, 15003)
    settle(d)
    pos = json.loads(ctl(d, "kill", "--source", "two", "--reason", "a test", "--json"))["position"]
    feed(d, 15003, 15043)
    settle(d)
    question = urllib.parse.quote(json.dumps({"kinds": ["bar", "news"], "from": {"pos": pos}, "symbols": ["C"], "limit": 4}))
    early = 0
    for _ in range(3):
        d.kill()
        d.start(wait=False)
        said = said_until_ready(d, lambda: d.http(f"/api/events?q={question}"))
        for state, (status, body) in said:
            early += status == 503
            assert status == 503 or not json.loads(body)["events"], (pos, state, status, body[:300])
        assert said[-1][1][0] == 200, said[-1]
    assert early > 0, "nobody asked in time"
    d.kill()
    d.start(wait=False)
    for state, reply in said_until_ready(d, lambda: d.admin("headlines", symbol="C")):
        assert all(h["pos"] < pos for h in reply["result"]["headlines"]) if reply["ok"] else state != "ready", (pos, state, reply)
    ctl(d, "resume", "--source", "two")
    settle(d)
    assert [e for e in everything(d)["bar"] if e.symbol == "C" and e.pos >= pos]


@test
def what_is_killed_before_it_was_ever_made(d):
    """Nothing was published yet of the universe or of the symbols' bars."""
    ctl(d, "kill", "--all", "--reason", "from the start")
    feed(d, 0, 30)
    settle(d)
    time.sleep(1.2)  # heartbeats
    assert d.admin("universes")["ok"] and not d.admin("matrix", name="k")["ok"]
    assert not any(everything(d).values())
    ctl(d, "resume", "--all")
    tb.until(lambda: d.admin("matrix", name="k")["ok"], "the newest matrix is there")
    feed(d, 30, 50)
    settle(d)
    given = everything(d)
    assert [e.seq for e in given["tier2"]] == list(range(1, len(given["tier2"]) + 1)) and len(given["tier2"]) > 20
    for workers in (1, 2):
        assert "equal" in ctl(d, "verify", "--workers", str(workers)), workers


@test
def orders_are_refused_with_a_reason(d):
    feed(d, 0, 4)
    for args, code, words in ((["kill"], 64, "name what"), (["kill", "A"], 64, "--reason"), (["kill", "A", "--all", "--reason", "x"], 64, "one thing"),
                              (["kill", "NOBODY", "--reason", "x"], 1, "no symbol 'NOBODY'"), (["kill", "--source", "nobody", "--reason", "x"], 1, "no source"),
                              (["kill", "--tier", "3", "--reason", "x"], 1, "tier is 1"), (["kill", "A", "--reason", "x" * 160], 1, "160 bytes"),
                              (["quarantine", "--tier", "1", "--reason", "x"], 1, "symbol or a source")):
        r = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *args], capture_output=True, text=True, timeout=120)
        assert r.returncode == code and words in r.stderr, (args, r.returncode, r.stderr)
    assert ctl(d, "kill", "--list") == "nothing is killed\n"
    assert json.loads(ctl(d, "quarantine", "B", "--reason", "odd prices", "--json"))["already"] is False
    assert "quarantined" in [e.state for e in statuses(d)]
    assert not d.http("/api/freeze?level=all&reason=x")[1].startswith('{"id"'), "HTTP may not steer"
    assert json.loads(d.http("/api/freezes")[1])["result"]["kills"][0]["reason"] == "odd prices"


@test
def flagged_bars_quarantine_a_symbol_by_themselves(_):
    """In a daemon of its own: prices that jump to and fro."""
    d = tb.Tickbusd(BINARY, more="defaults: {timeframes: [1s], price_types: [last], max_abs_log_return: 0.5}\nkill: {outliers: 4}\n")
    try:
        d.start()
        s = d.ingest()
        for at in range(40):
            for symbol, price in (("GOOD", 100 + at % 3), ("BAD", 100 if at % 2 or at < 20 else 1000)):
                tick = (symbol, tb.START + at * tb.SECOND, price * 10 ** 9, 10 ** 8, at + 1)
                assert tb.sbe_reply(s.ask(tb.sbe_ticks(symbol, "test", at + 1, [tick])))["accepted"] == 1
        s.close()
        end = time.monotonic() + 80
        while not (kills := d.admin("freezes")["result"]["kills"]):
            assert time.monotonic() < end, "nothing is quarantined"
            time.sleep(0.1)
        assert [(k["name"], k["quarantine"], k["cause"], k["by"]) for k in kills] == [("BAD", True, "outliers", "tickbusd")], kills
        assert "of its last 32 bars of 1 s were flagged" in kills[0]["reason"], kills
        states = [(e.symbol, e.state, e.text) for e in statuses(d)]
        assert ("BAD", "quarantined", "quarantined for its outliers") in states, states
        assert "equal" in ctl(d, "verify")
    finally:
        d.remove()


def statuses(d):
    settle(d)
    urls = {name: f"tcp://127.0.0.1:{d.port[name]}" for name in tickbus.PORTS}
    with tickbus.history("status", start="oldest", urls=urls) as past:
        return [i for i in past if i.kind == "status"]


if __name__ == "__main__":
    REFERENCE = undisturbed()
    sys.exit(tb.tap(TESTS, make))
