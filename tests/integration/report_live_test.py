#!/usr/bin/env python3
"""Reports over the daemon's own bars and news: report_live_test.py TICKBUSD TICKBUSCTL [TICKBUS_ARCHIVE]

A vendor has the past up to a day; ticks of the days behind it go through the daemon.  pandas puts the two together
a second time.  Prints TAP.
"""
import copy
import datetime
import json
import os
import sys
import time

import reportparts as rp
import tickbusd as tb

BINARY, CTL = sys.argv[1], sys.argv[2]
EXE = sys.argv[3] if len(sys.argv) > 3 else ""
MORE = "bars: {revision_window: 2h}\ndefaults: {timeframes: [1m, 1d], price_types: [last, mid]}\n"
ARCHIVE = "archive: {{dir: {dir}/archive, program: {exe}, every: 200ms, after: 5m, limit: 20s, memory: 128MiB, threads: 1}}\n"
FIRST = datetime.date.fromisoformat(rp.bars_of("AAPL")[-1]["t"][:10]) + datetime.timedelta(days=1)
DAYS, DAY_S = 3, 86400
SYMBOLS = ["AAPL", "MSFT"]

try:
    import pandas as pd
except ImportError:
    pd = None


class World(rp.World):
    def __init__(self, archive=False):
        super().__init__(BINARY, CTL)
        with open(self.config, "a", encoding="ascii") as f:
            f.write(MORE + (ARCHIVE.format(exe=EXE, dir=self.dir) if archive else ""))
        if archive:
            os.environ["PATH"] = os.path.dirname(EXE) + ":" + os.environ["PATH"]
        self.seq = 1

    def send(self, ticks):
        s = self.ingest()
        reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "exchange", self.seq, ticks)))
        s.close()
        self.seq += len(ticks)
        assert reply["accepted"] == len(ticks), reply

    def settle(self):
        """Everything that was sent is derived and stored."""
        end = time.monotonic() + 240
        while time.monotonic() < end:
            top = self.admin("top")["result"]
            if top["dispatch_lag"] == 0 and top["derived_pending"] == 0 and all(lag == 0 for lag in top["lag"].values()):
                return
            time.sleep(0.05)
        raise AssertionError(f"it does not come to rest: {top}")


def ns(day, second=0):
    at = datetime.datetime.combine(FIRST + datetime.timedelta(days=day), datetime.time(), datetime.timezone.utc)
    return (int(at.timestamp()) + second) * tb.SECOND


def trades(symbol, day):
    """(event_ns, price, size): forty of a day, near where the vendor's bars end."""
    base = rp.bars_of(symbol)[-1]["c"]
    return [(ns(day, 3600 * 14 + 60 * i), round(base * (1 + 0.001 * ((7 * i + 3 * day) % 11 - 5)), 2), 100 + i) for i in range(40)]


def own_bars(symbol, days=range(DAYS)):
    """The days' bars, as pandas makes them of the trades."""
    t = pd.DataFrame([x for day in days for x in trades(symbol, day)], columns=["ns", "price", "size"])
    t["day"] = pd.to_datetime(t["ns"]).dt.floor("D")
    g = t.groupby("day")
    return pd.DataFrame({"time": [f"{d:%Y-%m-%dT%H:%M:%SZ}" for d in g.size().index], "open": g["price"].first().to_numpy(),
                         "high": g["price"].max().to_numpy(), "low": g["price"].min().to_numpy(), "close": g["price"].last().to_numpy(),
                         "volume": g["size"].sum().to_numpy()})


def feed(d, symbols, days=range(DAYS)):
    for day in days:
        rows = sorted((at, s, price, size) for s in symbols for at, price, size in trades(s, day))
        batch = [r for at, s, price, size in rows for r in (("", at), (s, at, int(round(price * 1e9)), size * 10 ** 8))]
        d.send([(*r, *[0] * (4 - len(r)), d.seq + i) for i, r in enumerate(batch)] + [("", ns(day + 1, 60), 0, 0, 0)])
    d.settle()


def rows(answer, name):
    return {row["ticker"]: row for row in answer[name]}


def near(got, want, what):
    assert got is not None and abs(got - want) <= 1e-9 * max(1, abs(want)), (what, got, want)


def late_trade(d):
    """Into the last day, whose bar was said already: its close from now on, which is returned."""
    close = round(rp.bars_of("AAPL")[-1]["c"] * 1.002, 2)
    d.send([("AAPL", trades("AAPL", DAYS - 1)[-1][0] + 30 * tb.SECOND, int(round(close * 1e9)), 10 ** 8, d.seq)])
    d.settle()
    return close


