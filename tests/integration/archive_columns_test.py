#!/usr/bin/env python3
"""What the files of an archive hold, read by others: archive_columns_test.py TICKBUSD TICKBUSCTL [TICKBUS_ARCHIVE DUCKDB_DIR]

A daemon with an archive derives a day of trades and quotes, which is closed.  Its Parquet files of ticks, features and
matrices are read by a reader that is not built on DuckDB and held against the events that catch-up gives, as tickbus.py
reads them: every column of every row, nothing more, nothing less.  Prints TAP.
"""
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client", "python"))
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
HELPER, DUCKDB = (sys.argv[3:] + ["", ""])[:2]
HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = os.path.join(DUCKDB, "js/node_modules")
BEGIN = 1_706_745_600 + 14 * 3600  # 2024-02-01T14:00:00Z
SYMBOLS = ["AAPL", "BTC/USD", "BRK.B", "EURUSD=X", "LAZY"]
SEED = int(os.environ.get("SEED", random.randrange(10 ** 6)))
TIMES = ("timestamp", "received", "bar_start")
HEX = "{:016x}".format


def world():
    d = tb.Tickbusd(BINARY, more="""
defaults: {timeframes: [1s, 1m], price_types: [last], indicators: ["rsi(14)"]}
tier1: {ready_bars: 5, norm_window: 20}
bars: {grace: 200ms, revision_window: 30s}
universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}
""")
    with open(d.config, "a", encoding="ascii") as f:
        f.write(f"archive: {{dir: {d.dir}/archive, program: {HELPER or '/nowhere'}, every: 200ms, after: 5m, memory: 128MiB, "
                "threads: 1}\n")
    d.archive = d.dir + "/archive"
    return d


def cell(places):
    return lambda v: None if v is None else v / 10 ** places


E9, E8 = cell(9), cell(8)


def number(v):
    return None if isinstance(v, float) and math.isnan(v) else v


TICKS = {
    "timestamp": lambda e: e.event_ns, "received": lambda e: e.recv_ns, "position": lambda e: e.pos,
    "sequence": lambda e: e.seq, "price": lambda e: E9(e.price_e9), "size": lambda e: E8(e.size_e8),
    "bid": lambda e: E9(e.bid_e9), "ask": lambda e: E9(e.ask_e9), "bid_size": lambda e: E8(e.bid_size_e8),
    "ask_size": lambda e: E8(e.ask_size_e8), "action": lambda e: e.action, "flags": lambda e: e.flags,
    "conditions": lambda e: e.cond, "source": lambda e: "test", "source_id": lambda e: e.source_id,
    "source_sequence": lambda e: e.source_seq, "reference": lambda e: e.ref_seq}
FEATURES = {
    "timestamp": lambda e: e.event_ns, "bar_start": lambda e: e.event_ns - e.timeframe_s * tb.SECOND,
    "timeframe_s": lambda e: e.timeframe_s, "price_type": lambda e: e.price_type, "revision": lambda e: e.bar_revision,
    "position": lambda e: e.pos, "sequence": lambda e: e.seq, "bar_sequence": lambda e: e.bar_seq,
    "feature_version": lambda e: HEX(e.feature_version), "bars_seen": lambda e: e.bars_seen, "is_warm": lambda e: e.warm,
    "ml_ready": lambda e: e.is_ml_ready, "norm_robust": lambda e: e.is_norm_robust,
    **{name: lambda e, i=i: number(e.value[i]) for i, name in enumerate(tickbus.VALUES)},
    **{name: lambda e, i=i: number(e.norm[i]) for i, name in enumerate(tickbus.NORMS)}}
MATRIX = {
    "timestamp": lambda e: e.event_ns, "timeframe_s": lambda e: e.timeframe_s, "version": lambda e: e.seq,
    "method": lambda e: e.method, "status": lambda e: e.status, "price_type": lambda e: e.price_type,
    "cause": lambda e: e.cause, "window_bars": lambda e: e.window, "n_members": lambda e: e.n_members,
    "n_included": lambda e: e.n_included, "supersedes": lambda e: e.supersedes, "position": lambda e: e.pos,
    "eigen_min": lambda e: number(e.eigen_min), "frobenius_shift": lambda e: number(e.frobenius_shift),
    "psd_repaired": lambda e: bool(e.psd_repaired), "decay": lambda e: number(getattr(e, "lambda")),
    "universe_hash": lambda e: HEX(e.universe_hash), "content_hash": lambda e: HEX(e.content_hash)}


