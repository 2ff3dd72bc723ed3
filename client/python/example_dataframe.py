#!/usr/bin/env python3
"""Ticks, bars and the newest correlation matrix as pandas DataFrames: example_dataframe.py"""
import os

import tickbus

PORT = int(os.environ.get("TICKBUS_PORT", 7400))


def main():
    with tickbus.history("tick,bar", port_base=PORT) as past:
        tables = past.to_dataframe(max_events=1_000_000, until_live=True)
    ticks, bars = tables["tick"], tables["bar"]
    for notice in ticks.attrs["notices"]:
        print(notice)
    print(ticks.groupby("symbol").price.agg(["count", "min", "max"]))
    print(bars[bars.timeframe == "1m"].pivot_table(index="time", columns="symbol", values="close"))

    with tickbus.history("tier2", port_base=PORT) as past:
        matrices = [e for e in past if e.kind == "tier2"]
    if matrices:
        print(matrices[-1].universe, matrices[-1].time)
        print(matrices[-1].dataframe())


if __name__ == "__main__":
    main()
