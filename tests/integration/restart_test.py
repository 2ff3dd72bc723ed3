#!/usr/bin/env python3
"""What a restart makes of the state: restart_test.py TICKBUSD

Prints TAP.  After every scenario each stream must be numbered by 1 from its first event on
and every chain must follow from the one before (docs/PROTOCOL.md, "The chain"),
whatever happened in between.
"""
import hashlib
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY = sys.argv[1]
SYMBOLS = [f"R{i:02d}" for i in range(8)]
DERIVED = """
defaults: {{timeframes: [{frames}], price_types: [last]}}
tier1: {{ready_bars: 5, norm_window: 20}}
bars: {{grace: 200ms, revision_window: 10s}}
universes: {{k: {{symbols: all, timeframe: 1s, window: 30, min_obs: 5}}}}
"""
BLOCKS = {"bar": (216, 144), "tier1": (504, 456), "status": (168, 40)}  # bytes, where the symbol's id is
RESTORED = re.compile(r"state of position (\d+) loaded in \d+ ms; (\d+) records to read")


class World:
    """A daemon on the feed's clock, and a feed that goes on where it stopped."""

    def __init__(self, snapshot=2000, store=""):
        self.d = faultlib.Daemon(BINARY, more=DERIVED.format(frames="1s, 1m"), edit=lambda t: t.replace(
            "ballast: 0B", f"ballast: 0B, snapshot: {snapshot}{store}"))
        self.sent, self.n_stored = 0, -1

    def feed(self, n):
        """@n records: 200 a second of event time, and a clock record each second."""
        sock = self.d.ingest()
        for first in range(self.sent + 1, self.sent + n + 1, 500):
            ticks = [self.record(q) for q in range(first, min(first + 500, self.sent + n + 1))]
            reply = tb.sbe_reply(sock.ask(tb.sbe_ticks("restart", "test", first, ticks)))
            assert reply["status"] == 0 and reply["accepted"] == len(ticks), reply
        self.sent += n
        sock.close()

    @staticmethod
    def record(q):
        at = tb.START + q * 5_000_000
        if q % 200 == 0:
            return ("", at, 0, 0, 0)
        return (SYMBOLS[q % len(SYMBOLS)], at, 10 ** 11 + (q * 7919 % 1009) * 10 ** 7, 10 ** 8, q)

    def set_frames(self, frames):
        self.d.edit_config(lambda t: re.sub(r"timeframes: \[[^]]*\]", f"timeframes: [{frames}]", t))

    def restored(self):
        """(position, records to read) of the last start, or None: it read everything."""
        last = self.d.errors().rsplit("ready after", 2)[-2]
        found = RESTORED.findall(last)
        return tuple(map(int, found[-1])) if found else None

    def caught_up(self):
        """Until what is derived has come into the store and no more comes."""
        self.n_stored = -1
        faultlib.until("everything is stored", self.is_settled, 30, pause=0.6)

    def is_settled(self):
        n = sum(len(self.d.events(k)) for k in BLOCKS)
        same, self.n_stored = self.n_stored == n, n
        return same

    def check_streams(self):
        """Numbers and chains of everything that catch-up holds; the newest of each."""
        self.caught_up()
        newest = {}
        for kind, (size, symbol_id_at) in BLOCKS.items():
            for frame in self.d.frames([kind]):
                for block in tb.frame_blocks(frame):
                    assert len(block) == size, (kind, len(block))
                    seq, = struct.unpack_from("<Q", block)
                    symbol, = struct.unpack_from("<I", block, symbol_id_at)
                    self.follow(newest, (kind, symbol), seq, block)
        for frame in self.d.frames(["tier2"]):
            block = frame[40:40 + 144]
            self.follow(newest, ("tier2", block[104:136]), struct.unpack_from("<Q", block)[0], block)
        return newest

    @staticmethod
    def follow(newest, stream, seq, block):
        if stream in newest:
            was, before = newest[stream]
            assert seq == was + 1, f"{stream}: {seq} after {was}"
            want = int.from_bytes(hashlib.blake2b(block[:24] + bytes(8) + block[32:-8] + struct.pack("<Q", before),
                                                  digest_size=8).digest(), "little")
            assert struct.unpack("<Q", block[-8:])[0] == want, f"{stream}: the chain breaks at {seq}"
        newest[stream] = (seq, struct.unpack("<Q", block[-8:])[0])


