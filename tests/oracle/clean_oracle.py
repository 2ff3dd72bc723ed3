"""Validation (semantics A.2) recomputed with numpy and pandas on recorded data.

bars_run makes the bars; every flag, return, spread and reason is computed again here from
its raw prices, in both flavours and with both detectors.  The daily equities bring empty
cells, inconsistent prices and real jumps; the quotes bring gaps of hours.
"""
import glob
import gzip
import os
import sys

import numpy as np
import pandas as pd

from bars_common import (FINAL, MISSING, OUTLIER, VALID, check, read_fx_ticks, run, scaled,
                         shared_data)

PROGRAM = sys.argv[1]
DATA = shared_data()
DAY = 86_400_000_000_000
JUMP, OHLC, NONPOSITIVE, RETURN, MAD = 1, 2, 4, 8, 16
NO_RANGE, NO_LAST, NO_VOLUME = 2, 1, 4


def returns_window(r, i, flavour):
    """The 20 returns that judge return i, or None."""
    end = i + 1 if flavour == "origin" else i
    w = r[max(0, end - 20):end]
    return w if len(w) == 20 and not np.isnan(w).any() else None


def judge_jump(r, i, flavour, sigma):
    w = returns_window(r, i, flavour)
    return w is not None and abs(r[i]) > sigma * np.std(w, ddof=1)


def judge_mad(r, i, close, quoted, sigma):
    w = returns_window(r, i, "repaired")
    if w is None or np.isnan(r[i]):
        return False
    median = np.median(w)
    scale = 1.4826 * np.median(np.abs(w - median))
    floor = np.nanmax([0.5e-9 / close, quoted / 2 if quoted == quoted else 0.0])
    return abs(r[i] - median) > sigma * max(scale, floor)


def expected(b, flavour="repaired", detector="jump", sigma=5.0, max_return=0.0,
             spread=False):
    """A.2 over the frame of final bars of one series."""
    p = {c: b[c].astype("float64").to_numpy(na_value=np.nan) / 1e9
         for c in ("open", "high", "low", "close")}
    missing = np.all([np.isnan(p[c]) for c in p], axis=0)
    reason = np.zeros(len(b), dtype=int)
    quoted = np.where(b.method == 1, b.spread, np.nan)

    there = np.flatnonzero(~missing)
    closes = pd.Series(p["close"][there]).where(lambda x: x > 0)
    r = np.log(closes / closes.shift()).to_numpy()
    for k, i in enumerate(there):
        if detector == "mad":
            reason[i] |= MAD * judge_mad(r, k, p["close"][i], quoted[i], sigma)
        else:
            reason[i] |= JUMP * judge_jump(r, k, flavour, sigma)
    frame = pd.DataFrame(p)
    top, bottom = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    ohlc = (frame.high < top) | (frame.low > bottom) | (frame.high < frame.low)
    bad = ~((frame > 1e-10).all(axis=1))
    reason[(ohlc & ~missing).to_numpy()] |= OHLC
    reason[(bad & ~missing).to_numpy()] |= NONPOSITIVE

    sound = ~missing & (reason == 0)
    ret = np.full(len(b), np.nan)
    for i in range(1, len(b)):
        if sound[i] and sound[i - 1]:
            ret[i] = np.log(p["close"][i] / p["close"][i - 1])
            if max_return and abs(ret[i]) > max_return:
                reason[i] |= RETURN
                sound[i] = False
                ret[i] = np.nan
    estimate = np.full(len(b), np.nan)
    if spread:
        ranges = pd.Series(((frame.high - frame.low) / frame.close)[sound])
        estimate[ranges.index] = ranges.ewm(alpha=0.1, adjust=False).mean()
        estimate = np.where(np.isnan(quoted), estimate, quoted)
    valid = np.zeros(len(b), dtype=bool)
    for i in range(len(b)):
        valid[i] = sound[i] and (i == 0 or not np.isnan(ret[i]) or not valid[i - 1])
    return missing, reason, ret, estimate, valid


