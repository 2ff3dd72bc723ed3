"""ind_oracle - every entry of the registry of indicators against TA-Lib and pandas.

    ind_oracle.py IND_RUN

TA-Lib is the library itself (tools/setup-talib), called through ctypes; pandas the
expressions below.  Bars: daily and minute equities, where the recorded data is there, and
walks of our own, whose seeds are printed: at three levels of price, with flat stretches,
with bars that do not move.  Values agree when they differ by less than 1e-9 of the larger
or, for values that are differences of prices, of the price; both must be NULL together.
Where a reference's running sums lose more than that, the definition judges (EXACT below),
and how many values that were is printed.
"""
import ctypes
import glob
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

TOLERANCE = 1e-9
ROOT = Path(os.environ.get("MESON_SOURCE_ROOT", Path(__file__).resolve().parents[2]))
DATA = Path(os.environ.get("TICKBUS_SHARED", ROOT / ".." / "shared")) / "data"
HOME = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share"))
TALIB = Path(os.environ.get("TICKBUS_TALIB", HOME / "tickbus/talib-2.0.5/libta.so"))
DAY = 86400 * 10**9


# --- bars ---------------------------------------------------------------------------

def frame(o, h, l, c, v, step_ns=DAY):
    spread = 1e-4 * (1 + np.arange(len(c)) % 7)
    return pd.DataFrame({"open": o, "high": h, "low": l, "close": c, "volume": v, "spread": spread,
                         "time": (np.arange(len(c), dtype=np.int64) + 20000) * step_ns})


def walk(seed, level, n=4000, flat=0.0):
    rng = np.random.default_rng(seed)
    r = 0.01 * rng.standard_normal(n)
    for _ in range(int(n * flat / 60)):
        at = rng.integers(0, n)
        r[at:at + 60] = 0
    c = np.round(level * np.exp(np.cumsum(r)), 6)
    o = np.concatenate([[level], c[:-1]])
    quiet = r == 0
    h = np.maximum(o, c) * (1 + np.where(quiet, 0, 0.004 * rng.random(n)))
    l = np.minimum(o, c) * (1 - np.where(quiet, 0, 0.004 * rng.random(n)))
    v = np.where(rng.random(n) < 0.05, 0, rng.integers(1, 100000, n)).astype(float)
    return frame(o, h, l, c, v, 7 * 60 * 10**9)


def recorded():
    for path in sorted(glob.glob(str(DATA / "equity_daily/*.csv.gz")))[:5]:
        f = pd.read_csv(path).dropna()
        yield Path(path).name[:4], frame(*(f[c].to_numpy(float) for c in ("Open", "High", "Low", "Close", "Volume")))
    for path in sorted(glob.glob(str(DATA / "equity_minute/*.csv.gz"))):
        f = pd.read_csv(path).dropna()
        f.columns = [c.split(".")[-1] for c in f.columns]
        yield Path(path).name[:9], frame(*(f[c].to_numpy(float) for c in ("Open", "High", "Low", "Close", "Volume")),
                                         60 * 10**9)


def series():
    for seed, level in ((1, 100.0), (2, 0.5), (3, 50000.0)):
        print(f"# walk of seed {seed} from {level}")
        yield f"walk {level:g}", walk(seed, level)
    print("# walk of seed 4 with flat stretches")
    yield "walk with flat stretches", walk(4, 128.0, flat=0.3)
    found = list(recorded())
    if not found:
        print("# no recorded bars at ../shared/data: walks only")
    yield from found


# --- TA-Lib -------------------------------------------------------------------------

