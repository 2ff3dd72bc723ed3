#!/usr/bin/env python3
"""News of vendors without a stream of them, asked for by the daemon: news_poll_test.py TICKBUSD TICKBUSCTL

The vendors are newsvendor.py; what they published is compared with the events.  Nothing waits for a time: the vendor counts its
questions, and a test goes on when there were enough.  Prints TAP.
"""
import json
import os
import subprocess
import sys
import time

import newsblocks
import tickbusd as tb
from newsvendor import KEY, NewsVendor, seconds

BINARY, CTL = sys.argv[1], sys.argv[2]
UPDATE = 1
HOUR = 3600
CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
ingest: {{settle: 0s}}
vendors:
  polygon: {{base_url: "{url}", requests: 1000, per: 1s, attempts: {attempts}}}
  yahoo: {{base_url: "{url}", requests: 1000, per: 1s, attempts: {attempts}}}
"""
PNEWS = """
feeds:
  pnews: {vendor: polygon, news: true, trades: false, symbols: [AAPL, MSFT], every: 1s, source: polygon}
"""
BOTH = """
feeds:
  pnews: {vendor: polygon, news: true, trades: false, symbols: [AAPL, MSFT], every: 1s, source: polygon,
    refill_overlap: 2s}
  ynews: {vendor: yahoo, news: true, trades: false, symbols: [IBM], every: 1s, source: yahoo}
