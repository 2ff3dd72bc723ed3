#!/usr/bin/env python3
"""Files of feeds through `tickbusctl news import` into events: rss_test.py TICKBUSD TICKBUSCTL

Every event is compared with what rssparts.py, a reader of its own on Python's library, says of the same bytes.
Prints TAP.
"""
import json
import os
import subprocess
import sys

import newsblocks
import rssparts
import tickbusd as tb

BINARY, CTL = sys.argv[1], sys.argv[2]
T0 = tb.START // tb.SECOND


def world():
    return tb.Tickbusd(BINARY)


def run(d, *args, data=None):
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "--port", str(d.port["ingest"]), "news", "import",
                           "--json", *args], input=data, capture_output=True)
    return done.returncode, json.loads(done.stdout or b"{}"), done.stderr.decode()


def write(d, name, data):
    path = os.path.join(d.dir, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def taken(e):
    return e["id"], e["headline"], e["url"], e["event_ns"] / 1e9


def cut(row):
    """An event has 256 bytes of headline and an URL only whole."""
    return row[0], row[1].encode()[:256].decode(errors="ignore"), row[2] if len(row[2]) <= 200 else "", row[3]


def every_kind_and_encoding_is_what_another_reader_says(d):
    files = {
        "rss.xml": rssparts.encoded(rssparts.rss(rssparts.TITLES, T0), "UTF-8"),
        "cdata.xml": rssparts.encoded(rssparts.rss(rssparts.TITLES, T0, cdata=True), "UTF-8"),
        "rdf.xml": rssparts.encoded(rssparts.rdf(rssparts.TITLES, T0), "UTF-8"),
        "atom.xml": rssparts.encoded(rssparts.atom(rssparts.TITLES, T0), "UTF-8"),
        "wide.xml": rssparts.encoded(rssparts.rss(rssparts.TITLES, T0), "UTF-16"),
        "latin.xml": rssparts.encoded(rssparts.rss(rssparts.PLAIN, T0), "ISO-8859-1"),
        "windows.xml": rssparts.encoded(rssparts.rss(["\u20ac 5 \u2013 \u201cup\u201d", *rssparts.PLAIN], T0), "windows-1252")}
    n = 0
    for i, (name, data) in enumerate(files.items()):
        path = write(d, name, data)
        want = [cut(r) for r in rssparts.read(data, "https://wire.example/n/")]
        code, said, err = run(d, "--source", f"s{i}", "--symbols", "AAPL", path)
        assert (code, said) == (0, {"accepted": len(want), "duplicate": 0, "rejected": 0, "malformed": 0}), (name, said, err)
        got = [taken(e) for e in newsblocks.settled(d, n + len(want))[n:]]
        assert got == want, (name, [(g, w) for g, w in zip(got, want) if g != w])
        n += len(want)
        assert run(d, "--source", f"s{i}", "--symbols", "AAPL", path)[1]["duplicate"] == len(want)
    assert len(newsblocks.settled(d, n)) == n
    print(f"# {n} articles of {len(files)} files")


def symbols_are_those_of_the_feed_or_those_that_are_named(d):
    feed = ("<rss><channel>" + "".join(
        f"<item><title>{t}</title><guid>{i}</guid><category>{c}</category><pubDate>{rssparts.stamp(T0 + i, 'rss')}</pubDate></item>"
        for i, (t, c) in enumerate([("$AAPL up", ""), ("Two (NASDAQ: MSFT, AAPL)", ""), ("By category", "NYSE:IBM"), ("Nothing", "x")]))
        + "</channel></rss>").encode()
    code, said, err = run(d, "--symbols", "MSFT,AAPL IBM", "--match", "title,category", "-", data=feed)
    assert (code, said["accepted"], said["unmatched"]) == (0, 3, 1), (said, err)
    assert [(e["headline"], e["symbol"]) for e in newsblocks.settled(d, 4)] == [
        ("$AAPL up", "AAPL"), ("Two (NASDAQ: MSFT, AAPL)", "AAPL"), ("Two (NASDAQ: MSFT, AAPL)", "MSFT"), ("By category", "IBM")]
    assert run(d, "--match", "title", "-", data=feed)[0] == 64
    assert run(d, "--symbols", "A", "--match", "body", "-", data=feed)[0] == 64


def what_is_bad_is_named_and_the_rest_is_taken(d):
    good = f"<item><title>Good</title><guid>g</guid><pubDate>{rssparts.stamp(T0, 'rss')}</pubDate></item>"
    feed = f"<rss><channel>\n<item><title>No date</title></item>\n<item><title>x</title><pubDate>soon</pubDate></item>{good}</channel></rss>"
    code, said, err = run(d, "--symbols", "AAPL", "-", data=feed.encode())
    assert (code, said["accepted"], said["malformed"]) == (1, 1, 2), said
    assert "-:2: the item has no date" in err and "-:3: the item's date 'soon'" in err, err
    code, _, err = run(d, "--symbols", "AAPL", "-", data=b"<html><body>404</body></html>")
    assert code != 0 and "no RSS, RDF or Atom" in err, err
    bomb = b"<!DOCTYPE rss [<!ENTITY a '" + b"x" * 1000 + b"'>" + b"".join(
        b"<!ENTITY a%d '%s'>" % (i, (b"&a%d;" % (i - 1) if i > 1 else b"&a;") * 10) for i in range(1, 9)) + b"]><rss>&a8;</rss>"
    code, _, err = run(d, "--symbols", "AAPL", "-", data=bomb)
    assert code != 0 and "amplification" in err, err
    assert len(newsblocks.settled(d, 1)) == 1


sys.exit(tb.tap([every_kind_and_encoding_is_what_another_reader_says, symbols_are_those_of_the_feed_or_those_that_are_named,
                 what_is_bad_is_named_and_the_rest_is_taken], world))