def a_clean_stop_leaves_nothing_to_read(w):
    w.d.start()
    w.feed(7000)
    w.caught_up()
    assert w.d.stop() == 0
    w.d.start()
    pos, to_read = w.restored()
    assert to_read == 0 and pos >= 7000, (pos, to_read)
    w.feed(3000)
    newest = w.check_streams()
    assert newest[("bar", 0)][0] > 40, newest


def a_crash_leaves_what_came_after_the_snapshot(w):
    w.d.start()
    w.feed(9000)
    faultlib.until("a snapshot", lambda: w.d.counter("tickbus_snapshots_total") >= 1, 20)
    w.feed(700)
    w.d.kill()
    w.d.start()
    pos, to_read = w.restored()
    assert pos >= 2000 and to_read >= 700 and pos + to_read == 9701, (pos, to_read)
    w.feed(1000)
    w.check_streams()


def without_snapshots_the_whole_log_is_read(w):
    w.d.edit_config(lambda t: re.sub(r"snapshot: \d+", "snapshot: 0", t))
    w.d.start()
    w.feed(5000)
    w.caught_up()
    assert w.d.stop() == 0
    w.d.start()
    assert w.restored() is None
    assert "reading the whole log" in w.d.errors()
    w.feed(1000)
    w.check_streams()


def another_configuration_lets_the_sequences_go_on(w):
    w.d.start()
    w.feed(6000)
    before = w.check_streams()
    assert w.d.stop() == 0
    w.set_frames("5s, 1s")  # one gone, one new: other numbers of events
    w.d.start()
    assert "the configuration of derived values has changed" in w.d.errors()
    assert w.restored()[1] == 0, w.restored()
    w.feed(6000)
    after = w.check_streams()
    for stream, (seq, _) in before.items():
        assert after[stream][0] > seq, (stream, seq, after.get(stream))
    # Derived from the whole log: the windows of the first new vector are warm at once.
    changed_at = w.restored()[0]
    seen = [struct.unpack_from("<Q", b, 56)[0] for b in w.d.events("tier1")
            if struct.unpack_from("<Q", b, 8)[0] > changed_at and struct.unpack_from("<I", b, 448)[0] == 1]
    assert seen and min(seen) > 20, seen[:9]
    w.d.kill()
    w.d.start()
    assert w.restored() is not None
    w.feed(1000)
    w.check_streams()


def a_crash_and_another_configuration(w):
    w.d.start()
    w.feed(9000)
    faultlib.until("a snapshot", lambda: w.d.counter("tickbus_snapshots_total") >= 1, 20)
    w.caught_up()
    w.d.kill()
    w.set_frames("1s")
    w.d.start()
    w.feed(3000)
    w.check_streams()


def ticks_leave_behind_the_snapshots(w):
    w.d.start()
    for _ in range(6):
        w.feed(5000)
        w.caught_up()
    faultlib.until("segments retired", lambda: w.d.counter("tickbus_segments_retired_total") > 0, 20)
    oldest = w.d.admin("log_count")["result"]["first_pos"]
    assert int(oldest) > 1, oldest
    w.d.kill()
    w.d.start()
    assert w.restored()[0] >= int(oldest)
    w.feed(1000)
    before = w.check_streams()
    assert w.d.stop() == 0
    # The beginning is gone and the configuration changes: cold, but numbered on.
    w.set_frames("1s, 10s")
    w.d.start()
    assert "begins anew" in w.d.errors(), w.d.errors()[-2000:]
    w.feed(4000)
    after = w.check_streams()
    for stream, (seq, _) in before.items():
        assert after[stream][0] > seq, (stream, seq, after.get(stream))


TESTS = [
    (a_clean_stop_leaves_nothing_to_read, {}),
    (a_crash_leaves_what_came_after_the_snapshot, {}),
    (without_snapshots_the_whole_log_is_read, {}),
    (another_configuration_lets_the_sequences_go_on, {}),
    (a_crash_and_another_configuration, {}),
    (ticks_leave_behind_the_snapshots, {"store": ", retain_size: 1MiB, segment: 500"}),
]


def main():
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    tests = [(f, kw) for f, kw in TESTS if only in f.__name__]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for i, (f, kw) in enumerate(tests, 1):
        w = World(**kw)
        try:
            f(w)
            print(f"ok {i} - {f.__name__}", flush=True)
        except Exception as e:  # every failure is a line of TAP
            failed += 1
            print(f"not ok {i} - {f.__name__}", flush=True)
            for line in (f"{type(e).__name__}: {e}\n" + w.d.errors()[-3000:]).splitlines():
                print("#", line, flush=True)
        finally:
            w.d.remove()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
