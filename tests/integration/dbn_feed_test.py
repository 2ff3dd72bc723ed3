#!/usr/bin/env python3
"""DBN files into a daemon, end to end: dbn_feed_test.py TICKBUSD TICKBUSCTL

The files are written by tests/oracle/dbn_python.py.  What is in the log must be what was
written, whether the file was packed, came by a pipe, or was sent twice under one name.
Prints TAP.
"""
import os
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle")]
import dbn_python as dbn  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
T = 1609146312576690768
N = 3000
NAMES = [("NVDA", 20201228, 20201229, 6155), ("BRK.B", 20201228, 20201229, 38)]
# NVDA, BRK.B and a number without a name, in turn.
INSTRUMENTS = (6155, 38, 6155, 99)


def trades():
    parts = [dbn.write_metadata(3, "trades", NAMES)]
    for i in range(N):
        parts.append(dbn.write_record(0x00, 2, INSTRUMENTS[i % 4], T + i * 10 ** 6, {
            "price": (100 + i) * 10 ** 9 + 1, "size": i + 1, "action": b"T", "side": b"B",
            "ts_recv": T + i * 10 ** 6 + 5, "sequence": i}, 48))
    return b"".join(parts)


def quotes():
    out = dbn.write_metadata(2, "mbp-1", NAMES, ts_out=True)
    for i in range(10):
        out += dbn.write_record(0x01, 2, 6155, T + i, {
            "price": 5 * 10 ** 9, "size": 7, "action": b"T" if i == 9 else b"A", "ts_recv": T + i + 5, "sequence": i,
            "bid_px": 4 * 10 ** 9, "ask_px": 6 * 10 ** 9, "bid_sz": 1, "ask_sz": 2}, 80, T + i + 9)
    return out


def bars():
    return dbn.write_metadata(1, "ohlcv-1m", NAMES) + dbn.write_record(
        0x21, 2, 6155, T // (60 * 10 ** 9) * 60 * 10 ** 9, {"open": 1, "high": 2, "low": 1, "close": 1, "volume": 5}, 56)


class Run:
    """A daemon of its own for one file."""

    def __init__(self, *args, name="x.dbn", data=b"", by_pipe=False, twice=False):
        d = tb.Tickbusd(BINARY)
        try:
            d.start()
            path = os.path.join(d.dir, name)
            with open(path, "wb") as f:
                f.write(data)
            for _ in range(2 if twice else 1):
                with open(path, "rb") as f:
                    self.run = subprocess.run(
                        [CTL, "--port", str(d.port["ingest"]), "feed", *args, "-" if by_pipe else path],
                        stdin=f if by_pipe else None, capture_output=True, text=True, timeout=240)
            self.said = self.run.stdout + self.run.stderr
            self.records = []
            pos = 1
            while True:
                page = d.admin("log_range", **{"from": pos, "to": pos + 99})["result"]["records"]
                if not page:
                    break
                self.records += page
                pos += 100
        finally:
            d.remove()
        self.ticks = [r for r in self.records if "symbol" in r]

    def brief(self):
        return [(r["symbol"], r["time"], r["price"], r["size"], r["bid"], r["ask"], r["source"], r["source_seq"])
                for r in self.ticks]


def main():
    plain, packed = Run(data=trades()), Run(name="x.dbn.zst", data=dbn.pack(trades()))
    piped = Run("--format", "dbn", data=dbn.pack(trades()), by_pipe=True)
    again = Run("--producer", "once", data=trades(), twice=True)
    named = Run("--symbol", "ALL", "--source", "itch", data=trades())
    book, refused, cut = Run(data=quotes()), Run(data=bars()), Run(data=trades()[:-7])
    mapped, text = Run("--map", "time=0,price=1", data=trades()), Run("--format", "dbn", data=b"time,price\n1,2\n")
    kept = N * 3 // 4
    tests = {
        "every_trade_of_a_known_instrument_is_in_the_log":
            [(s, p) for s, _, p, *_ in plain.brief()] ==
            [({6155: "NVDA", 38: "BRK.B"}[INSTRUMENTS[i % 4]], 100 + i + 1e-9) for i in range(N) if i % 4 < 3],
        "times_and_sizes_are_exact":
            plain.brief()[1][1] == "2020-12-28T09:05:12.577690768Z" and plain.brief()[1][3] == 2,
        "numbers_without_a_name_are_told": plain.run.returncode == 1 and f"{kept} accepted" in plain.said and
            f"{N - kept} bad lines" in plain.said and
            "x.dbn:4: instrument 99 has no symbol at 2020-12-28T09:05:12.579690773Z" in plain.said,
        "packed_it_is_the_same": packed.brief() == plain.brief(),
        "by_a_pipe_it_is_the_same": piped.brief() == plain.brief(),
        "sent_twice_under_one_name_it_is_there_once": again.brief() == plain.brief() and
            f"{kept} duplicate" in again.said,
        "a_given_symbol_names_all": len(named.ticks) == N and {(s, o) for s, *_, o, _ in named.brief()} == {("ALL", "itch")},
        "a_book_gives_quotes_and_its_trades":
            [r[2:6] for r in book.brief()] == [(None, None, 4, 6)] * 9 + [(5, 7, 4, 6)],
        "bars_are_refused_with_the_way_to_go": refused.run.returncode == 64 and not refused.ticks and
            "x.dbn: it holds bars (ohlcv-1m) and no ticks: bars of the past are taken in with 'tickbusctl ingest'"
            in refused.said,
        "a_file_that_is_cut_off_says_where": cut.run.returncode == 74 and "cut off: it ends inside record 3000" in cut.said,
        "options_for_text_are_refused": mapped.run.returncode == 64 and "it is DBN: --map" in mapped.said,
        "what_is_no_dbn_is_refused": text.run.returncode == 74 and "this is no DBN: it begins with" in text.said,
    }
    for n, (name, ok) in enumerate(tests.items(), 1):
        print(f"{'ok' if ok else 'not ok'} {n} - {name}")
    print(f"1..{len(tests)}")
    return 0 if all(tests.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
