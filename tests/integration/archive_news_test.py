#!/usr/bin/env python3
"""News in the archive: archive_news_test.py TICKBUSD TICKBUSCTL [TICKBUS_ARCHIVE DUCKDB_DIR]

Articles of two months go into a daemon with an archive.  What its files hold is read by a Parquet reader that is not
built on DuckDB and held against the events that catch-up gives, column for column; so is the view `news`, closed and
live.  Then they are put again, in pieces, and retired.  Prints TAP.
"""
import calendar
import csv
import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time

import newsevents as ne
import tickbusd as tb

BINARY, CTL = sys.argv[1], sys.argv[2]
HELPER, DUCKDB = (sys.argv[3:] + ["", ""])[:2]
HERE = os.path.dirname(os.path.abspath(__file__))
FEBRUARY = 1_706_745_600  # 2024-02-01T00:00:00Z
HOUR, DAY = 3600, 86400
SYMBOLS = ["AAPL", "BTC/USD", "BRK.B", "EURUSD=X"]
SEED = int(os.environ.get("SEED", random.randrange(10 ** 6)))
COLUMNS = {  # of the file, but for the times: from the event
    "position": lambda e: e["pos"], "sequence": lambda e: e["seq"], "source": lambda e: "wire",
    "article": lambda e: f"{e['article']:016x}", "is_update": lambda e: bool(e["flags"] & ne.UPDATE),
    "is_repeat": lambda e: bool(e["flags"] & ne.REPEAT), "is_late": lambda e: bool(e["flags"] & ne.LATE),
    "is_cut": lambda e: bool(e["flags"] & ne.CUT), "chain": lambda e: f"{e['chain']:016x}",
    "timestamp": lambda e: e["event_ns"], "received": lambda e: e["recv_ns"], "published": lambda e: e["published_ns"],
    **{k: lambda e, k=k: e[k] for k in ("source_id", "id", "edition", "headline", "url", "publisher", "n_symbols", "compound",
                                        "pos_share", "neu_share", "neg_share", "lexicon", "window_s", "half_life_s",
                                        "articles", "average", "weighted", "positive", "negative")}}
TEXTS = {"source", "article", "id", "headline", "url", "publisher", "lexicon", "chain"}


def world():
    d = tb.Tickbusd(BINARY)
    with open(d.config, "a", encoding="ascii") as f:
        f.write(f"archive: {{dir: {d.dir}/archive, program: {HELPER or '/nowhere'}, every: 200ms, after: 5m, memory: 128MiB, "
                "threads: 1}\nnews: {window: 6h}\n")
    d.archive = d.dir + "/archive"
    return d


def articles():
    """Of the last day of January and the first of February: editions, repeats, late ones, long ones, of several symbols."""
    r = random.Random(SEED)
    out = []
    for i in range(240):
        at = FEBRUARY - 18 * HOUR + i * 480
        words = " ".join(r.choice(["Apple", "beats", "plunges", "estimates", "\u00d6rebro", "\u20ac5", "upgrade", "\U0001f680", "\"q\"",
                                   "probe, widens"]) for _ in range(r.choice([3, 8, 60])))
        more = {"url": f"https://example.com/{i}", "publisher": "W\u00efre"} if i % 3 else {}
        out.append(ne.article(i, at - (8 * HOUR if i % 17 == 16 else 0), words[:400], *r.sample(SYMBOLS, r.randrange(1, 4)), **more))
        if i % 7 == 6:
            out.append({**r.choice(out[-5:]), "headline": f"Corrected: {words[:300]}", "updated": ne.stamp(at + 60)})
        if i % 11 == 10:
            out.append({**out[-1], "id": f"again {i}"})
    return out


def second_of(a):
    return calendar.timegm(time.strptime(a.get("updated", a["time"]), "%Y-%m-%dT%H:%M:%SZ"))


def clock(d, second, seq):
    reply = tb.feed(d, [("", second * tb.SECOND, 0, 0, 0)], first_seq=seq)
    assert reply["accepted"] == 1, reply


def admin(d, cmd):
    got = d.admin(cmd)
    assert got["ok"], got
    return got["result"]


def until(what, say, seconds=240):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, say
        time.sleep(0.05)


def events_of(d):
    return [ne.unpack(b) for f in d.frames(["news"]) for b in tb.frame_blocks(f)]