class Talib:
    """name(inputs, options, outputs) -> columns, NaN where TA-Lib gives nothing."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(str(path))
        assert self.lib.TA_Initialize() == 0

    def __call__(self, name, inputs, options=(), outputs=1):
        n = len(inputs[0])
        inputs = [np.ascontiguousarray(x, dtype=np.float64) for x in inputs]
        outs = [np.full(n, np.nan) for _ in range(outputs)]
        begin, count = ctypes.c_int(), ctypes.c_int()
        pointer = ctypes.POINTER(ctypes.c_double)
        args = [ctypes.c_int(0), ctypes.c_int(n - 1), *(x.ctypes.data_as(pointer) for x in inputs),
                *(ctypes.c_double(x) if isinstance(x, float) else ctypes.c_int(x) for x in options),
                ctypes.byref(begin), ctypes.byref(count), *(x.ctypes.data_as(pointer) for x in outs)]
        code = getattr(self.lib, "TA_" + name)(*args)
        assert code == 0, f"TA_{name}: {code}"
        for x in outs:
            x[begin.value:] = x[:count.value].copy()
            x[:begin.value] = np.nan
        return outs if outputs > 1 else outs[0]


def talib_table(ta):
    """name -> (parameters to try, function of a frame and parameters giving columns)"""
    def one(name, columns):
        return lambda f, *p: [ta(name, [f[c] for c in columns], p)]
    c, hlc, hl = ["close"], ["high", "low", "close"], ["high", "low"]
    return {
        "sma": ([(30,), (2,)], one("SMA", c)), "ema": ([(30,), (2,), (12,)], one("EMA", c)),
        "wma": ([(30,), (2,), (9,)], one("WMA", c)), "dema": ([(30,), (5,)], one("DEMA", c)),
        "tema": ([(30,), (5,)], one("TEMA", c)), "kama": ([(30,), (10,), (2,)], one("KAMA", c)),
        "trix": ([(30,), (15,), (2,)], one("TRIX", c)), "rsi": ([(14,), (2,), (30,)], one("RSI", c)),
        "roc": ([(10,), (1,)], one("ROC", c)), "mom": ([(10,), (1,)], one("MOM", c)),
        "cci": ([(14,), (20,), (2,)], one("CCI", hlc)), "willr": ([(14,), (2,)], one("WILLR", hlc)),
        "atr": ([(14,), (2,)], one("ATR", hlc)), "natr": ([(14,), (2,)], one("NATR", hlc)),
        "obv": ([()], one("OBV", ["close", "volume"])), "mfi": ([(14,), (2,)], one("MFI", [*hlc, "volume"])),
        "macd": ([(12, 26, 9), (3, 10, 16), (26, 12, 9)], lambda f, *p: ta("MACD", [f.close], p, 3)),
        "bbands": ([(20, 2.0), (5, 2.5)], lambda f, n, k: ta("BBANDS", [f.close], (n, k, k, 0), 3)),
        "stoch": ([(5, 3, 3), (14, 1, 5)],
                  lambda f, n, k, d: ta("STOCH", [f[x] for x in hlc], (n, k, 0, d, 0), 2)),
        "aroon": ([(14,), (25,), (2,)], lambda f, n: ta("AROON", [f[x] for x in hl], (n,), 2)),
        "adx": ([(14,), (2,), (30,)], lambda f, n: [ta(x, [f[y] for y in hlc], (n,))
                                                    for x in ("ADX", "PLUS_DI", "MINUS_DI")]),
        "keltner": ([(20, 2.0, 10), (5, 1.5, 30)], lambda f, n, k, a: keltner(
            ta("EMA", [f.close], (n,)), k * ta("ATR", [f[x] for x in hlc], (a,)))),
        "zscore": ([(20,), (5,)], lambda f, n: [(f.close - ta("SMA", [f.close], (n,))).to_numpy() /
                                                nothing(ta("STDDEV", [f.close], (n, 1.0)))]),
    }


def keltner(middle, reach):
    middle = np.where(np.isnan(reach), np.nan, middle)
    return [middle + reach, middle, middle - reach]


def nothing(x):
    return np.where(x == 0, np.nan, x)


def windows(x, n):
    return np.lib.stride_tricks.sliding_window_view(np.asarray(x, dtype=np.longdouble), n)


def late(values, n):
    """Columns that begin at bar n - 1."""
    return [np.concatenate([np.full(n - 1, np.nan), v]).astype(float) for v in values]


def spread_of(f, n, ddof):
    w = windows(f.close, n)
    mean = w.mean(axis=1)
    sigma = np.sqrt(((w - mean[:, None]) ** 2).sum(axis=1) / (n - ddof))
    return mean, np.where(w.max(axis=1) == w.min(axis=1), 0, sigma)


def exact_bands(ddof):
    def bands_of(f, n, k):
        mean, sigma = spread_of(f, n, ddof)
        return late([mean + k * sigma, mean, mean - k * sigma], n)
    return bands_of


def exact_zscore(ddof):
    def zscore(f, n):
        mean, sigma = spread_of(f, n, ddof)
        return late([(f.close.to_numpy(np.longdouble)[n - 1:] - mean) / nothing(sigma)], n)
    return zscore


def exact_mfi(f, n):
    t = (f.high + f.low + f.close).to_numpy() / 3.0
    d = np.sign(np.diff(t))
    up, down = (windows(np.where(d == way, t[1:] * f.volume.to_numpy()[1:], 0), n).sum(axis=1) for way in (1, -1))
    return late([np.where(up + down < 1, 0, 100 * up / nothing(up + down))], n + 1)


# The definitions, window by window in extended precision.  TA-Lib and pandas take sums over
# windows as running ones: what has gone by leaves rounding behind, which is all there is
# in a flat window.  Where they and we differ, these must agree with us.
EXACT = {("bbands", "talib"): exact_bands(0), ("bbands", "pandas"): exact_bands(1),
         ("zscore", "talib"): exact_zscore(0), ("zscore", "pandas"): exact_zscore(1), ("mfi", "talib"): exact_mfi}


# --- pandas -------------------------------------------------------------------------

def true_range(f):
    before = f.close.shift()
    return pd.concat([f.high - f.low, (f.high - before).abs(), (f.low - before).abs()], axis=1).max(axis=1)


def ema(x, n):
    return x.ewm(span=n, adjust=False).mean()


def wilder(x, n):
    return x.ewm(alpha=1 / n, adjust=False).mean()


def rsi(f, n):
    d = f.close.diff()
    gain, loss = wilder(d.clip(lower=0), n), wilder(-d.clip(upper=0), n)
    return [100 * gain / (gain + loss)]


def macd(f, fast, slow, signal):
    line = ema(f.close, min(fast, slow)) - ema(f.close, max(fast, slow))
    return [line, ema(line, signal), line - ema(line, signal)]


def deviation(x, n):
    """rolling().std(), which is a running one: where it says 0 the window is flat."""
    return x.rolling(n).std()


def bands(f, n, k):
    middle, sigma = f.close.rolling(n).mean(), deviation(f.close, n)
    return [middle + k * sigma, middle, middle - k * sigma]


def chain(f, n):
    a = ema(f.close, n)
    return a, ema(a, n), ema(ema(a, n), n)


def dema(f, n):
    a, b, _ = chain(f, n)
    return [2 * a - b]


def tema(f, n):
    a, b, c = chain(f, n)
    return [3 * a - 3 * b + c]


def typical(f):
    return (f.high + f.low + f.close) / 3


def vwap(f, open_minutes):
    session = (f.time - 1 - open_minutes * 60 * 10**9) // DAY
    value, volume = typical(f) * f.volume, f.volume
    return [value.groupby(session).cumsum() / volume.groupby(session).cumsum().replace(0, np.nan)]


def rvwap(f, n):
    value, volume = (typical(f) * f.volume).rolling(n).sum(), f.volume.rolling(n).sum()
    return [value / volume.replace(0, np.nan)]


def root(x, n, periods):
    return [np.sqrt((x.rolling(n).mean() * periods).clip(lower=0))]


def minimal(x, n):
    """tsfresh's MinimalFCParameters of the last n of @x, of those that are numbers."""
    values = x.to_numpy()[np.isfinite(x)]
    w = windows(values, n)
    out = [w.sum(axis=1), np.median(w, axis=1), w.mean(axis=1), np.full(len(w), n), w.std(axis=1), w.var(axis=1),
           np.sqrt((w * w).mean(axis=1)), w.max(axis=1), np.abs(w).max(axis=1), w.min(axis=1)]
    return late(out, len(x) - len(w) + 1)


