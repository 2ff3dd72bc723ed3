#!/usr/bin/env python3
"""Articles through the daemon, and what it says of them: news_test.py TICKBUSD TICKBUSCTL

Every event is compared with `tickbusctl sentiment`, the totals with sums made here by the definitions of docs/NEWS.md.
Titles of ../shared/data/news are among the articles where they are.  Prints TAP.
"""
import csv
import gzip
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import time

import newsevents
import tickbusd as tb
from newsevents import CUT, LATE, REPEAT, UPDATE, send, stamp, unpack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
import sentiment_judge  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
SHARED = pathlib.Path(os.environ.get("TICKBUS_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
TITLES = SHARED / "data/news/analyst_ratings_processed_part1.csv.gz"
VADER = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share") / "tickbus/vader-1.1.3/vader_lexicon.txt"
T0 = tb.START // tb.SECOND


def article(number, second, headline, *symbols, **more):
    return newsevents.article(number, T0 + second, headline, *symbols, **more)


def events(d):
    return [unpack(b) for b in d.events("news")]


def settled(d, n):
    end = time.monotonic() + 240
    while len(d.events("news")) < n:
        assert time.monotonic() < end, f"only {len(d.events('news'))} of {n} events"
        time.sleep(0.02)
    return events(d)


def scores(headlines):
    more = ["--vader", str(VADER)] if VADER.exists() else []
    out = subprocess.run([CTL, "sentiment", "--json", *more, "-"], input="".join(h + "\n" for h in headlines).encode(),
                         check=True, capture_output=True).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


def world():
    more = f"news: {{vader: {VADER}}}" if VADER.exists() else ""
    return tb.Tickbusd(BINARY, more=more)


def titles(n=1500):
    if not TITLES.exists():
        print("# no news set: made headlines alone")
        return []
    with gzip.open(TITLES, "rt", encoding="utf-8", newline="") as f:
        rows = [r for r in csv.DictReader(f) if (r["stock"] or "-").isupper() and len(r["stock"]) < 6 and len(r["title"]) < 500]
    return [(" ".join(r["title"].split()), r["stock"]) for r in rows[:n]]


MADE = [("Apple beats estimates, shares surge", "AAPL"), ("Apple plunges after profit warning", "AAPL"),
        ("Microsoft opens an office in \u00d6rebro \u2014 \u20ac5 million", "MSFT"), ("Regulators probe Microsoft", "MSFT"),
        ("Apple beats estimates!", "AAPL"), ("Fed holds rates, traders shrug", "AAPL")]


class Desk:
    """The window of one symbol, from the definition."""

    def __init__(self):
        self.items, self.newest = {}, -math.inf

    def add(self, key, second, title, compound):
        self.newest = max(self.newest, second)
        if self.newest - second >= 86400:
            return LATE
        self.items.pop(key, None)
        same = "".join(c.lower() if c.isascii() and c.isalnum() or ord(c) > 127 else " " for c in title).split()
        if any(same == t and abs(s - second) < 86400 for s, t, _ in self.items.values()):
            return REPEAT
        self.items[key] = (second, same, compound)
        if len(self.items) > 1024:  # docs/NEWS.md: the newest so many
            del self.items[min(self.items, key=lambda k: self.items[k][0])]
        return 0

    def totals(self):
        live = [(s, c) for s, _, c in self.items.values() if self.newest - s < 86400]
        if not live:
            return None
        weights = [2 ** (-(self.newest - s) / 21600) for s, _ in live]
        return (sum(c for _, c in live) / len(live), sum(w * c for w, (_, c) in zip(weights, live)) / sum(weights),
                sum(c >= 0.05 for _, c in live) / len(live), sum(c <= -0.05 for _, c in live) / len(live), len(live))


def every_event_is_what_the_scorer_and_the_definitions_say(d):
    rows = MADE + titles()
    articles = [article(i, 60 * i % 200000, h, s) for i, (h, s) in enumerate(rows)]
    for i in range(0, len(articles), 500):
        reply = send(d, articles[i:i + 500])
        assert reply["accepted"] == len(articles[i:i + 500]), reply
    got = settled(d, len(rows))
    assert len(got) == len(rows), len(got)
    said, desks, seqs = scores([e["headline"] for e in got]), {}, {}
    for e, s, (title, symbol), a in zip(got, said, rows, articles):
        desk = desks.setdefault(symbol, Desk())
        seqs[symbol] = seqs.get(symbol, 0) + 1
        assert e["symbol"] == symbol and e["seq"] == seqs[symbol] and e["id"] == a["id"], e
        if not e["flags"] & CUT:
            assert e["headline"] == title, (e["headline"], title)
            assert [e["compound"], e["pos_share"], e["neu_share"], e["neg_share"]] == [s[k] for k in ("compound", "pos", "neu", "neg")], (e, s)
        assert e["lexicon"] == s["lexicon_version"], e
        flags = desk.add(e["article"], e["event_ns"] / 1e9, title, e["compound"])
        assert e["flags"] & ~CUT == flags, (e, flags)
        want = desk.totals()
        assert e["articles"] == want[4] and all(
            math.isclose(e[k], w, rel_tol=1e-9, abs_tol=1e-12)
            for k, w in zip(("average", "weighted", "positive", "negative"), want)), (e, want)
    print(f"# {len(rows)} articles, {sum(e['flags'] == REPEAT for e in got)} repeats")
    before = d.events("news")
    assert d.stop() == 0
    d.start()
    assert d.events("news") == before


def a_daemon_of_the_vader_flavour_says_what_the_npm_package_says(_):
    if not VADER.exists() or not shutil.which("node"):
        print("# the npm package or node is absent (tools/setup-news): not judged")
        return
    rows = [(" ".join(h.split()), s) for h, s in MADE + titles(None)] + [(h, "MADE") for h in sentiment_judge.made()[:1000] if h.strip()]
    d = tb.Tickbusd(BINARY, more=f"news: {{flavour: vader, vader: {VADER}}}")
    try:
        d.start()
        articles = [article(i, 60 * i % 80000, h, s) for i, (h, s) in enumerate(rows)]
        for i in range(0, len(articles), 500):
            reply = send(d, articles[i:i + 500])
            assert reply["accepted"] == len(articles[i:i + 500]), reply
        got = [e for e in settled(d, len(rows)) if not e["flags"] & CUT]
    finally:
        d.remove()
    theirs = sentiment_judge.npm([e["headline"] for e in got])
    assert len(theirs) == len(got) > 0.99 * len(rows), (len(theirs), len(got), len(rows))
    wrong = [(e["headline"], said) for e, said in zip(got, theirs)
             if any(abs(e[ours] - said[key]) > 5e-5 for ours, key in (
                 ("compound", "compound"), ("pos_share", "pos"), ("neu_share", "neu"), ("neg_share", "neg")))]
    assert not wrong, (len(wrong), wrong[:5])
    assert all(e["lexicon"].startswith("vader") for e in got), got[0]["lexicon"]
    print(f"# {len(got)} live events are those of the npm package")


def verified(d):
    out = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "verify", "--json"], capture_output=True, text=True)
    assert out.returncode == 0, out.stdout + out.stderr
    return json.loads(out.stdout)