def without_time(answer):
    answer = copy.deepcopy(answer)
    answer.get("report", answer).pop("execution_time_seconds")
    return answer


def what_was_seen_live_goes_on_where_the_vendor_ends(d):
    d.fetch(SYMBOLS + ["PAST"])
    feed(d, SYMBOLS + ["LIVE"])
    answer = d.report("combined", SYMBOLS + ["PAST", "LIVE", "NOPE"], code=1)
    got, table = rows(answer, "price_details"), rows(answer, "technical_summary")
    assert [f["ticker"] for f in answer["failed"]] == ["NOPE"], answer["failed"]
    for s in SYMBOLS:
        own = own_bars(s)
        whole = pd.concat([d.frame(s)[own.columns], own], ignore_index=True)
        last = own.iloc[-1]
        assert got[s]["price_data"] == {"close": last["close"], "ohlcv": [dict(last)]}, (got[s], last)
        assert (got[s]["source"], got[s]["made_of"]) == ("tickbus", "exchange"), got[s]
        assert "freshest" in got[s]["reason"] and "first" in got[s]["reason"], got[s]
        assert got[s]["continues"] == {"source": "first", "bars": 252 - DAYS}, got[s]
        assert (got[s]["bars"], got[s]["bars_expected"]) == (252, 252), got[s]
        assert [a["source"] for a in got[s]["alternatives"]] == ["first"] and got[s]["missing_sources"] == ["second"], got[s]
        near(table[s]["sma_20"], whole["close"].tail(20).mean(), "sma_20")
        near(table[s]["bollinger_upper"], whole["close"].tail(20).mean() + 2 * whole["close"].tail(20).std(ddof=0), "upper")
        near(table[s]["roc_10"], 100 * whole["close"].pct_change(10).iloc[-1], "roc_10")
    assert got["PAST"]["source"] == "first" and got["PAST"]["made_of"] is got["PAST"]["continues"] is None, got["PAST"]
    assert got["LIVE"]["source"] == "tickbus" and got["LIVE"]["bars"] == DAYS and got["LIVE"]["continues"] is None, got["LIVE"]
    assert got["LIVE"]["missing_sources"] == ["first", "second"] and "only source" in got["LIVE"]["reason"], got["LIVE"]
    assert answer["report"]["timestamp"] == (FIRST + datetime.timedelta(days=DAYS)).strftime("%Y-%m-%dT00:00:00Z"), answer["report"]
    assert without_time(answer) == without_time(d.report("combined", SYMBOLS + ["PAST", "LIVE", "NOPE"], "--workers", "1", code=1))
    # Each symbol is by itself: what the others have, and how wild it is, changes nothing.
    d.send([r for i in range(20) for r in (("", ns(DAYS + 3, i), 0, 0, 0), ("WILD", ns(DAYS + 3, i), (1, 10 ** 15)[i % 2], 10 ** 8, d.seq + i))])
    d.settle()
    wild = d.report("combined", ["WILD", *SYMBOLS, "PAST", "LIVE"], "--window", "30", code=None)
    for name in ("price_details", "technical_summary", "combined_analysis"):
        for s in SYMBOLS:
            assert rows(wild, name)[s] == rows(d.report("combined", [s], "--window", "30"), name)[s], (name, s)
    answer = d.report("combined", SYMBOLS + ["PAST", "LIVE", "NOPE"], code=1)
    assert d.stop() == 0
    d.start()
    assert without_time(answer) == without_time(d.report("combined", SYMBOLS + ["PAST", "LIVE", "NOPE"], code=1))


