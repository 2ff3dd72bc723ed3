#!/usr/bin/env python3
"""Faults of the data (docs/FAULTS.md, D), where the whole daemon is needed: data_test.py TICKBUSD [TEST]"""
import json
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402
from faultlib import until  # noqa: E402

BINARY = sys.argv[1]
MORE = "defaults: {timeframes: [1m], price_types: [last], spread: true}\ntier1: {enabled: false}\n"
test, TESTS = faultlib.collector()

BAD_NAMES = ["", " ", "../../x", "/etc/passwd", "..", ".", "a/b", "A\\B", "A\0B", "A\nB", "A\rB", 'A"B', "A'B",
             "A" * 33, "A" * 1_000_000, "\u202eA", "Ａ", "А", "😀", "A{b=\"c\"}", "A*", "A>", "A;DROP TABLE segment",
             "A|B", "A B", "é", "\ud800", "-\t", "A,B"]


def make():
    return faultlib.Daemon(BINARY, more=MORE)


def json_request(d, ticks, first, producer="j"):
    body = json.dumps({"producer": producer, "source": "s", "first_seq": first, "ticks": ticks})
    s = d.ingest()
    reply = json.loads(s.ask(body.encode("utf-8", "surrogatepass")))
    s.close()
    return reply


def send(d, ticks, first=1, producer="p"):
    s = d.ingest()
    reply = tb.sbe_reply(s.ask(tb.sbe_ticks(producer, "test", first, ticks)))
    s.close()
    return reply


@test
def names_of_every_bad_kind_are_refused_at_every_door(d):
    t = str(tb.START + tb.SECOND)
    for i, name in enumerate(BAD_NAMES):
        reply = json_request(d, [{"symbol": name, "time": int(t), "price": 1}], i + 1)
        assert reply.get("accepted", 0) == 0, (name[:40], reply)
        # As a producer's and a source's name, and as a parameter of commands.
        body = json.dumps({"producer": name, "source": name, "first_seq": 1,
                           "ticks": [{"symbol": "OK", "time": int(t), "price": 1}]})
        s = d.ingest()
        s.ask(body.encode("utf-8", "surrogatepass"))
        s.close()
        if len(name) < 1000 and name != "\ud800":
            assert not d.admin("pause", symbol=name)["ok"], name
            assert not d.admin("symbols", symbol=name)["ok"] or name == "", name
    raw = [b"", b"a", b"A" * 31 + b"a", b"A\0B", b"\xff\xfe", b"A|"]
    for i, name in enumerate(raw):
        request = bytearray(tb.sbe_ticks("raw", "test", i + 1, [tb.trade("OK", 1, 1, 1)]))
        request[-32:] = name.ljust(32, b"\0")
        s = d.ingest()
        assert tb.sbe_reply(s.ask(bytes(request)))["accepted"] == 0, name
        s.close()
    names = [row["symbol"] for row in d.admin("symbols")["result"]["symbols"]]
    assert set(names) <= {"OK"}, names
    code, text = d.http("/metrics")
    assert code == 200 and all(line.startswith(("#", "tickbus_", "process_")) for line in text.split("\n") if line)
    assert os.listdir(d.dir).count("x") == 0
    assert send(d, [tb.trade("GOOD-1.A", 1, 1, 1)])["accepted"] in (0, 1)


@test
def a_topic_matches_its_symbol_alone(d):
    ticks = tb.Listener(d, "json_tick")
    time.sleep(0.3)
    assert send(d, [tb.trade("A", 1, 1, 1), tb.trade("AB", 1, 2, 2), tb.trade("A.B", 1, 3, 3)])["accepted"] == 3
    ticks.wait(1, b"tick.A.B|")
    assert len(ticks.wait(1, b"tick.A|")) == 1 and len(ticks.wait(1, b"tick.AB|")) == 1


@test
def times_of_a_wrong_unit_close_no_bar(d):
    ns = tb.START + tb.SECOND
    assert send(d, [tb.trade("A", 1, 100, 1), ("", ns, 0, 0, 0)])["accepted"] == 2
    wrong = [ns // 10 ** 9, ns // 10 ** 6, ns // 10 ** 3, 0, -1, -ns, 2 ** 63 - 1, -2 ** 63 + 1, ns + 3600 * tb.SECOND,
             253_402_300_799 * tb.SECOND % 2 ** 63]
    reply = send(d, [("A", t, 10 ** 11, 10 ** 8, i) for i, t in enumerate(wrong)], 3)
    assert reply["accepted"] == 0 and reply["rejected"] == len(wrong), reply
    time.sleep(0.3)
    assert not d.events("bar"), "a tick from nowhere closed a bar"
    assert send(d, [("", tb.START + 62 * tb.SECOND, 0, 0, 0)], 3 + len(wrong))["accepted"] == 1
    bars = until("the bar", lambda: d.events("bar"))
    assert struct.unpack_from("<q", bars[0], 16)[0] == tb.START + 60 * tb.SECOND


@test
def a_gap_of_days_makes_no_endless_run_of_bars(d):
    seq = 1
    for day in range(0, 30, 3):
        at = day * 86400
        assert send(d, [("", tb.START + at * tb.SECOND, 0, 0, 0)] +
                    [tb.trade("A", at + q * 0.05, 100 + q, seq + q) for q in range(100)], seq)["accepted"] == 101
        seq += 101
    begin = time.monotonic()
    until("nine ends of the grid", lambda: d.counter("tickbus_grids_ended_total") >= 9, 20)
    bars = d.events("bar")
    print(f"# {len(bars)} bars in {time.monotonic() - begin:.2f} s")
    # bars.missing_run ends the grid after 1,000 missing minutes; a revision each at most.
    assert len(bars) < 10 * 2 * 1010, len(bars)


@test
def crossed_and_locked_quotes_are_kept_and_count_for_no_spread(d):
    def quote(second, bid, ask):
        return {"symbol": "Q", "time": tb.START + second * tb.SECOND, "bid": bid, "ask": ask}

    reply = json_request(d, [quote(1, 10, 11), quote(2, 12, 11), quote(3, 11, 11), quote(4, 10, 11)] +
                         [{"symbol": "Q", "time": tb.START + 5 * tb.SECOND, "price": 10.5},
                          {"type": "clock", "time": tb.START + 62 * tb.SECOND}], 1)
    assert reply["accepted"] == 6, reply
    assert len(d.all_ticks()) == 5
    bar = until("the bar", lambda: d.events("bar"))[0]
    spread = struct.unpack_from("<d", bar, 32 + 8 * 8)[0]
    assert 0 < spread < 0.2, spread


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