def filled(d):
    """January is closed, February is live; the events by catch-up."""
    rows, seq = articles(), 1
    for at in range(0, len(rows), 40):
        clock(d, max(second_of(a) for a in rows[:at + 40]), seq)
        reply, seq = ne.send(d, rows[at:at + 40]), seq + 1
        assert reply["rejected"] == 0, reply
    pos = admin(d, "log_count")["last_pos"]
    clock(d, FEBRUARY + DAY + HOUR, seq)
    until(lambda: admin(d, "archive_status")["rows_reached"] > pos, "rows did not go over")
    clock(d, FEBRUARY + DAY + 2 * HOUR, seq + 1)
    tail = [ne.article(f"live {i}", FEBRUARY + DAY + HOUR + i, f"Live {i} surges", "AAPL") for i in range(5)]
    assert ne.send(d, tail)["accepted"] == 5
    assert ctl(d, "archive", "flush").returncode == 0
    got = events_of(d)
    flags = 0
    for e in got:
        flags |= e["flags"]
    assert flags == 15 and len(got) > 400, (flags, len(got))
    return got


def ctl(d, *args):
    return subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *args], capture_output=True, text=True,
                          timeout=120, env={**os.environ, "PATH": os.path.dirname(HELPER) + ":" + os.environ["PATH"]})


def sql(d, text):
    out = subprocess.run([HELPER, "--archive", d.archive, "query", "--format", "csv", "--rows", "1000000", text],
                         capture_output=True, text=True, timeout=120)
    assert out.returncode == 0, out.stderr
    return list(csv.DictReader(io.StringIO(out.stdout)))


def parts_of(d):
    """(symbol, month, file) of each closed partition."""
    top = os.path.join(d.archive, "news")
    for folder, _, names in sorted(os.walk(top)):
        if "data.parquet" in names:
            symbol, year, month = os.path.relpath(folder, top).split("/")
            yield symbol.removeprefix("symbol=").replace("%2F", "/").replace("%3D", "="), \
                (int(year[5:]), int(month[6:])), os.path.join(folder, "data.parquet")


