#!/usr/bin/env python3
"""The whole daemon from outside: daemon_test.py TICKBUSD [TEST]

With TEST only the tests whose name contains it.  Prints TAP.  Each test starts a daemon of its own; the names are what is promised.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tickbusd as tb  # noqa: E402
from tickbusd import START, Listener, clock_request, feed, feed_json, trade  # noqa: E402

BINARY = sys.argv[1]
ONLY = sys.argv[2] if len(sys.argv) > 2 else ""
TESTS = []


def test(f):
    if ONLY in f.__name__:
        TESTS.append(f)
    return f


@test
def a_tick_is_acknowledged_and_reaches_a_subscriber(d):
    ticks = Listener(d, "tick")
    reply = feed(d, [trade("AAPL", 1, 187.25, 1)])
    assert reply["accepted"] == 1 and reply["durability"] == 0, reply
    body = ticks.wait(1, b"tick|")[0][5:]
    seq, pos, event_ns = struct.unpack_from("<QQq", body, 8 + 32 + 4)
    price = struct.unpack_from("<q", body, 8 + 32 + 4 + 32)[0]
    assert (seq, event_ns, price) == (1, START + tb.SECOND, 187250000000), (seq, event_ns, price)
    assert pos == reply["last_pos"]


@test
def json_says_the_same(d):
    ticks, bars = Listener(d, "json_tick"), Listener(d, "json_bar")
    time.sleep(0.3)
    feed(d, [trade("AAPL", 1, 187.25, 1), trade("AAPL", 2, 187.5, 2)])
    feed_json(d, clock_request(62, 1))
    line = json.loads(ticks.wait(1, b"tick.AAPL|")[0].partition(b"|")[2])
    assert line["symbol"] == "AAPL" and line["price"] == 187.25, line
    bar = json.loads(bars.wait(1, b"bar.1m.AAPL|")[0].partition(b"|")[2])
    first15 = list(bar)[:15]
    assert first15 == ("timestamp_utc symbol timeframe open high low close volume log_return_1 spread_estimate "
                       "is_missing is_outlier valid_bar source_id schema_version").split(), first15
    assert (bar["open"], bar["close"], bar["volume"]) == (187.25, 187.5, 200), bar


def ask_all(d, start):
    """Events of catch-up in JSON from @start until done: (event, symbol, timeframe, seq), and the last page."""
    s, out, request = d.catchup(), [], {"from": start, "limit": 7}
    while True:
        page = json.loads(s.ask(json.dumps(request).encode()))
        if page["status"] == "busy":
            continue
        out += [(e["event"], e.get("symbol", e.get("universe")), e.get("timeframe"), e.get("seq", e.get("version")))
                for e in page["events"]]
        if page["done"] or (start == "snapshot" and page["next_from"] == "pos"):
            s.close()
            return out, page
        request = {"from": {page["next_from"]: page["next_pos"], "skip": page["next_skip"]}, "limit": 7,
                   "count": page["count"], "hash": page["hash"]}


@test
def a_snapshot_is_the_newest_of_everything_also_after_a_kill(d):
    for i in range(8):
        feed_json(d, clock_request(50 * i, i + 1))  # a tick may lie 10 s ahead of the clock
        reply = feed(d, [trade(s, 50 * i + 1, 100 + i, 10 * i + j) for j, s in enumerate(("A", "B", "C")[:1 + i % 3])],
                     first_seq=1 + 3 * i)
        assert reply["rejected"] == 0, reply
    for kill in (False, True):
        if kill:
            d.kill()
            d.start()
        end = time.monotonic() + 80
        while True:
            everything, last = ask_all(d, "oldest")
            newest = {e[:3]: e for e in everything}
            snapshot, page = ask_all(d, "snapshot")
            if sorted(map(str, snapshot)) == sorted(map(str, newest.values())) and len(newest) > 6:
                break
            assert time.monotonic() < end, (snapshot, newest)
            time.sleep(0.05)
        assert page["count"] == len(snapshot) and last["count"] == len(everything), (page, last)


@test
def sending_again_is_answered_duplicate(d):
    ticks = [trade("AAPL", 1, 10, 1), trade("AAPL", 2, 11, 2)]
    assert feed(d, ticks)["accepted"] == 2
    again = feed(d, ticks + [trade("AAPL", 3, 12, 3)])
    assert (again["duplicate"], again["accepted"]) == (2, 1), again


@test
def every_kind_of_bad_tick_gets_its_reason_and_goes_into_quarantine(d):
    t = str(START + tb.SECOND)
    bad = [('{"symbol":"A","time":%s,"price":NaN}' % t, "price_not_a_number"),
           ('{"symbol":"A","time":%s,"price":Infinity}' % t, "price_not_a_number"),
           ('{"symbol":"A","time":%s,"price":0}' % t, "price_not_positive"),
           ('{"symbol":"A","time":%s,"price":-1.5}' % t, "price_not_positive"),
           ('{"symbol":"A","time":%s,"price":1,"size":-1}' % t, "size_negative"),
           ('{"symbol":"A","time":%s,"price":1e12}' % t, "price_out_of_range"),
           ('{"symbol":"A","time":%s,"price":1,"size":1e15}' % t, "size_out_of_range"),
           ('{"symbol":"a b","time":%s,"price":1}' % t, "symbol_malformed"),
           ('{"symbol":"","time":%s,"price":1}' % t, "symbol_malformed"),
           ('{"symbol":"../../etc","time":%s,"price":1}' % t, "symbol_malformed"),
           ('{"symbol":"%s","time":%s,"price":1}' % ("A" * 33, t), "symbol_malformed"),
           ('{"symbol":"A","time":%d,"price":1}' % (START + 3600 * tb.SECOND), "time_in_future"),
           ('{"symbol":"A","time":%d,"price":1}' % (START - 3 * 86400 * tb.SECOND), "time_too_old"),
           ('{"symbol":"A","time":"yesterday","price":1}', "time_invalid"),
           ('{"symbol":"A","time":%s}' % t, "no_price"),
           ('{"symbol":"A","time":%s,"action":"cancel"}' % t, "reference_missing"),
           ('{"symbol":"A","time":%s,"price":1,"colour":"red"}' % t, "malformed")]
    feed_json(d, clock_request(1, 1))
    reply = feed_json(d, '{"producer":"p","source":"s","first_seq":1,"ticks":[%s,{"symbol":"A","time":%s,"price":1}]}'
                      % (",".join(b for b, _ in bad), t))
    reasons = []
    for run in reply["runs"]:
        reasons += [run.get("reason")] * run["n"]
    want = [r for _, r in bad]
    assert reply["accepted"] == 1 and reasons[:len(bad)] == want, list(zip(reasons, want))
    end = time.monotonic() + 20
    while time.monotonic() < end:
        held = d.admin("quarantine", n=100)["result"]
        if len(str(held)) and str(held).count("reason") >= len(bad):
            break
        time.sleep(0.1)
    assert str(held).count("reason") >= len(bad), held
    code, text = d.http("/metrics")
    assert 'reason="price_not_positive"} 2' in text, [x for x in text.split("\n") if "not_positive" in x]


@test
def a_broken_request_is_refused_as_a_whole_and_the_next_is_served(d):
    s = d.ingest()
    for garbage in (b"", b"\0" * 7, b"{", b'{"producer":1}', os.urandom(500), b'{"producer":"p","ticks":5}',
                    struct.pack("<HHHH", 60, 21, 7400, 1) + b"\xff" * 100):
        s.ask(garbage)
    s.close()
    assert feed(d, [trade("AAPL", 1, 10, 1)])["accepted"] == 1


@test
def rude_peers_close_their_own_connection_and_nothing_else(d):
    for port in d.port.values():
        for shape in range(6):
            s = socket.create_connection(("127.0.0.1", port), 5)
            if shape == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif shape == 1:
                s.sendall(b"GET / HTTP/1.1\r\n\r\n")
            elif shape == 2:
                s.sendall(b"\0SP\0\0\x50\0\0" + b"\xff" * 64)
            elif shape == 3:
                s.sendall(b"\0SP\0\0\x30\0\0" + struct.pack(">Q", 1 << 40))
            elif shape == 4:
                s.sendall(os.urandom(4096))
            elif shape == 5:
                s.shutdown(socket.SHUT_WR)
            s.close()
    begin = time.monotonic()
    end = begin + 90
    while True:  # the guard rebuilds a listener that nng let die
        try:
            assert feed(d, [trade("AAPL", 1, 10, 1)])["status"] == 0
            break
        except (OSError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
    for kind in ("tick", "bar", "json_tick"):
        while True:
            try:
                d.subscribe(kind).close()
                break
            except (OSError, ConnectionError):
                assert time.monotonic() < end, kind
                time.sleep(0.5)
    assert d.admin("status")["ok"]
    print(f"# healed after {time.monotonic() - begin:.1f} s")


@test
def strangers_of_the_wrong_protocol_do_not_use_up_the_connections(d):
    for _ in range(400):  # more than limits.subscribers
        s = socket.create_connection(("127.0.0.1", d.port["tick"]), 5)
        s.sendall(b"\0SP\0\0\x50\0\0")
        s.recv(8)
        s.close()
    time.sleep(0.5)
    ticks = Listener(d, "tick")
    feed(d, [trade("AAPL", 1, 10, 1)])
    ticks.wait(1, b"tick|")


@test
def catch_up_gives_what_was_missed(d):
    feed(d, [trade("AAPL", i * 0.5, 100 + i, i + 1) for i in range(500)])
    feed_json(d, clock_request(400, 1))
    ticks = d.all_ticks()
    assert [t[3] for t in ticks] == list(range(1, 501)), ticks[:5]


@test
def the_log_can_be_asked(d):
    feed(d, [trade("AAPL", 1, 187.25, 1), trade("MSFT", 2, 400.5, 2)])
    count = d.admin("log_count")
    assert count["ok"], count
    tail = d.admin("log_tail", n=2)
    assert "AAPL" in str(tail) and "MSFT" in str(tail), tail
    assert "AAPL" in str(d.admin("symbols")), d.admin("symbols")


@test
def the_newest_ticks_of_a_symbol_can_be_seen(d):
    feed(d, [trade("AAPL", 1 + i, 100 + i, 1 + i) for i in range(5)] + [trade("MSFT", 9, 7, 6)])
    row = {}
    deadline = time.monotonic() + 40
    while row.get("bus", {}).get("dispatched") != 5:
        assert time.monotonic() < deadline, row
        answer = d.admin("symbols", symbol="AAPL", n=3)
        assert answer["ok"], answer
        row = answer["result"]
    assert [t["price"] for t in row["ticks"]] == [102, 103, 104], row
    assert [t["seq"] for t in row["ticks"]] == [3, 4, 5], row
    assert [s["symbol"] for s in row["symbols"]] == ["AAPL"], row
    assert row["bus"]["published"] == 5 and row["bus"]["dropped"] == 0, row
    assert not d.admin("symbols", symbol="NONE")["ok"]


@test
def a_paused_symbol_stands_still_and_its_neighbour_does_not(d):
    bars = Listener(d, "json_bar")
    feed(d, [trade("AAPL", 1, 100, 1), trade("MSFT", 1, 100, 2)])
    assert d.admin("pause", symbol="AAPL")["ok"]
    feed(d, [trade("AAPL", 2, 999, 3), trade("MSFT", 2, 101, 4)], first_seq=3)
    feed_json(d, clock_request(62, 1))
    msft = json.loads(bars.wait(1, b"bar.1m.MSFT|")[0].partition(b"|")[2])
    assert msft["close"] == 101, msft
    assert not [m for m in bars.messages if m.startswith(b"bar.1m.AAPL|")]
    assert d.admin("resume", symbol="AAPL")["ok"]
    feed(d, [trade("AAPL", 63, 102, 5)], first_seq=5)
    feed_json(d, clock_request(130, 2))
    bars.wait(1, b"bar.1m.AAPL|")


@test
def metrics_satisfy_promtool(d):
    feed(d, [trade("AAPL", 1, 187.25, 1)])
    code, text = d.http("/metrics")
    assert code == 200 and "tickbus_ticks_accepted_total 1" in text, text[:500]
    assert d.http("/healthz")[0] == 200 and d.http("/readyz")[0] == 200
    assert d.http("/nothing")[0] == 404
    tool = shutil.which("promtool")
    if tool is None:
        print("# promtool is not here: the exposition format was not judged")
        return
    p = subprocess.run([tool, "check", "metrics"], input=text.encode(), capture_output=True)
    assert p.returncode == 0, p.stderr.decode() + p.stdout.decode()


@test
def a_second_daemon_on_the_log_ends_with_75_and_harms_nothing(d):
    other = open(d.config, encoding="ascii").read()
    for port in d.port.values():
        other = other.replace(f":{port}", f":{port + 100}")
    path = os.path.join(d.dir, "second.yaml")
    with open(path, "w", encoding="ascii") as f:
        os.chmod(path, 0o600)
        f.write(other.replace("admin.sock", "admin2.sock").replace("ring.sock", "ring2.sock"))
    p = subprocess.run([BINARY, "-c", path], capture_output=True, timeout=120)
    assert p.returncode == 75, (p.returncode, p.stderr)
    assert feed(d, [trade("AAPL", 1, 10, 1)])["accepted"] == 1


@test
def a_taken_port_ends_the_start_with_69(d):
    path = os.path.join(d.dir, "third.yaml")
    with open(path, "w", encoding="ascii") as f:
        os.chmod(path, 0o600)
        f.write(open(d.config, encoding="ascii").read().replace(f"dir: {d.dir}", f"dir: {d.dir}/other")
                .replace("admin.sock", "admin3.sock").replace("ring.sock", "ring3.sock"))
    p = subprocess.run([BINARY, "-c", path], capture_output=True, timeout=120)
    assert p.returncode == 69, (p.returncode, p.stderr)
    assert str(d.port["tick"]).encode() in p.stderr, p.stderr


@test
def a_bad_configuration_ends_with_78_and_every_error(d):
    path = os.path.join(d.dir, "bad.yaml")
    with open(path, "w", encoding="ascii") as f:
        os.chmod(path, 0o600)
        f.write("store:\n  durabilty: full\nbars:\n  grace: 5\n")
    for args in (["--check-config", path], ["-c", path]):
        p = subprocess.run([BINARY, *args], capture_output=True, timeout=120)
        assert p.returncode == 78, (p.returncode, p.stderr)
        assert b":2:3:" in p.stderr and b":4:10:" in p.stderr, p.stderr


@test
def an_unwritable_directory_ends_with_73(d):
    path = os.path.join(d.dir, "dir.yaml")
    with open(path, "w", encoding="ascii") as f:
        os.chmod(path, 0o600)
        f.write(open(d.config, encoding="ascii").read().replace(f"dir: {d.dir}", "dir: /proc/tickbus"))
    p = subprocess.run([BINARY, "-c", path], capture_output=True, timeout=120)
    assert p.returncode == 73, (p.returncode, p.stderr)


@test
def sighup_reloads_what_may_change_and_names_what_may_not(d):
    text = open(d.config, encoding="ascii").read()
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace("too_old: 1d", "too_old: 2d").replace("durability: full", "durability: normal"))
    d.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while "clock.too_old" not in d.errors() and time.monotonic() < end:
        time.sleep(0.05)
    log = d.errors()
    assert "clock.too_old" in log and "store.durability" in log and "needs a restart" in log, log
    assert feed(d, [trade("AAPL", 1, 10, 1)])["durability"] == 0


@test
def sigterm_under_load_leaves_no_request_unanswered(d):
    state = {"acked": 0, "stopped": False}

    def produce():
        s, seq = d.ingest(), 1
        try:
            while True:
                reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "t", seq, [trade("AAPL", (seq + i) * 0.01, 10, seq + i)
                                                                       for i in range(100)])))
                if reply["status"] == 4:
                    state["stopped"] = True
                    return
                seq += 100
                state["acked"] = seq - 1
        except (OSError, ConnectionError):
            return

    t = threading.Thread(target=produce)
    t.start()
    time.sleep(0.5)
    code = d.stop()
    t.join(10)
    assert code == 0, (code, d.errors())
    d.start()
    ticks = d.all_ticks()
    assert len(ticks) >= state["acked"] > 0, (len(ticks), state)
    assert sorted(t[2] for t in ticks) == list(range(1, len(ticks) + 1))


@test
def derived_events_go_on_after_a_kill_as_if_nothing_had_happened(d):
    feed(d, [trade("AAPL", i, 100 + i % 7, i + 1) for i in range(600)])
    feed_json(d, clock_request(605, 1))
    end = time.monotonic() + 40
    while len(d.events("bar")) < 10 and time.monotonic() < end:
        time.sleep(0.1)
    before = d.events("bar")
    d.kill()
    d.start()
    feed(d, [trade("AAPL", 610 + i, 100 + i % 7, 601 + i) for i in range(300)], first_seq=601)
    feed_json(d, clock_request(1000, 2))
    end = time.monotonic() + 40
    while len(d.events("bar")) < len(before) + 5 and time.monotonic() < end:
        time.sleep(0.1)
    after = d.events("bar")
    assert after[:len(before)] == before
    seqs = [struct.unpack_from("<Q", b, 0)[0] for b in after]
    assert seqs == list(range(1, len(seqs) + 1)), seqs


@test
def memory_and_ready_time_of_an_empty_daemon_are_printed(d):
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        rss = [line for line in f if line.startswith("VmRSS")][0].split()[1]
    print(f"# idle resident memory {int(rss) / 1024:.0f} MiB")


@test
def the_watchdog_is_fed_and_readiness_announced(d):
    d.stop()
    path = os.path.join(d.dir, "notify.sock")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(10)
    d.start(wait=False, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"})
    seen = b""
    end = time.monotonic() + 32
    while time.monotonic() < end and not (b"READY=1" in seen and seen.count(b"WATCHDOG=1") >= 3):
        seen += s.recv(4096) + b"\n"
    assert b"READY=1" in seen and seen.count(b"WATCHDOG=1") >= 3, seen
    d.process.send_signal(signal.SIGTERM)
    while b"STOPPING=1" not in seen and time.monotonic() < end + 10:
        seen += s.recv(4096) + b"\n"
    assert d.process.wait(20) == 0


def main():
    return tb.tap(TESTS, lambda: tb.Tickbusd(BINARY, more="defaults: {timeframes: [1m], price_types: [last]}\n"))


if __name__ == "__main__":
    sys.exit(main())
