#!/usr/bin/env python3
"""A vendor's stream of news, its history, and the log afterwards: news_feed_test.py TICKBUSD TICKBUSCTL

The vendor speaks Alpaca's protocol (vendor's news: T "n", /v1beta1/news); what it has published is known to the test, which
compares it with the events.  Prints TAP.
"""
import json
import os
import subprocess
import sys
import time

import newsblocks
import tickbusd as tb
from livevendor import KEY, SECRET, LiveVendor, frame, text_time
from feedparts import read_time

BINARY, CTL = sys.argv[1], sys.argv[2]
UPDATE = 1
ENV = {"TICKBUS_ALPACA_KEY": KEY, "TICKBUS_ALPACA_SECRET": SECRET}
CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
vendors:
  alpaca: {{base_url: "http://127.0.0.1:{p}", stream_url: "ws://127.0.0.1:{p}/v1beta1/news", requests: 1000, per: 1s}}
ingest: {{settle: 0s}}
feeds:
  wire: {{vendor: alpaca, news: true, trades: false, symbols: [AAPL, BTC/USD], source: alpaca, redial_max: 1s, refill_overlap: 3s, refill_delay: 200ms}}
"""


class NewsVendor(LiveVendor):
    """articles: {id: row}, as Alpaca says them: coins without a stroke, whole seconds."""

    def __init__(self):
        self.articles = {}
        super().__init__(["AAPL", "BTCUSD"])

    def make(self):
        pass

    def publish(self, headline, *symbols, number=None):
        with self.lock:
            now = text_time(time.time_ns() // 10 ** 9 * 10 ** 9)[:19] + "Z"
            number = number or len(self.articles) + 1
            was = self.articles.get(number)
            row = {"id": number, "headline": headline, "author": "A", "created_at": was["created_at"] if was else now,
                   "updated_at": now, "summary": "", "content": "", "url": f"https://news.example/{number}",
                   "symbols": list(symbols), "source": "benzinga"}
            self.articles[number] = row
            self.say(json.dumps([{"T": "n", **row}]))

    def hang_up(self):
        with self.lock:
            for s in self.streams:
                s.conn.close()
            self.streams.clear()

    def more(self, path, q):
        if path != "/v1beta1/news":
            return None
        start, end = read_time(q["start"]), read_time(q["end"])
        wanted = set(q["symbols"].split(","))
        with self.lock:
            rows = [a for a in self.articles.values() if wanted & set(a["symbols"]) and start <= read_time(a["updated_at"]) <= end]
        return {"news": rows, "next_page_token": None}

    def want(self):
        """{(id, symbol): headline}, in our names."""
        return {(str(a["id"]), s.replace("BTCUSD", "BTC/USD")): a["headline"] for a in self.articles.values() for s in a["symbols"]}


def until(what, true, d):
    end = time.monotonic() + 240
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}: {d.admin('sources')}"
        time.sleep(0.02)


def events(d):
    return newsblocks.unpack_all(d.events("news"))


def newest(d):
    return {(e["id"], e["symbol"]): e["headline"] for e in events(d)}


def ctl(d, *args):
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "--port", str(d.port["ingest"]), *args],
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def flows(vendor, d):
    until("the stream", lambda: vendor.streams and d.admin("sources")["result"]["sources"][0]["state"] == "live", d)


def what_is_published_is_in_the_log_once_whatever_breaks(vendor, d):
    flows(vendor, d)
    vendor.publish("Apple beats estimates", "MSFT", "AAPL")
    vendor.publish("Bitcoin plunges", "BTCUSD")
    until("both", lambda: newest(d) == vendor.want(), d)
    vendor.hang_up()
    vendor.publish("Said while nobody heard", "AAPL")
    vendor.publish("Bitcoin rallies", "BTCUSD", "AAPL")
    flows(vendor, d)
    vendor.publish("Heard again", "AAPL")
    until("what was missed", lambda: newest(d) == vendor.want(), d)
    d.kill()
    vendor.publish("Apple misses estimates", "MSFT", "AAPL", number=1)
    vendor.publish("Said while the daemon was dead", "BTCUSD")
    d.start(env=ENV)
    flows(vendor, d)
    until("what was said meanwhile", lambda: newest(d) == vendor.want(), d)
    until("no gap", lambda: d.admin("gaps")["result"]["open"] == 0, d)
    assert d.admin("gaps")["result"]["lost"] == 0
    got = events(d)
    editions = [(e["id"], e["symbol"], e["edition"]) for e in got]
    assert len(set(editions)) == len(editions) == len(vendor.want()) + 2, editions
    assert [e["flags"] & UPDATE for e in got if e["id"] == "1"] == [0, 0, UPDATE, UPDATE]
    # The same articles by way of history.db are the same articles.
    code, _, err = ctl(d, "ingest", "AAPL", "BTC/USD", "--start", text_time(time.time_ns() - 3600 * 10 ** 9),
                       "--end", text_time(time.time_ns() + 3600 * 10 ** 9), "--what", "news")
    assert code == 0, err
    code, out, err = ctl(d, "news", "import", "--from-history", "--json", "AAPL", "BTC/USD")
    assert code == 0, (code, out, err)
    assert (code, json.loads(out)) == (0, {"accepted": 0, "duplicate": len(vendor.articles), "rejected": 0, "malformed": 0}), (out, err)
    assert len(events(d)) == len(got)
    # And summed up as the daemon sums them up: an edited one stands where its edit put it.
    code, out, err = ctl(d, "news", "AAPL", "BTC/USD", "--window", "1d", "--half-life", "6h", "--json", "--vader", os.devnull)
    assert code == 0, err
    for t in json.loads(out)["tickers"]:
        e = [e for e in got if e["symbol"] == t["ticker"]][-1]
        assert t["article_count"] == e["articles"] > 2 and abs(t["avg_sentiment"] - e["average"]) < 1e-12, (t, e)
        assert abs(t["weighted_sentiment"] - e["weighted"]) < 1e-12 and t["negative_share"] == e["negative"], (t, e)


def history_comes_oldest_first_and_once(vendor, d):
    flows(vendor, d)
    d.kill()
    for i in range(30):
        vendor.publish(f"Headline {i}", *(["AAPL"] if i % 3 else ["BTCUSD", "AAPL"]), number=100 - i)
    with vendor.lock:  # an hour apart, so that no refill reaches them and their order is known
        for i, a in enumerate(vendor.articles.values()):
            a["created_at"] = a["updated_at"] = text_time(time.time_ns() - (100 - i) * 3600 * 10 ** 9)[:19] + "Z"
    d.start(env=ENV)
    code, _, err = ctl(d, "ingest", "AAPL", "BTC/USD", "--start", text_time(time.time_ns() - 200 * 3600 * 10 ** 9), "--what", "news")
    assert code == 0, err
    for accepted in (30, 0):
        code, out, err = ctl(d, "news", "import", "--from-history", "--json", "BTC/USD", "AAPL")
        assert (code, json.loads(out)["accepted"], json.loads(out)["duplicate"]) == (0, accepted, 30 - accepted), (out, err)
    got = newsblocks.settled(d, 40)
    assert [e["event_ns"] for e in got] == sorted(e["event_ns"] for e in got) and len(got) == 40
    assert newest(d) == vendor.want()
    assert ctl(d, "news", "import", "--from-history", "ZZZZ")[0] == 1
    assert ctl(d, "news", "import", "--from-history")[0] == 64


def main():
    def whole(test):
        def run(d):
            try:
                test(d.vendor, d)
                assert d.stop() == 0, d.errors()
            finally:
                d.vendor.close()
        run.__name__ = test.__name__
        return run

    class World(tb.Tickbusd):
        def __init__(self):
            self.vendor = NewsVendor()
            super().__init__(BINARY, clock="wall", more=CONFIG.format(p=self.vendor.port))

        def start(self, **more):
            return super().start(**{"env": ENV, **more})
    return tb.tap([whole(t) for t in (what_is_published_is_in_the_log_once_whatever_breaks, history_comes_oldest_first_and_once)], World)


sys.exit(main())