def month_of(e):
    t = time.gmtime(e["event_ns"] // tb.SECOND)
    return t.tm_year, t.tm_mon


def files_and_view_hold_what_the_events_say(d):
    events = filled(d)
    check_files(d, [e for e in events if not e["id"].startswith("live")])
    check_view(d, events)
    check_again(d)


def check_files(d, events):
    modules = os.path.join(DUCKDB, "js/node_modules")
    if not shutil.which("node") or not os.path.isdir(modules):
        print("# node or hyparquet is absent: not read by another reader")
        return
    found = 0
    for symbol, month, path in parts_of(d):
        done = subprocess.run(["node", os.path.join(HERE, "parquet_read.mjs"), modules, path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        got = json.loads(done.stdout)
        want = [e for e in events if e["symbol"] == symbol and month_of(e) == month]
        assert got["columns"].keys() == COLUMNS.keys(), got["columns"].keys() ^ COLUMNS.keys()
        for name, cell in COLUMNS.items():
            values = got["columns"][name]
            if isinstance(values[0], str) and name not in TEXTS:
                values = [int(v) for v in values]
            wanted = [cell(e) for e in want]
            wanted = [None if v != v else v for v in wanted]  # NaN: the window is empty
            assert values == wanted, (symbol, name, [p for p in zip(values, wanted) if p[0] != p[1]][:3])
        types = {s[0]: s[1:] for s in got["schema"]}
        assert all(types[t] == ["INT64", "TIMESTAMP", "NANOS"] for t in ("timestamp", "received", "published")), types
        assert types["compound"][0] == "DOUBLE" and types["is_cut"][0] == "BOOLEAN" and types["headline"][0] == "BYTE_ARRAY", types
        assert got["compression"] == ["ZSTD"] and got["statistics"]
        found += len(want)
    assert found == len(events), (found, len(events))
    print(f"# {found} events in {len(list(parts_of(d)))} files")


def check_view(d, events):
    """What is closed and what is live, each once."""
    rows = sql(d, "SELECT * EXCLUDE (timestamp, received, published), epoch_ns(timestamp) AS timestamp, epoch_ns(received) AS "
                  "received, epoch_ns(published) AS published FROM news ORDER BY position, symbol")
    assert len(rows) == len(events), (len(rows), len(events))
    by = {(e["pos"], e["symbol"]): e for e in events}
    for row in rows:
        e = by.pop((int(row["position"]), row["symbol"]))
        assert (int(row["year"]), int(row["month"])) == month_of(e)
        for name, cell in COLUMNS.items():
            v = cell(e)
            got = row[name] if isinstance(v, str) else row[name] == "true" if isinstance(v, bool) else \
                row[name] or None if v != v else type(v)(row[name])
            assert got == (None if v != v else v), (name, row, e)
    out = ctl(d, "query", "--format", "json", "SELECT symbol, count(*) AS n FROM news WHERE compound > 0.05 GROUP BY 1 ORDER BY 1")
    assert out.returncode == 0, out
    want = {s: sum(e["symbol"] == s and e["compound"] > 0.05 for e in events) for s in SYMBOLS}
    assert {r["symbol"]: r["n"] for r in json.loads(out.stdout)} == want, (out.stdout, want)
    plan = subprocess.run(
        [HELPER, "--archive", d.archive, "query", "EXPLAIN SELECT count(*) FROM news WHERE symbol = 'BTC/USD' AND month = 1"],
        capture_output=True, text=True).stdout
    assert "File Filters" in plan or "Scanning Files" in plan, plan


def helper(path, docs):
    """Answers of tickbus-archive serve, and of verify at last."""
    data = b"".join(struct.pack("<II", len(t), len(b)) + t + b for t, b in ((json.dumps(doc).encode(), bulk) for doc, bulk in docs))
    done = subprocess.run([HELPER, "--archive", path, "serve"], input=data, stdout=subprocess.PIPE, timeout=120)
    out, at = [], 0
    while at < len(done.stdout):
        n, m = struct.unpack_from("<II", done.stdout, at)
        out.append(json.loads(done.stdout[at + 8:at + 8 + n]))
        at += 8 + n + m
    assert all(a["ok"] for a in out), out
    return out


def data_of(path):
    out = {}
    for folder, _, names in os.walk(os.path.join(path, "news")):
        if "data.parquet" in names:
            with open(os.path.join(folder, "data.parquet"), "rb") as f:
                out[os.path.relpath(folder, path)] = f.read()
    return out


def check_again(d):
    """Put again, and in pieces, in any order, they are the same bytes."""
    bulk = [struct.pack("<I", len(f)) + f for f in d.frames(["news"], page_events=50)]
    closed = data_of(d.archive)
    again = os.path.join(d.dir, "again")
    put = {"do": "put_frames", "sources": {"1": "test", "2": "wire"}}
    r = random.Random(SEED)
    pieces = [(put, b"".join(bulk[i:i + 3])) for i in range(0, len(bulk), 2)]
    r.shuffle(pieces)
    assert helper(again, pieces + [({"do": "verify"}, b"")])[-1]["bad"] == 0
    once = data_of(again)
    # What was live in the daemon's is in a file here.
    assert {k: v for k, v in once.items() if "month=01" in k} == {k: v for k, v in closed.items() if "month=01" in k}
    assert once.keys() == closed.keys() and len(once) >= 6, once.keys()
    answer = helper(again, [(put, b"".join(bulk)), ({"do": "compact"}, b"")])
    assert (answer[0]["added"], answer[0]["unchanged"], answer[1]["rewritten"]) == (0, len(once), 0), answer
    assert data_of(again) == once
    gone = helper(again, [({"do": "retain", "kind": "news", "before": "2024-02-01"}, b""), ({"do": "verify"}, b"")])
    assert gone[0]["files"] == sum("month=01" in k for k in once) and gone[1]["bad"] == 0, gone
    assert set(data_of(again)) == {k for k in once if "month=02" in k}


def what_is_too_old_is_retired(d):
    with open(d.config, encoding="ascii") as f:
        text = f.read()
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace("threads: 1", "threads: 1, retain_news: 2d"))
    assert d.stop() == 0
    d.start()
    events = filled(d)
    assert any("month=01" in k for k in data_of(d.archive))
    clock(d, FEBRUARY + 3 * DAY, 1000)
    until(lambda: not any("month=01" in k for k in data_of(d.archive)), "January stays")
    assert any("month=02" in k for k in data_of(d.archive))
    assert ctl(d, "archive", "flush").returncode == 0 and ctl(d, "archive", "verify").returncode == 0
    assert len(sql(d, "SELECT position FROM news")) == sum(month_of(e) == (2024, 2) for e in events)
    _, text = d.http("/metrics")
    assert 'tickbus_archive_rows{kind="news"}' in text


if not HELPER:
    print("1..1\nok 1 - tickbus-archive is absent, so news in it is not tested; tools/setup-archive fetches what it needs")
    sys.exit(0)
print(f"# SEED={SEED}", flush=True)
sys.exit(tb.tap([files_and_view_hold_what_the_events_say, what_is_too_old_is_retired], world))
