#!/usr/bin/env python3
"""Jobs that fetch the past, from the command line to history.db: ingest_test.py TICKBUSD TICKBUSCTL

Prints TAP.
"""
import csv
import io
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time

import fakevendor
import tickbusd as tb

BINARY, CTL = sys.argv[1], sys.argv[2]
DAY = 1440
CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
ingest: {{workers: 4}}
credentials: {keys}
vendors:
  alpaca: {{base_url: "{url}", requests: 0, attempts: 2}}
"""


class World(tb.Tickbusd):
    """A daemon with a vendor; the keys lie in its directory."""

    def __init__(self, vendor=None, config=CONFIG):
        self.vendor = vendor or fakevendor.FakeVendor()
        super().__init__(BINARY)
        keys = os.path.join(self.dir, "keys")
        os.mkdir(keys)
        for name, text in (("alpaca_key", "k1\n"), ("alpaca_secret", "s1\n")):
            with open(os.path.join(keys, name), "w", encoding="ascii",
                      opener=lambda p, f: os.open(p, f, 0o600)) as f:
                f.write(text)
        with open(self.config, "a", encoding="ascii") as f:
            f.write(config.format(url=self.vendor.url, keys=keys))

    def remove(self):
        super().remove()
        self.vendor.stop()

    def ctl(self, *args, code=0):
        done = subprocess.run([CTL, "--admin", os.path.join(self.dir, "admin.sock"), *args],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def fetch(self, *args, code=0):
        return json.loads(self.ctl("ingest", "--json", *args, code=code))

    def bars(self, symbol, *args):
        return list(csv.DictReader(io.StringIO(self.ctl("bars", symbol, "--csv", *args))))

    def chunks(self):
        """The bars as they lie in history.db, by symbol and time; stops the daemon."""
        assert self.stop() == 0
        db = sqlite3.connect(os.path.join(self.dir, "history.db"))
        names = dict(db.execute("SELECT id, symbol FROM series"))
        rows = db.execute("SELECT id, bars, crc, data FROM chunk ORDER BY id").fetchall()
        db.close()
        return {(names[i >> 20], i & 0xfffff): (n, data) for i, n, _, data in rows}


def file_in(d, name, text):
    path = os.path.join(d.dir, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def wait_requests(d, n):
    end = time.monotonic() + 120
    while len(d.vendor.requests) < n:
        assert time.monotonic() < end, d.vendor.requests
        time.sleep(0.01)


def what_a_vendor_has_arrives_exactly(d):
    job = d.fetch("AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-05")
    assert (job["state"], job["successful"], job["failed"]) == ("done", 2, 0), job
    assert job["rows"] == 2 * 3 * DAY, job
    rows = d.bars("MSFT")
    assert len(rows) == 3 * DAY
    for i, row in enumerate(rows):
        want = fakevendor.bar("MSFT", 1704153600 + 60 * i)
        got = {k: row[k] for k in ("open", "high", "low", "close", "volume", "vwap", "trades")}
        assert row["time"] == want["t"], (row, want)
        for key, short in zip(got, ("o", "h", "l", "c", "v", "vw", "n")):
            assert float(got[key]) == want[short], (row, want)
    part = d.bars("MSFT", "--start", "2024-01-03T10:00:00Z", "--end", "2024-01-03T10:05:00Z")
    assert [r["time"][11:16] for r in part] == ["10:00", "10:01", "10:02", "10:03", "10:04"]


def a_second_run_makes_no_request_and_a_wider_one_only_what_is_new(d):
    d.fetch("AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-04")
    n = len(d.vendor.requests)
    job = d.fetch("AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-04")
    assert job["successful"] == 2 and job["requests"] == 0, job
    assert len(d.vendor.requests) == n
    d.fetch("AAPL", "--start", "2024-01-02", "--end", "2024-01-05")
    assert all(r[2].startswith("2024-01-04") for r in d.vendor.requests[n:]), d.vendor.requests[n:]
    assert len(d.bars("AAPL")) == 3 * DAY


def one_symbol_that_fails_stops_no_other(d):
    text = d.ctl("ingest", "AAPL", "NOPE", "aapl!", "FAIL", "MSFT", "AAPL", "--start", "2024-01-02",
                 "--end", "2024-01-03", code=1)
    assert "Progress: 4/4 (100.0%)" in text and "named twice" in text, text
    assert "  Successful: 2/5\n  Failed: 3/5\n" in text, text
    assert "  - aapl!: it is not a symbol" in text, text
    assert "  - NOPE: alpaca: no data available" in text, text
    assert "  - FAIL: alpaca: " in text and "500" in text, text
    assert len(d.bars("MSFT")) == DAY


def a_csv_file_names_symbols_and_index(d):
    path = file_in(d, "sp500-2025.csv", "Name,Symbol\n\"Apple, Inc.\",AAPL\nBerkshire,BRK.B\n")
    d.ctl("ingest", "--csv", path, "--start", "2024-01-02", "--end", "2024-01-03")
    index = d.admin("index", name="sp500_2025")["result"]["index"]
    assert [m["symbol"] for m in index["members"]] == ["AAPL", "BRK.B"], index
    assert index["members"][0]["added"].startswith("20"), index
    d.ctl("ingest", "--csv", path, "--column", "Ticker", "--start", "2024-01-02", code=64)
    text = file_in(d, "list.txt", "TSLA # a car\n")
    d.ctl("ingest", "--text", text, "--index-name", "cars", "--start", "2024-01-02", "--end", "2024-01-03")
    assert d.admin("index", name="cars")["result"]["index"]["members"][0]["symbol"] == "TSLA"


def a_kill_in_the_middle_changes_nothing_of_the_result(d):
    symbols = [f"S{i:02d}" for i in range(12)]
    args = ["--start", "2024-01-02", "--end", "2024-01-09"]
    plain = World()
    try:
        plain.start()
        plain.fetch(*symbols, *args)
        want = plain.chunks()
    finally:
        plain.remove()
    d.vendor.latency = 0.02
    d.ctl("ingest", *symbols, *args, "--no-follow")
    kills = 0
    for _ in range(20):
        before = len(d.vendor.requests)
        end = time.monotonic() + 10
        while len(d.vendor.requests) < before + 15 and time.monotonic() < end:
            if d.admin("job", id=1)["result"]["job"]["state"] != "running":
                break
            time.sleep(0.01)
        if d.admin("job", id=1)["result"]["job"]["state"] != "running":
            break
        d.kill()
        kills += 1
        d.start()
    assert kills >= 3, kills
    d.vendor.latency = 0
    text = d.ctl("job", "1", "--follow")
    assert "Successful: 12/12" in text, text
    n = len(d.vendor.requests)
    d.fetch(*symbols, *args)
    assert len(d.vendor.requests) == n
    assert len(want) == 12 * 7 and d.chunks() == want
    print(f"# {kills} kills, {n} requests (undisturbed: {len(plain.vendor.requests)})")


def a_clean_stop_in_the_middle_is_no_failure(d):
    d.vendor.latency = 0.05
    d.ctl("ingest", "A", "B", "C", "--start", "2024-01-02", "--end", "2024-01-09", "--no-follow")
    wait_requests(d, 10)
    assert d.stop() == 0
    d.start()
    job = json.loads(d.ctl("job", "1", "--follow", "--json"))
    assert job["successful"] == 3 and job["failed"] == 0, job
    assert len(d.bars("C")) == 7 * DAY


def a_full_disk_stops_the_job_not_the_bus_and_it_goes_on_when_there_is_room(d):
    symbols = [f"S{i}" for i in range(8)]
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (400 << 10, resource.RLIM_INFINITY))
    d.ctl("ingest", *symbols, "--start", "2024-01-02", "--end", "2024-01-09", "--no-follow")
    end = time.monotonic() + 120
    while d.admin("metrics")["result"]["history_failures_total"] == 0:
        assert time.monotonic() < end, d.errors()
        time.sleep(0.05)
    assert tb.feed(d, [tb.trade("A", 1, 10, 1)])["accepted"] == 1
    assert d.admin("job", id=1)["result"]["job"]["state"] == "running"
    resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, unlimited)
    job = json.loads(d.ctl("job", "1", "--follow", "--json"))
    assert job["successful"] == 8 and job["failed"] == 0, job
    assert all(len(d.bars(s)) == 7 * DAY for s in symbols)


def a_job_can_be_cancelled(d):
    d.vendor.open.clear()
    job = json.loads(d.ctl("ingest", "A", "B", "C", "D", "E", "F", "--start", "2024-01-02", "--end",
                           "2024-01-03", "--no-follow", "--json"))
    wait_requests(d, 4)
    d.ctl("cancel", str(job["id"]))
    d.ctl("cancel", str(job["id"]), code=1)
    d.vendor.open.set()
    shown = json.loads(d.ctl("job", str(job["id"]), "--json", code=1))
    assert (shown["state"], shown["cancelled"], shown["remaining"]) == ("cancelled", 6, 0), shown
    assert d.fetch("A", "--start", "2024-01-02", "--end", "2024-01-03")["successful"] == 1
    table = d.ctl("jobs")
    assert "cancelled" in table and "done" in table, table


def what_is_kept_can_be_listed_and_forgotten(d):
    d.fetch("AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-04")
    assert "MSFT" in d.ctl("cache") and "alpaca" in d.ctl("cache", "list", "MSFT")
    stats = json.loads(d.ctl("cache", "stats", "--json"))
    assert stats["series"] == 2 and stats["bars"] == 4 * DAY and stats["damaged"] == 0, stats
    assert 0 < stats["bytes"] < stats["plain_bytes"], stats
    d.ctl("cache", "invalidate", code=64)
    gone = json.loads(d.ctl("cache", "invalidate", "AAPL", "--start", "2024-01-03", "--json"))
    assert gone == {"series": 1, "bars": DAY}, gone
    n = len(d.vendor.requests)
    d.fetch("AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-04")
    assert all(r[1] == "AAPL" and r[2].startswith("2024-01-03") for r in d.vendor.requests[n:])
    assert len(d.vendor.requests) > n and len(d.bars("AAPL")) == 2 * DAY


def another_address_is_another_vendor(d):
    d.fetch("AAPL", "--start", "2024-01-02", "--end", "2024-01-03")
    d.stop()
    with open(d.config, encoding="ascii") as f:
        text = f.read()
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace("//127.0.0.1:" + d.vendor.url.rsplit(":", 1)[1], d.vendor.url[5:].replace("127.0.0.1", "localhost")))
    d.start()
    assert "vendor alpaca is at http://localhost" in d.errors(), d.errors()
    n = len(d.vendor.requests)
    job = d.fetch("AAPL", "--start", "2024-01-02", "--end", "2024-01-03")
    assert job["successful"] == 1 and len(d.vendor.requests) > n and len(d.bars("AAPL")) == DAY


def the_quality_of_bars_is_judged(d):
    d.fetch("AAPL", "--start", "2024-01-02", "--end", "2024-01-03")
    q = json.loads(d.ctl("quality", "AAPL", "--json"))
    assert (q["bars"], q["gaps"], q["duplicates"], q["not_complete"]) == (DAY, 0, 0, []), q
    assert q["session_coverage"] == 1, q
    wider = json.loads(d.ctl("quality", "AAPL", "--start", "2024-01-01", "--json"))
    assert len(wider["not_complete"]) == 1, wider
    assert "session_coverage" in d.ctl("quality", "AAPL")
    d.ctl("quality", "MSFT", code=1)


def what_cannot_be_asked_is_said_at_once(d):
    for args, words in ((("AAPL", "--start", "soon"), "soon"),
                        (("AAPL", "--start", "2024-01-02", "--end", "2024-01-01"), "ends before"),
                        (("AAPL", "--start", "2024-01-02", "--timeframe", "7m"), "7m"),
                        (("AAPL", "--start", "2024-01-02", "--vendor", "acme"), "acme"),
                        (("AAPL", "--start", "2250-01-02"), "future")):
        done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "ingest", *args],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 1 and words in done.stderr, (args, done)
    assert d.vendor.requests == []
    assert "k1" not in d.errors() and "alpaca" in d.ctl("vendors")


def a_wrong_key_is_said_without_the_key(d):
    with open(os.path.join(d.dir, "keys", "alpaca_key"), "w", encoding="ascii") as f:
        f.write("WRONGKEY123")
    d.stop()
    d.start()
    text = d.ctl("ingest", "AAPL", "--start", "2024-01-02", "--end", "2024-01-03", code=1)
    assert "  - AAPL: alpaca: " in text, text
    assert "WRONGKEY123" not in text + d.errors()
    os.remove(os.path.join(d.dir, "keys", "alpaca_key"))
    d.stop()
    d.start()
    assert "alpaca_key" in d.ctl("vendors", "--json"), d.ctl("vendors")
    d.ctl("ingest", "AAPL", "--start", "2024-01-02", code=1)


def a_database_that_is_none_harms_nobody_else(d):
    d.stop()
    for name in os.listdir(d.dir):
        if name.startswith("history.db-"):
            os.remove(os.path.join(d.dir, name))
    with open(os.path.join(d.dir, "history.db"), "w", encoding="ascii") as f:
        f.write("this is no database at all, whatever its name says\n" * 1000)
    d.start()
    assert tb.feed(d, [tb.trade("A", 1, 10, 1)])["accepted"] == 1
    answer = d.admin("cache_stats")
    assert answer["ok"] is False and "move it away" in str(answer), answer


def many_symbols_are_run_again_in_less_than_a_second(d):
    d.vendor.page = 10000
    symbols = [f"M{i:03d}" for i in range(500)]
    path = file_in(d, "many.txt", "\n".join(symbols))
    args = ["--text", path, "--start", "2024-01-02", "--end", "2024-01-02T00:10:00Z"]
    assert d.fetch(*args)["successful"] == 500
    n = len(d.vendor.requests)
    begin = time.monotonic()
    job = d.fetch(*args)
    took = time.monotonic() - begin
    assert job["successful"] == 500 and len(d.vendor.requests) == n == 500
    print(f"# 500 symbols again: {took:.2f} s, of it {job['elapsed_ms']} ms in the daemon")


def what_was_written_is_scored_and_summed_up_per_symbol(d):
    def article(n, symbol, day, headline):
        at = f"2024-01-{day:02}T12:00:00Z"
        return {"id": n, "headline": headline, "author": "", "created_at": at, "updated_at": at,
                "summary": "", "content": "", "url": f"https://news.example/{n}", "images": [],
                "symbols": [symbol], "source": "wire"}

    d.vendor.news = {"AAPL": [article(1, "AAPL", 2, "Apple surges to record high"),
                              article(2, "AAPL", 2, "APPLE surges -- to record high!"),
                              article(3, "AAPL", 4, "Apple to present at a conference")],
                     "MSFT": [article(4, "MSFT", 3, "Microsoft shares plunge after profit warning")]}
    span = "--start", "2024-01-01", "--end", "2024-01-31"
    d.fetch("AAPL", "MSFT", *span, "--what", "news")
    none = os.devnull  # the suite's figures must not depend on what is installed
    out = d.ctl("news", "AAPL", "MSFT", "--all", "--json", "--vader", none)
    assert out == d.ctl("news", "AAPL", "MSFT", "--all", "--json", "--vader", none)
    got = json.loads(out)
    assert (got["status"], got["total_articles"], got["securities_with_news"]) == ("success", 3, 2), got
    assert (got["positive_sentiment"], got["negative_sentiment"]) == (1, 1), got
    apple, microsoft = got["tickers"]
    assert apple["article_count"] == 2 and apple["repeats"] == 1, apple
    assert [a["repeat"] for a in apple["articles"]] == [False, True, False], apple
    first, _, last = (a["compound"] for a in apple["articles"])
    assert first > 0.5 and last == 0 and abs(apple["avg_sentiment"] - first / 2) < 1e-12, apple
    assert abs(apple["weighted_sentiment"] - first * 0.25 / 1.25) < 1e-12, apple  # two days: a quarter
    assert microsoft["avg_sentiment"] < -0.5 and microsoft["negative_share"] == 1, microsoft
    assert got["sentiment_by_ticker"] == {"AAPL": apple["avg_sentiment"],
                                          "MSFT": microsoft["avg_sentiment"]}, got
    text = d.ctl("news", "MSFT", "NONE", "--vader", none, code=1)
    assert "MSFT                1        0" in text and "NONE                0" in text, text
    late = json.loads(d.ctl("news", "AAPL", "--start", "2024-01-03", "--json", "--vader", none))
    assert late["total_articles"] == 1, late


def the_demonstration_works_as_it_is_written(d):
    """demo-vendors.yaml against tests/mock, but for ports and directories."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    sys.path.insert(0, os.path.join(root, "tests", "mock"))
    import mock_vendors
    d.stop()
    mock = mock_vendors.MockVendors().start()
    with open(os.path.join(root, "demo-vendors.yaml"), encoding="ascii") as f:
        demo = f.read()
    with open(d.config, encoding="ascii") as f:
        ours = f.read()
    listen = ours[ours.index("listen:"):ours.index("fetch:")]
    text = demo[:demo.index("listen:")] + listen + demo[demo.index("fetch:"):]
    text = text.replace("/tmp/tickbus-demo-vendors", d.dir).replace("127.0.0.1:7490", mock.http[7:])
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text)
    try:
        d.start(env={"TICKBUS_ALPACA_KEY": "any", "TICKBUS_ALPACA_SECRET": "any"})
        text = d.ctl("ingest", "AAPL", "MSFT", "ZZTOP", "--start", "2024-01-02", "--end", "2024-02-01", code=1)
        assert "  Successful: 2/3" in text and "  - ZZTOP: alpaca: no data" in text, text
        q = json.loads(d.ctl("quality", "AAPL", "--json"))
        assert q["sessions"] == 22 and q["outside_sessions"] == 0 and q["session_coverage"] > 0.9, q
        end = time.monotonic() + 120
        while d.admin("log_count")["result"]["count"] < 10 or not d.events("news"):  # two symbols live, with news
            assert time.monotonic() < end, d.errors()
            time.sleep(0.05)
        assert d.stop() == 0
    finally:
        mock.stop()


TESTS = [what_a_vendor_has_arrives_exactly,
         what_was_written_is_scored_and_summed_up_per_symbol,
         a_second_run_makes_no_request_and_a_wider_one_only_what_is_new,
         one_symbol_that_fails_stops_no_other, a_csv_file_names_symbols_and_index,
         a_kill_in_the_middle_changes_nothing_of_the_result,
         a_clean_stop_in_the_middle_is_no_failure,
         a_full_disk_stops_the_job_not_the_bus_and_it_goes_on_when_there_is_room, a_job_can_be_cancelled,
         what_is_kept_can_be_listed_and_forgotten, another_address_is_another_vendor, the_quality_of_bars_is_judged,
         what_cannot_be_asked_is_said_at_once, a_wrong_key_is_said_without_the_key,
         a_database_that_is_none_harms_nobody_else,
         many_symbols_are_run_again_in_less_than_a_second,
         the_demonstration_works_as_it_is_written]

if __name__ == "__main__":
    sys.exit(tb.tap([t for t in TESTS if t.__name__ in sys.argv[3:] or not sys.argv[3:]], World))
