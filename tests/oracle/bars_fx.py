"""Bars of recorded quotes against the broker's own minutes, and against pandas.

Bid and ask bars must equal the minute files in every price of every minute; count, open,
high, low, close of every recorded day must equal pandas' resample; volumes of recorded
trades must be equal to the last 1e-8.
"""
import glob
import os
import sys

import numpy as np
import pandas as pd

from bars_common import (MINUTE, MISSING, check, day_ns, read_crypto, read_fx_ticks,
                         read_zip, run, same, scaled, shared_data)

PROGRAM = sys.argv[1]
DATA = shared_data()
ZONE_HOURS = {"oanda": 0, "fxcm": 5}  # FXCM writes UTC-05:00 all year


def quote_lines(t):
    return [f"X,{e},,,{b},{a},,,," for e, b, a in zip(t.event_ns, t.bid, t.ask)]


def with_end(lines, last_ns):
    return lines + [f"@,{last_ns + 86_400_000_000_000}"]


def bars_of(ticks, lines, *options):
    got = run(PROGRAM, with_end(lines, int(ticks.event_ns.max())), "final=1", *options)
    return got[(got["flags"] & MISSING) == 0].reset_index(drop=True)


def compare_minutes():
    minutes = 0
    for broker, hours in ZONE_HOURS.items():
        for path in sorted(glob.glob(f"{DATA}/fx_minute/{broker}/eurusd/*_quote.zip")):
            name = os.path.basename(path)
            ticks_path = f"{DATA}/fx_ticks/{broker}/eurusd/{name}"
            if not os.path.exists(ticks_path):
                continue
            want = np.array([[int(r[0])] + scaled(r[1:5], 9) + scaled(r[6:10], 9)
                             for r in read_zip(path)], dtype=np.int64)
            ticks = read_fx_ticks(ticks_path, hours)
            got = bars_of(ticks, quote_lines(ticks), "tf=60", "price=bid+ask")
            bid, ask = got[got.price_type == 2], got[got.price_type == 3]
            start = day_ns(name, hours) + want[:, 0] * 10**6
            ok = same(bid.start, start) and same(ask.start, start)
            ohlc = ["open", "high", "low", "close"]
            ok = ok and same(bid[ohlc].astype("int64"), want[:, 1:5])
            ok = ok and same(ask[ohlc].astype("int64"), want[:, 5:9])
            check(f"minutes {broker} {name[:8]}", ok, f"{len(want)} minutes")
            minutes += len(want)
    check("all minutes of the eight days", minutes == 8464, str(minutes))


def oracle(event_ns, price, step_ns):
    """pandas: event_ns ascending, stable."""
    s = pd.Series(np.asarray(price, dtype="int64"),
                  index=pd.to_datetime(np.asarray(event_ns), utc=True))
    r = s.resample(pd.Timedelta(step_ns, "ns"), closed="left", label="left")
    o = r.ohlc()
    o["count"] = r.count()
    return o[o["count"] > 0]


def compare(name, got, want):
    ok = same(got.start, want.index.as_unit("ns").asi8
              if hasattr(want.index, "as_unit") else want.index.asi8)
    for c in ("open", "high", "low", "close", "count"):
        ok = ok and same(got[c].astype("int64"), want[c].astype("int64"))
    check(name, ok, f"{len(want)} bars")


def compare_pandas_quotes():
    for path in sorted(glob.glob(f"{DATA}/fx_ticks/*/*/*_quote.zip")):
        broker, pair, name = path.split(os.sep)[-3:]
        ticks = read_fx_ticks(path, ZONE_HOURS[broker])
        got = bars_of(ticks, quote_lines(ticks), "tf=1+60+3600", "price=mid",
                      "missing_run=100000")
        mid = (ticks.bid + ticks.ask) // 2
        for step_s in (1, 60, 3600):
            compare(f"pandas {broker} {pair} {name[:8]} {step_s}s",
                    got[got.timeframe == step_s],
                    oracle(ticks.event_ns, mid, step_s * 10**9))


