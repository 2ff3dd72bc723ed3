#!/usr/bin/env python3
"""tickbus.py measured: py_sub_bench.py BUILD [--rounds N] [--events N] [VARIANT ...]

frames    ready-made frames of 128 ticks of 1,000 symbols over tcp, as fast as they are taken: what the client can do
live      a tickbusd of its own, fed with --rate ticks a second (300,000) by bench_flood, which shares the machine
history   catch-up of what live left in that daemon's log

Every event's sequence is checked by the client, every batch of 100,000 becomes a DataFrame with floats and times.
frames also: the same as event objects, two fields of each looked at.  A run that lacks an event counts as none.
One fact per line: py_sub <tab> variant <tab> measure <tab> median (smallest - largest).
"""
import argparse
import multiprocessing
import os
import socket
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration"), os.path.join(HERE, "..", "..", "client", "python")]
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402

SYMBOLS, BATCH, GOT = 1000, 100_000, {}


def fact(variant, measure, value):
    GOT.setdefault((variant, measure), []).append(value)


def made_frames(n):
    """n ticks in messages of 128."""
    import numpy
    dtype = tickbus._BLOCKS["tick"].dtype(144)
    at = numpy.arange(n)
    blocks = numpy.zeros(n, dtype)
    blocks["seq"], blocks["pos"], blocks["event_ns"] = at // SYMBOLS + 1, at + 1, 1_700_000_000 * 10 ** 9 + at * 1000
    blocks["price_e9"], blocks["size_e8"], blocks["symbol_id"] = 10 ** 11 + at % 977 * 10 ** 7, 10 ** 10, at % SYMBOLS
    blocks["symbol"] = numpy.array([f"S{i:04d}".encode() for i in range(SYMBOLS)])[at % SYMBOLS]
    for name in ("bid_e9", "ask_e9", "bid_size_e8", "ask_size_e8"):
        blocks[name] = tickbus.NULL
    out = []
    for i, first in enumerate(range(0, n, 128), 1):
        part = blocks[first:first + 128]
        body = (b"tick|" + struct.pack("<HHHHQqQQHH", 32, 1, 7400, 1, 1, 0, i, int(part["pos"][-1]), 144, len(part))
                + part.tobytes())
        out.append(struct.pack(">Q", len(body)) + body)
    return b"".join(out)


def send_frames(data, listener):
    while True:
        s, _ = listener.accept()
        try:
            s.sendall(b"\0SP\0\0\x20\0\0")
            s.recv(8)
            s.sendall(data)
        except OSError:
            pass  # it had enough
        s.close()


def take(sub, goal, as_objects=False):
    """Events, seconds from the first batch on and CPU seconds until goal() events were had."""
    got, rows, parts, begin, cpu, idle = 0, 0, [], None, time.process_time(), 0
    while got < goal():
        item = sub.next_batch(0.5)
        idle = 0 if item is not None else idle + 1
        if idle > 20:
            raise RuntimeError(f"{got} of {goal()} events came; {sub.counts} {sub.trouble}")
        if not isinstance(item, tickbus.Batch):
            if item is not None and item.kind in ("gap", "broken"):
                raise RuntimeError(f"not complete: {item}")
            continue
        begin = begin or time.perf_counter()
        got, end = got + len(item), time.perf_counter()
        if as_objects:
            rows += sum(1 for e in item if e.symbol and e.price)
            continue
        parts.append(item)
        if got - rows >= BATCH:
            rows, parts, end = rows + len(tickbus.dataframe(parts)), [], time.perf_counter()
    rows, end = rows + (len(tickbus.dataframe(parts)) if parts else 0), max(end, time.perf_counter() if parts else 0)
    if rows != got:
        raise RuntimeError(f"{rows} rows for {got} events")
    return got, end - begin, time.process_time() - cpu


def put(variant, had):
    n, seconds, cpu = had
    fact(variant, "k events/s", n / seconds / 1e3)
    fact(variant, "CPU us/event", cpu / n * 1e6)


def frames(args):
    data = made_frames(args.events)
    listener = socket.create_server(("127.0.0.1", 0))
    sender = multiprocessing.Process(target=send_frames, args=(data, listener), daemon=True)
    sender.start()
    urls = {"tick": f"tcp://127.0.0.1:{listener.getsockname()[1]}"}
    for _ in range(args.rounds):
        for name, as_objects, n in (("frames, DataFrames", False, args.events),
                                    ("frames, objects", True, args.events // 4)):
            with tickbus.Subscriber("tick", policy="best_effort", urls=urls) as sub:
                put(name, take(sub, lambda n=n: n, as_objects))
    sender.terminate()


def flooded(args, urls):
    program = os.path.join(args.build, "tests", "bench", "bench_flood")
    return subprocess.Popen([program, urls["ingest"], str(SYMBOLS), "600", "20000", str(args.rate), str(args.events)],
                            stdout=subprocess.DEVNULL)


def live_and_history(args):
    variant = f"live at {args.rate // 1000} k/s, DataFrames"
    for _ in range(args.rounds):
        d = tb.Tickbusd(os.path.join(args.build, "daemon", "tickbusd"), durability="normal",
                        more="defaults: {timeframes: [1m], price_types: [last]}\n")
        flood, known = None, []

        def goal():
            if not known and flood.poll() is not None:  # what it sent is known when it has ended
                status = d.admin("status")["result"]
                known.extend([status["published"]["tick"]] if status["dispatched"] > status["position"] else [])
            return known[0] if known else float("inf")
        try:
            d.start()
            urls = {name: f"tcp://127.0.0.1:{d.port[name]}" for name in tickbus.PORTS}
            with tickbus.Subscriber("tick", urls=urls) as sub:
                while sub.next(5).kind != "live":
                    pass
                flood = flooded(args, urls)
                put(variant, take(sub, goal))
                fact(variant, "fetched again %", sub.counts.filled / sub.counts.events * 100)
            with tickbus.history("tick", urls=urls) as past:
                put("history, DataFrames", take(past, goal))
        finally:
            if flood is not None and flood.poll() is None:
                flood.kill()
            d.remove()


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("build")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--events", type=int, default=1_000_000)
    p.add_argument("--rate", type=int, default=300_000)
    p.add_argument("variant", nargs="*", default=["frames", "live"])
    args = p.parse_args()
    if "frames" in args.variant:
        frames(args)
    if {"live", "history"} & set(args.variant):
        live_and_history(args)
    for (variant, measure), values in GOT.items():
        print(f"py_sub\t{variant}\t{measure}\t{statistics.median(values):.6g}\t({min(values):.6g} - {max(values):.6g})")


if __name__ == "__main__":
    main()
