"""The ticks of bars_bench in pandas: bars of three timeframes per symbol by groupby.

    bars_pandas.py [TICKS [SYMBOLS]]

No order to repair, no revision, no validation: open, high, low, close, volume and count.
"""
import sys
import time

import numpy as np
import pandas as pd

n = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000_000
symbols = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
rng = np.random.default_rng(7400)
begin = 1_700_000_000 // 3600 * 3600 * 10**9
ticks = pd.DataFrame({
    "event_ns": begin + np.arange(n) * 600_000,
    "symbol": rng.integers(0, symbols, n),
    "price": 100 + np.cumsum(rng.integers(-1000, 1001, n)) * 1e-6,
    "size": 1.0})
for attempt in range(3):
    start, bars = time.perf_counter(), 0
    for step_s in (60, 300, 3600):
        bucket = ticks.event_ns.to_numpy() // (step_s * 10**9)
        g = ticks.groupby([ticks.symbol, bucket], sort=False)
        bars += len(g.agg(open=("price", "first"), high=("price", "max"),
                          low=("price", "min"), close=("price", "last"),
                          volume=("size", "sum"), count=("size", "count")))
    s = time.perf_counter() - start
    print(f"{s / n * 1e9:.1f} ns/tick, {n / s / 1e6:.2f} M ticks/s; {bars} bars")
