#!/usr/bin/env python3
"""Feeds of a server made here, asked by the daemon: rss_live_test.py TICKBUSD TICKBUSCTL

What becomes of each feed is compared with rssparts.py, a reader of its own on Python's library.  Nothing waits for a time:
the server counts its questions, and a test goes on when there were enough.  Prints TAP.
"""
import http.server
import json
import os
import subprocess
import sys
import threading
import time

import newsblocks
import rssparts
import tickbusd as tb

BINARY, CTL = sys.argv[1], sys.argv[2]
T0 = int(time.time()) - 7200
UPDATE = 1


class Server(http.server.ThreadingHTTPServer):
    """pages: {path: [status, headers, body]}; every question is kept with its time."""
    daemon_threads = True

    def __init__(self):
        self.pages, self.asked, self.lock = {}, [], threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass  # a daemon that was killed, or that wants no more of a large page

    def page(self, path, body=b"", status=200, **headers):
        with self.lock:
            self.pages[path] = (status, {k.replace("_", "-"): v for k, v in headers.items()}, body)

    def questions(self, path):
        with self.lock:
            return [a for a in self.asked if a[1] == path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        with self.server.lock:
            self.server.asked.append((time.monotonic(), self.path, dict(self.headers)))
            status, headers, body = self.server.pages.get(self.path, (404, {}, b""))
        tag, since = headers.get("ETag"), headers.get("Last-Modified")
        if status == 200 and (tag and self.headers.get("If-None-Match") == tag or
                              not tag and since and self.headers.get("If-Modified-Since") == since):
            status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def until(what, true, d, seconds=240):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}: {feeds(d)}"
        time.sleep(0.02)


def feeds(d):
    return {s["source"]: s for s in d.admin("sources")["result"]["sources"] if "url" in s}


running = []  # daemons of the present test


def daemon(server, rss, more=""):
    entries = "".join(f"  {name}: {{url: \"{server.url}{path}\", every: 1s, {rest}}}\n" for name, (path, rest) in rss.items())
    running.append(tb.Tickbusd(BINARY, clock="wall", more=f"fetch: {{plain_http: true, private_addresses: true}}\n{more}rss:\n{entries}"))
    return running[-1]


def taken(e):
    return e["id"], e["headline"], e["url"], e["event_ns"] / 1e9


def of(d, symbol):
    return [e for e in newsblocks.unpack_all(d.events("news")) if e["symbol"] == symbol]


def cut(rows):
    return [(i, h.encode()[:256].decode(errors="ignore"), u if len(u) <= 200 else "", s) for i, h, u, s in sorted(rows, key=lambda r: r[3])]


def articles_are_events_once_and_unchanged_feeds_are_not_sent_again(server):
    rss, atom, wide = (rssparts.encoded(rssparts.rss(list(reversed(rssparts.TITLES)), T0), "UTF-8"),
                       rssparts.encoded(rssparts.atom(rssparts.TITLES, T0), "UTF-8"),
                       rssparts.encoded(rssparts.rdf(rssparts.TITLES, T0), "UTF-16"))
    bare = rssparts.rss(rssparts.PLAIN, T0).encode("windows-1252")
    server.page("/rss?x=1", rss, ETag='"one"', Last_Modified="Mon, 05 Jan 2026 14:30:00 GMT")
    server.page("/atom", atom, Last_Modified="Mon, 05 Jan 2026 14:30:00 GMT")
    server.page("/rdf", wide)
    server.page("/bare", bare, Content_Type="text/xml; charset=windows-1252")
    want = {"R": ("/rss?x=1", rss), "A": ("/atom", atom), "D": ("/rdf", wide)}
    d = daemon(server, {s.lower(): (path, f"symbols: [{s}]") for s, path in [("R", "/rss?x=1"), ("A", "/atom"), ("D", "/rdf"), ("B", "/bare")]}).start()
    n = 3 * len(rssparts.TITLES) + len(rssparts.PLAIN)
    newsblocks.settled(d, n)
    for symbol, (path, body) in want.items():
        got = [taken(e) for e in of(d, symbol)]
        assert got == cut(rssparts.read(body, server.url + path)), (symbol, got)
    assert [e["headline"] for e in of(d, "B")] == [rssparts.text_of(t)[:256] for t in rssparts.PLAIN]
    until("three more questions each", lambda: all(f["polls"] >= 4 for f in feeds(d).values()), d)
    now = feeds(d)
    assert now["r"]["unchanged"] >= 2 and now["a"]["unchanged"] >= 2 and now["d"]["unchanged"] == 0, now
    assert now["d"]["doubles"] >= 2 * len(rssparts.TITLES) and now["d"]["accepted"] == len(rssparts.TITLES), now
    later = server.questions("/rss?x=1")[-1][2]
    assert later["If-None-Match"] == '"one"' and later["If-Modified-Since"].startswith("Mon, 05 Jan"), later
    assert len(d.events("news")) == n
    _, text = d.http("/metrics")
    assert f'tickbus_rss_accepted_total{{feed="r"}} {len(rssparts.TITLES)}' in text, text
    assert 'tickbus_rss_failing{feed="r"} 0' in text
    out = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "sources", "--json"], capture_output=True, text=True)
    assert out.returncode == 0 and json.loads(out.stdout)["sources"], out
    return d