def compare_spread():
    """Time-weighted spread, recomputed with Python's integers of any size."""
    for broker in ("oanda", "fxcm"):
        path = f"{DATA}/fx_ticks/{broker}/eurusd/20140505_quote.zip"
        ticks = read_fx_ticks(path, ZONE_HOURS[broker])
        got = bars_of(ticks, quote_lines(ticks), "tf=60", "price=mid", "spread=1")
        want = {}
        for start, group in ticks.groupby(ticks.event_ns // MINUTE * MINUTE):
            until = list(group.event_ns[1:]) + [start + MINUTE]
            gap = both = 0
            for t, b, a, u in zip(group.event_ns, group.bid, group.ask, until):
                if b < a:
                    gap += (a - b) * (u - t)
                    both += (a + b) * (u - t)
            want[start] = 2 * gap / both if both else np.nan
        w = np.array([want[s] for s in got.start])
        quoted = (got.method == 1).to_numpy()
        ok = same(quoted, ~np.isnan(w))
        ok = ok and np.allclose(got.spread[quoted], w[quoted], rtol=1e-15, atol=0)
        check(f"quoted spread {broker}", ok, f"{len(w)} minutes")


def compare_trades():
    for path in sorted(glob.glob(f"{DATA}/crypto_stream/*.gz")):
        t = read_crypto(path)
        lines = [f"X,{e},{p},{s},,,{q},,," for e, p, s, q in
                 zip(t.event_ns, t.price, t["size"], t.seq)]
        got = bars_of(t, lines, "tf=1+60", "price=auto")
        t = t.sort_values(["event_ns", "seq"], kind="stable")
        for step_s in (1, 60):
            g = got[got.timeframe == step_s]
            name = f"trades {os.path.basename(path)} {step_s}s"
            compare(name, g, oracle(t.event_ns, t.price, step_s * 10**9))
            bucket = t.event_ns // (step_s * 10**9)
            volume = t.groupby(bucket)["size"].sum()
            check(name + " volume", same(g.volume, volume), f"{volume.sum()} e-8")
            notional = {}
            for b, p, s in zip(bucket, t.price, t["size"]):
                notional[b] = notional.get(b, 0) + int(p) * int(s)
            vwap = np.array([notional[b] / int(volume[b]) / 1e9 for b in volume.index])
            check(name + " vwap", np.allclose(g.vwap, vwap, rtol=4e-16, atol=0))


def compare_shuffled():
    """Any order inside the window ends in the same final bars."""
    ticks = read_fx_ticks(f"{DATA}/fx_ticks/oanda/eurusd/20140505_quote.zip")
    ticks["seq"] = np.arange(1, len(ticks) + 1)
    rng = np.random.default_rng(7400)
    frames = []
    for shuffled in (False, True, True):
        t = ticks
        if shuffled:
            late = ticks.event_ns + rng.integers(0, 900 * 10**6, len(ticks))
            t = ticks.iloc[np.argsort(late.to_numpy(), kind="stable")]
        lines = [f"X,{e},,,{b},{a},{q},,," for e, b, a, q in
                 zip(t.event_ns, t.bid, t.ask, t.seq)]
        frames.append(run(PROGRAM, with_end(lines, int(ticks.event_ns.max())), "final=1",
                          "tf=1+60", "price=mid+bid", "spread=1",
                          "missing_run=100000", "history=4096"))
    # The order of emission of unlike series may differ; the bars may not.
    drop = ["revision", "cause", "late"]
    key = ["timeframe", "price_type", "start"]
    a, b, c = (f.drop(columns=drop).sort_values(key).reset_index(drop=True)
               for f in frames)
    check("shuffled within 0.9 s", a.equals(b) and a.equals(c), f"{len(a)} bars")


compare_minutes()
compare_pandas_quotes()
compare_spread()
compare_trades()
compare_shuffled()