"""
running = []  # daemons and vendors of the present test


class Daemon(tb.Tickbusd):
    def __init__(self, vendor, feeds, attempts=1, key=KEY):
        super().__init__(BINARY, clock="wall", more=CONFIG.format(url=vendor.url, attempts=attempts) + feeds)
        self.key = key
        running.append(self)

    def start(self, **more):
        return super().start(**{"env": {"TICKBUS_POLYGON_KEY": self.key}, **more})


def vendor(**more):
    running.append(NewsVendor(**more))
    return running[-1]


def ctl(d, *args):
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "--port", str(d.port["ingest"]), *args],
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def source(d, name="polygon"):
    return next((s for s in d.admin("sources")["result"]["sources"] if s["source"] == name), {})


def until(what, true, d):
    end = time.monotonic() + 240
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}: {d.admin('sources')} {d.admin('gaps')}"
        time.sleep(0.02)


def events(d):
    return newsblocks.unpack_all(d.events("news"))


def newest(d):
    return {(e["id"], e["symbol"]): e["headline"] for e in events(d)}


def metric(d, name, feed="pnews"):
    key = f'tickbus_live_{name}{{feed="{feed}"}} '
    return next(int(line[len(key):]) for line in d.http("/metrics")[1].splitlines() if line.startswith(key))


def more_polls(d, n=2, name="polygon"):
    was = source(d, name).get("polls", 0)
    until(f"{n} more rounds", lambda: source(d, name).get("polls", 0) >= was + n, d)


def each_edition_once(d):
    got = [(e["source_id"], e["id"], e["symbol"], e["edition"]) for e in events(d)]
    assert len(set(got)) == len(got), got
    return got


def verified(d):
    code, out, err = ctl(d, "verify", "--json")
    assert code == 0, out + err


def articles_come_once_are_edited_and_survive_kills():
    v = vendor()
    now = int(time.time())
    for i in range(7):
        v.publish(f"Apple beats estimates {i}", "MSFT" if i % 3 == 0 else "AAPL", "AAPL", at=now - 3000 + 60 * i, number=f"a{i}")
    v.publish("Old news", "AAPL", at=now - 26 * HOUR, number="old")
    d = Daemon(v, PNEWS).start()
    want = {k: h for k, h in v.want().items() if k[0] != "old"}
    until("what was there", lambda: newest(d) == want, d)
    got = events(d)
    assert [e["event_ns"] for e in got] == sorted(e["event_ns"] for e in got), "the oldest first, whoever was asked first"
    assert any("cursor" in q for q in v.questions()), "there were pages"
    more_polls(d)
    assert len(events(d)) == len(got)
    v.publish("Apple misses estimates", "MSFT", "AAPL", number="a3")  # edited; the same time, as Polygon has it
    v.publish("Microsoft plunges", "MSFT")
    want = {k: h for k, h in v.want().items() if k[0] != "old"}
    until("an edit and a new one", lambda: newest(d) == want, d)
    assert [e["flags"] & UPDATE for e in events(d) if e["id"] == "a3"] == [0, 0, UPDATE, UPDATE]
    for turn in range(3):
        d.kill()
        v.publish(f"Said while the daemon was dead {turn}", "AAPL", "MSFT")
        d.start()
        want = {k: h for k, h in v.want().items() if k[0] != "old"}
        until("what was said meanwhile", lambda: newest(d) == want, d)  # noqa: B023
    until("no gap", lambda: source(d).get("state") == "live", d)
    more_polls(d)
    assert len(each_edition_once(d)) == len(want) + 2
    assert d.admin("gaps")["result"]["open"] == d.admin("gaps")["result"]["lost"] == 0
    assert metric(d, "polls_total") > 0 and metric(d, "blind") == 0
    s = source(d)
    assert s["vendor"] == "polygon" and s["blind"] is False and s["doubles"] > 0 and s["why"] == "" and s["good_until"], s
    assert ctl(d, "sources")[0] == 0
    verified(d)
    assert d.stop() == 0


def a_kill_between_two_pages_loses_and_doubles_nothing():
    v = vendor()
    now = int(time.time())
    for i in range(9):
        v.publish(f"Number {i}", "AAPL", at=now - 900 + i)
    v.gate.clear()
    d = Daemon(v, PNEWS).start()
    until("a second page to be asked for", lambda: any("cursor" in q for q in v.questions()), d)
    d.kill()
    v.gate.set()
    d.start()
    until("all", lambda: newest(d) == v.want(), d)
    more_polls(d)
    assert len(each_edition_once(d)) == 9
    verified(d)
    assert d.stop() == 0


def what_is_polled_is_what_is_imported():
    v = vendor(page=3)
    now = int(time.time())
    for i in range(20):
        v.publish(f"{'Apple rallies' if i % 2 else 'Shares plunge'} {i % 5}", *[["AAPL"], ["MSFT", "AAPL"], ["MSFT"]][i % 3],
                  at=now - 20 * HOUR + 1800 * (i // 2), number=f"x{99 - i}")
    polled = Daemon(v, PNEWS).start()
    until("all", lambda: newest(polled) == v.want(), polled)
    imported = Daemon(v, "").start()
    code, _, err = ctl(imported, "ingest", "AAPL", "MSFT", "--vendor", "polygon", "--start", "2020-01-01", "--what", "news")
    assert code == 0, err
    code, out, err = ctl(imported, "news", "import", "--from-history", "--json", "AAPL", "MSFT")
    assert (code, json.loads(out)["accepted"]) == (0, 20), (out, err)
    n = len(events(polled))
    newsblocks.settled(imported, n)

    def told(d):
        return [{k: x for k, x in e.items() if k not in ("pos", "chain")} for e in events(d)]
    assert told(imported) == told(polled), "score, aggregates, order and sequences"
    # And into the log that has them already they bring nothing.
    code, _, err = ctl(polled, "ingest", "AAPL", "MSFT", "--vendor", "polygon", "--start", "2020-01-01", "--what", "news")
    assert code == 0, err
    code, out, err = ctl(polled, "news", "import", "--from-history", "--json", "AAPL", "MSFT")
    assert (code, json.loads(out)["accepted"], json.loads(out)["duplicate"]) == (0, 0, 20), (out, err)
    assert polled.stop() == 0 and imported.stop() == 0


def the_command_and_the_events_agree_on_the_same_articles():
    v = vendor(page=4)
    now = int(time.time())
    for i in range(90):  # five days, with repeats, near and far
        v.publish(["Apple rallies", "Shares plunge!", "shares  PLUNGE", "A new plant", "Profit warning"][i * 7 % 5] + ("" if i % 4 else f" {i // 9}"),
                  *[["AAPL"], ["MSFT", "AAPL"], ["MSFT"]][i % 3], at=now - 5 * 24 * HOUR + 4780 * i)
    d = Daemon(v, f"news: {{vader: {os.devnull}}}\n").start()
    code, _, err = ctl(d, "ingest", "AAPL", "MSFT", "--vendor", "polygon", "--start", "2020-01-01", "--what", "news")
    assert code == 0, err
    code, out, err = ctl(d, "news", "import", "--from-history", "--json", "AAPL", "MSFT")
    assert (code, json.loads(out)["accepted"]) == (0, 90), (out, err)
    newsblocks.settled(d, 120)
    shown = {h["symbol"]: h for h in d.admin("headlines", n=200)["result"]["headlines"][::-1]}  # as the page has them
    code, out, err = ctl(d, "news", "AAPL", "MSFT", "--window", "1d", "--half-life", "6h", "--json", "--vader", os.devnull)
    assert code == 0, err
    answer = json.loads(out)
    for t in answer["tickers"]:
        e = [e for e in events(d) if e["symbol"] == t["ticker"]][-1]
        assert e["lexicon"] == answer["lexicon_version"] == shown[t["ticker"]]["lexicon"], (e, answer)
        for ours, theirs in (("article_count", "articles"), ("avg_sentiment", "average"), ("weighted_sentiment", "weighted"),
                             ("positive_share", "positive"), ("negative_share", "negative")):
            assert t[ours] == e[theirs] == shown[t["ticker"]][theirs], (ours, t, e, shown[t["ticker"]])
        assert 3 < t["article_count"] < 20 and t["repeats"] > 0, t
    whole = json.loads(ctl(d, "news", "AAPL", "MSFT", "--json", "--vader", os.devnull)[1])["tickers"]
    assert all(w["article_count"] > t["article_count"] for w, t in zip(whole, answer["tickers"])), (whole, answer)
    assert d.stop() == 0


def an_outage_is_said_harms_no_other_and_is_filled_by_the_next_answer():
    v = vendor()
    v.publish("Before", "AAPL", "IBM")
    d = Daemon(v, BOTH).start()
    until("both to be live", lambda: source(d).get("state") == source(d, "yahoo").get("state") == "live", d)
    with v.lock:
        v.fails = lambda path, q: (500, {}, {"status": "ERROR", "error": "out of order"}) if "ticker" in q else None
        good, other = ([q for q in v.asked if q.get("ticker") == s and "cursor" not in q][-1] for s in ("AAPL", "MSFT"))
    until("the failure", lambda: source(d)["state"] == "waiting", d)
    v.publish("During the outage", "AAPL", "MSFT")
    v.publish("Meanwhile elsewhere", "IBM")
    until("two failures", lambda: source(d)["failures"] >= 6, d)
    s = source(d)
    assert s["blind"] and "500" in s["why"] and "out of order" in s["why"], s
    assert s["good_until"] == min(good["published_utc.lt"], other["published_utc.lt"]), (s, good, other)
    assert ctl(d, "sources")[0] == 1 and metric(d, "blind") == 1 and metric(d, "refill_failures_total") >= 6
    until("the other to have gone on", lambda: ("n3", "IBM") in newest(d), d)
    assert source(d, "yahoo")["state"] == "live" and source(d, "yahoo")["failures"] == 0
    open_ = d.admin("gaps")["result"]
    assert open_["open"] > 0 and all("500" in g["why"] for g in open_["gaps"] if g["symbol"] == "AAPL"), open_
    d.kill()  # what is owed is known after a crash
    d.start()
    with v.lock:
        v.fails = None
        failed = len([q for q in v.asked if q.get("ticker") == "AAPL"])
    until("what was missed", lambda: ("n2", "MSFT") in newest(d) and source(d)["state"] == "live", d)
    until("no hole", lambda: d.admin("gaps")["result"]["open"] == 0, d)
    first = [q for q in v.questions("AAPL")[failed:] if "cursor" not in q][0]
    assert abs(seconds(good["published_utc.lt"]) - 2 - seconds(first["published_utc.gte"])) < 0.001, "from where the last good answer ended"
    assert d.admin("gaps")["result"]["lost"] == 0
    each_edition_once(d)
    v.fails = lambda path, q: (429, {"Retry-After": "1"}, {"status": "ERROR", "error": "exceeded the maximum requests"})
    until("429", lambda: "429" in source(d)["why"] and "429" in source(d, "yahoo")["why"], d)
    v.fails = lambda path, q: (200, {}, {"status": "OK", "results": "rubbish"}) if "ticker" in q else None
    until("rubbish", lambda: source(d, "yahoo")["why"] == "" and "cannot be read" in source(d)["why"], d)
    v.fails = None
    v.publish("After all of it", "MSFT", "IBM")
    until("all", lambda: {k for k in v.want() if k[1] != "IBM"} <= set(newest(d)), d)
    assert d.stop() == 0


def what_the_log_refuses_is_not_sent_every_time():
    v = vendor()
    v.publish("", "AAPL")  # no headline
    v.publish("Good", "AAPL")
    d = Daemon(v, PNEWS).start()
    until("it", lambda: len(newest(d)) == 1, d)
    more_polls(d, 3)
    assert source(d)["refused"] == 1 and source(d)["doubles"] > 0, source(d)
    v.publish("Better", "AAPL", number="n1")
    until("its headline", lambda: newest(d) == v.want(), d)
    v.publish("Worse", "AAPL", number="n1")
    until("another", lambda: newest(d) == v.want(), d)
    v.publish("Better", "AAPL", number="n1")  # taken back
    until("the one before", lambda: newest(d) == v.want(), d)
    assert [e["edition"] for e in events(d) if e["id"] == "n1"] == [1, 2, 3]
    assert d.stop() == 0


def one_symbol_that_fails_keeps_no_other_from_its_news():
    v = vendor()
    v.fails = lambda path, q: (500, {}, {"status": "ERROR", "error": "not today"}) if q.get("ticker") == "AAPL" else None
    d = Daemon(v, PNEWS).start()
    for i in range(3):
        v.publish(f"Microsoft {i}", "MSFT")
        until("it", lambda: (f"n{i + 1}", "MSFT") in newest(d), d)  # noqa: B023
    until("the reason", lambda: "not today" in source(d)["why"], d)
    assert source(d)["state"] == "live" and not source(d)["blind"], source(d)
    open_ = d.admin("gaps")["result"]["gaps"]
    assert any(g["symbol"] == "AAPL" and "not today" in g["why"] for g in open_), open_
    v.publish("Apple", "AAPL")
    v.fails = None
    until("the other", lambda: newest(d) == v.want() and source(d)["why"] == "" and d.admin("gaps")["result"]["open"] == 0, d)
    assert d.stop() == 0


def a_bad_key_is_said_and_never_repeated():
    v = vendor()
    d = Daemon(v, PNEWS, key="WRONG-KEY-98765").start()
    until("the refusal", lambda: source(d).get("state") == "failed", d)
    assert "holds the key" in source(d)["why"] and source(d)["blind"], source(d)
    assert "WRONG-KEY" not in d.errors() and "WRONG-KEY" not in json.dumps(d.admin("sources")) + json.dumps(d.admin("gaps"))
    assert metric(d, "refusals_total") >= 1
    assert len(v.questions()) == 1, "a key that was refused is not tried for the next symbol"
    assert d.stop() == 0


def yahoo_says_its_newest_only_and_what_is_older_is_lost_and_said():
    v = vendor()
    now = int(time.time())
    for i in range(120):
        v.publish(f"Number {i}", "IBM", at=now - 12 * HOUR + 60 * i)
    v.publish("About nobody", at=now - 60)
    v.publish("About others", "QQQ", at=now - 50)
    real = v.of  # a search finds what was not asked for
    v.of = lambda symbol: sorted([*real(symbol), v.articles["n121"], v.articles["n122"]], key=lambda a: a["at"])
    d = Daemon(v, "feeds:\n  ynews: {vendor: yahoo, news: true, trades: false, symbols: [IBM], every: 1s}\n").start()
    until("the newest", lambda: len(newest(d)) == 98, d)
    assert set(newest(d)) == {(f"n{i + 1}", "IBM") for i in range(22, 120)}
    until("the ledger", lambda: d.admin("gaps")["result"]["lost"] == 1, d)
    gap = d.admin("gaps")["result"]["gaps"][0]
    assert "newest 100 articles only" in gap["why"] and abs(seconds(gap["to"]) - (now - 12 * HOUR + 60 * 22)) < 1, gap
    assert source(d, "ynews")["nameless"] >= 2 and metric(d, "nameless_articles_total", "ynews") >= 2
    more_polls(d, name="ynews")
    assert d.admin("gaps")["result"]["lost"] == 1 and len(events(d)) == 98
    assert d.stop() == 0


def an_answer_without_end_is_asked_for_in_pieces():
    v = vendor(page=1)
    now = int(time.time())
    for i in range(150):
        v.publish(f"Number {i}", "AAPL", at=now - 23 * HOUR + 500 * i)
    d = Daemon(v, PNEWS).start()
    until("all", lambda: newest(d) == v.want(), d)
    until("live", lambda: source(d)["state"] == "live" and d.admin("gaps")["result"]["open"] == 0, d)
    assert metric(d, "polls_shortened_total") >= 1 and d.admin("gaps")["result"]["lost"] == 0
    assert "AAPL has more than 100 pages from" in d.errors() and "shorter pieces" in d.errors()
    each_edition_once(d)
    assert d.stop() == 0


def main():
    tests = [articles_come_once_are_edited_and_survive_kills, the_command_and_the_events_agree_on_the_same_articles, a_kill_between_two_pages_loses_and_doubles_nothing,
             what_is_polled_is_what_is_imported, an_outage_is_said_harms_no_other_and_is_filled_by_the_next_answer,
             what_the_log_refuses_is_not_sent_every_time, one_symbol_that_fails_keeps_no_other_from_its_news, a_bad_key_is_said_and_never_repeated,
             yahoo_says_its_newest_only_and_what_is_older_is_lost_and_said, an_answer_without_end_is_asked_for_in_pieces]

    def whole(test):
        def run(_):
            try:
                test()
            except AssertionError as e:
                logs = "".join(x.errors()[-2000:] for x in running if isinstance(x, Daemon))
                raise AssertionError(f"{e}\n{logs}") from e
            finally:
                while running:
                    x = running.pop()
                    (x.remove if isinstance(x, Daemon) else x.close)()
        run.__name__ = test.__name__
        return run
    return tb.tap([whole(t) for t in tests], Nothing)


class Nothing:
    """The world of a test that makes its own."""
    def start(self):
        return self

    def remove(self):
        pass

    def errors(self):
        return ""


sys.exit(main())
