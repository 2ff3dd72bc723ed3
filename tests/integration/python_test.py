#!/usr/bin/env python3
"""tickbus.py against a real daemon: python_test.py TICKBUSD [TEST]

With TEST only the tests whose name contains it.  Prints TAP; each test has a daemon of its own.
"""
import collections
import decimal
import importlib.util
import os
import pathlib
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT = os.path.join(HERE, "..", "..", "client", "python")
sys.path[:0] = [HERE, CLIENT]
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402

ONLY = sys.argv[2] if len(sys.argv) > 2 else ""
MORE = """
defaults: {timeframes: [1s, 1m], price_types: [last]}
universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}
"""
SYMBOLS = [f"S{i}" for i in range(5)]
TESTS = []


def test(f):
    if ONLY in f.__name__:
        TESTS.append(f)
    return f


def urls(d):
    return {name: f"tcp://127.0.0.1:{d.port[name]}" for name in tickbus.PORTS}


def feed(d, first, last, producer="p"):
    """Ticks first .. last, 20 ms apart, over five symbols."""
    with tickbus.Publisher("test", producer, first, urls=urls(d)) as pub:
        acks = pub.publish({"symbol": SYMBOLS[i % 5], "at": tb.START + i * 20_000_000, "price": f"100.{i % 100:02d}",
                            "size": 1 + i % 7, "source_seq": i} for i in range(first, last + 1))
    assert sum(a.accepted for a in acks) == last - first + 1, acks
    return acks


def until(sub, done, timeout=80):
    """Items until done(item) or the time is over."""
    end, out = time.monotonic() + timeout, []
    while time.monotonic() < end:
        item = sub.next(end - time.monotonic())
        if item is not None:
            out.append(item)
            if done(item):
                return out
    raise AssertionError(f"not within {timeout} s; {len(out)} came, the last {out[-1:]}; {sub.counts} {sub.trouble}")


def live(item):
    return item.kind == "live"


def stored(d, kind):
    """(symbol, timeframe, seq) of every event that catch-up holds, read without tickbus.py."""
    out = []
    for frame in d.frames([kind]):
        if kind == "tier2":
            seq, at, name = struct.unpack_from("<Q", frame, 40)[0], 8 + 112, 8 + 136
            out.append((frame[name:name + 32], struct.unpack_from("<I", frame, at)[0], seq))
        else:
            name = {"tick": 112, "bar": 160, "tier1": 464, "status": 48}[kind]
            out += [(b[name:name + 32], 0, struct.unpack_from("<Q", b)[0]) for b in tb.frame_blocks(frame)]
    return sorted((name.rstrip(b"\0").decode(), frame_s, seq) for name, frame_s, seq in out)


def given(items, kind):
    return [(e.symbol, e.timeframe_s if kind == "tier2" else 0, e.seq) for e in items if e.kind == kind]


@test
def history_and_live_give_every_event_of_every_kind_once_and_linked(d):
    feed(d, 1, 4000)
    with tickbus.Subscriber(start="oldest", urls=urls(d), check_chain=True) as sub:
        items = until(sub, live)
        assert items[-1].is_whole is True, items[-1]
        feed(d, 4001, 8000)
        newest = max(pos for pos, _, _, _ in d.all_ticks())
        items += until(sub, lambda e: e.kind == "tick" and e.pos == newest)
        last_bar = max(s for _, _, s in stored(d, "bar"))  # each kind comes at its own pace
        if not any(e.kind == "bar" and e.seq == last_bar for e in items):
            items += until(sub, lambda e: e.kind == "bar" and e.seq == last_bar)
        time.sleep(1.5)
        while (item := sub.next(1.2)) is not None:
            items.append(item)
    assert not [i for i in items if i.kind in ("gap", "broken", "epoch")], sub.counts
    for kind in tickbus.KINDS:
        got = given(items, kind)
        assert sorted(got) == stored(d, kind), (kind, len(got), len(stored(d, kind)))
        last = collections.defaultdict(int)
        for symbol, frame_s, seq in got:
            assert seq == last[symbol, frame_s] + 1, (kind, symbol, seq)
            last[symbol, frame_s] = seq
    assert len(given(items, "tick")) == 8000 and given(items, "tier2") and given(items, "tier1")


