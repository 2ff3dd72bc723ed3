#!/usr/bin/env python3
"""One table out of what the benchmarks printed: table.py DIR [--markdown]

DIR holds a file NAME.txt per benchmark, as tools/bench leaves them; a file may hold
several runs, of which the median is taken.  A row without its figures is left out.
"""
import os
import re
import statistics
import sys

NUMBER = r"([0-9.]+(?:e[+-]?[0-9]+)?)"


def fact(bench, variant, measure, scale=1):
    """A line: bench <tab> variant <tab> measure <tab> value."""
    return bench, rf"^\w+\t{re.escape(variant)}\t{re.escape(measure)}\t{NUMBER}", scale


def bus(symbols):
    return (f"bus, 1 producer, 2 workers, {symbols:,} symbols Zipf", "M events/s", 30,
            fact("bus", f"bus {symbols} symbols", "Mev/s"),
            [("nng inproc", fact("bus", f"nng {symbols} symbols", "Mev/s")),
             ("mutex+condvar", fact("bus", f"mutex {symbols} symbols", "Mev/s")),
             ("bare ring", fact("bus", f"bare {symbols} symbols", "Mev/s"))])


def store(mode, target):
    def way(name):
        return "store", rf"^{name}\s+{NUMBER}", 1e-6
    return (f"tick log, batches of 1,000, durability {mode}", "M ticks/s", target, way(f"store {mode}"),
            [("row per tick", way(f"rows {mode}")), ("blob per batch", way(f"blob {mode}")),
             ("append+fdatasync", way("raw fdatasync"))])


def corr(n, target):
    return (f"matrix, {n:,} symbols, window 256", "ms", -target,
            ("corr", rf"^corr pearson n={n} window=256 {NUMBER}", 1),
            [("numpy", ("corr", rf"n={n} .*numpy {NUMBER} ms,", 1)),
             ("numpy, right kernels", ("corr", rf"n={n} .*kernels {NUMBER} ms", 1))])


def fanout(subscribers, target):
    s = "1 subscriber" if subscribers == 1 else f"{subscribers} subscribers"
    return (f"SBE over nng tcp, {s}", "M deliveries/s", target,
            fact("fanout", f"128 events a message, {s}", "M deliveries/s"),
            [("one event a message", fact("fanout", f"one event a message, {s}", "M deliveries/s")),
             ("ZeroMQ, one a message", fact("fanout", f"ZeroMQ, one event a message, {s}", "M deliveries/s"))])


def e2e(what, unit, target, variant, measure, beside=()):
    return (what, unit, target, fact("e2e", variant, measure), [(n, fact("e2e", variant, m)) for n, m in beside])