def compare(name, b, **how):
    b = b[(b["flags"] & FINAL) != 0].sort_values("start").reset_index(drop=True)
    missing, reason, ret, estimate, valid = expected(b, **how)
    flags = b["flags"].to_numpy()
    got_ret, got_spread = b["log_return"].to_numpy(), b["spread"].to_numpy()
    ok = np.array_equal((flags & MISSING) != 0, missing)
    ok = ok and np.array_equal(b.reason.to_numpy(), reason)
    ok = ok and np.array_equal((flags & OUTLIER) != 0, reason != 0)
    ok = ok and np.array_equal((flags & VALID) != 0, valid)
    ok = ok and np.allclose(got_ret, ret, rtol=1e-15, atol=1e-16, equal_nan=True)
    ok = ok and np.allclose(got_spread, estimate, rtol=1e-13, atol=0, equal_nan=True)
    check(name, ok, f"{len(b)} bars, {missing.sum()} missing, {(reason != 0).sum()} "
          f"outliers, {(reason & JUMP != 0).sum()} by 2a, {valid.sum()} valid")
    return reason


def daily_lines(path):
    """A day becomes ticks that rebuild its row, with its NULLs and contradictions."""
    with gzip.open(path, "rt") as f:
        d = pd.read_csv(f, dtype=str)
    lines, seq = [], 0
    for day, o, h, l, c, v in zip(d.Date, d.Open, d.High, d.Low, d.Close, d.Volume):
        t = pd.Timestamp(day, tz="UTC").value
        for offset, price, may_not in ((1, o, NO_RANGE), (2, h, NO_LAST), (3, l, NO_LAST),
                                       (4, c, NO_RANGE)):
            if not isinstance(price, str):
                continue
            seq += 1
            p = scaled([price], 9)[0]
            size = int(v) * 10**8 if offset == 4 else ""
            flag = may_not | (0 if offset == 4 else NO_VOLUME)
            lines.append(f"D,{t + offset * 10**9},{p},{size},,,{seq},,,{flag}")
    return lines + [f"@,{t + 3 * DAY}"]


def compare_daily():
    jumps = {"repaired": 0, "origin": 0}
    for path in sorted(glob.glob(f"{DATA}/equity_daily/*.csv.gz")):
        name = os.path.basename(path).split("_")[0]
        lines = daily_lines(path)
        days = "session=0-86400-31-UTC"
        common = ("tf=86400", "price=last", "final=1", days)
        for flavour in ("repaired", "origin"):
            got = run(PROGRAM, lines, *common, f"flavour={flavour}")
            reason = compare(f"daily {name} {flavour}", got, flavour=flavour)
            jumps[flavour] += (reason & JUMP != 0).sum()
        got = run(PROGRAM, lines, *common, "detector=mad", "sigma=6", "spread=1")
        compare(f"daily {name} mad", got, detector="mad", sigma=6.0, spread=True)
        got = run(PROGRAM, lines, *common, "max_return=0.05", "spread=1")
        compare(f"daily {name} max_return", got, max_return=0.05, spread=True)
    check("the origin's rule 2a never fires, the repaired one does",
          jumps["origin"] == 0 and jumps["repaired"] > 0, str(jumps))


def compare_quotes():
    for broker, hours in (("oanda", 0), ("fxcm", 5)):
        ticks = pd.concat([read_fx_ticks(p, hours) for p in sorted(
            glob.glob(f"{DATA}/fx_ticks/{broker}/eurusd/2014050[4-7]_quote.zip"))])
        lines = [f"X,{e},,,{b},{a},,,," for e, b, a in
                 zip(ticks.event_ns, ticks.bid, ticks.ask)]
        lines.append(f"@,{ticks.event_ns.max() + DAY // 24}")
        for detector in ("jump", "mad"):
            got = run(PROGRAM, lines, "tf=10+60+300", "price=mid", "final=1", "spread=1",
                      f"detector={detector}", "missing_run=100000")
            for tf, series in got.groupby("timeframe"):
                compare(f"quotes {broker} {tf}s {detector}", series, detector=detector,
                        spread=True)


compare_daily()
compare_quotes()
