#!/usr/bin/env python3
"""kill -9 in a loop against the whole daemon: kill_daemon.py TICKBUSD [KILLS [SEED]]

A producer sends ticks, late ones among them, and clock records with rising sequences
and notes every acknowledgement.  The daemon is killed at a random moment: under load
(the write-ahead log is short, so that there are many checkpoints), or while it starts
and recovers.  After the restart the producer sends again what was not acknowledged,
and sometimes what was.  At the end:

    every acknowledged tick is in the log, none twice, sequences rise by one
    the invariant checker (tests/check) agrees: requests, replies, events and the log
    the daemon's own `verify` finds everything equal
    a second daemon that was never killed is given the same records: every bar,
    feature vector, status and matrix of the killed one has the same bytes
"""
import os
import random
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "check"))
import chronicle  # noqa: E402
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402

SYMBOLS = [f"K{i:02d}" for i in range(12)]
START = 1_700_000_000 * tb.SECOND
STEP_NS = 5_000_000
CLOCK_EVERY = 500  # records; 2.5 seconds of event time
MORE = ("defaults: {timeframes: [1s, 1m], price_types: [last]}\n"
        "tier1: {ready_bars: 5, norm_window: 20}\n"
        "bars: {grace: 200ms, revision_window: 10s}\n"
        "universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}\n"
        "limits: {ring_slots: 4096, outbox: 1MiB, broadcast: 1MiB}\n")
KINDS = ("bar", "tier1", "status")


def record(q):
    """The record with sequence @q: everything about it follows from @q."""
    if q % CLOCK_EVERY == 0:
        return ("", START + q * STEP_NS, 0, 0, 0)
    late = 2 * tb.SECOND if q % 97 == 0 else 0  # revises a bar
    return (SYMBOLS[q % len(SYMBOLS)], START + q * STEP_NS - late,
            10 ** 11 + (q * 7919 % 1009) * 10 ** 7, (1 + q % 5) * 10 ** 8, q)


def is_tick(q):
    return q % CLOCK_EVERY != 0


def request(first, n):
    return tb.sbe_ticks("killer", "test", first, [record(q) for q in range(first, first + n)])


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
                n = self.rng.randrange(1, 100)
                body = request(first, n)
                s["chronicle"].request("killer", body)
                answer = sock.ask(body)
                s["chronicle"].reply("killer", answer)
                reply = tb.sbe_reply(answer)
                if reply["status"] != 0 or reply["rejected"]:
                    raise AssertionError(f"refused: {reply}")
                s["acked"] = max(s["acked"], first + n - 1)
                s["replies"] += 1
                s["duplicates"] += reply["duplicate"]
        except (OSError, ConnectionError):
            pass  # killed
        except AssertionError as e:
            s["error"] = str(e)


def short_log(text):
    """Checkpoints every few dozen commits, a state snapshot every second life or so."""
    return text.replace("ballast: 0B", "ballast: 0B, wal_size: 1MiB, snapshot: 3000")


def one_life(d, state, rng):
    state["chronicle"].started(1)
    if rng.random() < 0.3:
        d.start(wait=False)  # killed on its way: loading, recovering, replaying
        time.sleep(rng.uniform(0, 0.03))
        d.kill()
        state["chronicle"].ended("killed")
        state["early"] += 1
        return
    d.start()
    p = Producer(d, state, rng)
    p.start()
    time.sleep(rng.uniform(0.002, 0.08))
    d.kill()
    p.join(10)
    state["chronicle"].ended("killed")
    if state["error"]:
        raise AssertionError(state["error"])


def main():
    binary = sys.argv[1]
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    if faultlib.SLOW:  # a sanitizer: the plain build has the full loop
        kills = min(kills, 40)
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
    rng = random.Random(seed)
    print(f"kill.daemon: seed {seed}, {kills} kills", flush=True)
    d = faultlib.Daemon(binary, durability="full", more=MORE, edit=short_log)
    state = {"acked": 0, "replies": 0, "duplicates": 0, "early": 0, "error": None,
             "chronicle": chronicle.Chronicle("full")}
    state["chronicle"].bars(200, 10000, 1, 60)
    state["chronicle"].universe(1, 30, 5)
    begin = time.monotonic()
    try:
        d.start()  # the first start writes the configuration's record: not again
        d.kill()
        for _ in range(kills):
            one_life(d, state, rng)
        took = time.monotonic() - begin
        state["chronicle"].started(1)
        d.start()
        last = check_log(d, state)
        derived = what_was_derived(d, last, state["chronicle"])
        check_status(d)
        verify(d)
        for frame in d.frames(["tick", "bar", "tier1", "tier2", "status"]):
            state["chronicle"].frame("given", "catchup", frame)
        state["chronicle"].complete("catchup")
        if d.stop() != 0:
            raise AssertionError("SIGTERM did not end in exit code 0: " + d.errors()[-2000:])
        state["chronicle"].ended("stopped")
        checker(binary, state["chronicle"], d)
        compare(derived, uninterrupted(binary, last))
    except BaseException:
        print(f"kill.daemon: FAILED with seed {seed}; state in {d.dir}\n{d.errors()[-3000:]}")
        raise
    print(f"kill.daemon: {kills} kills in {took:.1f} s, {state['early']} of them before ready; "
          f"{state['acked']} records acknowledged in {state['replies']} replies, "
          f"{state['duplicates']} answered duplicate; none lost, none twice; "
          + ", ".join(f"{len(v)} {k}" for k, v in derived.items())
          + " as in an uninterrupted run")
    d.remove()