def request(first, ticks):
    """An ingest request of records of every shape; what a tick does not name is NULL."""
    out = [struct.pack("<HHHH", 60, 21, 7400, 1), struct.pack("<32s16sQI", b"p", b"test", first, 0),
           struct.pack("<HH", 120, len(ticks))]
    for i, t in enumerate(ticks):
        out.append(struct.pack("<7q2Q8s3B5x32s", t["at"], *(t.get(k, tb.NULL) for k in ("price", "size", "bid", "ask", "bid_size",
                               "ask_size")), first + i, t.get("ref", 0), t.get("cond", b""), 1, t.get("action", 0), 0,
                               t["symbol"].encode()))
    return b"".join(out)


def market():
    """A minute and a half; LAZY trades twice, so no matrix has it."""
    r, out, prices = random.Random(SEED), [], {s: 100 * 10 ** 9 for s in SYMBOLS}
    for second in range(90):
        for s in SYMBOLS:
            if s == "LAZY" and second not in (3, 70):
                continue
            prices[s] += r.randrange(-10 ** 8, 10 ** 8)
            at = (BEGIN + second) * tb.SECOND + r.randrange(10 ** 9)
            t = {"symbol": s, "at": at, "price": prices[s], "size": r.randrange(1, 10 ** 10)}
            if r.random() < 0.3:
                t.update(bid=prices[s] - 10 ** 7, ask=prices[s] + 10 ** 7, bid_size=5 * 10 ** 8, ask_size=7 * 10 ** 8, cond=b"@ F")
            out.append(t)
    out.sort(key=lambda t: t["at"])
    return out


def filled(d):
    rows, seq, s = market(), 1, d.ingest()
    for at in range(0, len(rows), 50):
        reply = tb.sbe_reply(s.ask(request(seq, rows[at:at + 50])))
        assert reply["accepted"] == len(rows[at:at + 50]), reply
        seq += reply["accepted"]
    old = next(i for i, t in enumerate(rows) if i > len(rows) - 60 and t["symbol"] == "AAPL")
    cancel = {"symbol": "AAPL", "at": rows[old]["at"], "ref": old + 1, "action": 1}
    late = {"symbol": "BTC/USD", "at": rows[-1]["at"] - 5 * tb.SECOND, "price": 101 * 10 ** 9, "size": 3 * 10 ** 8}
    for t in (cancel, late):
        assert tb.sbe_reply(s.ask(request(seq, [t])))["accepted"] == 1
        seq += 1
    s.close()
    for hours in (1, 24, 25):
        reply = tb.feed(d, [("", (BEGIN + hours * 3600) * tb.SECOND, 0, 0, 0)], first_seq=seq)
        assert reply["accepted"] == 1, reply
        seq += 1
    last = d.admin("log_count")["result"]["last_pos"]
    tb.until(lambda: d.admin("archive_status")["result"]["rows_reached"] >= last, "rows go over", 30)
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "archive", "flush"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [e for kind in ("tick", "tier1", "tier2") for f in d.frames([kind]) for e in map(decoded(f).event, range(decoded(f).n))]


def decoded(frame):
    return tickbus.decode(frame)


def files(d, prefix, by):
    """(symbol or universe, timeframe or 0, file) of each partition."""
    for folder, _, names in sorted(os.walk(d.archive)):
        parts = os.path.relpath(folder, d.archive).split("/")
        if "data.parquet" in names and (parts[0] == prefix or prefix.endswith("_") and parts[0].startswith(prefix)):
            name = next(p.partition("=")[2] for p in parts if p.startswith(by + "="))
            yield name.replace("%2F", "/").replace("%3D", "="), parts[0].removeprefix(prefix), os.path.join(folder, "data.parquet")