@test
def a_snapshot_is_the_newest_of_every_stream_and_goes_over_into_live(d):
    feed(d, 1, 2000)
    time.sleep(1.2)
    with tickbus.Subscriber("tick,bar", start="snapshot", urls=urls(d)) as sub:
        items = until(sub, live)
        ticks = sorted(given(items, "tick"))
        assert ticks == [(s, 0, 400) for s in SYMBOLS], ticks
        bars = [(e.symbol, e.timeframe) for e in items if e.kind == "bar"]
        assert sorted(set(bars)) == sorted(bars) and {s for s, _ in bars} == set(SYMBOLS), bars
        assert not [i for i in items if i.kind == "gap"]
        feed(d, 2001, 2005)
        more = until(sub, lambda e: e.kind == "tick" and e.source_seq == 2005)
        assert sorted(given(more, "tick")) == [(s, 0, 401) for s in SYMBOLS], more


@test
def the_beginning_may_be_a_position_or_sequences(d):
    acks = feed(d, 1, 1000)
    pos = acks[0].runs[0].first_pos + 899
    for options, want in (({"start": "pos", "at": pos}, 101), ({"start": "seq", "at": {("tick", s): 181 for s in SYMBOLS}}, 100),
                          ({"start": "oldest", "symbols": ["S1"]}, 200)):
        with tickbus.history("tick", urls=urls(d), **options) as past:
            items = list(past)
        assert len(given(items, "tick")) == want, (options, len(items), items[:2])
        assert live(items[-1]) and items[-1].is_whole is True, (options, items[-1])


@test
def the_beginning_may_be_a_time(d):
    begin = time.time_ns()
    with tickbus.Publisher("test", urls=urls(d)) as pub:
        pub.publish({"symbol": "AAPL", "at": begin + i * 1_000_000, "price": 1} for i in range(1000))
    with tickbus.history("tick", start="time", at=begin + 900_000_000, urls=urls(d)) as past:
        assert [e.event_ns for e in past if e.kind == "tick"] == [begin + i * 1_000_000 for i in range(900, 1000)]


@test
def a_timeframe_filters_and_is_no_hole(d):
    feed(d, 1, 8000)
    time.sleep(1.2)
    with tickbus.history("bar", timeframe="1m", urls=urls(d)) as past:
        items = list(past)
    assert {e.timeframe for e in items if e.kind == "bar"} == {"1m"} and past.counts.gaps == 0, past.counts
    assert past.counts.filtered > 100, past.counts


@test
def a_killed_daemon_costs_nothing(d):
    with tickbus.Subscriber("tick,bar", start="oldest", urls=urls(d), check_chain=True) as sub:
        items = until(sub, live)
        for n in range(3):
            feed(d, n * 1000 + 1, n * 1000 + 1000)
            items += until(sub, lambda e, n=n: e.kind == "tick" and e.source_seq > n * 1000 + 500)
            d.kill()
            d.start()
        feed(d, 3001, 3010)
        items += until(sub, lambda e: e.kind == "tick" and e.source_seq == 3010, 30)
        while (item := sub.next(2)) is not None:
            items.append(item)
    assert not [i for i in items if i.kind in ("gap", "broken")], [i for i in items if i.kind in ("gap", "broken")]
    assert sorted(given(items, "tick")) == stored(d, "tick")
    assert sorted(given(items, "bar")) == stored(d, "bar")
    assert sub.counts.reconnects >= 3, sub.counts


@test
def a_tick_heartbeat_names_the_position_that_was_published(d):
    feed(d, 1, 10)
    newest = max(pos for pos, _, _, _ in d.all_ticks())
    sock = d.subscribe("tick")
    while not (message := sock.message()).startswith(b"hb|"):
        pass
    assert struct.unpack_from("<Q", message, 3 + 8 + 24)[0] == newest, (message[:60], newest)


@test
def a_publisher_may_send_again_and_hears_reasons(d):
    with tickbus.Publisher("test", "again", urls=urls(d)) as pub:
        pub.add("AAPL", tb.START, price=decimal.Decimal("187.25"), size=1)
        assert pub.flush().accepted == 1
    with tickbus.Publisher("test", "again", urls=urls(d)) as pub:  # a program that begins anew
        pub.add("AAPL", tb.START, price=187.25, size=1)
        pub.add("AAPL", tb.START, price=-1)
        pub.add("a b", tb.START, price=1)
        pub.add("AAPL", tb.START, price="187.5", source_seq=7)
        pub.add("AAPL", tb.START, price=188, ref_seq=7, action="correct")
        pub.add_clock(tb.START + tb.SECOND)
        ack = pub.flush()
    assert (ack.accepted, ack.duplicate, ack.is_synced) == (3, 1, True), ack
    assert ack.rejections == [(2, "price_not_positive"), (3, "symbol_malformed")], ack
    with tickbus.history("tick", urls=urls(d)) as past:
        ticks = [e for e in past if e.kind == "tick"]
    assert [(t.price, t.action, t.ref_seq) for t in ticks] == [
        (decimal.Decimal("187.25"), "new", 0), (decimal.Decimal("187.5"), "new", 0), (188, "correct", 7)], ticks