def after_a_kill_only_what_is_new_is_a_record(server):
    titles = rssparts.TITLES[:4]
    server.page("/k", rssparts.encoded(rssparts.rss(titles, T0), "UTF-8"))
    d = daemon(server, {"k": ("/k", "symbols: [AAPL]")}).start()
    newsblocks.settled(d, 4)
    for turn in range(3):
        asked = len(server.questions("/k"))
        d.kill()
        titles = [*titles, f"New in turn {turn}"]
        server.page("/k", rssparts.encoded(rssparts.rss(titles, T0), "UTF-8"))
        d.start()
        newsblocks.settled(d, 5 + turn)
        until("two questions", lambda: len(server.questions("/k")) > asked + 2, d)  # noqa: B023
        assert len(d.events("news")) == 5 + turn
    server.page("/k", rssparts.encoded(rssparts.rss(["Edited", *titles[1:]], T0), "UTF-8"))
    got = newsblocks.settled(d, 8)
    assert (got[-1]["headline"], got[-1]["edition"], got[-1]["flags"] & UPDATE) == ("Edited", 2, UPDATE), got[-1]
    assert all(e["edition"] == 1 for e in got[:-1])
    return d


def a_bad_feed_says_why_and_harms_no_other(server):
    good = rssparts.encoded(rssparts.rss(["Good"], T0), "UTF-8")
    server.page("/good", good)
    server.page("/broken", good[:-30])
    server.page("/html", b"<html><body>Not here</body></html>", Content_Type="text/html")
    server.page("/large", b"<rss><channel>" + b" " * 100000 + b"</channel></rss>")
    server.page("/busy", b"", 503, Retry_After="5")
    server.page("/gone", b"", 410)
    server.page("/loop", b"", 302, Location="/loop")
    server.page("/moved", b"", 301, Location="there/")
    server.page("/there/", good)
    server.page("/out", b"", 302, Location="ftp://x.example/")
    server.page("/undated", b"<rss><channel><item><title>x</title><guid>u</guid></item></channel></rss>")
    names = ["good", "broken", "html", "large", "busy", "gone", "loop", "moved", "out", "undated", "absent"]
    d = daemon(server, {n: (f"/{n}", f"size: 64KiB, symbols: [{n.upper()}]") for n in names}).start()
    until("all to be asked", lambda: len(feeds(d)) == len(names) and all(f["polls"] > 0 for f in feeds(d).values()), d)
    until("the good ones", lambda: len(of(d, "GOOD")) == 1 and len(of(d, "MOVED")) == 1, d)
    until("five questions to the good one", lambda: len(server.questions("/good")) >= 5, d)
    now = feeds(d)
    why = {"broken": "line", "html": "no RSS, RDF or Atom", "large": "too large", "busy": "503", "gone": "410", "loop": "302: redirected more than 5",
           "out": "no web address", "absent": "404"}
    for name, text in why.items():
        assert text in now[name]["why"] and now[name]["blind"], (name, now[name])
    assert now["good"]["state"] == now["moved"]["state"] == now["undated"]["state"] == "live", now
    assert now["gone"]["state"] == "gone" and len(server.questions("/gone")) == 1
    assert now["undated"]["bad"] > 0 and now["undated"]["accepted"] == 0
    assert now["good"]["failures"] == now["moved"]["failures"] == 0
    assert len(server.questions("/moved")) == 1 and len(server.questions("/there/")) > 1, "301 is remembered"
    assert 0 <= len(server.questions("/loop")) - 6 * now["loop"]["failures"] <= 12, "five redirects, then given up"
    busy = [t for t, _, _ in server.questions("/busy")]
    assert all(b - a >= 4.9 for a, b in zip(busy, busy[1:])), busy
    out = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "sources"], capture_output=True, text=True)
    assert out.returncode == 1 and "no RSS, RDF or Atom" in out.stdout, out
    return d


