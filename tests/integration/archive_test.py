#!/usr/bin/env python3
"""The archive from outside: archive_test.py TICKBUS_ARCHIVE DUCKDB_DIR [KILLS]

Bars go in over framed requests.  What comes out is held against pandas (alignment), against
a Parquet reader that is not built on DuckDB (the files), and against an archive that was
never disturbed (kill -9 at random moments).  Prints TAP; without libduckdb it says so.
"""
import hashlib
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import traceback

EXE = sys.argv[1] if len(sys.argv) > 1 else ""
DUCKDB = sys.argv[2] if len(sys.argv) > 2 else ""
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 15
SEED = int(os.environ.get("SEED", "20240102"))
HERE = os.path.dirname(os.path.abspath(__file__))
NULL = -2**63
NS = 10**9
JAN = 1704067200  # 2024-01-01
TESTS = []


def test(f):
    TESTS.append(f)
    return f


class Archive:
    """One helper process; ask() is one request and its answer."""

    def __init__(self, path, before=None):
        self.process = subprocess.Popen([EXE, "--archive", path, "serve"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, preexec_fn=before)

    def send(self, doc, bulk=b""):
        text = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
        self.process.stdin.write(struct.pack("<II", len(text), len(bulk)) + text + bulk)
        self.process.stdin.flush()

    def receive(self):
        head = self.process.stdout.read(8)
        if len(head) < 8:
            return None
        return json.loads(self.process.stdout.read(struct.unpack("<II", head)[0]))

    def ask(self, doc, bulk=b""):
        self.send(doc, bulk)
        return self.receive()

    def put(self, symbol, bars, **more):
        doc = {"do": "put_bars", "source": "alpaca", "feed": "sip", "symbol": symbol,
               "adjust": "raw", "step_s": 60, **more}
        return self.ask(doc, b"".join(struct.pack("<8q", *b) for b in bars))

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=240)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.close()


def good(answer):
    assert answer and answer["ok"], answer
    return answer


def make_bars(seed, minutes, drop=0.0, start=JAN):
    """Bars of the given minutes, some left out, some without a vwap."""
    r = random.Random(seed)
    close, out = 18700, []
    for m in minutes:
        close = max(100, close + r.randrange(-9, 10))
        if r.random() < drop:
            continue
        c = close * 10**7
        vwap = NULL if r.random() < 0.2 else c + r.randrange(10**7)
        out.append(((start + 60 * m) * NS, c, c + 10**7, c - 10**7, c,
                    r.randrange(1, 9000) * 10**8 + r.randrange(10**8), vwap,
                    r.randrange(1, 300)))
    return out


# Three calendars: a day's session, one of two parts that meets it for an hour, and one that
# never closes.
CALENDARS = {"AAPL": [d * 1440 + m for d in range(5) for m in range(870, 1260)],
             "7203.T": [d * 1440 + m for d in range(5) for m in [*range(0, 150), *range(780, 930)]],
             "BTC/USD": list(range(5 * 1440))}
FIELDS = ["close", "vwap", "volume"]
AT = {"close": 4, "vwap": 6, "volume": 5}
UNIT = {"close": 1e9, "vwap": 1e9, "volume": 1e8}


def world():
    return {s: make_bars(SEED + i, CALENDARS[s], drop=0.1) for i, s in enumerate(CALENDARS)}


def frames(bars):
    """The same bars as one pandas frame per symbol, indexed by bar_end."""
    import pandas as pd
    out = []
    for s, rows in bars.items():
        index = pd.to_datetime([r[0] + 60 * NS for r in rows], utc=True)
        out.append(pd.DataFrame({f"{s}_{f}": [math.nan if r[AT[f]] == NULL else r[AT[f]] / UNIT[f]
                                              for r in rows] for f in FIELDS}, index=index))
    return out


def exported(a, d, **more):
    import pandas as pd
    path = os.path.join(d, "out." + more.get("format", "csv"))
    good(a.ask({"do": "export", "symbols": ",".join(CALENDARS), "fields": ",".join(FIELDS),
                "out": path, **more}))
    if more.get("format") == "json":
        with open(path) as f:
            frame = pd.DataFrame(json.load(f), dtype=object)
    else:
        frame = pd.read_csv(path, float_precision="round_trip")
    frame.index = pd.to_datetime(frame.pop("timestamp"), utc=True)
    return frame.astype(float)


