"""What tests of the daemon's side of the archive share: days of ticks, a daemon with an archive and perhaps a vendor, and what
the archive then holds beside what catch-up gives.  The test's own arguments: TICKBUSD TICKBUSCTL [TICKBUS_ARCHIVE [KILLS]].
"""
import csv
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import fakevendor
import newsevents
from tickbusd import SECOND, Tickbusd, sbe_reply, sbe_ticks

DAEMON, CTL = sys.argv[1], sys.argv[2]
EXE = sys.argv[3] if len(sys.argv) > 3 else ""
SEED = int(os.environ.get("SEED", random.randrange(10 ** 6)))
MINUTE, DAY = 60 * SECOND, 86400 * SECOND
MIDNIGHT = 1_704_153_600 * SECOND  # 2024-01-02T00:00:00Z
SYMBOLS = ["AAPL", "BTC/USD", "BRK.B"]


def conf(program, **more):
    keys = {"every": "200ms", "after": "5m", "limit": "120s", "memory": "128MiB", "threads": 1, **more}
    return (f"archive: {{program: {program}, " + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}\n"
            "defaults: {timeframes: [1m, 5m]}\n"
            "tickers: {V1: {metadata: {sector: Made up, lot: 100}}, V3: {timezone: America/New_York}}\n")


def day_of_ticks(r, start, minutes):
    """(symbol, event_ns, price, size, seq); each minute a tick of each symbol, mostly.

    A clock record comes first: a tick far ahead of the log would be refused.
    """
    yield ("", start, 0, 0, 0)
    for m in range(minutes):
        for i, s in enumerate(SYMBOLS):
            if r.random() < 0.9:
                yield (s, start + m * 60 * SECOND + i * SECOND, (100 + i) * SECOND + r.randrange(10 ** 8) * 10,
                       100 * 10 ** 8, 0)
        yield ("", start + m * 60 * SECOND + 59 * SECOND, 0, 0, 0)


def all_ticks(days=1, minutes=30):
    """The last half hour of a day, the first of the next, of as many days."""
    r = random.Random(SEED)
    out = []
    for day in range(1, days + 1):
        out += day_of_ticks(r, MIDNIGHT + (day * 1440 - minutes) * MINUTE, minutes)
        out += day_of_ticks(r, MIDNIGHT + day * DAY, minutes)
    return out


def send(d, ticks, first_seq):
    """And an article behind each twentieth, always at the same place of the log."""
    s = d.ingest()
    seq, at = first_seq, 0
    while at < len(ticks):
        part = ticks[at:at + 20 - (seq - 1) % 20]
        got = sbe_reply(s.ask(sbe_ticks("p", "sim", seq, part)))
        assert got["status"] == 0 and got["rejected"] == 0, got
        at, seq = at + len(part), seq + len(part)
        if seq % 20 == 1:
            got = newsevents.send(d, [newsevents.article(seq, part[-1][1] // SECOND, f"Shares surge {seq}", *SYMBOLS)])
            assert got["accepted"] + got["duplicate"] == 1, got
    s.close()
    return seq


def admin(d, cmd, **more):
    got = d.admin(cmd, **more)
    assert got["ok"], got
    return got["result"]


def status(d):
    return admin(d, "archive_status")


def wait(what, seconds=240):
    """Until @what() is true; a listener that is busy, or being opened anew, is not yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            if what():
                return
        except OSError:
            pass
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def ctl(d, *args):
    return subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120)


def sql(path, text):
    out = subprocess.run([EXE, "--archive", path, "query", "--format", "csv", "--rows", "1000000", text],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert out.returncode == 0, out.stderr
    return [tuple(r) for r in csv.reader(out.stdout.splitlines())][1:]


VIEWS = ("bars_1m", "bars_5m", "ticks", "features", "news", "matrices")


def content(path):
    """Every column of every row of ours."""
    return {v: sql(path, f"SELECT * FROM {v} {'WHERE source = $$sim$$' if v[:4] == 'bars' else ''} ORDER BY ALL")
            for v in VIEWS}


def archive_of_catchup(d, path):
    """An archive nobody disturbed, made of what catch-up gives, in one put."""
    bulk = b"".join(struct.pack("<I", len(f)) + f for f in d.frames(["tick", "bar", "tier1", "tier2", "news"]))
    doc = json.dumps({"do": "put_frames", "sources": {"1": "sim", "2": "wire"}}).encode()
    p = subprocess.run([EXE, "--archive", path, "serve"], stdout=subprocess.PIPE, timeout=120,
                       input=struct.pack("<II", len(doc), len(bulk)) + doc + bulk)
    answer = json.loads(p.stdout[8:])
    assert answer["ok"], answer
    return content(path)


def check_against_catchup(d):
    admin(d, "archive_flush")
    got = content(d.archive)
    want = archive_of_catchup(d, os.path.join(d.dir, "undisturbed"))
    for v in VIEWS:
        assert got[v] == want[v], (v, len(got[v]), len(want[v]), sorted(set(got[v]) ^ set(want[v]))[:4])
    for v in VIEWS[:5]:
        assert len(got[v]) > 20, (v, len(got[v]))
    return got


def run_with(f, program, text="", place=None, **more):
    tmp = tempfile.mkdtemp(prefix="archive-daemon-test-", dir=place)
    d = Tickbusd(DAEMON, more=conf(program, dir=os.path.join(tmp, "archive"), **more) + text)
    d.archive = os.path.join(tmp, "archive")
    try:
        return f(d.start())
    except BaseException:
        print(f"# the daemon's log:\n# {d.errors()[-3000:]}".replace("\n", "\n# "))
        raise
    finally:
        d.remove()
        shutil.rmtree(tmp)


def needs_program(f):
    def run():
        return run_with(f, EXE) if EXE else "tickbus-archive was not built: not tested"
    run.__name__ = f.__name__
    return run


def close_days(d, seq, days=1):
    """A clock record alone says that the last day is over."""
    send(d, [("", MIDNIGHT + (days + 1) * DAY + 10 * MINUTE, 0, 0, 0)], seq)
    last = admin(d, "log_count")["last_pos"]
    wait(lambda: status(d)["rows_reached"] > last)


VENDOR = """
fetch: {{plain_http: true, private_addresses: true}}
credentials: {keys}
vendors: {{alpaca: {{base_url: "{url}", requests: 0, attempts: 2}}}}
universes: {{k: {{symbols: all, timeframe: 1m, window: 30, min_obs: 5}}}}
"""
FETCHED, FETCHED_DAYS = ("V.2", "V1"), 4  # from MIDNIGHT on


def with_vendor(f, place=None, **more):
    vendor, keys = fakevendor.FakeVendor(), tempfile.mkdtemp(prefix="archive-daemon-keys-")
    for name, text in (("alpaca_key", "k1\n"), ("alpaca_secret", "s1\n")):
        with open(os.path.join(keys, name), "w", encoding="ascii", opener=lambda p, m: os.open(p, m, 0o600)) as out:
            out.write(text)
    try:
        return run_with(f, EXE, VENDOR.format(url=vendor.url, keys=keys), place, **more)
    finally:
        vendor.stop()
        shutil.rmtree(keys)


def ingest_words(first, last):
    return ["ingest", *FETCHED, *[w for o, day in (("--start", first), ("--end", last))
                                  for w in (o, time.strftime("%Y-%m-%d", time.gmtime(MIDNIGHT // SECOND + day * 86400)))]]


def metric(d, series):
    code, text = d.http("/metrics")
    assert code == 200, code
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(series + " "))
