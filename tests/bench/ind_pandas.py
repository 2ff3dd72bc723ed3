"""The usual three of ind_bench with TA-Lib (tools/setup-talib) and with pandas.

    ind_pandas.py [BARS]
"""
import ctypes
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
rng = np.random.default_rng(42)
close = 100 * np.exp(np.cumsum(0.005 * rng.uniform(-1, 1, n)))


def median(function, runs=9):
    times = []
    for _ in range(runs):
        begin = time.thread_time()
        function()
        times.append(time.thread_time() - begin)
    return sorted(times)[runs // 2] * 1e9 / n


home = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share"))
library = Path(os.environ.get("TICKBUS_TALIB", home / "tickbus/talib-2.0.5/libta.so"))
if library.exists():
    ta = ctypes.CDLL(str(library))
    assert ta.TA_Initialize() == 0
    pointer = ctypes.POINTER(ctypes.c_double)
    outs = [np.empty(n) for _ in range(3)]
    into = [x.ctypes.data_as(pointer) for x in outs]
    begin, count = ctypes.c_int(), ctypes.c_int()
    head = (0, n - 1, close.ctypes.data_as(pointer))
    ends = (ctypes.byref(begin), ctypes.byref(count))
    two = ctypes.c_double(2)

    def all_three():
        assert ta.TA_SMA(*head, 20, *ends, into[0]) == 0
        assert ta.TA_RSI(*head, 14, *ends, into[0]) == 0
        assert ta.TA_BBANDS(*head, 20, two, two, 0, *ends, *into) == 0
    print(f"TA-Lib, all three: {median(all_three):.2f} ns/bar")
else:
    print("TA-Lib is absent: tools/setup-talib")

x = pd.Series(close)


def all_three_pandas():
    middle, sigma = x.rolling(20).mean(), x.rolling(20).std()
    d = x.diff()
    gain = d.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean()
    loss = -d.clip(upper=0).ewm(alpha=1 / 14, adjust=False).mean()
    return middle, 100 * gain / (gain + loss), middle + 2 * sigma, middle - 2 * sigma


print(f"pandas, all three: {median(all_three_pandas, 5):.2f} ns/bar")
