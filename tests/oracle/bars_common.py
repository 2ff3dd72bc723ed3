"""What the oracles of bars share: where the data lie, and bars_run as a function."""
import csv
import gzip
import io
import os
import subprocess
import sys
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd

COLUMNS = ("symbol timeframe price_type start end open high low close volume log_return "
           "spread vwap count revision flags state cause method reason late").split()
MISSING, OUTLIER, VALID, FINAL = 1, 2, 4, 8
MINUTE = 60_000_000_000


def shared_data():
    """The folder of recorded data, or say so and pass."""
    root = os.environ.get("MESON_SOURCE_ROOT",
                          os.path.join(os.path.dirname(__file__), "..", ".."))
    shared = os.environ.get("TICKBUS_SHARED", os.path.join(root, "..", "shared"))
    data = os.path.join(shared, "data")
    if not os.path.isdir(data):
        print("no recorded data at ../shared/data: nothing compared")
        sys.exit(0)
    return data


def scaled(column, digits):
    """Texts of decimals to integers of 10^-digits, exactly."""
    scale = Decimal(10) ** digits
    return [int(Decimal(x) * scale) for x in column]


def read_zip(path):
    with zipfile.ZipFile(path) as z:
        return list(csv.reader(io.StringIO(z.read(z.namelist()[0]).decode())))


def day_ns(name, zone_hours=0):
    day = pd.Timestamp(f"{name[:4]}-{name[4:6]}-{name[6:8]}", tz="UTC")
    return day.value + zone_hours * 3600 * 10**9


def read_fx_ticks(path, zone_hours=0):
    """event_ns, bid_e9, ask_e9 of a zip of quotes."""
    rows = read_zip(path)
    base = day_ns(os.path.basename(path), zone_hours)
    return pd.DataFrame({
        "event_ns": [base + n for n in scaled((r[0] for r in rows), 6)],
        "bid": scaled((r[1] for r in rows), 9),
        "ask": scaled((r[2] for r in rows), 9)})


def read_crypto(path):
    """Trades (event_ns in the exchange's time, price, size) of a recorded stream."""
    import json
    rows = []
    with gzip.open(path, "rt") as f:
        for line in f:
            m = json.loads(line.split(" ", 1)[1])
            if m.get("data", {}).get("e") == "trade":
                d = m["data"]
                rows.append((d["T"] * 10**6, d["p"], d["q"], d["t"]))
    return pd.DataFrame({
        "event_ns": [r[0] for r in rows],
        "price": scaled((r[1] for r in rows), 9),
        "size": scaled((r[2] for r in rows), 8),
        "seq": [r[3] for r in rows]})


def run(program, lines, *options):
    """Bars of bars_run, as a frame of integers and floats."""
    done = subprocess.run([program, *options], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, check=True)
    text = "\n".join(x for x in done.stdout.splitlines() if not x.startswith("#"))
    return pd.read_csv(io.StringIO(text), names=COLUMNS, float_precision="round_trip",
                       dtype={c: "Int64" for c in ("open", "high", "low", "close")})


def check(name, ok, detail=""):
    """One line per comparison; the first failure ends the run."""
    print(f"{'ok' if ok else 'NOT OK'}: {name} {detail}")
    if not ok:
        sys.exit(1)


def same(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b))