# what, unit, target (negative: at most so much), measured, beside
ROWS = [
    bus(1000),
    bus(10000),
    ("bus latency p50, spinning", "us", -1, fact("bus", "bus spinning", "p50_us"),
     [("p99", fact("bus", "bus spinning", "p99_us"))]),
    ("bus latency p50, parked", "us", -40, fact("bus", "bus parked", "p50_us"),
     [("p99", fact("bus", "bus parked", "p99_us"))]),
    store("full", 2),
    store("normal", 4),
    ("normaliser, 1,000 symbols, three timeframes", "M ticks/s/core", 10,
     fact("bars", "trades", "M ticks/s"),
     [("quotes with spread", fact("bars", "quotes", "M ticks/s")),
      ("pandas groupby", ("bars", rf"{NUMBER} M ticks/s; [0-9]+ bars$", 1))]),
    ("verify, bars of 1,000 symbols, three timeframes", "M ticks/s/core", 3,
     fact("verify", "bars, 1 worker", "M ticks/s/core"),
     [("with vectors", fact("verify", "bars and vectors, 1 worker", "M ticks/s/core")),
      ("pandas groupby", ("bars", rf"{NUMBER} M ticks/s; [0-9]+ bars$", 1))]),
    ("tier 1, one series", "k bars/s/core", 1000, ("tier1", rf"^series=1 .*zscore bars_per_s={NUMBER}", 1e-3),
     [("pandas", ("tier1", rf"^pandas .*bars_per_s={NUMBER}", 1e-3))]),
    ("tier 1, 1,000 series in turn", "k bars/s/core", 1000,
     ("tier1", rf"^series=1000 .*zscore bars_per_s={NUMBER}", 1e-3), []),
    corr(500, 2.5),
    corr(2000, 28),
    fanout(1, 3),
    fanout(8, 6),
    ("broadcast ring, frames of 128 bytes", "M events/s", 10,
     fact("broadcast", "128-byte frames", "M events/s"),
     [("frames of 128 events", fact("broadcast", "16-KiB frames of 128 events", "M events/s"))]),
    ("broadcast ring p50, polling", "us", -2, fact("broadcast", "128-byte frames, 20,000/s", "p50_us"),
     [("p99", fact("broadcast", "128-byte frames, 20,000/s", "p99_us"))]),
    ("JSON line of a tick", "ns", -150, ("json_bench", rf"way=by hand median_ns={NUMBER}", 1),
     [("snprintf", ("json_bench", rf"way=snprintf median_ns={NUMBER}", 1)),
      ("cJSON", ("json_bench", rf"way=cJSON median_ns={NUMBER}", 1))]),
    ("DBN, trades of 500 symbols, bytes to ticks", "MB/s", 800, ("dbn", rf"^trades, 500 symbols\s+{NUMBER} MB/s", 1),
     [("one symbol", ("dbn", rf"^trades, 1 symbol\s+{NUMBER} MB/s", 1)),
      ("mbp-1", ("dbn", rf"^mbp-1, 500 symbols\s+{NUMBER} MB/s", 1)),
      ("out of zstd", ("dbn", rf"^trades, 500, zstd\s+{NUMBER} MB/s", 1)),
      ("zstd alone", ("dbn", rf"^  zstd alone\s+{NUMBER} MB/s", 1))]),
    e2e("everything, 20 symbols, drained", "k ticks/s", 800, "20 symbols", "k ticks/s drained",
        [("acknowledged", "k ticks/s acknowledged"), ("lost", "lost")]),
    e2e("everything, 1,000 symbols, drained", "k ticks/s", 800, "1000 symbols", "k ticks/s drained",
        [("acknowledged", "k ticks/s acknowledged"), ("lost", "lost")]),
    e2e("the same, subscriber in shared memory", "k ticks/s", 800, "1000 symbols, shared memory", "k ticks/s drained",
        [("acknowledged", "k ticks/s acknowledged"), ("lost", "lost")]),
    e2e("everything live, call to event, p50", "us", -500, "live 20000/s, 1000 symbols", "call_to_event_us_p50",
        [("due to event", "due_to_event_us_p50"), ("call to ack", "call_to_ack_us_p50")]),
    e2e("everything live, call to event, p99", "us", -5000, "live 20000/s, 1000 symbols", "call_to_event_us_p99",
        [("due to event", "due_to_event_us_p99"), ("call to ack", "call_to_ack_us_p99")]),
    ("tickbus.py into DataFrames, live at 300 k/s", "k events/s", 200,
     fact("py_sub", "live at 300 k/s, DataFrames", "k events/s"),
     [("ready-made frames", fact("py_sub", "frames, DataFrames", "k events/s")),
      ("as objects", fact("py_sub", "frames, objects", "k events/s")),
      ("history", fact("py_sub", "history, DataFrames", "k events/s"))]),
    ("ingest from a vendor that answers at once", "M bars/s", 0.5, fact("ingest", "at once", "M bars/s"),
     [("MiB resident", fact("ingest", "at once", "MiB resident at most")),
      ("s for the same job again", fact("ingest", "at once", "s, once more")),
      ("into history.db alone", ("history", rf"^ingest +{NUMBER}", 1))]),
    ("ingest, 500 symbols, 200 ms latency, 8 in flight", "times the ideal", -1.15,
     fact("ingest", "200 ms", "times the ideal"),
     [("s for the same job again", fact("ingest", "200 ms", "s, once more"))]),
    ("SMA20, RSI14 and BBANDS20, batch", "ns a bar", -8, ("ind", rf"^all three +batch +{NUMBER}", 1),
     [("bar by bar", ("ind", rf"^all three +step +{NUMBER}", 1)), ("TA-Lib", ("ind", rf"^TA-Lib, all three: {NUMBER}", 1)),
      ("pandas", ("ind", rf"^pandas, all three: {NUMBER}", 1))]),
    ("every indicator, 1,000 symbols, one new bar each", "ms", -5,
     ("ind", rf"^whole registry .* x 1000 symbols x 1 new bar: {NUMBER}", 1), []),
    ("features, efficient set, one series of 500 values", "ms", -1.6,
     ("tsf", rf"^set=efficient values=500 series=500 threads=1 median_us={NUMBER}", 1e-3), []),
    ("the same, 500 series, two threads", "s", -0.5,
     ("tsf", rf"^set=efficient values=500 series=500 threads=2 .*all_ms={NUMBER}", 1e-3), []),
    ("combined report, 500 symbols, 2 workers", "s", -2,
     ("report", rf"^daemon .*flow=combined workers=2 seconds={NUMBER}", 1),
     [(f"{flow} alone", ("report", rf"^daemon .*flow={flow} workers=2 seconds={NUMBER}", 1)) for flow in ("technical", "pricing", "news")]),
    ("the same, prices and news at hand, 2 workers", "ms of the busier one's processor", -60,
     ("report", rf"^cached .*workers=2 .*whole_cpu_ms={NUMBER}", 1),
     [("1 worker", ("report", rf"^cached .*workers=1 .*whole_cpu_ms={NUMBER}", 1))]),
    ("a headline scored", "us", -10, ("sentiment", rf": {NUMBER} us a headline", 1), []),
    e2e("memory, idle", "MiB", -40, "idle", "MiB resident"),
    *(e2e(f"memory, {n:,} symbols, {t}", "MiB", target, f"{n} symbols, {t}", "MiB resident",
          [("private", "of these private MiB"), ("rings", "of these rings in shared memory MiB")])
      for n, target in ((1000, -200), (10000, -1229)) for t in ("1m, 5m, 1h", "1s, 1m, 1h")),
    e2e("start to ready, empty", "ms", -500, "idle", "ms from start to ready"),
]