def it_is_one_source_of_several(d):
    d.fetch(SYMBOLS)
    feed(d, SYMBOLS)
    assert rows(d.report("pricing", SYMBOLS, "--source", "first"), "price_details")["AAPL"]["source"] == "first"
    alone = rows(d.report("pricing", SYMBOLS, "--source", "tickbus"), "price_details")["AAPL"]
    assert (alone["source"], alone["bars"], alone["continues"]) == ("tickbus", DAYS, None), alone
    assert d.report("pricing", SYMBOLS, "--adjust", "all", code=1)["status"] == "failed", "the daemon's bars are raw"
    some = rows(d.report("pricing", SYMBOLS, "--end", (FIRST + datetime.timedelta(days=2)).isoformat()), "price_details")["AAPL"]
    assert some["price_data"]["close"] == own_bars("AAPL", range(2)).iloc[-1]["close"], some
    some = rows(d.report("pricing", SYMBOLS, "--start", FIRST.isoformat(), "--window", "2"), "price_details")["AAPL"]
    assert (some["source"], some["bars"], some["bars_expected"]) == ("tickbus", 2, 2), some
    minutes = rows(d.report("technical", SYMBOLS, "--timeframe", "1m"), "technical_summary")["AAPL"]
    near(minutes["sma_20"], sum(p for _, p, _ in trades("AAPL", DAYS - 1)[-20:]) / 20, "sma_20 of minutes")
    # A trade that comes late revises the day; one that is not the same thing is not joined to a past.
    close = late_trade(d)
    late = rows(d.report("pricing", SYMBOLS), "price_details")["AAPL"]
    assert late["price_data"]["close"] == close != own_bars("AAPL").iloc[-1]["close"] and late["bars"] == 252, late
    d.first.bars = lambda s: [dict(b, **{k: round(b[k] * 100, 2) for k in "ohlc"}) for b in rp.bars_of(s)]
    d.fetch(["PENCE"])
    d.send([("", ns(DAYS, 120), 0, 0, 0), ("PENCE", ns(DAYS, 120), int(rp.bars_of("PENCE")[-1]["c"] * 10 ** 9), 10 ** 8, d.seq), ("", ns(DAYS + 1, 60), 0, 0, 0)])
    d.settle()
    pence = rows(d.report("pricing", ["PENCE"]), "price_details")["PENCE"]
    assert (pence["source"], pence["bars"], pence["continues"]) == ("tickbus", 1, None), pence


