#!/usr/bin/env python3
"""Reports over what was ingested, judged by pandas: report_test.py TICKBUSD TICKBUSCTL

Prints TAP.
"""
import copy
import json
import os
import subprocess
import sys

import reportparts as rp
import tickbusd as tb

BINARY, CTL = sys.argv[1], sys.argv[2]

try:
    import numpy as np
    import pandas as pd
except ImportError:
    pd = None


class World(rp.World):
    def __init__(self):
        super().__init__(BINARY, CTL)


def without_time(answer):
    """The whole answer but for what it took."""
    answer = copy.deepcopy(answer)
    assert answer.get("report", answer).pop("execution_time_seconds") > 0
    return answer


def rows(answer, name):
    return {row["ticker"]: row for row in answer[name]}


# ---- what pandas says of the same bars -------------------------------------

def wilder(values, n):
    """Wilder's mean: begins with the mean of the first n."""
    out = np.full(len(values), np.nan)
    out[n - 1] = values[:n].mean()
    for i in range(n, len(values)):
        out[i] = (out[i - 1] * (n - 1) + values[i]) / n
    return out


def ema(x, n):
    """TA-Lib's: begins with the mean of the first n."""
    x = x.dropna()
    seeded = pd.concat([pd.Series([x.iloc[:n].mean()], index=[x.index[n - 1]]), x.iloc[n:]])
    return seeded.ewm(alpha=2 / (n + 1), adjust=False).mean()


def judged(bars):
    """The summary that pandas makes of a frame with open, high, low, close."""
    c = bars["close"]
    mean, std = c.rolling(20).mean(), c.rolling(20).std(ddof=0)
    move = c.diff().dropna().to_numpy()
    up, down = wilder(move.clip(min=0), 14)[-1], wilder((-move).clip(min=0), 14)[-1]
    true = pd.concat([bars["high"], c.shift()], axis=1).max(axis=1) - pd.concat([bars["low"], c.shift()], axis=1).min(axis=1)
    returns = np.log(c / c.shift())
    # TA-Lib begins the fast mean where the slow one begins.
    macd = ema(c.iloc[14:], 12).reindex(c.index) - ema(c, 26).reindex(c.index)
    signal = ema(macd, 9)
    return {"sma_20": mean.iloc[-1], "sma_50": c.rolling(50).mean().iloc[-1], "ema_20": ema(c, 20).iloc[-1],
            "rsi_14": 100 * up / (up + down), "bollinger_upper": (mean + 2 * std).iloc[-1], "bollinger_middle": mean.iloc[-1],
            "bollinger_lower": (mean - 2 * std).iloc[-1], "macd": macd.iloc[-1], "macd_signal": signal.iloc[-1],
            "macd_histogram": macd.iloc[-1] - signal.iloc[-1], "atr_14": wilder(true.to_numpy()[1:], 14)[-1],
            "roc_10": 100 * c.pct_change(10).iloc[-1], "realised_volatility_20": np.sqrt(252 * (returns ** 2).rolling(20).mean().iloc[-1])}


def near(got, want, what):
    assert got is not None and abs(got - want) <= 1e-9 * max(1, abs(want)), (what, got, want)


def indicators_are_those_of_pandas(d):
    symbols = ["AAPL", "MSFT", "NVDA"]
    d.fetch(symbols)
    answer = d.report("technical", symbols)
    assert (answer["status"], answer["securities_analyzed"], answer["failed"]) == ("success", 3, []), answer
    assert [row["ticker"] for row in answer["technical_summary"]] == symbols
    for row in answer["technical_summary"]:
        want = judged(d.frame(row["ticker"]).tail(252).reset_index(drop=True))
        assert list(row) == ["ticker"] + [k for k in row if k in want] and len(row) == len(want) + 1, row
        for key, value in want.items():
            near(row[key], value, (row["ticker"], key))
    whole = d.report("technical", symbols, "--history", "--window", "60")["technical_indicators"]
    assert len(whole) == 3 * 60, len(whole)
    c = d.frame("AAPL").tail(60)["close"].rolling(20).mean()
    got = [bar["sma_20"] for bar in whole if bar["ticker"] == "AAPL"]
    assert got[:19] == [None] * 19, got
    for a, b in zip(got[19:], c.iloc[19:]):
        near(a, b, "sma_20 of every bar")


def the_number_of_workers_and_a_second_run_change_nothing(d):
    symbols = [f"S{i:02}" for i in range(12)]
    d.fetch(symbols)
    one = without_time(d.report("technical", symbols, "--workers", "1"))
    assert one == without_time(d.report("technical", symbols, "--workers", "8"))
    assert one == without_time(d.report("technical", symbols, "--workers", "8"))


def what_is_not_there_is_named_and_the_rest_is_a_report(d):
    d.fetch(["AAPL", "MSFT"])
    answer = d.report("technical", ["AAPL", "NOPE", "MSFT"], code=1)
    assert (answer["status"], answer["securities_analyzed"]) == ("partial", 2), answer
    assert [(f["ticker"], f["part"]) for f in answer["failed"]] == [("NOPE", "pricing")], answer
    assert "ingest it" in answer["failed"][0]["reason"], answer
    assert answer["technical_summary"] == d.report("technical", ["AAPL", "MSFT"])["technical_summary"]
    assert d.report("technical", ["NOPE"], code=1)["status"] == "failed"
    assert "NOPE" in d.ctl("report", "technical", "--symbols", "NOPE", code=1, what="stderr")


def what_cannot_be_asked_is_refused(d):
    for args, words in (((), "say which"), (("weekly",), "say which"), (("technical",), "no symbol"),
                        (("technical", "--symbols", "a!"), "a!"), (("technical", "--symbols", "A", "--window", "0"), "--window"),
                        (("technical", "--symbols", "A", "--timeframe", "7m"), "7m"), (("news", "--symbols", "A", "--half-life", "long"), "long"),
                        (("technical", "--symbols", "A", "--start", "soon"), "soon"), (("pricing", "--symbols", "A", "--adjust", "no"), "'no'")):
        assert words in d.ctl("report", *args, code=64, what="stderr"), args
    assert d.stop() == 0
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "report", "technical", "--symbols", "A", "--json"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 69 and done.stdout == "", done


TESTS = [indicators_are_those_of_pandas, the_number_of_workers_and_a_second_run_change_nothing,
         what_is_not_there_is_named_and_the_rest_is_a_report, what_cannot_be_asked_is_refused]

if __name__ == "__main__":
    if pd is None:
        print("1..0 # SKIP pandas is absent: nobody to judge the numbers")
        sys.exit(0)
    sys.exit(tb.tap([t for t in TESTS if t.__name__ in sys.argv[3:] or not sys.argv[3:]], World))
