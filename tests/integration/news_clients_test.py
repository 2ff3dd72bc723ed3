#!/usr/bin/env python3
"""Articles by the clients of Python and C, through two kills: news_clients_test.py TICKBUSD EXAMPLE_NEWS

What they acknowledge is in the log once, whatever the daemon did meanwhile.  Prints TAP.
"""
import pathlib
import subprocess
import sys
import threading

import newsblocks
import tickbusd as tb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "client/python"))
import tickbus  # noqa: E402

BINARY, EXAMPLE = sys.argv[1:3]


def the_python_client_sends_until_each_article_is_there_once(d):
    bus = {"ingest": f"tcp://127.0.0.1:{d.port['ingest']}"}
    rows = [{"id": str(i), "headline": f"Apple headline {i}", "time": tb.START + i * tb.SECOND, "symbols": ["AAPL"]} for i in range(400)]
    with tickbus.Publisher("wire", timeout=60, urls=bus) as pub:
        killer = threading.Thread(target=lambda: [(d.kill(), d.start()) for _ in range(2)])
        killer.start()
        acks = [pub.news(rows[i:i + 20]) for i in range(0, len(rows), 20)]
        killer.join()
        # What a lost answer made of the first try is a duplicate of the second.
        assert all(a.accepted + a.duplicate == 20 and not a.rejected for a in acks), acks
        assert pub.news(rows[:20]).duplicate == 20
    got = newsblocks.settled(d, len(rows))
    assert sorted(int(e["id"]) for e in got) == list(range(len(rows))), "each once"
    assert [e["edition"] for e in got] == [1] * len(rows)


def the_c_client_says_what_became_of_it(d):
    said = []
    while not {"accepted", "known already"} <= set(said):  # known: sent twice within a second, by its time the same
        assert len(said) < 100, said
        out = subprocess.run([EXAMPLE, str(d.port["ingest"]), "c-1", "Apple beats \u2014 in C", "AAPL", "MSFT"], capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        said.append(out.stdout.strip())
    got = newsblocks.settled(d, 2 * said.count("accepted"))
    assert {e["symbol"] for e in got} == {"AAPL", "MSFT"} and {e["headline"] for e in got} == {"Apple beats \u2014 in C"}
    assert len(got) == 2 * said.count("accepted"), "an edition for each second in which it was said"
    out = subprocess.run([EXAMPLE, str(d.port["ingest"]), "c-1", "", "AAPL"], capture_output=True, text=True)
    assert out.returncode == 1 and "headline is missing" in out.stderr, out


sys.exit(tb.tap([the_python_client_sends_until_each_article_is_there_once, the_c_client_says_what_became_of_it],
                lambda: tb.Tickbusd(BINARY)))