def read(path):
    done = subprocess.run(["node", os.path.join(HERE, "parquet_read.mjs"), MODULES, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert got["compression"] == ["ZSTD"] and got["statistics"], path
    types = {s[0]: s[1:] for s in got["schema"]}
    assert all(types[t] == ["INT64", "TIMESTAMP", "NANOS"] for t in TIMES if t in types), types
    return got["columns"]


def compare(name, columns, cells, events):
    assert list(columns) == list(cells) and len(columns) > 10, (name, set(columns) ^ set(cells))
    for column, of in cells.items():
        want = [of(e) for e in events]
        got = columns[column]
        if any(isinstance(w, int) and not isinstance(w, bool) for w in want):
            got = [None if v is None else int(v) for v in got]  # of 64 bits are texts
        bad = [p for p in zip(got, want) if p[0] != p[1]]
        assert len(got) == len(want) and not bad, (name, column, len(got), len(want), bad[:3])


def rows_of(d, prefix, by, cells, events, key):
    """Each file against the events of its symbol and timeframe, in the file's order."""
    left, n = list(events), 0
    for name, step, path in files(d, prefix, by):
        mine = sorted((e for e in left if getattr(e, by) == name and (not step or e.timeframe_s == step_s(step))), key=key)
        compare((prefix, name, step), read(path), cells, mine)
        left = [e for e in left if not any(e is m for m in mine)]
        n += len(mine)
    assert not left and n == len(events) > 50, (prefix, n, len(events), left[:3])
    print(f"# {prefix}: {n} rows", flush=True)


def step_s(step):
    """1sec, 1min: a folder's word."""
    return int("".join(c for c in step if c.isdigit())) * {"sec": 1, "min": 60, "hour": 3600, "day": 86400}[step.lstrip("0123456789")]


def matrix_rows(e):
    """As the file has them: the lower triangle, then who is left out."""
    inside = [m for m in e.members if m.reason == "included"]
    triangle = iter(e.triangle)
    for i, a in enumerate(inside):
        for b in inside[:i + 1]:
            yield e, a, b, number(next(triangle))
    for m in e.members:
        if m.reason != "included":
            yield e, m, m, None


CELL = {"symbol_a": lambda r: r[1].symbol, "symbol_b": lambda r: r[2].symbol, "correlation": lambda r: r[3],
        "n_obs_a": lambda r: r[1].n_obs, "n_obs_b": lambda r: r[2].n_obs, "reason": lambda r: r[1].reason}


def check_matrices(d, events):
    cells = {}
    for name, of in MATRIX.items():
        cells[name] = lambda r, of=of: of(r[0])
        if name == "version":
            cells.update(CELL)
    n = reasons = 0
    for name, step, path in files(d, "matrices_", "universe"):
        rows = [r for e in events if e.universe == name and e.timeframe_s == step_s(step) for r in matrix_rows(e)]
        rows.sort(key=lambda r: (r[0].event_ns, r[0].seq, r[1].symbol, r[2].symbol))
        compare(("matrices", name, step), read(path), cells, rows)
        n += len(rows)
        reasons += sum(r[1].reason != "included" for r in rows)
    want = sum(1 for e in events for _ in matrix_rows(e))
    assert n == want > 500 and reasons > 20, (n, want, reasons)
    print(f"# matrices_: {n} rows of {len(events)} matrices, {reasons} of who is left out", flush=True)


def another_reader_sees_the_events(d):
    events = filled(d)
    if not shutil.which("node") or not os.path.isdir(MODULES):
        print("# node or hyparquet is absent: not read by another reader")
        return
    ticks = [e for e in events if e.kind == "tick"]
    assert {"new", "cancel"} <= {e.action for e in ticks} and any(e.bid_e9 is not None for e in ticks)
    rows_of(d, "ticks", "symbol", TICKS, ticks, lambda e: e.pos)
    vectors = [e for e in events if e.kind == "tier1" and not e.is_indicators]
    assert any(e.bar_revision for e in vectors) and any(e.is_ml_ready for e in vectors)
    # A vector that an earlier bar's revision changed replaces the one of the same bar and revision.
    newest = {(e.symbol, e.timeframe_s, e.event_ns, e.price_type, e.bar_revision): e for e in vectors}
    assert 100 < len(newest) < len(vectors), (len(newest), len(vectors))
    rows_of(d, "features_", "symbol", FEATURES, newest.values(), lambda e: (e.event_ns, e.price_type, e.bar_revision))
    check_matrices(d, [e for e in events if e.kind == "tier2"])


def main():
    if not HELPER:
        print("1..0 # SKIP tickbus-archive is absent; tools/setup-archive fetches what it needs")
        return 0
    print(f"# SEED={SEED}", flush=True)
    return tb.tap([another_reader_sees_the_events], world)


if __name__ == "__main__":
    sys.exit(main())
