#!/usr/bin/env python3
"""The page and what is asked over HTTP: page_test.py TICKBUSD

Pages, read-only questions, the stream of frames; who may not ask; readers that do not
read.  What a browser makes of it is tests/integration/browser_test.py's part.
"""
import json
import os
import re
import socket
import sys
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tickbusd as tb  # noqa: E402

BINARY = sys.argv[1]
TESTS = []
MORE = ("defaults: {timeframes: [1s], price_types: [last]}\n"
        "universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}\n")


def test(f):
    TESTS.append(f)
    return f


def make():
    return tb.Tickbusd(BINARY, more=MORE)


def raw(d, text, timeout=10):
    with socket.create_connection(("127.0.0.1", d.port["http"]), timeout) as s:
        s.sendall(text.encode())
        data = b""
        while part := s.recv(1 << 16):
            data += part
        return data.decode(errors="replace")


def api(d, path):
    code, body = d.http("/api/" + path)
    return code, json.loads(body)


def feed(d, first, last, symbols=("A", "B", "C")):
    s = d.ingest()
    for at in range(first, last + 1, 500):
        n = min(500, last + 1 - at)
        ticks = [(symbols[q % len(symbols)], tb.START + q * 20_000_000, 10 ** 11 + q * 10 ** 6, 10 ** 8, q)
                 for q in range(at, at + n)]
        assert tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", at, ticks)))["accepted"] == n
    s.close()


class Frames:
    """The stream of the page, read as a browser does."""

    def __init__(self, d):
        self.answer = urllib.request.urlopen(f"http://127.0.0.1:{d.port['http']}/live", timeout=10)
        assert self.answer.headers["Content-Type"] == "text/event-stream"

    def next(self):
        line = self.answer.readline()
        assert line.startswith(b"data: "), line
        assert self.answer.readline() == b"\n"
        return json.loads(line[6:])

    def close(self):
        self.answer.close()


until = tb.until