def same(got, want):
    assert list(got.columns) == list(want.columns), (list(got.columns), list(want.columns))
    assert (got.index == want.index).all() and len(got) > 0, (len(got), len(want))
    for c in want.columns:
        equal = (got[c] == want[c]) | (got[c].isna() & want[c].isna())
        assert equal.all(), (c, got[c][~equal].head(), want[c][~equal].head())


def with_world(f):
    def run(d):
        try:
            import pandas  # noqa: F401
        except ImportError:
            return "pandas is absent: not compared"
        bars = world()
        with Archive(os.path.join(d, "a")) as a:
            for s, rows in bars.items():
                assert good(a.put(s, rows))["added"] == len(rows)
            return f(d, a, bars)
    run.__name__ = f.__name__
    return run


@test
@with_world
def outer_and_inner_alignment_equal_pandas(d, a, bars):
    import pandas as pd
    for how in ("outer", "inner"):
        want = pd.concat(frames(bars), axis=1, join=how).sort_index()
        for form in ("csv", "json"):
            same(exported(a, d, align=how, format=form), want)


@test
@with_world
def ffill_equals_pandas_limited_by_time(d, a, bars):
    import pandas as pd
    outer = pd.concat(frames(bars), axis=1).sort_index()
    index = outer.index.to_series()
    for minutes in (0, 3, 15, 600):
        want, ages = outer.ffill(), {}
        for c in outer.columns:
            seen = index.where(outer[c].notna()).ffill()
            old = (index - seen) > pd.Timedelta(minutes=minutes)
            want.loc[old, c] = math.nan
            ages[c] = ((index - seen).dt.total_seconds() * 1000).where(~old)
        tolerance = f"{minutes}m" if minutes else "0s"
        got = exported(a, d, align="ffill", tolerance=tolerance, age="true")
        for s in CALENDARS:
            age = pd.concat([ages[f"{s}_{f}"] for f in FIELDS], axis=1).max(axis=1)
            mine = got.pop(f"{s}_age_ms")
            assert ((mine == age) | (mine.isna() & age.isna())).all(), (s, minutes)
        same(got, want)
    same(exported(a, d, align="ffill"), outer.ffill())


@test
@with_world
def the_long_form_has_the_symbols_one_after_the_other(d, a, bars):
    import pandas as pd
    path = os.path.join(d, "long.csv")
    good(a.ask({"do": "export", "symbols": "BTC/USD,AAPL", "long": "true", "out": path}))
    got = pd.read_csv(path)
    assert list(got.columns) == ["symbol", "timestamp", "close"]
    assert list(got.symbol.unique()) == ["BTC/USD", "AAPL"]
    assert len(got) == len(bars["BTC/USD"]) + len(bars["AAPL"])
    for s, part in got.groupby("symbol"):
        assert part.timestamp.is_monotonic_increasing
        assert list(part.close) == [r[4] / 1e9 for r in bars[s]]


def files_of(path):
    out = {}
    for root, _, names in os.walk(path):
        for n in names:
            if n == "data.parquet":
                with open(os.path.join(root, n), "rb") as f:
                    key = os.path.relpath(os.path.join(root, n), path)
                    out[key] = hashlib.sha256(f.read()).hexdigest()
    return out