def pandas_table():
    ln = np.log
    n20 = [(20,), (2,)]
    return {
        "sma": (n20, lambda f, n: [f.close.rolling(n).mean()]), "ema": (n20, lambda f, n: [ema(f.close, n)]),
        "dema": (n20, dema), "tema": (n20, tema),
        "trix": (n20, lambda f, n: [100 * chain(f, n)[2].pct_change()]), "rsi": ([(14,), (2,)], rsi),
        "macd": ([(12, 26, 9), (10, 3, 5)], macd), "bbands": ([(20, 2.0), (5, 3.0)], bands),
        "atr": (n20, lambda f, n: [wilder(true_range(f), n)]),
        "natr": (n20, lambda f, n: [100 * wilder(true_range(f), n) / f.close]),
        "keltner": ([(20, 2.0, 10)], lambda f, n, k, a: keltner(ema(f.close, n), k * wilder(true_range(f), a))),
        "roc": (n20, lambda f, n: [100 * f.close.pct_change(n)]), "mom": (n20, lambda f, n: [f.close.diff(n)]),
        "zscore": (n20, lambda f, n: [(f.close - f.close.rolling(n).mean()) / deviation(f.close, n).replace(0, np.nan)]),
        "donchian": (n20, lambda f, n: [f.high.rolling(n).max(), (f.high.rolling(n).max() + f.low.rolling(n).min()) / 2,
                                        f.low.rolling(n).min()]),
        "vwap": ([(0,), (870,)], vwap), "rvwap": (n20, rvwap), "spread": (n20, lambda f, n: [f.spread.rolling(n).mean()]),
        "rvol": ([(20, 1.0), (5, 252.0)], lambda f, n, p: root(ln(f.close / f.close.shift()) ** 2, n, p)),
        "tsfresh_close": ([(20,), (7,)], lambda f, n: minimal(f.close, n)),
        "tsfresh_return": (n20, lambda f, n: minimal(ln(f.close / f.close.shift()), n)),
        "tsfresh_volume": (n20, lambda f, n: minimal(f.volume, n)),
        "parkinson": ([(20, 1.0)], lambda f, n, p: root(ln(f.high / f.low) ** 2 / (4 * ln(2)), n, p)),
        "garman_klass": ([(20, 1.0)], lambda f, n, p: root(
            0.5 * ln(f.high / f.low) ** 2 - (2 * ln(2) - 1) * ln(f.close / f.open) ** 2, n, p)),
    }


