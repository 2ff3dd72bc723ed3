#!/usr/bin/env python3
"""kill -9 in a loop against the whole daemon: kill_daemon.py TICKBUSD [KILLS [SEED]]

A producer sends ticks with rising sequences and notes every acknowledgement;
the daemon is killed at a random moment; after the restart the producer sends
again what was not acknowledged, and sometimes what was.  At the end the log is
read by catch-up: every acknowledged tick is there, and none twice; matrix versions
and per-symbol sequences rise by one.
"""
import os
import random
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd  # noqa: E402

SYMBOLS = [f"K{i:02d}" for i in range(12)]
START = 1_700_000_000 * tickbusd.SECOND


class Producer(threading.Thread):
    """Sends batches until its connection breaks; sequences live on in `state`."""

    def __init__(self, daemon, state, rng):
        super().__init__(daemon=True)
        self.daemon_under_test, self.state, self.rng = daemon, state, rng

    def run(self):
        s = self.state
        try:
            sock = self.daemon_under_test.ingest()
            while True:
                first = s["acked"] + 1
                if s["acked"] > 50 and self.rng.random() < 0.2:
                    first -= self.rng.randrange(1, 50)  # send acknowledged ones again
                n = self.rng.randrange(1, 200)
                ticks = [(SYMBOLS[q % len(SYMBOLS)], START + q * 20_000_000, 10 ** 11 + q, 10 ** 8, q)
                         for q in range(first, first + n)]
                reply = tickbusd.sbe_reply(sock.ask(tickbusd.sbe_ticks("killer", "test", first, ticks)))
                if reply["status"] != 0 or reply["rejected"]:
                    raise AssertionError(f"refused: {reply}")
                s["acked"] = max(s["acked"], first + n - 1)
                s["replies"] += 1
                s["duplicates"] += reply["duplicate"]
        except (OSError, ConnectionError):
            pass  # killed
        except AssertionError as e:
            s["error"] = str(e)


def main():
    binary = sys.argv[1]
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    if os.environ.get("TICKBUS_SLOW"):  # a sanitizer: the plain build has the full loop
        kills = min(kills, 40)
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
    rng = random.Random(seed)
    print(f"kill.daemon: seed {seed}, {kills} kills", flush=True)
    more = ("defaults: {timeframes: [1s, 1m], price_types: [last]}\n"
            "universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}\n"
            "limits: {ring_slots: 4096, outbox: 1MiB, broadcast: 1MiB}\n")
    d = tickbusd.Tickbusd(binary, durability="full", more=more)
    state = {"acked": 0, "replies": 0, "duplicates": 0, "error": None}
    begin = time.monotonic()
    try:
        for _ in range(kills):
            d.start()
            p = Producer(d, state, rng)
            p.start()
            time.sleep(rng.uniform(0.002, 0.08))
            d.kill()
            p.join(10)
            if state["error"]:
                raise AssertionError(state["error"])
        d.start()
        ticks = d.all_ticks()
        check(d, ticks, state)
        if d.stop() != 0:
            raise AssertionError("SIGTERM did not end in exit code 0: " + d.errors()[-2000:])
    except BaseException:
        print(f"kill.daemon: FAILED with seed {seed}; state in {d.dir}\n{d.errors()[-3000:]}")
        raise
    print(f"kill.daemon: {kills} kills in {time.monotonic() - begin:.1f} s, {state['acked']} ticks "
          f"acknowledged in {state['replies']} replies, {state['duplicates']} answered duplicate; "
          "none lost, none twice")
    d.remove()


def check(d, ticks, state):
    seen = {}
    for pos, symbol, source_seq, _ in ticks:
        if source_seq in seen:
            raise AssertionError(f"tick {source_seq} stands at {seen[source_seq]} and {pos}")
        seen[source_seq] = pos
        if symbol != SYMBOLS[source_seq % len(SYMBOLS)]:
            raise AssertionError(f"tick {source_seq} has symbol {symbol}")
    missing = [q for q in range(1, state["acked"] + 1) if q not in seen]
    if missing:
        raise AssertionError(f"{len(missing)} acknowledged ticks are lost, the first: {missing[:5]}")
    order = {}
    for _, symbol, source_seq, seq in ticks:
        last_source, last = order.get(symbol, (0, 0))
        if seq != last + 1 or source_seq <= last_source:
            raise AssertionError(f"{symbol}: sequence {seq} after {last}")
        order[symbol] = (source_seq, seq)
    if state["acked"] < 1000:
        raise AssertionError("the loop acknowledged too little to prove anything")
    check_versions(d)


def check_versions(d):
    """Matrix versions in the store rise by exactly one, over all lives."""
    deadline = time.monotonic() + 10
    while True:
        versions = [struct.unpack_from("<Q", f, 40)[0] for f in d.frames(["tier2"], 1000)]
        if versions or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    if versions != list(range(1, len(versions) + 1)) or not versions:
        raise AssertionError(f"matrix versions do not rise by one: {versions[:20]}")


if __name__ == "__main__":
    main()