@test
def a_publisher_outlives_the_daemon(d):
    with tickbus.Publisher("test", "p", timeout=30, urls=urls(d)) as pub:
        for i in range(1, 6):
            pub.add("AAPL", tb.START + i, price=i)
            assert pub.flush().accepted == 1
            d.kill()
            d.start()
    assert len(d.all_ticks()) == 5


@test
def names_and_admin_requests_are_answered(d):
    feed(d, 1, 10)
    assert sorted(tickbus.dictionary(urls=urls(d)).values()) == SYMBOLS
    assert "test" in tickbus.dictionary("sources", urls=urls(d)).values()
    admin = os.path.join(d.dir, "admin.sock")
    assert tickbus.admin("status", admin)["state"] == "ready"
    try:
        tickbus.admin("pause", admin, symbol="NOBODY")
        raise AssertionError("no error")
    except tickbus.AdminError as e:
        assert e.code == "not_found" and "symbol" in str(e), e
    tickbus.admin("pause", admin, symbol="S1")


@test
def dataframes_have_what_the_events_have(d):
    if importlib.util.find_spec("pandas") is None:
        print("# pandas is not installed: nothing is looked at")
        return
    feed(d, 1, 3000)
    time.sleep(1.2)
    with tickbus.history("tick,bar,tier1,tier2", urls=urls(d)) as past:
        items = list(past)
    with tickbus.history("tick,bar,tier1,tier2", urls=urls(d)) as past:
        tables = past.to_dataframe(max_events=10 ** 9, until_live=True)
    for kind, table in tables.items():
        events = [e for e in items if e.kind == kind]
        assert list(table.seq) == [e.seq for e in events], kind
        assert [t.value for t in table.time] == [e.event_ns for e in events], kind
    bars = [e for e in items if e.kind == "bar"]
    assert list(tables["bar"].close) == [float(e.close) for e in bars], list(zip(tables["bar"].close, bars))[:9]
    assert list(tables["bar"].volume) == [float(e.volume) for e in bars], list(zip(tables["bar"].volume, bars))[:9]
    assert [n.kind for n in tables["bar"].attrs["notices"]] == ["live"], tables["bar"].attrs
    matrix = [e for e in items if e.kind == "tier2"][-1]
    full = matrix.matrix()
    assert sorted(matrix.symbols) == SYMBOLS and matrix.dataframe().values.tolist() == full, (full, matrix.dataframe())
    assert all(full[i][j] == full[j][i] for i in range(5) for j in range(5)), full


@test
def indicators_come_with_their_names(d):
    """Configured ones, against the closes of the bars beside them."""
    d.stop()
    with open(d.config, encoding="ascii") as f:
        text = f.read().replace("price_types: [last]}", 'price_types: [last], indicators: [sma(3), "bbands(4,2)", '
                                                        "tsfresh_close(4)]}")
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text)
    d.start()
    feed(d, 1, 3000)
    time.sleep(1.2)
    with tickbus.history("bar,tier1", urls=urls(d)) as past:
        items = list(past)
    # The newest of each bar: a revision replaces what was there.
    bars = {(e.symbol, e.timeframe, e.event_ns): e for e in items if e.kind == "bar"}
    closes, seen = collections.defaultdict(list), 0
    blocks = collections.defaultdict(dict)
    for e in items:
        if e.kind == "tier1":
            blocks[e.symbol, e.timeframe, e.event_ns].update(e.indicators)
    for key in sorted(bars):
        if not bars[key].is_valid:
            continue
        closes[key[:2]].append(float(bars[key].close))
        last, got = closes[key[:2]][-4:], blocks[key]
        assert list(got) == ["sma(3)", "bbands(4,2)", "tsfresh_close(4)"], (key, got)
        if len(last) == 4:
            assert abs(got["sma(3)"] - sum(last[1:]) / 3) < 1e-9, (key, got, last)
            assert abs(got["bbands(4,2)"]["middle"] - sum(last) / 4) < 1e-9, (key, got, last)
            assert got["tsfresh_close(4)"]["maximum"] == max(last) and got["tsfresh_close(4)"]["length"] == 4, (key, got)
            seen += 1
    assert seen > 100, seen


