#!/usr/bin/env python3
"""Many symbols of a vendor that is slow, limited and often wrong:
load_test.py ASKER [SYMBOLS [LATENCY_MS]]

2 % of the answers are 429, 1 % are 500, 0.5 % are cut off; five symbols do not exist.
Exactly the right rows must arrive, and no rate may be exceeded as the server counts.
How long it took is printed beside what it would take without any loss between requests;
with 500 symbols or more it must be within 1.15 of that.  Prints TAP.
"""
import collections
import sys

import askerlib

ASKER = sys.argv[1]
SYMBOLS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
LATENCY_MS = int(sys.argv[3]) if len(sys.argv) > 3 else 30
IN_FLIGHT, SECOND, FULL = 8, 10 ** 9, 500
START = 1704171600 * SECOND  # 2024-01-02 in New York
END = START + 86400 * SECOND
BAD_LUCK = {"p429": 0.02, "p500": 0.01, "ptruncate": 0.005}
# Unknown is no error of Alpaca's and Polygon's: such a symbol has no rows, and it is the
# job that says so.
ADJUST = {"alpaca": 0, "polygon": 1, "yahoo": 1, "databento": 0}
SAYS_UNKNOWN = {"yahoo": "No data found", "databento": "could be resolved"}


def names():
    known = [f"S{i:03d}" for i in range(SYMBOLS - 5)]
    unknown = [f"ZZ{i}" for i in range(5)]
    step = max(1, len(known) // 5)
    for i, symbol in enumerate(unknown):
        known.insert(i * step, symbol)
    return known


def expected(mock, symbol, vendor):
    """The market's own bars, as asker prints them."""
    for t, o, h, low, c, v, n, vw in mock.market.bars(symbol, 60, START, END, ADJUST[vendor] == 0):
        row = {"symbol": symbol, "t": t * SECOND, "v": v * 10 ** 8,
               **{k: x * 10 ** 7 for k, x in zip("ohlc", (o, h, low, c))}}
        yield {**row, "n": n, "vw": vw * 10 ** 5} if vendor not in SAYS_UNKNOWN else \
            {**row, "n": None, "vw": None}


def check_rows(mock, vendor, symbols, out):
    came = collections.defaultdict(list)
    for row in out.rows:
        came[row["ask"]].append({k: v for k, v in row.items() if k not in ("ask", "kind")})
    total = 0
    for i, symbol in enumerate(symbols):
        want = list(expected(mock, symbol, vendor))
        assert came[i] == want, f"{vendor} {symbol}: {len(came[i])} rows, not {len(want)}"
        total += len(want)
    return total


def check_ends(vendor, symbols, out):
    for i, symbol in enumerate(symbols):
        end = out.ends[i]
        if symbol.startswith("ZZ") and vendor in SAYS_UNKNOWN:
            assert end["end"] == "failed" and end["verdict"] == "unknown", end
            assert SAYS_UNKNOWN[vendor] in end["why"], end
        else:
            assert end["end"] == "done", end
            assert (end["rows"] == 0) == symbol.startswith("ZZ"), end
    failed = [symbols[i] for i, e in out.ends.items() if e["end"] == "failed" or e["rows"] == 0]
    assert sorted(failed) == [f"ZZ{i}" for i in range(5)], failed
    return failed


def waited(intervals):
    """How long one who waits as he is told waits in all."""
    total, until = 0.0, 0.0
    for begin, end in sorted(intervals):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def ask_all(mock, vendor, *options):
    symbols = names()
    lines = [f"bars {s} {START} {END} 60 {ADJUST[vendor]} 0" for s in symbols]
    out = askerlib.ask(ASKER, lines, [f"vendor={vendor}", f"base={mock.http}", "seed=7",
                                      f"in_flight={IN_FLIGHT}", "backoff_ms=20",
                                      "dataset=XNAS.ITCH", *options],
                       timeout=600)
    assert out.code == 0, out.err
    return symbols, out


def bad_weather(vendor, wait_429):
    mock = askerlib.MockVendors(seed=5, latency_ms=LATENCY_MS, wait_429=wait_429,
                                **BAD_LUCK).start()
    try:
        if SYMBOLS >= FULL:  # the market is to be made before, not meanwhile
            for symbol in names():
                list(mock.market.bars(symbol, 60, START, END))
        symbols, out = ask_all(mock, vendor)
        rows, failed = check_rows(mock, vendor, symbols, out), check_ends(vendor, symbols, out)
        client = mock.report()["clients"][0]
        requests, took = client["requests"], out.counts["took_ms"] / 1000
        assert requests == out.counts["requests"] > SYMBOLS, (client, out.counts)
        told = waited(mock.app.luck.asked_to_wait)
    finally:
        mock.stop()
    ideal = requests * LATENCY_MS / 1000 / IN_FLIGHT + told
    if SYMBOLS >= FULL:
        assert took <= ideal * 1.15, f"{took:.2f} s, the ideal is {ideal:.2f} s"
    return [f"{vendor}: {SYMBOLS} symbols, {rows} rows, without data: {' '.join(failed)}",
            f"answers: {client['statuses']}, {client['requests'] - SYMBOLS} asked again",
            f"{took:.2f} s; {requests} requests x {LATENCY_MS} ms / {IN_FLIGHT} and {told:.1f} s "
            f"of waiting as told: {ideal:.2f} s; ratio {took / ideal:.3f}"]


def rate(vendor):
    """A burst of questions against a limit: the server must never see too many."""
    n, seconds = max(10, SYMBOLS // 2), 1
    mock = askerlib.MockVendors(seed=12, latency_ms=5, rate=(n, seconds)).start()
    try:
        symbols, out = ask_all(mock, vendor, f"requests={n}", f"per_ms={seconds * 1000}")
        check_rows(mock, vendor, symbols, out)
        client = mock.report()["clients"][0]
    finally:
        mock.stop()
    assert client["violations"] == 0 and 429 not in client["statuses"], client
    assert n // 2 <= client["most_in_window"] <= n, client
    return [f"{vendor}: at most {client['most_in_window']} of {n} allowed in any {seconds} s, "
            f"{client['requests']} requests in {out.counts['took_ms'] / 1000:.1f} s"]


def main():
    tap = askerlib.Tap()
    for vendor in ADJUST:
        tap.run(bad_weather, vendor, "0")
    tap.run(bad_weather, "alpaca", "1")
    for vendor in ("alpaca", "polygon"):
        tap.run(rate, vendor)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
