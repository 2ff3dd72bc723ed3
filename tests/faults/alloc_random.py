#!/usr/bin/env python3
"""Allocations fail by chance: alloc_random.py TICKBUSD SHIM [ROUNDS [SEED]]

A preloaded allocator fails some of a million allocations of a working daemon, in its
libraries as well.  It may refuse, end with a code, or be ended (buf.h aborts by
contract; what nng does is not ours to mend): what was acknowledged is in the log that
the next daemon opens, once and in order, and nothing else is wrong with it.
"""
import collections
import os
import random
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402

MORE = ("defaults: {timeframes: [1s], price_types: [last]}\n"
        "universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}\n")


def one_life(d, acked, env):
    """Send until it ends or has had enough; the new count of acknowledged ticks, and how it ended."""
    d.start(wait=False, env=env)
    try:
        d.wait_ready(20)
    except RuntimeError:
        if d.process.poll() is None:
            d.kill()
            return acked, "never ready"
        return acked, d.process.returncode
    try:
        s = d.ingest()
        s.sock.settimeout(3)
        for _ in range(150):
            reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", acked + 1, [
                tb.trade("ABC"[q % 3], q * 0.01, 100, q) for q in range(acked + 1, acked + 101)])))
            if reply["status"] == 0:
                acked += reply["accepted"] + reply["duplicate"]
            if acked % 500 == 0:
                d.http("/metrics")
                d.admin("status")
    except (OSError, ValueError, IndexError):
        pass  # it hung up, in the middle of an answer perhaps
    if d.process.poll() is None:
        d.process.send_signal(signal.SIGTERM)
        try:
            d.process.wait(15)
        except Exception:
            d.kill()
            return acked, "hung"
    return acked, d.process.returncode


def main():
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(10 ** 9)
    if faultlib.SLOW:
        print("alloc_random: a sanitizer has an allocator of its own")
        return
    rng = random.Random(seed)
    print(f"alloc_random: seed {seed}, {rounds} rounds", flush=True)
    d = faultlib.Daemon(sys.argv[1], more=MORE)
    acked, ends = 0, collections.Counter()
    try:
        for n in range(rounds):
            acked, how = one_life(d, acked, {
                "LD_PRELOAD": os.path.abspath(sys.argv[2]), "TICKBUS_ALLOC_SEED": str(rng.randrange(10 ** 6)),
                "TICKBUS_ALLOC_AFTER": str(rng.choice((0, 1000, 20_000))),
                "TICKBUS_ALLOC_PPM": str(rng.choice((30, 300, 1000)))})
            ends[how] += 1
            d.start()
            held = [t[2] for t in d.all_ticks()]
            assert held == list(range(1, len(held) + 1)), "not in order, or twice"
            assert len(held) >= acked, f"{acked - len(held)} acknowledged ticks are gone"
            status = d.status()
            assert status["epoch"] == 1 and not status["store"]["alarm"], status
            acked = len(held)
            assert d.stop() == 0
    except BaseException:
        print(f"alloc_random: FAILED with seed {seed}, round {n}\n{d.errors()[-3000:]}", file=sys.stderr)
        raise
    d.remove()
    assert acked > 0
    print(f"alloc_random: {acked} ticks acknowledged, none lost; lives ended with "
          + ", ".join(f"{k}: {v}" for k, v in sorted(ends.items(), key=str)))


if __name__ == "__main__":
    main()