# --- the judge ----------------------------------------------------------------------

def spec_of(name, params, flavour):
    return f"{name}({','.join([*(repr(p) for p in params), 'flavour=' + flavour])})"


def ours(program, f, specs, outputs):
    data = np.int64(len(f)).tobytes() + b"".join(
        f[c].to_numpy(np.float64).tobytes() for c in ("open", "high", "low", "close", "volume", "spread"))
    done = subprocess.run([program, *specs], input=data + f.time.to_numpy(np.int64).tobytes(),
                          capture_output=True, check=True, timeout=120)
    values = np.frombuffer(done.stdout)
    at, result = 0, []
    for n in outputs:
        result.append((int(values[at]), values[at + 1:at + 1 + n * len(f)].reshape(n, len(f))))
        at += 1 + n * len(f)
    assert at == len(values), "output of another size"
    return result


# Of differences of prices, and of what divides by something small, 1e-9 of what they came from.
SCALE = {"tsfresh_close": lambda f: 1e-3 * f.close, "tsfresh_return": lambda f: 1e-3,
         "macd": lambda f: f.close, "mom": lambda f: f.close, "atr": lambda f: f.close,
         "obv": lambda f: f.volume.cumsum(), "zscore": lambda f: 1, "cci": lambda f: 100,
         "stoch": lambda f: 100, "willr": lambda f: 100, "mfi": lambda f: 100, "rsi": lambda f: 100,
         "adx": lambda f: 100, "trix": lambda f: 100, "roc": lambda f: 100, "natr": lambda f: 100}


