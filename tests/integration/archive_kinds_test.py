#!/usr/bin/env python3
"""Every kind under kill -9 and on a full disk: archive_kinds_test.py TICKBUS_ARCHIVE DUCKDB_DIR [KILLS]

Ticks, news and bars come in, archived and live, while the helper is killed at random moments and
while writes fail behind a random number of bytes.  In the end the files are those of an
archive that was never disturbed.  Prints TAP; without libduckdb it says so.
"""
import os
import random
import resource
import signal
import struct
import sys
import threading
import time

import newsevents
from archive_test import DUCKDB, EXE, JAN, NS, SEED, Archive, files_of, good, main, make_bars

KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 12
NULL = -2**63
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def tick(pos, symbol, event_ns):
    """struct event_tick (proto/event.h)."""
    r = random.Random(pos)
    price = 187 * 10**9 + r.randrange(10**9)
    return struct.pack("<QQqq 8q 8s IHBB 32s", pos, pos, event_ns, event_ns + 5, price,
                       100 * 10**8, price - 10**7, price + 10**7, NULL, NULL, pos, 0, b"@",
                       0, 1, 0, 0, symbol.encode())


def frames(ticks):
    """A bulk of put_frames: 100 events behind a header, a root and a group header; a tenth of the ticks as news, too."""
    out = b""
    for template, events in ((1, ticks), (5, [article(t) for t in ticks[::10]])):
        for i in range(0, len(events), 100):
            some = events[i:i + 100]
            frame = (struct.pack("<4H", 32, template, 7400, 1) + struct.pack("<QqQQ", 1, 0, 1, 1)
                     + struct.pack("<HH", len(some[0]), len(some)) + b"".join(some))
            out += struct.pack("<I", len(frame)) + frame
    return out


def article(t):
    """About the symbol of a tick, at its place."""
    pos, _, event_ns = struct.unpack_from("<QQq", t)
    return newsevents.pack(t[112:].rstrip(b"\0").decode(), pos, pos, event_ns, compound=pos % 7 / 7 - 0.5)


def two_days(n):
    """Ticks of three symbols in turn, over midnight."""
    begin = (JAN + 86400) * NS - n // 2 * NS
    return [tick(i + 1, ("AAPL", "EURUSD=X", "BTC/USD")[i % 3], begin + i * NS) for i in range(n)]


@test
def a_kill_at_any_moment_loses_nothing_of_any_kind(d):
    r = random.Random(SEED)
    ticks, bars = two_days(9000), make_bars(SEED, range(20000))
    still, hit = os.path.join(d, "still"), os.path.join(d, "hit")
    with Archive(still) as a:
        begin = time.monotonic()
        good(a.ask({"do": "put_frames", "sources": {"1": "sim"}}, frames(ticks)))
        takes = time.monotonic() - begin
        good(a.put("AAPL", bars))
    killed = 0
    for i in range(KILLS):
        upto = (i + 1) * len(ticks) // KILLS
        a = Archive(hit)
        assert good(a.ask({"do": "status"}))["bad"] == 0
        timer = threading.Timer(r.random() * takes, a.process.kill)
        timer.start()
        try:  # the pipe is full until the helper reads, so the kill may come in here
            a.send({"do": "put_frames", "sources": {"1": "sim"}}, frames(ticks[:upto]))
            a.send({"do": "live_frames", "first": True, "last": True}, frames(ticks[-500:]))
        except BrokenPipeError:
            pass
        timer.join()
        killed += a.receive() is None or a.receive() is None
        a.process.wait()
        with Archive(hit) as b:
            now = good(b.ask({"do": "verify"}))
            assert now["bad"] == 0, now
            for view, most in (("ticks", len(ticks)), ("news", len(ticks) // 10)):
                good(b.ask({"do": "query", "sql": f"SELECT count(*) FROM {view}", "format": "csv",
                            "out": os.path.join(d, "n.csv")}))
                with open(os.path.join(d, "n.csv")) as f:
                    seen = int(f.read().split()[1])
                assert seen <= most, f"something of {view} was seen twice"
    assert killed > 0, "no kill came before the answers"
    with Archive(hit) as a:
        good(a.ask({"do": "put_frames", "sources": {"1": "sim"}}, frames(ticks)))
        good(a.put("AAPL", bars))
        good(a.ask({"do": "live_frames", "first": True, "last": True}))
        assert good(a.ask({"do": "verify"}))["bad"] == 0
    assert {k: v for k, v in files_of(hit).items() if not k.startswith(".")} == files_of(still)
    assert len(os.listdir(os.path.join(hit, ".live"))) == 2, "old generations stay"
    return f"{killed} of {KILLS} kills came before the answers"


@test
def a_disk_that_is_full_at_any_moment_is_an_error_and_loses_nothing(d):
    r = random.Random(SEED + 1)
    ticks, bars = two_days(6000), make_bars(SEED, range(20000))
    still, hit = os.path.join(d, "still"), os.path.join(d, "hit")
    with Archive(still) as a:
        good(a.ask({"do": "put_frames"}, frames(ticks)))
        good(a.put("AAPL", bars))
    with Archive(hit) as a:
        good(a.ask({"do": "put_frames"}, frames(ticks[:3000])))
        good(a.put("AAPL", bars[:10000]))
    rows, refused = 13300, 0
    for _ in range(KILLS):
        limit = int(10 ** r.uniform(1.5, 5.7))

        def full():  # a write behind so many bytes of a file fails
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        with Archive(hit, full) as a:
            for answer in (a.ask({"do": "put_frames"}, frames(ticks)), a.put("AAPL", bars)):
                assert answer["ok"] or len(answer["error"]) > 20, (limit, answer)
                refused += not answer["ok"]
            a.ask({"do": "live_frames", "first": True, "last": True}, frames(ticks[-100:]))
        with Archive(hit) as a:
            now = good(a.ask({"do": "verify"}))
            assert now["bad"] == 0 and now["rows"] >= rows, (limit, now, rows)
            rows = now["rows"] if now["interrupted"] == 0 else rows
    assert refused > 0, "no disk was full"
    with Archive(hit) as a:
        good(a.ask({"do": "put_frames"}, frames(ticks)))
        good(a.put("AAPL", bars))
    assert {k: v for k, v in files_of(hit).items() if not k.startswith(".")} == files_of(still)
    return f"{refused} of {2 * KILLS} puts met the full disk"


if __name__ == "__main__":
    sys.exit(main(TESTS))