def symbols_are_looked_for_among_the_tickers(server):
    server.page("/wire", rssparts.encoded(rssparts.rss(
        ["$AAPL up", "Nothing of ours: $XYZ", "Deal (NYSE: IBM; NASDAQ: AAPL)", "ALL of it"], T0), "UTF-8"))
    d = daemon(server, {"wire": ("/wire", "symbols: all, match_title: true")}, "tickers: {AAPL: {}, IBM: {}, ALL: {}}\n").start()
    got = newsblocks.settled(d, 3)
    assert sorted((e["headline"], e["symbol"]) for e in got) == [
        ("$AAPL up", "AAPL"), ("Deal (NYSE: IBM; NASDAQ: AAPL)", "AAPL"), ("Deal (NYSE: IBM; NASDAQ: AAPL)", "IBM")], got
    until("one more question", lambda: feeds(d)["wire"]["polls"] > 1, d)
    assert feeds(d)["wire"]["unmatched"] % 2 == 0 and len(d.events("news")) == 3
    return d


def what_is_of_the_future_is_asked_for_again(server):
    server.page("/f", rssparts.encoded(rssparts.rss(["Ahead"], int(time.time()) + 86400), "UTF-8"), ETag='"f"')
    d = daemon(server, {"f": ("/f", "symbols: [AAPL]")}).start()
    until("two refusals", lambda: feeds(d).get("f", {}).get("refused", 0) > 1, d)
    assert "time_in_future" in feeds(d)["f"]["why"], feeds(d)
    assert not any("If-None-Match" in headers for _, _, headers in server.questions("/f")), "what was not taken is wanted again"
    server.page("/f", rssparts.encoded(rssparts.rss(["Ahead"], T0), "UTF-8"), ETag='"f"')  # as if the day had passed
    assert newsblocks.settled(d, 1)[0]["headline"] == "Ahead"
    until("an unchanged answer", lambda: feeds(d)["f"]["unchanged"] > 0, d)
    return d


def main():
    tests = [articles_are_events_once_and_unchanged_feeds_are_not_sent_again, after_a_kill_only_what_is_new_is_a_record,
             a_bad_feed_says_why_and_harms_no_other, symbols_are_looked_for_among_the_tickers, what_is_of_the_future_is_asked_for_again]

    def whole(test):
        def run(_):
            server = Server()
            try:
                d = test(server)
                assert d.stop() == 0, d.errors()
            finally:
                while running:
                    running.pop().remove()
                server.shutdown()
        run.__name__ = test.__name__
        return run
    return tb.tap([whole(t) for t in tests], Nothing)


class Nothing:
    """The world of a test that makes its own."""
    def start(self):
        return self

    def stop(self):
        return 0

    def remove(self):
        pass

    def errors(self):
        return ""


sys.exit(main())
