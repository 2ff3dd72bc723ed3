"""tier1_pandas - the bars of tier1_bench, the sixteen ML features and their norms, with pandas.

    tier1_pandas.py [BARS]

The opponent's best case: whole columns at once, nothing live, no indicators.
"""
import sys
import time

import numpy as np
import pandas as pd


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(42)
    close = pd.Series(100 * np.exp(np.cumsum((rng.random(n) - 0.5) * 0.01)))
    before = close.shift(1)
    high = np.maximum(close, before.fillna(close)) * 1.001
    low = np.minimum(close, before.fillna(close)) * 0.999
    ret = np.log(close / before)

    begin = time.perf_counter()
    tr = np.maximum(high - low, np.maximum((high - before).abs(), (low - before).abs()))
    atr = tr.fillna(high - low).rolling(14).mean()
    f = pd.DataFrame({f"rolling_return_{w}": ret.rolling(w).sum() for w in (3, 6, 12)})
    f["momentum_score"] = f["rolling_return_12"] / ret.rolling(12).std()
    for w in (6, 12, 24):
        f[f"vol_{w}"] = ret.rolling(w).std()
    f["atr_normalized"] = atr / close
    for w in (12, 24, 50):
        ma = close.rolling(w).mean()
        f[f"ma_{w}_slope"] = (ma - ma.shift(3)) / atr
        f[f"distance_to_ma_{w}"] = (close - ma) / atr
    f["efficiency_ratio"] = ((close - close.shift(10)).abs() / (close - before).abs().rolling(10).sum()).clip(0, 1)
    f["range_compression"] = (high.rolling(12).max() - low.rolling(12).min()) / atr
    norm = ((f - f.rolling(60).mean()) / f.rolling(60).std()).clip(-5, 5)
    elapsed = time.perf_counter() - begin
    print(f"pandas bars={n} bars_per_s={n / elapsed:.0f} ns_per_bar={elapsed / n * 1e9:.0f} "
          f"checksum={norm['vol_24'].sum():.6f}")


if __name__ == "__main__":
    main()