@test
def unix_sockets_are_spoken_too(d):
    feed(d, 1, 10)
    d.stop()
    with open(d.config, encoding="ascii") as f:
        text = f.read()
    paths = {name: f"ipc://{d.dir}/{name}.sock" for name in ("tick", "bar")}
    for name, path in paths.items():
        text = text.replace(f"tcp://127.0.0.1:{d.port[name]}", path)
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text)
    d.start()
    with tickbus.Subscriber("tick,bar", start="oldest", urls={**urls(d), **paths}) as sub:
        items = until(sub, live)
        feed(d, 11, 3000)
        items += until(sub, lambda e: e.kind == "tick" and e.source_seq == 3000)
        items += until(sub, lambda e: e.kind == "bar")
        assert [lane.link.state for lane in sub._lanes] == ["up", "up"], sub.trouble
    assert sorted(given(items, "tick")) == stored(d, "tick")


@test
def a_log_that_lost_its_end_is_told_and_gone_through_again(d):
    with tickbus.Subscriber("tick,bar", start="oldest", urls=urls(d), check_chain=True) as sub:
        items = until(sub, live)
        feed(d, 1, 1000)
        items += until(sub, lambda e: e.kind == "tick" and e.source_seq == 1000)
        d.stop()
        copy = {path: path.read_bytes() for path in pathlib.Path(d.dir).glob("tickbus.db*")}
        d.start()
        feed(d, 1001, 2000)
        items += until(sub, lambda e: e.kind == "tick" and e.source_seq == 2000, 30)
        d.stop()
        for path in pathlib.Path(d.dir).glob("tickbus.db*"):
            path.unlink()
        for path, data in copy.items():
            path.write_bytes(data)
        d.start()
        feed(d, 3001, 3400, "q")
        items = until(sub, lambda e: e.kind == "epoch", 30)
        items += until(sub, lambda e: e.kind == "tick" and e.source_seq == 3400, 30)
    after = items[[i.kind for i in items].index("epoch") + 1:]
    assert [e.source_seq for e in after if e.kind == "tick"] == list(range(3001, 3401)), given(after, "tick")[:5]
    assert not [e for e in after if e.kind in ("gap", "broken")], [e for e in after if e.kind in ("gap", "broken")]


def start_example(d, name, *arguments, **more):
    """An example as its reader starts it, but for the port."""
    with open(os.path.join(CLIENT, name), encoding="utf-8") as f:
        n = len(f.read().splitlines())
    assert 20 <= n <= 40, f"{name} has {n} lines"
    return subprocess.Popen([sys.executable, os.path.join(CLIENT, name), *arguments], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env={**os.environ, "TICKBUS_PORT": str(d.port["ingest"])}, **more)


@test
def the_example_publishes_and_says_what_became_of_it(d):
    for want in (["1 accepted at 2, on the disk", "2 rejected: price_not_positive", "3 accepted at 3, on the disk"],
                 []):  # again: all are duplicates
        p = start_example(d, "example_publish.py", "ex1", stdin=subprocess.PIPE)
        out, _ = p.communicate("AAPL 187.25 100\nAAPL -1 1\nMSFT 400 2.5\n", 30)
        assert p.returncode == 0 and out.splitlines() == want, f"{p.returncode}: {out}"
    assert [(symbol, seq) for _, symbol, _, seq in d.all_ticks()] == [("AAPL", 1), ("MSFT", 1)]


@test
def the_example_prints_bars_of_the_past_and_as_they_come(d):
    feed(d, 1, 8000)
    p = start_example(d, "example_bars.py", "S1", "S2")
    try:
        lines = []
        while not (lines and "history" in lines[-1]) and len(lines) < 50:
            lines.append(p.stdout.readline())
        assert 5 <= len(lines) < 50, lines
        assert "2023-11-14 22:01:00+00:00 S1 100.010000000 100.960000000" in "".join(lines), lines
        feed(d, 8001, 10000)
        assert " S1 " in p.stdout.readline() + p.stdout.readline()
    finally:
        p.kill()
        p.communicate()


@test
def the_examples_make_tables_and_run_in_an_event_loop(d):
    feed(d, 1, 8000)
    time.sleep(1.2)
    loop = start_example(d, "example_asyncio.py", "2")
    if importlib.util.find_spec("pandas") is not None:
        p = start_example(d, "example_dataframe.py")
        out, _ = p.communicate(timeout=240)
        assert p.returncode == 0 and "Live(pos=8001" in out and "1600" in out and "22:02:00" in out, out
    out, _ = loop.communicate(timeout=240)
    assert loop.returncode == 0 and out.splitlines()[-1].count("'S") == 5, out


def main():
    return tb.tap(TESTS, lambda: tb.Tickbusd(sys.argv[1], more=MORE))


if __name__ == "__main__":
    sys.exit(main())