def median(texts, source):
    """The middle of all that a pattern finds in a benchmark's output; None: nothing."""
    bench, pattern, scale = source
    found = [float(v) * scale for v in re.findall(pattern, texts.get(bench, ""), re.M)]
    return statistics.median(found) if found else None


def show(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def rows(texts):
    for what, unit, target, source, beside in ROWS:
        value = median(texts, source)
        if value is None:
            continue
        peers = [(name, median(texts, s)) for name, s in beside]
        reached = value >= target if target > 0 else value <= -target
        yield (what, f"{show(value)} {unit}", show(abs(target)), "yes" if reached else "no",
               ", ".join(f"{name} {show(v)}" for name, v in peers if v is not None))


def main():
    texts = {}
    for name in sorted(os.listdir(sys.argv[1])):
        if name.endswith(".txt"):
            with open(os.path.join(sys.argv[1], name), encoding="utf-8", errors="replace") as f:
                texts[name[:-4]] = f.read()
    table = [("what", "measured", "target", "reached", "beside"), *rows(texts)]
    if "--markdown" in sys.argv:
        table.insert(1, ("---",) * 5)
        print("\n".join("| " + " | ".join(row) + " |" for row in table))
        return
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    for row in table:
        print("  ".join(text.ljust(w) for text, w in zip(row, widths)) + "  " + row[4])


if __name__ == "__main__":
    main()
