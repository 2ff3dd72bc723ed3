#!/usr/bin/env python3
"""What reading the archive costs: archive_bench.py TICKBUS_ARCHIVE [SYMBOLS [DAYS]]

Minute bars of sessions of 390 minutes, some left out, are put into an archive of their own.
Then, each in a process of its own, with the highest memory that it had:

	outer     all symbols side by side, close and volume, to Parquet and to CSV
	pandas    the same from one CSV file per symbol: read, outer join, write
	cold      one symbol, one month, by a helper that is up and has read nothing

Medians of three runs.
"""
import json
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

EXE = sys.argv[1]
SYMBOLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
DAYS = int(sys.argv[3]) if len(sys.argv) > 3 else 252
NS, JAN = 10**9, 1704067200
NAMES = [f"S{i:02d}" for i in range(SYMBOLS)]

PANDAS = """
import sys, resource, time
import pandas as pd
begin = time.perf_counter()
frames = [pd.read_csv(f"{sys.argv[1]}/{s}.csv", index_col=0, parse_dates=True) for s in sys.argv[3:]]
out = pd.concat(frames, axis=1).sort_index()
out.to_csv(sys.argv[2])
print(time.perf_counter() - begin, len(out), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def frame(doc, bulk=b""):
    text = json.dumps(doc).encode()
    return struct.pack("<II", len(text), len(bulk)) + text + bulk


def ask(process, doc, bulk=b""):
    process.stdin.write(frame(doc, bulk))
    process.stdin.flush()
    answer = json.loads(process.stdout.read(struct.unpack("<II", process.stdout.read(8))[0]))
    assert answer["ok"], answer
    return answer


def serve(path):
    return subprocess.Popen([EXE, "--archive", path, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def make(path, csv):
    helper, rows = serve(path), 0
    for i, s in enumerate(NAMES):
        r = random.Random(i)
        close, bulk = 18700, []
        with open(f"{csv}/{s}.csv", "w") as f:
            f.write(f"timestamp,{s}_close,{s}_volume\n")
            for d in range(DAYS):
                for m in range(870, 1260):
                    close = max(100, close + r.randrange(-9, 10))
                    if r.random() < 0.02:
                        continue
                    t, c, v = JAN + (d * 7 // 5 * 1440 + m) * 60, close * 10**7, r.randrange(1, 9000)
                    bulk.append(struct.pack("<8q", t * NS, c, c + 10**7, c - 10**7, c, v * 10**8, c, v % 300))
                    f.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t + 60))},{close / 100},{v}.0\n")
        rows += ask(helper, {"do": "put_bars", "source": "alpaca", "feed": "sip", "symbol": s, "step_s": 60},
                    b"".join(bulk))["added"]
    helper.stdin.close()
    helper.wait()
    return rows


def measured(argv):
    """Seconds, the last line of output, MiB at most."""
    begin = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, (argv, status)
    return time.perf_counter() - begin, out, usage.ru_maxrss / 1024


def median(runs):
    return statistics.median(r[0] for r in runs), max(r[2] for r in runs)


def main():
    with tempfile.TemporaryDirectory(prefix="tickbus-archive-bench-") as d:
        archive, csv = os.path.join(d, "a"), os.path.join(d, "csv")
        os.mkdir(csv)
        begin = time.perf_counter()
        rows = make(archive, csv)
        print(f"{rows} bars of {SYMBOLS} symbols, {time.perf_counter() - begin:.1f} s to make", flush=True)
        for form in ("parquet", "csv"):
            for how in ("outer", "ffill"):
                runs = [measured([EXE, "--archive", archive, "export", "--symbols", ",".join(NAMES), "--fields",
                                  "close,volume", "--align", how, "--format", form, "--out", f"{d}/x.{form}"])
                        for _ in range(3)]
                seconds, mib = median(runs)
                print(f"{how} to {form}: {seconds:.2f} s, {mib:.0f} MiB at most", flush=True)
        for how in ("outer", "ffill"):
            run = measured([EXE, "--archive", archive, "--memory", "64", "--threads", "1", "export", "--symbols",
                            ",".join(NAMES), "--fields", "close,volume", "--align", how, "--limit", "10m",
                            "--out", f"{d}/small.csv"])
            with open(f"{d}/small.csv", "rb") as f, open(f"{d}/x.csv", "rb") as g:
                assert how == "outer" or all(x == y for x, y in zip(f, g, strict=True)), "not the same"
            print(f"{how} to csv with --memory 64: {run[0]:.2f} s, {run[2]:.0f} MiB at most", flush=True)
        ours, theirs = [], []
        try:
            for _ in range(3):  # in turns, for whatever else the machine does
                ours.append(measured([EXE, "--archive", archive, "export", "--symbols", ",".join(NAMES), "--fields",
                                      "close,volume", "--out", f"{d}/x.csv"]))
                theirs.append(measured(["/usr/bin/python3", "-c", PANDAS, csv, f"{d}/p.csv", *NAMES]))
            seconds, mib = median(theirs)
            print(f"pandas, CSV to CSV: {seconds:.2f} s, {mib:.0f} MiB at most; ours, in turns with it: "
                  f"{median(ours)[0]:.2f} s, so {seconds / median(ours)[0]:.1f} times as fast", flush=True)
        except AssertionError:
            print("pandas is absent: not compared", flush=True)
        cold = []
        for i in range(3):
            helper = serve(archive)
            ask(helper, {"do": "query", "sql": "SELECT 1", "out": f"{d}/one.csv"})
            begin = time.perf_counter()
            ask(helper, {"do": "export", "symbols": NAMES[i % SYMBOLS], "start": "2024-03-01", "end": "2024-04-01",
                         "out": f"{d}/one.csv"})
            cold.append(time.perf_counter() - begin)
            helper.stdin.close()
            helper.wait()
        print(f"one symbol, one month, cold: {statistics.median(cold) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