def live_is_replay_with_a_kill_in_between(cut):
    whole = world().start()
    rows = [article(i, 40 * i, f"{h} ({i % 7})", s, "ALL") for i, (h, s) in enumerate(MADE * 30)]
    for d in (whole, cut):
        assert send(d, rows[:90])["accepted"] == 90
    settled(cut, 100)
    cut.kill()
    cut.start()
    for d in (whole, cut):
        assert send(d, rows[60:])["accepted"] == 90  # 30 of them are known
        settled(d, 360)
    cut.kill()
    cut.start()
    ours, theirs = settled(cut, 360), settled(whole, 360)

    def same(e):
        return {k: v for k, v in e.items() if k not in ("pos", "chain")}
    assert [same(e) for e in ours] == [same(e) for e in theirs]
    assert len({(e["symbol"], e["seq"]) for e in ours}) == 360
    end = time.monotonic() + 240
    kinds = {"equal": 0}
    while kinds["equal"] < 360 and time.monotonic() < end:  # it compares what is stored by then
        kinds = verified(cut)["kinds"]["news"]
    assert (kinds["equal"], kinds["different"], kinds["missing"], kinds["extra"]) == (360, 0, 0, 0), kinds
    assert cut.stop() == 0
    out = subprocess.run([BINARY, "--replay", cut.dir, "--out", os.path.join(cut.dir, "out"), "--format", "sbe"], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    with open(os.path.join(cut.dir, "out", "news.sbe"), "rb") as f:
        data = f.read()
    assert data.count(b"finance-1") == 360
    whole.remove()


def editions_and_duplicates(d):
    first = article(1, 0, "Apple beats &amp; raises guidance", "AAPL", url="https://example.com/1", publisher="Wire")
    assert send(d, [first, first])["duplicate"] == 1
    assert send(d, [first])["duplicate"] == 1
    later = {**first, "headline": "Apple misses", "updated": stamp(T0 + 60)}
    assert send(d, [later])["accepted"] == 1
    assert send(d, [first])["duplicate"] == 1, "an older edition"
    assert send(d, [first], source="other")["accepted"] == 1, "another source's"
    got = settled(d, 3)
    assert [(e["edition"], e["flags"], e["articles"]) for e in got] == [(1, 0, 1), (2, UPDATE, 1), (1, 0, 2)], got
    assert got[0]["headline"] == "Apple beats & raises guidance" and got[0]["url"] == first["url"]
    assert got[0]["publisher"] == "Wire" and got[0]["article"] == got[1]["article"] != got[2]["article"]


def what_is_no_article_is_refused_with_a_reason(d):
    good = article(1, 0, "Apple beats", "AAPL")
    bad = [({**good, "headline": "x" * 512}, "text_too_long"), ({**good, "headline": ""}, "headline_missing"),
           ({**good, "symbols": []}, "no_symbol"), ({**good, "symbols": ["a b"]}, "symbol_malformed"),
           ({**good, "url": "javascript:alert(1)"}, "url_malformed"), ({**good, "time": "soon"}, "time_invalid"),
           ({**good, "id": ""}, "malformed"), ({**good, "evil": 1}, "malformed"), (7, "malformed"),
           ({**good, "symbols": ["A"] * 33}, "text_too_long")]
    reply = send(d, [b for b, _ in bad] + [good])
    assert (reply["accepted"], reply["rejected"]) == (1, len(bad)), reply
    reasons = [r["reason"] for r in reply["runs"] if r["outcome"] == "rejected" for _ in range(r["n"])]
    assert reasons == [why for _, why in bad], reasons
    s = d.ingest()
    raw = json.loads(s.ask(b'{"producer":"t","source":"w","news":[{"id":"1","headline":"\xff"}]}'))
    assert raw["status"] == "malformed", raw
    for broken in ("{}", '{"producer":"t","source":"w","news":[],"ticks":[]}', '{"producer":"t","source":"w","news":[]}',
                   '{"producer":"t","source":"w","first_seq":1,"news":[{}]}'):
        assert tb.feed_json(d, broken)["status"] == "malformed", broken
    _, text = d.http("/metrics")
    assert f"tickbus_news_rejected_total {len(bad)}" in text and "tickbus_news_accepted_total 1" in text
    assert len(settled(d, 1)) == 1


def import_and_subscribe(d):
    admin = ["--admin", os.path.join(d.dir, "admin.sock"), "--port", str(d.port["ingest"])]
    lines, table = os.path.join(d.dir, "a.jsonl"), os.path.join(d.dir, "b.csv")
    with open(lines, "w", encoding="utf-8") as f:
        f.write(json.dumps(article(1, 0, "Apple beats", "AAPL")) + "\nnonsense\n" + json.dumps(article(2, 5, "Q", "msft")) + "\n")
    with open(table, "w", encoding="utf-8") as f:
        f.write('\ufefftitle,date,stock,other\n"Apple, again, plunges",2023-11-14 22:00:00-00:00,AAPL,x\nNo symbol,2023-11-14 22:00:00Z,,\n')
    done = subprocess.run([CTL, *admin, "news", "import", "--json", "--symbols", "SPY", lines, table], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout) == {"accepted": 3, "duplicate": 0, "rejected": 1, "malformed": 1}, done.stdout + done.stderr
    assert "a.jsonl:2:" in done.stderr and "a.jsonl:3: symbol_malformed" in done.stderr, done.stderr
    done = subprocess.run([CTL, *admin, "news", "import", "--json", table], capture_output=True, text=True)
    assert json.loads(done.stdout)["duplicate"] == 1, done.stdout
    got = settled(d, 3)
    assert [e["symbol"] for e in got] == ["AAPL", "AAPL", "SPY"] and got[1]["headline"] == "Apple, again, plunges"
    done = subprocess.run([CTL, *admin, "sub", "news", "--from", "oldest", "--format", "json", "--count", "3"], capture_output=True, text=True, timeout=240)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(s["event"], s["headline"], s["compound"]) for s in said] == [("NEWS_SENTIMENT", e["headline"], e["compound"]) for e in got], done
    done = subprocess.run([CTL, *admin, "sub", "news", "SPY", "--from", "oldest", "--format", "json", "--count", "1"], capture_output=True, text=True, timeout=240)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(s["symbol"], s["seq"], s["headline"]) for s in said] == [("SPY", 1, "No symbol")], done


sys.exit(tb.tap([every_event_is_what_the_scorer_and_the_definitions_say,
                 a_daemon_of_the_vader_flavour_says_what_the_npm_package_says, live_is_replay_with_a_kill_in_between,
                 editions_and_duplicates, what_is_no_article_is_refused_with_a_reason, import_and_subscribe], world))