def check_log(d, state):
    """Everything acknowledged, once, in order; the last sequence in the log."""
    ticks = d.all_ticks()
    seen = {}
    order = {}
    for pos, symbol, source_seq, seq in ticks:
        if source_seq in seen:
            raise AssertionError(f"tick {source_seq} stands at {seen[source_seq]} and {pos}")
        seen[source_seq] = pos
        if symbol != record(source_seq)[0]:
            raise AssertionError(f"tick {source_seq} has symbol {symbol}")
        last_source, last = order.get(symbol, (0, 0))
        if seq != last + 1 or source_seq <= last_source:
            raise AssertionError(f"{symbol}: sequence {seq} after {last}")
        order[symbol] = (source_seq, seq)
    missing = [q for q in range(1, state["acked"] + 1) if is_tick(q) and q not in seen]
    if missing:
        raise AssertionError(f"{len(missing)} acknowledged ticks are lost, the first: {missing[:5]}")
    if state["acked"] < 1000:
        raise AssertionError("the loop acknowledged too little to prove anything")
    # The configuration's record is the first of the log, so position = sequence + 1.
    if any(pos != source_seq + 1 for source_seq, pos in seen.items()):
        raise AssertionError("positions do not follow the producer's sequence")
    return d.status()["store"]["last_pos"] - 1


def check_status(d):
    """A kill is no loss: no alarm, the first epoch."""
    status = d.status()
    if status["epoch"] != 1 or status["store"]["alarm"]:
        raise AssertionError(f"a kill -9 was taken for a loss: {status}")


def verify(d):
    """The daemon derives everything anew from its log and compares it with what it stored."""
    answer = d.admin("verify")
    assert answer["ok"], answer
    found = faultlib.until("a verdict", lambda: d.admin("verify_status")["result"].get("found"), 120)
    if found["verdict"] != "equal":
        raise AssertionError(f"verify: {found}")


def checker(binary, chron, d):
    """The invariant checker of the simulation judges what was seen and the log."""
    program = os.path.join(os.path.dirname(binary), "..", "tests", "check", "tickbus_check")
    problem = chron.check(program, d.dir)
    if problem:
        raise AssertionError(problem[:3000])
    lines = [line.split() for line in chron.looked.splitlines()]
    assert all(len(w) > 3 for w in lines), f"the checker says: {chron.looked[:3000]}"
    looked = {w[0]: int(w[3].rstrip(":")) for w in lines}
    silent = [r for r in ("ACKED", "SENT", "GIVEN", "TICKS", "BARS", "CONSERVE", "CELLS", "CHAIN")
              if looked[r] == 0]
    if silent:
        raise AssertionError(f"the checker looked at nothing for {silent}")


def what_was_derived(d, last, chron=None):
    """All derived events once the daemon has caught up with the log, by kind."""
    # One more clock record far ahead makes everything final, in both daemons: the newest minute may have just begun, and
    # its revision window ends 10 s behind it.
    sock = d.ingest()
    body = tb.sbe_ticks("end", "test", 1, [
        ("", START + (last + 2 * CLOCK_EVERY) * STEP_NS + 75 * tb.SECOND, 0, 0, 0)])
    answer = sock.ask(body)
    if chron:
        chron.request("end", body)
        chron.reply("end", answer)
    reply = tb.sbe_reply(answer)
    sock.close()
    assert reply["accepted"] == 1, reply
    end = time.monotonic() + 120
    out, before = {}, None
    while time.monotonic() < end:
        out = {k: d.events(k) for k in KINDS}
        out["tier2"] = d.matrices()
        now = [len(v) for v in out.values()]
        # What the record makes final is stored as one: before that a busy machine only looks at rest.
        is_final = any(int.from_bytes(e[8:16], "little") == reply["last_pos"] for e in out["bar"])
        if is_final and now == before and d.counter("tickbus_dispatch_lag_records") == 0 and \
                d.counter("tickbus_derived_pending_events") == 0:
            return out
        before = now
        time.sleep(0.3)
    raise AssertionError(f"the derived events do not come to rest: {before}")


def uninterrupted(binary, last):
    d = faultlib.Daemon(binary, durability="normal", more=MORE)
    try:
        d.start()
        sock = d.ingest()
        for first in range(1, last + 1, 1000):
            n = min(1000, last + 1 - first)
            while tb.sbe_reply(sock.ask(request(first, n)))["status"] == 2:  # busy
                time.sleep(0.05)
        sock.close()
        out = what_was_derived(d, last)
        assert d.stop() == 0
        return out
    finally:
        d.remove()


def compare(killed, reference):
    for kind, events in reference.items():
        for i, (a, b) in enumerate(zip(killed[kind], events)):
            if a != b:
                at = next(j for j, (x, y) in enumerate(zip(a, b)) if x != y)
                raise AssertionError(f"{kind} {i} differs from an uninterrupted run at byte {at}: "
                                     f"{a.hex()} / {b.hex()}")
        if len(killed[kind]) != len(events):
            raise AssertionError(f"{len(killed[kind])} {kind}, an uninterrupted run has {len(events)}")
    for kind in ("bar", "tier1", "tier2"):
        assert reference[kind], f"no {kind} was derived: nothing was compared"
    versions = [struct.unpack_from("<Q", m, 0)[0] for m in killed["tier2"]]
    if versions != list(range(1, len(versions) + 1)):
        raise AssertionError(f"matrix versions do not rise by one: {versions[:20]}")


if __name__ == "__main__":
    main()