@test
def another_reader_of_parquet_finds_the_same_columns(d):
    modules = os.path.join(DUCKDB, "js/node_modules")
    if not shutil.which("node") or not os.path.isdir(modules):
        return "node or hyparquet is absent: not read by another reader"
    bars = make_bars(SEED, range(20000), drop=0.05)
    with Archive(d) as a:
        good(a.put("EUR/USD", bars))
    part = os.path.join(d, "equities_1min/symbol=EUR%2FUSD/year=2024/month=01")
    done = subprocess.run(["node", os.path.join(HERE, "parquet_read.mjs"), modules,
                           os.path.join(part, "data.parquet")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    columns = got["columns"]
    assert got["compression"] == ["ZSTD"] and got["statistics"]
    assert ["timestamp", "INT64", "TIMESTAMP", "NANOS"] in got["schema"]
    assert columns["timestamp"] == [str(r[0] + 60 * NS) for r in bars]
    assert columns["bar_start"] == [str(r[0]) for r in bars]
    for at, name, unit in ((1, "open", 1e9), (2, "high", 1e9), (3, "low", 1e9), (4, "close", 1e9),
                           (5, "volume", 1e8), (6, "vwap", 1e9), (7, "trade_count", 1)):
        want = [None if r[at] == NULL else r[at] / unit for r in bars]
        assert columns[name] == want, name
    for name, want in (("revision", 0), ("final", True), ("state", "TRADED"), ("source", "alpaca"),
                       ("feed", "sip"), ("adjust", "raw"), ("price_type", "last"),
                       ("valid_bar", None), ("spread_method", None)):
        assert set(columns[name]) == {want}, name
    with open(os.path.join(part, "_manifest.json")) as f:
        manifest = json.load(f)["now"]
    assert manifest["rows"] == len(bars)
    assert manifest["sha256"] == list(files_of(d).values())[0]


@test
def bars_that_come_twice_and_overlapping_leave_the_same_bytes(d):
    bars = make_bars(SEED, range(60000))  # two months
    whole, pieces = os.path.join(d, "whole"), os.path.join(d, "pieces")
    with Archive(whole) as a:
        good(a.put("AAPL", bars))
        before = files_of(whole)
        assert good(a.put("AAPL", bars))["unchanged"] == 2
        assert files_of(whole) == before and len(before) == 2
    r = random.Random(SEED)
    with Archive(pieces) as a:
        for at in r.sample(range(0, 60000, 6000), 10):
            good(a.put("AAPL", bars[max(0, at - 500):at + 6500]))
    assert files_of(pieces) == before


@test
def a_kill_at_any_moment_leaves_the_old_file_or_the_new(d):
    r = random.Random(SEED)
    bars = make_bars(SEED, range(45000 - 20000, 45000 + 20000))
    still, hit = os.path.join(d, "still"), os.path.join(d, "hit")
    with Archive(still) as a:
        good(a.put("AAPL", bars))
        want = good(a.ask({"do": "verify"}))
    killed, rows, out = 0, 0, os.path.join(d, "n.json")
    for i in range(KILLS):
        n = (i + 1) * len(bars) // KILLS
        a = Archive(hit)
        assert good(a.ask({"do": "status"}))["bad"] == 0
        doc = {"do": "put_bars", "source": "alpaca", "feed": "sip", "symbol": "AAPL",
               "step_s": 60}
        a.send(doc, b"".join(struct.pack("<8q", *b) for b in bars[:n]))
        time.sleep(r.random() * 0.2)
        a.process.kill()
        killed += a.receive() is None
        a.process.wait()
        with Archive(hit) as b:
            now = good(b.ask({"do": "verify"}))
            assert now["bad"] == 0, now
            before = rows
            if now["files"]:
                good(b.ask({"do": "query", "sql": "SELECT count(*) AS n FROM bars_1m",
                            "format": "json", "out": out}))
                with open(out) as f:
                    rows = json.load(f)[0]["n"]
        # Per month it is the bars of before or those of now, so never fewer.
        assert before <= rows <= n, (before, rows, n)
    assert killed > 0, "no kill came before the answer"
    with Archive(hit) as a:
        good(a.put("AAPL", bars))
        now = good(a.ask({"do": "verify"}))
    assert files_of(hit) == files_of(still)
    assert (now["rows"], now["bad"], now["interrupted"]) == (want["rows"], 0, 0), now
    assert [n for n in os.listdir(os.path.join(hit, ".tmp")) if n != "lock"] == []
    return f"{killed} of {KILLS} kills came before the answer"


@test
def a_file_that_cannot_be_written_is_an_error_and_the_old_one_stays(d):
    import resource
    import signal

    def small_disk():  # a write beyond 200 KB fails, as on a full disk
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    bars = make_bars(SEED, range(40000))
    with Archive(d) as a:
        good(a.put("AAPL", bars[:5000]))
    before = files_of(d)
    with Archive(d, small_disk) as a:
        answer = a.put("AAPL", bars)
        assert not answer["ok"] and "data.parquet" in answer["error"], answer
        assert files_of(d) == before
        now = good(a.ask({"do": "verify"}))
        assert (now["rows"], now["bad"], now["interrupted"]) == (5000, 0, 0), now
    with Archive(d) as a:
        assert good(a.put("AAPL", bars))["added"] == 35000


def own_bar(start, revision, close, missing=False, final=True):
    """struct event_bar (proto/event.h) of the symbol EUR/USD, 10 s."""
    flags = (1 if missing else 4) | (8 if final else 0)
    price = NULL if missing else close
    return struct.pack("<4Q5qQq3d3Q3I2H6BH32s16sQ", 1, 1, (start + 10) * NS, start * NS, start * NS,
                       price, price, price, price, 5 * 10**8, 0, math.nan, 0.0001, close / 1e9,
                       3, 1, 2, revision, 10, 1, 1, 2, flags, 1 if missing else 0, 1, 0, 1, 0, 0,
                       b"EUR/USD", b"ebs", 99)


@test
def our_own_bars_keep_revisions_and_judgement(d):
    rows = [own_bar(JAN, 0, 10**9, final=False), own_bar(JAN, 1, 11 * 10**8),
            own_bar(JAN + 10, 0, 0, missing=True), own_bar(JAN + 20, 0, 12 * 10**8)]
    out = os.path.join(d, "x.json")
    with Archive(d) as a:
        done = good(a.ask({"do": "put_events"}, b"".join(rows)))
        assert (done["rows"], done["added"]) == (4, 4), done
        good(a.ask({"do": "query", "format": "json", "out": out, "sql":
                    "SELECT symbol, close, revision, final, state, source, feed, price_type, "
                    "is_missing, valid_bar, spread_method, log_return_1, vwap FROM bars_10s "
                    "ORDER BY bar_start"}))
        with open(out) as f:
            got = json.load(f)
        assert len(got) == 3, got
        assert got[0] == {"symbol": "EUR/USD", "close": 1.1, "revision": 1, "final": True,
                          "state": "TRADED", "source": "ebs", "feed": "tickbus",
                          "price_type": "mid", "is_missing": False, "valid_bar": True,
                          "spread_method": "quote", "log_return_1": None, "vwap": 1.1}, got[0]
        assert (got[1]["close"], got[1]["state"], got[1]["is_missing"]) == (None, "QUIET", True)
        # A missing bar's time is none of the symbol's.
        answer = good(a.ask({"do": "export", "symbols": "EUR/USD", "timeframe": "10s", "out": out,
                             "fields": "close,revision"}))
        assert answer["rows"] == 2, answer
        with open(out) as f:
            assert f.read() == ("timestamp,EUR/USD_close,EUR/USD_revision\n2024-01-01T00:00:10Z,1.1,1\n"
                                "2024-01-01T00:00:30Z,1.2,0\n")


@test
def what_is_no_frame_or_no_request_is_answered_with_a_sentence(d):
    with Archive(d) as a:
        for doc, bulk, want in (
                ({"do": "fly"}, b"", "'fly' is no request"),
                (b"[1]", b"", "no JSON object"), (b"{", b"xx", "document"),
                ({"do": "put_bars", "source": "s", "symbol": "A", "step_s": 60}, b"", "0 bytes"),
                ({"do": "put_bars", "source": "s", "symbol": "A", "step_s": 60}, b"x" * 65, "65"),
                ({"do": "put_bars", "source": "s", "symbol": "A B", "step_s": 60}, bytes(64),
                 "no symbol"),
                ({"do": "put_bars", "source": "s", "symbol": "A", "step_s": 61}, bytes(64),
                 "no timeframe"),
                ({"do": "put_events"}, bytes(256), "multiple"),
                ({"do": "export", "symbols": "A", "out": "/x"}, b"", "no bars of A"),
                ({"do": "export", "symbols": "A", "out": "x"}, b"", "absolute"),
                ({"do": "export", "symbols": 1, "out": "/x"}, b"", "no text")):
            answer = a.ask(doc, bulk)
            assert answer["ok"] is False and want in answer["error"], (doc, answer)
        good(a.ask({"do": "status"}))
        a.process.stdin.write(struct.pack("<II", 2**31, 0))
        a.process.stdin.flush()
        answer = a.receive()
        assert "2147483648 bytes" in answer["error"]
        assert a.process.wait(timeout=120) != 0
    assert files_of(d) == {}


@test
def queries_read_the_archive_and_nothing_else(d):
    def run(*args):
        return subprocess.run([EXE, "--archive", d, "query", *args], capture_output=True,
                              text=True, timeout=240)

    with Archive(d) as a:
        good(a.put("BRK/B", make_bars(SEED, range(3000))))
        good(a.put("123", make_bars(SEED + 1, range(10)), step_s=86400))
    sql = "SELECT symbol, count(*) AS n, min(year) AS y FROM bars_1m GROUP BY symbol"
    assert run(sql).stdout == "symbol,n,y\nBRK/B,3000,2024\n"
    assert json.loads(run("--format", "json", "SELECT DISTINCT symbol FROM bars_1d").stdout) == \
        [{"symbol": "123"}]
    done = run("--rows", "5", "SELECT bar_start FROM bars_1m ORDER BY 1 -- all")
    assert done.stdout.count("\n") == 6 and "only the first 5 rows" in done.stderr
    for bad in ("SELECT * FROM read_text('/etc/hostname')", "DROP VIEW bars_1m", "SELECT 1; SELECT 2",
                f"COPY (SELECT 1) TO '{d}/x.csv'", "SELECT 1) TO '/tmp/x' --", "INSTALL httpfs",
                "SELECT * FROM 'https://example.com/x.parquet'", "SELECT * FROM nothing"):
        done = run(bad)
        assert done.returncode != 0 and done.stderr.startswith("tickbus-archive: "), bad
        assert done.stdout == ""
    done = run("--limit", "200ms", "SELECT count(*) FROM range(10000000000) a, range(100000) b "
               "WHERE a.range * 7 % 13 = b.range")
    assert done.returncode != 0 and "200 ms" in done.stderr, done
    explain = "SELECT count(*) FROM bars_1m WHERE symbol = 'BRK/B' AND close > 0"
    assert run(explain).stdout == "count_star()\n3000\n"


@test
def the_members_of_an_index_are_kept_as_csv(d):
    with Archive(d) as a:
        doc = {"do": "put_index", "name": "sp500", "members": {
            "MSFT": "2024-01-02T00:00:00Z", "BRK/B": "2016-01-04T00:00:00Z"}}
        for added in (2, 0):
            answer = good(a.ask(doc))
            assert (answer["members"], answer["added"]) == (2, added), answer
        for bad in ({"A": "soon"}, {"a b": "2024-01-02T00:00:00Z"}, [], {"A": 1}):
            assert not a.ask({**doc, "members": bad})["ok"], bad
    with open(os.path.join(d, "metadata/indices/sp500.csv")) as f:
        assert f.read() == ("symbol,added_date\nBRK/B,2016-01-04T00:00:00Z\n"
                            "MSFT,2024-01-02T00:00:00Z\n")


@test
def two_makers_of_one_symbol_are_never_mixed(d):
    with Archive(d) as a:
        bars = make_bars(SEED, range(10))
        good(a.put("AAPL", bars))
        good(a.put("AAPL", bars[:3], source="polygon", feed=""))
        out = os.path.join(d, "x.csv")
        answer = a.ask({"do": "export", "symbols": "AAPL", "out": out})
        assert not answer["ok"] and "say which" in answer["error"], answer
        assert good(a.ask({"do": "export", "symbols": "AAPL", "source": "polygon",
                           "out": out}))["rows"] == 3
        assert a.ask({"do": "export", "symbols": "AAPL", "source": "alpaca",
                      "start": "2024-01-01T00:02:00Z", "end": "2024-01-01T00:05:00Z",
                      "out": out})["rows"] == 3


def main(tests=TESTS):
    """Run each in a folder of its own; a note that it returns stands beside its name."""
    if not EXE:
        print("1..1\nok 1 - libduckdb is absent, so there is no archive to test; "
              "tools/setup-archive fetches it")
        return 0
    print(f"1..{len(tests)}\n# seed {SEED}", flush=True)
    bad = 0
    for i, f in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="tickbus-archive-test-") as d:
            try:
                note = f(d)
                print(f"ok {i} - {f.__name__}" + (f": {note}" if note else ""), flush=True)
            except Exception:
                bad += 1
                print(f"not ok {i} - {f.__name__}\n# " +
                      traceback.format_exc().replace("\n", "\n# "), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
