"""tier1_oracle - every tier-1 name recomputed from its definition, on real bars.

    tier1_oracle.py TIER1_RUN

The definitions are semantics A.3 and, for the indicators, TA-Lib's as written down in
B.7; nothing here was taken from the C.  Windows are recomputed in extended precision
(numpy longdouble), so a difference is the C's; pandas checks this file's own reading
at a looser tolerance, its running sums being less exact.  Bars: daily equities (1d),
minutes of crypto and of forex quotes, hours of a stock; missing minutes are missing
bars, and a seeded few are made invalid on purpose.
"""
import csv
import gzip
import io
import math
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

REL = 1e-9
SHARED = Path(os.environ.get("TICKBUS_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))
DATA = SHARED / "data"
NAN = np.longdouble("nan")

ML = ["rolling_return_3", "rolling_return_6", "rolling_return_12", "momentum_score", "vol_6",
      "vol_12", "vol_24", "atr_normalized", "ma_12_slope", "ma_24_slope", "ma_50_slope",
      "distance_to_ma_12", "distance_to_ma_24", "distance_to_ma_50", "efficiency_ratio",
      "range_compression"]
DAY = ["trend_regime", "stress_indicator"]


# --- windows ------------------------------------------------------------------------

def rolling(x, n, reduce):
    """reduce() over each window of n, NaN before the first full one and around NaN."""
    out = np.full(len(x), NAN)
    if len(x) >= n:
        w = sliding_window_view(x, n)
        out[n - 1:] = np.where(np.isnan(w).any(axis=1), NAN, reduce(w))
    return out


def total(w):
    return w.sum(axis=1)


def mean(w):
    return w.mean(axis=1)


def deviation(ddof):
    def reduce(w):
        sd = np.sqrt(((w - w.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) / (w.shape[1] - ddof))
        return np.where(w.max(axis=1) == w.min(axis=1), np.longdouble(0), sd)
    return reduce


def ratio(x, y):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(y == 0, NAN, x / y)


def lag(x, n):
    return np.concatenate([np.full(n, NAN), x[:-n]]) if len(x) > n else np.full(len(x), NAN)


# --- A.3 ----------------------------------------------------------------------------

def features(high, low, close, ret, spread, daily):
    before = lag(close, 1)
    tr = np.fmax(high - low, np.fmax(abs(high - before), abs(low - before)))
    atr = rolling(tr, 14, mean)
    ma = {n: rolling(close, n, mean) for n in (12, 20, 24, 50)}
    vol = {n: rolling(ret, n, deviation(1)) for n in (6, 12, 24)}
    out = {f"rolling_return_{n}": rolling(ret, n, total) for n in (3, 6, 12)}
    out["momentum_score"] = ratio(out["rolling_return_12"], vol[12])
    out.update({f"vol_{n}": vol[n] for n in vol})
    out["atr_normalized"] = ratio(atr, close)
    for n in (12, 24, 50):
        out[f"ma_{n}_slope"] = ratio(ma[n] - lag(ma[n], 3), atr)
        out[f"distance_to_ma_{n}"] = ratio(close - ma[n], atr)
    path = rolling(abs(close - before), 10, total)
    out["efficiency_ratio"] = np.clip(ratio(abs(close - lag(close, 10)), path), 0, 1)
    span = rolling(high, 12, lambda w: w.max(axis=1)) - rolling(low, 12, lambda w: w.min(axis=1))
    out["range_compression"] = ratio(span, atr)
    d = ratio(ma[20] - ma[50], ma[50])
    nothing = np.full(len(close), NAN)
    out["trend_regime"] = np.where(d > 0.02, 1, np.where(d < -0.02, -1, 0)) if daily else nothing
    out["stress_indicator"] = ratio(vol[6], vol[24]) if daily else nothing
    out["spread_ratio"] = ratio(rolling(spread, 6, mean), atr)
    return out, tr


def norms(values, robust):
    out = {}
    for name in ML + DAY:
        x = values[name].astype(np.longdouble)
        if robust:
            middle = rolling(x, 60, lambda w: np.median(w, axis=1))
            mad = rolling(x, 60, lambda w: np.median(abs(w - np.median(w, axis=1, keepdims=True)), axis=1))
            z = ratio(x - middle, np.longdouble("1.4826") * mad)
        else:
            z = ratio(x - rolling(x, 60, mean), rolling(x, 60, deviation(1)))
        out[name + "_norm"] = np.clip(z, -5, 5)
    return out


# --- TA-Lib, B.7 --------------------------------------------------------------------

def ema(x, n, seed_at):
    """Seeded at index seed_at by the mean of the n values that end there."""
    out = np.full(len(x), NAN)
    if len(x) > seed_at:
        out[seed_at] = x[seed_at - n + 1:seed_at + 1].mean()
        k = np.longdouble(2) / (n + 1)
        for i in range(seed_at + 1, len(x)):
            out[i] = out[i - 1] + k * (x[i] - out[i - 1])
    return out


def wilder(x, n, first):
    """Seeded at index first + n - 1 by the mean of n values from index first."""
    out = np.full(len(x), NAN)
    at = first + n - 1
    if len(x) > at:
        out[at] = x[first:at + 1].mean()
        for i in range(at + 1, len(x)):
            out[i] = (out[i - 1] * (n - 1) + x[i]) / n
    return out


def rsi(close, n):
    d = np.concatenate([[NAN], np.diff(close)])
    gain = wilder(np.where(d > 0, d, 0).astype(np.longdouble), n, 1)
    loss = wilder(np.where(d < 0, -d, 0).astype(np.longdouble), n, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = 100 * gain / (gain + loss)
    return np.where(gain + loss < 1e-14, 0, r) + 0 * gain


def indicators(close, tr):
    out = {"sma_20": rolling(close, 20, mean), "ema_12": ema(close, 12, 11),
           "ema_26": ema(close, 26, 25), "rsi_14": rsi(close, 14), "atr_14": wilder(tr, 14, 1)}
    sigma = rolling(close, 20, deviation(0))
    out["bb_middle"] = out["sma_20"]
    out["bb_upper"] = out["sma_20"] + 2 * sigma
    out["bb_lower"] = out["sma_20"] - 2 * sigma
    macd = ema(close, 12, 25) - ema(close, 26, 25)
    signal = np.full(len(close), NAN)
    if len(close) > 33:
        signal[25:] = ema(macd[25:], 9, 8)
    out["macd"] = np.where(np.isnan(signal), NAN, macd)
    out["macd_signal"] = signal
    out["macd_hist"] = macd - signal
    return out


# --- bars ---------------------------------------------------------------------------

def returns(close, valid):
    """log_return_1 between neighbours of the grid that are both valid."""
    out = np.full(len(close), np.nan)
    both = valid[1:] & valid[:-1]
    with np.errstate(invalid="ignore"):
        out[1:] = np.where(both, np.log(close[1:] / close[:-1]), np.nan)
    return out


def finish(name, step_s, high, low, close, spoil):
    """A frame on the grid, with a seeded few bars made invalid."""
    rng = np.random.default_rng(len(close))
    high, low, close = (np.asarray(x, dtype=object) for x in (high, low, close))
    number = np.array([float(x) if x != "" else np.nan for x in close])
    hi = np.array([float(x) if x != "" else np.nan for x in high])
    lo = np.array([float(x) if x != "" else np.nan for x in low])
    valid = ~np.isnan(number) & ~np.isnan(hi) & ~np.isnan(lo) & (lo <= number) & (hi >= number)
    valid &= np.nan_to_num(lo) > 1e-10  # one day of HD has a low of 0
    valid &= rng.random(len(close)) >= spoil
    spread = np.where(valid, (hi - lo) / number, np.nan)
    spread[rng.random(len(close)) < spoil / 4] = np.nan
    return {"name": name, "step_s": step_s, "text": (high, low, close), "high": hi, "low": lo,
            "close": number, "valid": valid, "ret": returns(number, valid), "spread": spread}


def equities(spoil, every=1):
    for path in sorted((DATA / "equity_daily").glob("*.csv.gz"))[::every]:
        with gzip.open(path, "rt") as f:
            rows = list(csv.DictReader(f))
        yield finish(path.name.split("_")[0], 86400, *([r[c] for r in rows] for c in ("High", "Low", "Close")), spoil)


def lean_rows(path):
    with zipfile.ZipFile(path) as z:
        for name in z.namelist():
            yield from csv.reader(io.TextIOWrapper(z.open(name), "utf-8"))


def minutes(folder, kind, spoil):
    """All days of a folder on the grid of minutes from the first bar to the last."""
    bars = {}
    for day, path in enumerate(sorted((DATA / folder).glob(f"*_{kind}.zip"))):
        for r in lean_rows(path):
            bars[day * 1440 + int(r[0]) // 60000] = r[2:5]
    if not bars:
        return
    grid = [bars.get(i, ["", "", ""]) for i in range(min(bars), max(bars) + 1)]
    yield finish(folder + "/" + kind, 60, *zip(*grid), spoil)


def fx_days(spoil):
    for path in sorted((DATA / "fx_daily" / "oanda").glob("*.zip")):
        yield finish("fx_daily/" + path.stem, 86400, *zip(*[r[2:5] for r in lean_rows(path)]), spoil)


def all_series():
    yield from equities(0.0)
    yield from equities(0.004, 3)
    for symbol in ("btcusd", "btceur", "ethusd"):
        yield from minutes(f"crypto_minute/coinbase/{symbol}", "trade", 0.0)
    yield from minutes("fx_minute/oanda/eurusd", "quote", 0.0)
    yield from minutes("fx_minute/fxcm/eurusd", "quote", 0.001)
    yield from fx_days(0.0)


# --- comparison ---------------------------------------------------------------------

def text(x):
    return "" if np.isnan(x) else repr(float(x))


def run(program, s, robust):
    lines = []
    for i in range(len(s["close"])):
        high, low, close = (t[i] for t in s["text"])
        lines.append(f"{(i + 1) * s['step_s'] * 10**9},{high},{low},{close},{text(s['ret'][i])},"
                     f"{text(s['spread'][i])},{int(s['valid'][i])}")
    args = [program, str(s["step_s"])] + (["robust"] if robust else [])
    done = subprocess.run(args, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return pd.read_csv(io.StringIO(done.stdout), float_precision="round_trip")


def expected(s, robust):
    v = s["valid"]
    cols = [s[c][v].astype(np.longdouble) for c in ("high", "low", "close", "ret", "spread")]
    values, tr = features(*cols, s["step_s"] == 86400)
    out = dict(values)
    out.update(indicators(cols[2], tr))
    out.update(norms(values, robust))
    return out


def worst(got, want, scale_min):
    """Largest relative error and where it is; differing NULLs are infinite.

    A difference of nearly equal prices may be 0 but for the last digit of a price; below
    a thousandth of the column's usual size, error is measured against that.
    """
    want = want.astype(float)
    scale = 1e-3 * np.nanmean(abs(want)) if (~np.isnan(want)).any() else 1.0
    scale = max(scale, scale_min)
    if (np.isnan(got) != np.isnan(want)).any():
        at = int(np.argmax(np.isnan(got) != np.isnan(want)))
        return math.inf, at
    with np.errstate(invalid="ignore"):
        error = abs(got - want) / np.maximum(abs(want), scale)
    error = np.nan_to_num(error, nan=0.0)
    return (float(error.max()), int(error.argmax())) if len(error) else (0.0, 0)


def ready(s, want):
    """The gates of A.3: 100 valid bars, 95 % of the last 100 bars of the grid, all warm."""
    v = s["valid"]
    seen = np.cumsum(v)
    recent = seen - np.concatenate([np.zeros(100, int), seen])[:len(seen)]
    ret = s["ret"][v]
    whole = ~np.isnan(rolling(ret.astype(np.longdouble), 24, total))  # vol_24 is the longest of returns
    return (seen[v] >= 100) & (recent[v] >= 95) & whole


def check(program, s, robust):
    got, want = run(program, s, robust), expected(s, robust)
    assert len(got) == int(s["valid"].sum()), f"{s['name']}: {len(got)} vectors"
    assert (got["seq"].to_numpy() == np.arange(1, len(got) + 1)).all()
    assert set(want) == set(got.columns[5:]), set(want) ^ set(got.columns[5:])
    assert ((got["flags"].to_numpy() & 1).astype(bool) == ready(s, want)).all(), s["name"] + ": ready"
    bad, largest, compared = [], 0.0, 0
    price = float(np.nanmedian(s["close"]))
    for name in want:
        # MACD subtracts two recursions whose digits end where the price's do.
        floor = price * 1e-6 if name.startswith("macd") else 1e-300
        error, at = worst(got[name].to_numpy(), want[name], floor)
        compared += int((~np.isnan(want[name])).sum())
        largest = max(largest, error)
        if error > REL:
            bad.append(f"{s['name']} {name} at vector {at}: {got[name][at]!r} is not "
                       f"{float(want[name][at])!r} ({error:.2e})")
    return bad, largest, compared


def check_against_pandas(s):
    """The oracle's own reading of A.3, once more with pandas' rolling windows."""
    v = s["valid"]
    f = pd.DataFrame({c: s[c][v] for c in ("high", "low", "close", "ret")})
    want = {k: x.astype(float) for k, x in expected(s, False).items()}
    before = f.close.shift(1)
    tr = pd.concat([f.high - f.low, (f.high - before).abs(), (f.low - before).abs()], axis=1).max(axis=1)
    atr = tr.rolling(14).mean()
    mine = {"rolling_return_12": f.ret.rolling(12).sum(), "vol_24": f.ret.rolling(24).std(),
            "momentum_score": f.ret.rolling(12).sum() / f.ret.rolling(12).std(),
            "atr_normalized": atr / f.close, "sma_20": f.close.rolling(20).mean(),
            "ma_50_slope": (f.close.rolling(50).mean() - f.close.rolling(50).mean().shift(3)) / atr,
            "distance_to_ma_24": (f.close - f.close.rolling(24).mean()) / atr,
            "range_compression": (f.high.rolling(12).max() - f.low.rolling(12).min()) / atr,
            "bb_upper": f.close.rolling(20).mean() + 2 * f.close.rolling(20).std(ddof=0)}
    mine["atr_normalized_norm"] = ((mine["atr_normalized"] - mine["atr_normalized"].rolling(60).mean())
                                   / mine["atr_normalized"].rolling(60).std()).clip(-5, 5)
    for name, x in mine.items():
        np.testing.assert_allclose(x.to_numpy(), want[name], rtol=1e-6, atol=1e-7, err_msg=name)


def textbook():
    """B.7's golden values, through this file's TA-Lib."""
    close = np.array([44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03,
                      45.61, 46.28, 46.28, 46.00, 46.03, 46.41, 46.22, 45.64, 46.21, 46.25, 45.71, 46.45,
                      45.78, 45.35, 44.03, 44.18, 44.22, 44.57, 43.42, 42.66, 43.13], dtype=np.longdouble)
    got = indicators(close, np.full(len(close), np.longdouble(1)))
    assert abs(got["rsi_14"][14] - 70.464) < 5e-4 and abs(got["rsi_14"][32] - 37.789) < 5e-4
    for name, want in (("bb_lower", 42.862), ("bb_middle", 45.241), ("bb_upper", 47.620)):
        assert abs(got[name][32] - want) < 5e-4, name


def main():
    textbook()
    if not DATA.is_dir():
        print("tier1_oracle: no shared data beside the source tree; nothing was compared")
        return 0
    bad, largest, compared, n = [], 0.0, 0, 0
    for s in all_series():
        for robust in (False, True):
            if robust and n % 4:
                continue
            b, e, c = check(sys.argv[1], s, robust)
            bad, largest, compared = bad + b, max(largest, e), compared + c
        if n == 0:
            check_against_pandas(s)
        n += 1
    print(f"tier1_oracle: {n} series, {compared} values, largest relative error {largest:.2e}")
    for line in bad[:20]:
        print("tier1_oracle:", line)
    if n == 0:
        print("tier1_oracle: the shared data hold no bars this file knows")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
