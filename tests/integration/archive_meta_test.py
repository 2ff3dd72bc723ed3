#!/usr/bin/env python3
"""What is asked while others write, and about what: archive_meta_test.py TICKBUS_ARCHIVE DUCKDB_DIR [ROUNDS]

Views of the metadata; answers while files are replaced; a limit of memory.  Prints TAP; without libduckdb it says so.
"""
import csv
import os
import random
import resource
import subprocess
import sys
import threading

from archive_test import EXE, JAN, NS, SEED, Archive, good, main

ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 25
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def run(d, *args, code=0):
    done = subprocess.run([EXE, "--archive", d, *args], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (args, done)
    return done


def query(d, sql):
    return list(csv.reader(run(d, "query", sql).stdout.splitlines()))


@test
def metadata_has_views(d):
    with Archive(d) as a:
        # Without files they are there, and empty.
        assert query(d, "SELECT * FROM symbols") == [["symbol"]]
        assert query(d, "SELECT * FROM actions") == [["symbol", "ex_date", "kind", "value", "zone"]]
        assert query(d, "SELECT * FROM members") == [["index_name", "symbol", "added_date"]]
        good(a.ask({"do": "put_metadata", "symbols": {
            "AAPL": {"sector": "Technology", "market_cap": "3,000"}, "A%/=B": {"sector": "x"}, "C": {"size": "1"}}}))
        good(a.ask({"do": "put_actions", "symbol": "A%/=B", "zone": "America/New_York", "actions": [
            {"ex_date": "2024-06-10", "kind": "split", "value": "1/10"},
            {"ex_date": "2024-05-10", "kind": "dividend", "value": "0.25"}]}))
        good(a.ask({"do": "put_actions", "symbol": "C", "actions": [
            {"ex_date": "2020-08-31", "kind": "split", "value": "4"}]}))
        for name, symbol in (("sp500", "AAPL"), ("ndx-1", "A%/=B")):
            good(a.ask({"do": "put_index", "name": name, "members": {symbol: "2024-01-02T00:00:00Z"}}))
        assert query(d, "SELECT * FROM symbols ORDER BY symbol")[0] == ["symbol", "market_cap", "sector", "size"]
        assert query(d, "SELECT symbol, market_cap, sector FROM symbols ORDER BY symbol")[1:] == [
            ["A%/=B", "", "x"], ["AAPL", "3,000", "Technology"], ["C", "", ""]]
        assert query(d, "SELECT * FROM actions ORDER BY symbol, ex_date")[1:] == [
            ["A%/=B", "2024-05-10", "dividend", "0.25", "America/New_York"],
            ["A%/=B", "2024-06-10", "split", "0.1", "America/New_York"],
            ["C", "2020-08-31", "split", "4.0", "UTC"]]
        assert query(d, "SELECT index_name, symbol, added_date::DATE FROM members ORDER BY 1")[1:] == [
            ["ndx-1", "A%/=B", "2024-01-02"], ["sp500", "AAPL", "2024-01-02"]]
        joined = query(d, "SELECT m.symbol, s.sector, a.value FROM members m LEFT JOIN symbols s USING (symbol) "
                          "LEFT JOIN actions a ON a.symbol = m.symbol AND a.kind = 'split' ORDER BY 1")
        assert joined[1:] == [["A%/=B", "x", "0.1"], ["AAPL", "Technology", ""]], joined


def bars_of(close, n):
    return [((JAN + 60 * i) * NS, *[close * NS] * 4, NS, close * NS, 1) for i in range(n)]


@test
def an_answer_is_of_one_state_of_a_file(d):
    """Two states of a file take each other's place, by rename, while they are read."""
    states = []
    with Archive(d) as a:
        for close in (100, 205):
            good(a.put("X", bars_of(close, 20000 + close)))
            with open(os.path.join(d, "equities_1min/symbol=X/year=2024/month=01/data.parquet"), "rb") as f:
                states.append(f.read())
    stop, swaps, r = threading.Event(), [0], random.Random(SEED)

    def swap():
        path = os.path.join(d, "equities_1min/symbol=X/year=2024/month=01/data.parquet")
        while not stop.wait(r.random() * 0.3):
            swaps[0] += 1
            with open(path + ".new", "wb") as f:
                f.write(states[swaps[0] % 2])
            os.replace(path + ".new", path)

    writer = threading.Thread(target=swap)
    writer.start()
    refused = 0
    try:
        for i in range(ROUNDS):
            words = ["query", "SELECT DISTINCT open, high, low, close, vwap FROM bars_1m"] if i % 2 else \
                ["export", "--symbols", "X", "--fields", "open,high,low,close,vwap"]
            done = subprocess.run([EXE, "--archive", d, *words], capture_output=True, text=True, timeout=120)
            if done.returncode == 75 and "replaced while they were read" in done.stderr:
                refused += 1
                continue
            assert done.returncode == 0, done
            values = {v for row in list(csv.reader(done.stdout.splitlines()))[1:] for v in row[-5:]}
            assert len(values) == 1, (words, sorted(values)[:5])
    finally:
        stop.set()
        writer.join()
    assert refused < ROUNDS, refused
    return f"{swaps[0]} times replaced, {refused} of {ROUNDS} questions given up"


@test
def memory_ends_at_a_limit_with_a_sentence(d):
    """Far below what DuckDB may have by its own setting."""
    if os.environ.get("TICKBUS_SLOW"):
        return "a sanitizer's shadow takes more than any limit: not tested"
    most = 200 << 20

    def bound():
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    rows = bars_of(100, 200000)
    with Archive(d, before=bound) as a:
        answer = a.put("X", rows)
        if answer is None:  # it may also end
            assert "memory" in a.process.stderr.read().decode(), "it ended without a word"
        else:
            assert not answer["ok"] and "alloc" in answer["error"], answer
    with Archive(d) as a:
        good(a.ask({"do": "status"}))
        with open(f"/proc/{a.process.pid}/limits", encoding="ascii") as f:
            limit = next(line.split() for line in f if line.startswith("Max address space"))
        assert limit[3] == limit[4] == str(2 * (512 << 20) + (4 << 30)), limit
        assert good(a.put("X", rows))["added"] == len(rows)
    assert run(d, "verify").stdout.endswith(" 0 bad\n")


if __name__ == "__main__":
    sys.exit(main(TESTS))
