#!/usr/bin/env python3
"""A question about one symbol and one month among many: archive_query_bench.py TICKBUS_ARCHIVE [SYMBOLS [MONTHS [DIR]]]

SYMBOLS x MONTHS files of minute bars are made (DIR: kept there, and used again), then each question is put to a helper
that has just begun, which has seen no file yet.  Median and best of seven, in milliseconds, until the answer's file is
there.
"""
import calendar
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
SYMBOLS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
MONTHS = int(sys.argv[3]) if len(sys.argv) > 3 else 120
NULL, MINUTE, ROUNDS = -2 ** 63, 60 * 10 ** 9, 7
PER_MONTH = 3000
QUESTIONS = {
    "one symbol, one month": "symbol = 'S1' AND year = 2014 AND month = 3",
    "one symbol, one month, by time": "symbol = 'S1' AND timestamp >= '2014-03-01' AND timestamp < '2014-04-01'",
    "one symbol": "symbol = 'S1'",
    "one month of all": "year = 2014 AND month = 3",
    "everything": "true",
}


class Helper:
    def __init__(self, where):
        self.process = subprocess.Popen([EXE, "--archive", where, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, doc, bulk=b""):
        text = json.dumps(doc).encode()
        self.process.stdin.write(struct.pack("<II", len(text), len(bulk)) + text + bulk)
        self.process.stdin.flush()
        n, m = struct.unpack("<II", self.process.stdout.read(8))
        answer = json.loads(self.process.stdout.read(n))
        self.process.stdout.read(m)
        assert answer["ok"], answer
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def month_start(i):
    return calendar.timegm((2014 + i // 12, i % 12 + 1, 1, 0, 0, 0))


def fill(where):
    helper, r = Helper(where), random.Random(1)
    for s in range(SYMBOLS):
        bars = []
        for m in range(MONTHS):
            begin = month_start(m) * 10 ** 9
            for i in range(PER_MONTH):
                price = 10 ** 9 * (100 + r.randrange(20))
                bars.append(struct.pack("<8q", begin + i * MINUTE, price, price, price, price, 10 ** 10, NULL, 7))
        helper.ask({"do": "put_bars", "source": "alpaca", "feed": "sip", "symbol": f"S{s}", "adjust": "raw", "step_s": 60},
                   b"".join(bars))
    helper.close()


def measure(where, condition, out):
    times = []
    for _ in range(ROUNDS):
        helper = Helper(where)
        helper.ask({"do": "past_status"})
        begin = time.perf_counter()
        helper.ask({"do": "query", "format": "csv", "out": out,
                    "sql": f"SELECT count(*), avg(close), max(timestamp) FROM bars_1m WHERE {condition}"})
        times.append((time.perf_counter() - begin) * 1000)
        helper.close()
    with open(out, encoding="ascii") as f:
        return times, f.read().splitlines()[1]


def main():
    with tempfile.TemporaryDirectory() as tmp:
        where = sys.argv[4] if len(sys.argv) > 4 else os.path.join(tmp, "archive")
        if not os.path.isdir(where):
            fill(where)
        print(f"{SYMBOLS} symbols x {MONTHS} months of {PER_MONTH} bars; load {os.getloadavg()[0]:.1f}")
        print("| question | median ms | best ms | answer |\n|---|---|---|---|")
        for name, condition in QUESTIONS.items():
            times, answer = measure(where, condition, os.path.join(tmp, "out.csv"))
            print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} | {answer} |", flush=True)


main()