def article(number, day, headline, *symbols, **more):
    stamp = datetime.datetime.fromtimestamp(ns(day) // tb.SECOND, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": str(number), "time": stamp, "headline": headline, "symbols": list(symbols), **more}


def news_are_what_was_fetched_and_what_came_live_each_once(d):
    d.fetch_news(["AAPL"])
    news = [article(1, 0, "MSFT beats estimates", "MSFT", url="https://news.example/1", publisher="Wire"),
            article(2, 1, "MSFT plunges after a profit warning", "MSFT", "AAPL"),
            article(3, 1, "MSFT and others open a plant", "MSFT"), article(4, 2, "MSFT beats estimates", "MSFT")]
    assert tb.feed_json(d, json.dumps({"producer": "n", "source": "wire", "news": news}))["accepted"] == 4
    later = {**news[2], "headline": "MSFT surges to a record high", "updated": news[3]["time"]}
    assert tb.feed_json(d, json.dumps({"producer": "n", "source": "wire", "news": [later]}))["accepted"] == 1
    d.settle()
    answer = d.report("news", ["AAPL", "MSFT", "QUIET"], "--articles", "10", "--repeat", "2h")
    got = rows(answer, "news")
    assert (answer["status"], answer["securities_with_news"]) == ("success", 2), answer
    assert got["AAPL"]["articles"][0]["headline"] == news[1]["headline"], "the newest came live"
    assert [a["headline"] for a in got["AAPL"]["articles"][1:]] == [a["headline"] for a in rp.news_of("AAPL")[::-1][:9]], got["AAPL"]
    # What was fetched and came live, too, is one article, in its newest edition.
    same = {**rp.news_of("AAPL")[-1]}
    same = {"id": str(same["id"]), "time": same["created_at"], "headline": same["headline"], "symbols": ["AAPL"]}
    edit = {**same, "id": str(rp.news_of("AAPL")[-2]["id"]), "headline": "AAPL is corrected", "updated": news[1]["time"]}
    assert tb.feed_json(d, json.dumps({"producer": "n", "source": "first", "news": [same, edit]}))["accepted"] == 2
    d.settle()
    both = rows(d.report("news", ["AAPL"], "--articles", "10", "--repeat", "2h"), "news")["AAPL"]
    assert [a["headline"] for a in both["articles"]] == [edit["headline"], news[1]["headline"], same["headline"],
                                                         *[a["headline"] for a in rp.news_of("AAPL")[::-1][2:9]]], both
    assert both["article_count"] == got["AAPL"]["article_count"], both
    said = got["MSFT"]["articles"]
    assert [a["headline"] for a in said] == [later["headline"], news[3]["headline"], news[1]["headline"], news[0]["headline"]], said
    near(got["MSFT"]["avg_sentiment"], sum(a["sentiment"] for a in said) / 4, "mean")
    assert said[3]["url"] == "https://news.example/1" and said[3]["source"] == "Wire", said[3]


def the_archive_says_what_the_store_says(d):
    if not EXE:
        print("# no libduckdb")
        return
    other = World(archive=True)
    try:
        other.start()
        answers = []
        for x in (d, other):
            x.fetch(SYMBOLS)
            feed(x, SYMBOLS)
            close = late_trade(x)
            answers.append([without_time(x.report("combined", SYMBOLS, *more)) for more in (
                (), ("--window", "2"), ("--timeframe", "1m"), ("--end", FIRST.isoformat()),
                ("--start", FIRST.isoformat(), "--end", (FIRST + datetime.timedelta(days=2)).isoformat()))])
        assert answers[0] == answers[1], answers
        assert other.ctl("report", "pricing", "--symbols", "AAPL", what="stderr") == "", "the archive was not asked"
        assert rows(answers[1][0], "price_details")["AAPL"]["price_data"]["close"] == close, answers[1][0]
    finally:
        other.remove()


def headlines(d):
    return [h["id"] for h in d.admin("headlines", n=200)["result"]["headlines"]]


def sent_news(d):
    """Three days of articles: of two symbols, at one time, in editions, with the letters of the world; the last day is open."""
    news = [article(10 * day + i, day, f"{['MSFT beats', 'Shares plunge', 'Apple surges', 'A probe widens'][(day + i) % 4]} {day}.{i} \u00d6\u20ac",
                    *[["MSFT"], ["MSFT", "AAPL"], ["AAPL"]][i % 3], publisher="W\u00efre", **({"url": f"https://n.example/{i}"} if i % 2 else {}))
            for day in range(DAYS) for i in range(8)]
    long = article("long", 0, "\u20ac5 surges " * 40, "MSFT")
    edits = [{**news[1], "headline": "MSFT upgraded", "updated": news[9]["time"]}, {**news[2], "headline": "Apple is downgraded"}]
    for day in range(DAYS):
        d.send([("", ns(day, 1), 0, 0, 0)])
        batch = [a for a in [*news, long] if a["time"] == news[8 * day]["time"]] + (edits if day == 1 else [])
        assert tb.feed_json(d, json.dumps({"producer": "n", "source": "wire", "news": batch}))["accepted"] == len(batch)
        d.settle()  # rows of a day each, so that retention can take them
    d.send([("", ns(DAYS - 1, 3600), 0, 0, 0)])
    d.settle()


def told(d):
    day = [(FIRST + datetime.timedelta(days=i)).isoformat() for i in range(DAYS)]
    return [without_time(d.report(flow, ["AAPL", "MSFT", "QUIET"], "--articles", "50", "--news-window", "9d", *more, code=None))
            for flow in ("news", "combined") for more in ((), ("--start", day[0], "--end", day[1]), ("--start", day[1], "--end", day[2]))]


def news_that_retention_has_taken_come_from_the_archive(d):
    if not EXE:
        print("# no libduckdb")
        return
    sent_news(d)
    other = World(archive=True)
    try:
        other.start()
        sent_news(other)
        before = told(other)
        assert before == told(d), "the archive says what the store says"
        assert rows(before[1], "news")["MSFT"]["article_count"] == 7 and rows(before[0], "news")["AAPL"]["article_count"] > 10, before
        assert other.stop() == 0
        with open(other.config, "a", encoding="ascii") as f:
            f.write("derived: {retain: 1s}\n")
        other.start()
        other.send([("", ns(DAYS - 1, 7200), 0, 0, 0)])
        end = time.monotonic() + 240
        while "1" in headlines(other):
            assert time.monotonic() < end, headlines(other)
            time.sleep(0.1)
        assert told(other) == before
        # Where it cannot be asked, that is said, and the store has what it has.
        path, os.environ["PATH"] = os.environ["PATH"], "/nonexistent"
        try:
            said = other.ctl("report", "news", "--symbols", "MSFT", "--json", "--vader", os.devnull, what="stderr", code=None)
        finally:
            os.environ["PATH"] = path
        assert "the archive cannot be asked: of the daemon's articles those count that its store holds" in said, said
    finally:
        other.remove()


if pd is None:
    print("1..0 # skip: no pandas")
    sys.exit(0)
sys.exit(tb.tap([what_was_seen_live_goes_on_where_the_vendor_ends, it_is_one_source_of_several,
                 news_are_what_was_fetched_and_what_came_live_each_once, the_archive_says_what_the_store_says,
                 news_that_retention_has_taken_come_from_the_archive], World))