@test
def every_file_of_the_page_is_served_and_asks_for_nothing_outside(d):
    code, page = d.http("/")
    assert code == 200 and "<title>tickbus</title>" in page
    assert "//" not in page.replace("https://www.tradingview.com/", ""), "the page loads something from elsewhere"
    for name in ("page.css", "page.js", "table.js", "heat.js", "candle.js", "study.js", "charts.js"):
        code, text = d.http("/" + name)
        assert code == 200 and name in page and len(text) > 20, name
    head = raw(d, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").partition("\r\n\r\n")[0]
    for line in ("Content-Security-Policy: default-src 'self'", "X-Frame-Options: DENY", "X-Content-Type-Options: nosniff"):
        assert line in head, head


@test
def questions_are_answered_as_the_admin_socket_answers_them(d):
    feed(d, 1, 300)
    until(lambda: d.admin("status")["result"]["published"]["tick"] == 300, "published")
    code, answer = api(d, "status")
    assert code == 200 and answer["result"]["position"] == d.admin("status")["result"]["position"]
    until(lambda: len(api(d, "symbols?symbol=B&n=2")[1]["result"]["ticks"]) == 2, "two ticks, when its worker had them")
    # Asked of the store's thread, so the answer comes later.
    code, answer = api(d, "why?what=bar&symbol=A&timeframe=1s&time=" + urllib.parse.quote("nonsense"))
    assert code == 200 and answer["ok"] is False and answer["error"], answer
    assert api(d, "matrix?name=nobody")[1]["ok"] is False


@test
def what_changes_something_is_not_there(d):
    feed(d, 1, 10)
    for command in ("shutdown", "pause?symbol=A", "resume?symbol=A", "reload", "ingest", "cache_invalidate", "config",
                    "job_cancel?id=1", "verify", "../metrics", ""):
        code, text = d.http("/api/" + command)
        assert code == 404 and "tickbusctl" in text, (command, code, text)
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = raw(d, f"{method} /api/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        assert answer.startswith("HTTP/1.1 405"), answer
    assert d.admin("status")["result"]["state"] == "ready"


@test
def a_page_of_another_name_reads_nothing(d):
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a" * 300,
                 socket.gethostname().split(".")[0] + ".evil.example", "localhost@evil.example", "[evil.example"):
        for path in ("/", "/api/status", "/live", "/metrics"):
            answer = raw(d, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
            assert answer.startswith("HTTP/1.1 421"), (host, answer[:200])
    for host in ("localhost", f"127.0.0.1:{d.port['http']}", "[::1]:7480", "192.168.1.7", socket.gethostname()):
        assert raw(d, f"GET /api/status HTTP/1.1\r\nHost: {host}\r\n\r\n").startswith("HTTP/1.1 200"), host


@test
def events_come_as_catch_up_has_them(d):
    feed(d, 1, 600)
    until(lambda: d.admin("top")["result"]["derived_pending"] == 0 and len(d.events("bar")) > 0, "stored")
    ask = {"kinds": ["bar"], "from": "seq", "symbols": [{"kind": "bar", "symbol": "A", "from_seq": 1, "timeframe": "1s"}]}
    code, text = d.http("/api/events?q=" + urllib.parse.quote(json.dumps(ask)))
    page = json.loads(text)
    assert code == 200 and page["status"] == "ok", text[:300]
    direct = d.catchup()
    assert page["events"] == json.loads(direct.ask(json.dumps(ask).encode()))["events"]
    assert len(page["events"]) >= 10 and all(e["symbol"] == "A" for e in page["events"])
    direct.close()
    for bad in ("", "?q=", "?q=[]", "?x=1"):
        assert d.http("/api/events" + bad)[0] == 400, bad
    assert json.loads(d.http("/api/events?q=" + urllib.parse.quote('{"kinds":7}'))[1])["status"] == "refused"


@test
def subscribers_are_listed_with_what_they_have_not_taken(d):
    idle, fast = d.subscribe("tick"), d.subscribe("bar")
    names = {f"127.0.0.1:{s.sock.getsockname()[1]}": kind for s, kind in ((idle, "tick"), (fast, "bar"))}
    listed = lambda: json.loads(d.http("/api/subscribers")[1])["result"]["subscribers"]  # noqa: E731
    until(lambda: {s["address"]: s["kind"] for s in listed()} == names, "both, and nobody else")
    assert all(s["waiting_bytes"] == 0 and s["format"] == "sbe" for s in listed()), listed()
    # One never reads: the kernel's buffers fill, and what waits is told.
    at = 1
    while not any(s["waiting_bytes"] > 100_000 and s["kind"] == "tick" for s in listed()):
        assert at < 400_000, listed()
        feed(d, at, at + 4999)
        at += 5000
    fast.close()
    idle.close()
    until(lambda: listed() == [], "gone")


@test
def frames_bring_everything_then_what_changed(d):
    feed(d, 1, 300)
    until(lambda: d.admin("status")["result"]["published"]["tick"] == 300, "published")
    frames = Frames(d)
    first = frames.next()
    assert first["full"] and [r[1] for r in first["rows"]] == ["B", "C", "A"], first["rows"]
    row = next(r for r in first["rows"] if r[1] == "A")
    while row[2] != 100.3:  # published, but its worker is not there yet: the next frames have it
        row = next((r for r in frames.next()["rows"] if r[1] == "A"), row)
    # 300 is A's newest: price 100 + 0.001 per tick, 100 of its ticks, from source "test".
    assert row[2] == 100.3 and row[12] == 100 and row[14] == "test", row
    feed(d, 301, 301)
    end = time.monotonic() + 20
    while True:
        frame = frames.next()
        assert not frame["full"] and time.monotonic() < end, frame
        seen = [r for r in frame["rows"] if r[1] == "B"]
        if seen and seen[0][12] == 101:
            assert seen[0][2] == 100.301, seen
            break
    until(lambda: frames.next()["rows"] == [], "quiet: nothing changed")
    until(lambda: frames.next().get("top", {}).get("result", {}).get("published", {}).get("tick") == 301, "what top says, once a second")
    frames.close()


@test
def a_crowd_shares_a_page_of_metrics_and_nobody_else_does(d):
    def uptime():
        return re.search(r"^tickbus_uptime_seconds (\S+)$", d.http("/metrics")[1], re.M).group(1)

    alone = [uptime() for _ in range(5)]
    assert len(set(alone)) == 5, f"a page of one's own: {alone}"
    begin = time.monotonic()
    crowd = [uptime() for _ in range(40)]
    seconds = time.monotonic() - begin
    # Each of five pages a second; those who come more seldom than five a second are no crowd.
    assert len(set(crowd)) <= 6 * seconds + 2 or seconds > 7, (len(set(crowd)), seconds)
    if seconds < 4:
        assert len(set(crowd)) < 30, f"nothing is shared: {len(set(crowd))} pages in {seconds} s"


@test
def one_reader_does_not_take_the_changes_of_another(d):
    feed(d, 1, 3)
    a, b = Frames(d), Frames(d)
    assert a.next()["full"] and b.next()["full"]
    feed(d, 4, 6)
    for f in (a, b):
        seen = set()
        until(lambda: seen.update(r[1] for r in f.next()["rows"] if r[12] == 2) or seen == {"A", "B", "C"}, "both see it")
    c = Frames(d)  # a newcomer in the middle
    assert c.next()["full"]
    feed(d, 7, 9)
    for f in (a, b, c):
        seen = set()
        until(lambda: seen.update(r[1] for r in f.next()["rows"] if r[12] == 3) or seen == {"A", "B", "C"}, "all see it")
        f.close()


@test
def a_reader_that_does_not_read_costs_itself_alone(d):
    deaf = [socket.create_connection(("127.0.0.1", d.port["http"])) for _ in range(4)]
    for s in deaf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    frames = Frames(d)
    names = [f"S{i:04}" for i in range(800)]
    feed(d, 1, 8000, names)
    until(lambda: d.admin("status")["result"]["published"]["tick"] == 8000, "published beside deaf readers")
    seen = {}
    until(lambda: seen.update((r[1], r[12]) for r in frames.next()["rows"]) or
          len(seen) == 800 and set(seen.values()) == {10}, "the good reader has it all")
    frames.close()
    for s in deaf:
        s.close()


@test
def pages_are_limited_and_their_places_come_back(d):
    many = [Frames(d) for _ in range(16)]
    for f in many:
        f.next()
    code, text = d.http("/live")
    assert code == 503 and "close one" in text, (code, text)
    for f in many:
        f.close()

    def again():
        try:
            f = Frames(d)
        except urllib.error.HTTPError:
            return False
        f.next()
        f.close()
        return True
    until(again, "a place is free again")


@test
def the_daemon_stops_with_pages_open(d):
    frames = [Frames(d) for _ in range(3)]
    for f in frames:
        f.next()
    began = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - began < 5, "an open page held the daemon up"
    while frames[0].answer.readline():
        pass  # its stream ends


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