def differences(name, f, got, want, tolerance):
    scale = np.maximum(np.abs(got), np.abs(want))
    if name in SCALE:
        scale = np.maximum(scale, SCALE[name](f))
    with np.errstate(invalid="ignore"):
        return (np.isnan(got) != np.isnan(want)) | (np.abs(got - want) > tolerance * scale)


class Judge:
    def __init__(self, program):
        self.program, self.bad, self.values, self.excused = program, 0, 0, {}
        lines = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split("\n")
        self.entries = {a: (int(b), int(c)) for a, b, c in (x.split() for x in lines if x)}

    def covered(self, table, flavour_bit, what):
        for name in sorted({n for n, (flavours, _) in self.entries.items() if flavours & flavour_bit} - set(table)):
            self.bad += 1
            print(f"{name}: nothing of {what} to compare it with")

    def against_definition(self, name, flavour, f, p, k, have, wrong):
        """Of the values that differ from a reference, those that the definition does not have either."""
        if not wrong.any() or (name, flavour) not in EXACT:
            return wrong
        still = wrong & differences(name, f, have, EXACT[name, flavour](f, *p)[k], TOLERANCE)
        key = f"{name} ({flavour})"
        self.excused[key] = self.excused.get(key, 0) + int(wrong.sum() - still.sum())
        return still

    def compare(self, label, f, table, flavour, what):
        tries = [(name, p, fn) for name, (params, fn) in table.items() for p in params]
        got = ours(self.program, f, [spec_of(n, p, flavour) for n, p, _ in tries],
                   [self.entries[n][1] for n, _, _ in tries])
        for (name, p, fn), (lookback, columns) in zip(tries, got):
            wanted = [np.asarray(w, dtype=float) for w in fn(f, *p)]
            for k, (have, want) in enumerate(zip(columns, wanted, strict=True)):
                wrong = self.against_definition(name, flavour, f, p, k, have,
                                                differences(name, f, have, want, TOLERANCE))
                self.values += len(f)
                if wrong.any():
                    i = int(np.argmax(wrong))
                    self.bad += 1
                    print(f"{label}: {spec_of(name, p, flavour)} output {k}: {wrong.sum()} of {len(f)} differ from "
                          f"{what}, first at bar {i}: {have[i]!r}, not {want[i]!r} (lookback {lookback})")


def main():
    judge = Judge(sys.argv[1])
    ta = Talib(TALIB) if TALIB.exists() else None
    judge.covered(pandas_table(), 2, "pandas")
    if ta is None:
        print(f"# TA-Lib is absent ({TALIB.name}; tools/setup-talib): flavour talib is not compared with it")
    else:
        judge.covered(talib_table(ta), 1, "TA-Lib")
    for label, f in series():
        if ta is not None:
            judge.compare(label, f, talib_table(ta), "talib", "TA-Lib")
        judge.compare(label, f, pandas_table(), "pandas", "pandas")
    for key, n in sorted(judge.excused.items()):
        print(f"# {key}: {n} values are the definition's, not the reference's")
    print(f"{judge.values} values compared, {judge.bad} columns differ")
    return 1 if judge.bad else 0


if __name__ == "__main__":
    sys.exit(main())
