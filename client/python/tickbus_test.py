#!/usr/bin/env python3
"""Subscriber, publisher and questions of tickbus.py against a daemon that a test has in its hand (fakebus.py).

The names are what is promised.  Random parts print their seed: tickbus_test.py [SEED]
"""
import asyncio
import collections
import json
import os
import random
import select
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest

import fakebus
import tickbus
from fakebus import FakeBus

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10 ** 9)
BEAT = 0.2


class WithBus(unittest.TestCase):
    def setUp(self):
        self.bus = FakeBus()
        self.addCleanup(self.bus.close)

    def subscribe(self, kinds="tick", is_up=True, **options):
        sub = tickbus.Subscriber(kinds, urls=self.bus.urls, **{"heartbeat": BEAT, **options})
        self.addCleanup(sub.close)
        if is_up:
            self.wait_up(sub)
        return sub

    def wait_up(self, sub, n=1):
        end = time.monotonic() + 10
        while self.bus.subscribers() < n and time.monotonic() < end:
            sub._pump(0.01)
        self.assertEqual(self.bus.subscribers(), n)

    def read(self, sub, n, timeout=5.0):
        """The next n items; fewer when they do not come."""
        end, out = time.monotonic() + timeout, []
        while len(out) < n:
            item = sub.next(max(0.0, end - time.monotonic()))
            if item is None:
                break
            out.append(item)
        return out

    def seqs(self, items):
        return [(e.symbol, e.seq) for e in items if e.kind == "tick"]


class Order(WithBus):
    def test_history_goes_over_into_live_without_a_seam(self):
        for i in range(1, 11):
            self.bus.add("AAPL", i)
        sub = self.subscribe(start="oldest", is_up=False)
        past = self.read(sub, 11)
        self.assertEqual(self.seqs(past), [("AAPL", i) for i in range(1, 11)])
        self.assertEqual((past[-1].kind, past[-1].pos, past[-1].count), ("live", 10, 10))
        self.assertGreater(sub.counts.pages, 3)
        self.wait_up(sub)
        self.bus.publish(self.bus.add("AAPL", 11), self.bus.add("AAPL", 12))
        self.assertEqual(self.seqs(self.read(sub, 2)), [("AAPL", 11), ("AAPL", 12)])

    def test_from_now_begins_behind_the_live_notice(self):
        for i in range(1, 6):
            self.bus.add("AAPL", i)
        sub = self.subscribe()
        self.assertEqual([(e.kind, e.pos) for e in self.read(sub, 1)], [("live", 5)])
        self.bus.publish(self.bus.add("AAPL", 6))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("AAPL", 6)])

    def test_a_lost_frame_is_fetched_before_anything_newer(self):
        sub = self.subscribe()
        self.read(sub, 1)
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 1)
        self.bus.publish(*[self.bus.add("AAPL", i) for i in range(2, 11)], is_lost=True)
        self.bus.publish(self.bus.add("AAPL", 11))
        items = self.read(sub, 10)
        self.assertEqual(self.seqs(items), [("AAPL", i) for i in range(2, 12)])
        self.assertTrue(items[0].is_filled)
        self.assertEqual(sub.counts.lost, 0)

    def test_what_the_last_lost_frame_held_is_fetched_by_the_heartbeat(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("AAPL", 1), self.bus.add("MSFT", 1))
        self.read(sub, 3)
        self.bus.publish(self.bus.add("AAPL", 2), self.bus.add("NEW", 1), is_lost=True)
        self.bus.beat(("AAPL", 2), ("NEW", 1))
        self.assertEqual(self.seqs(self.read(sub, 2)), [("AAPL", 2), ("NEW", 1)])

    def test_a_lost_heartbeat_hides_nothing(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 2)
        self.bus.publish(self.bus.add("MSFT", 1), is_lost=True)
        self.bus.beat()  # the one that would have named MSFT was lost as well
        self.assertEqual(self.seqs(self.read(sub, 1)), [("MSFT", 1)])

    def test_what_passed_while_the_connection_was_broken_is_fetched(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 2)
        self.bus.cut()
        self.bus.add("AAPL", 2)
        self.bus.add("ONCE", 1)
        self.bus.frame_seq = 1  # as if nothing had passed
        self.wait_up(sub)
        self.bus.beat()
        self.assertEqual(self.seqs(self.read(sub, 2)), [("AAPL", 2), ("ONCE", 1)])
        self.assertEqual(sub.counts.reconnects, 1)

    def test_nothing_comes_twice(self):
        sub = self.subscribe()
        blocks = [self.bus.add("AAPL", i) for i in range(1, 4)]
        self.bus.publish(*blocks)
        self.bus.publish(*blocks)
        self.bus.publish(blocks[2], self.bus.add("AAPL", 4))
        self.assertEqual(self.seqs(self.read(sub, 6, 0.5)), [("AAPL", i) for i in range(1, 5)])
        self.assertEqual(sub.counts.lost, 0)

    def test_a_silent_connection_is_made_anew(self):
        sub = self.subscribe()
        end = time.monotonic() + 10
        while sub.counts.reconnects < 2 and time.monotonic() < end:
            sub.next(0.05)
            if sub._lanes[0].ups != sub._lanes[0].link.ups:
                self.bus.beat()  # one on every connection, then silence
        self.assertGreaterEqual(sub.counts.reconnects, 2)

    def test_a_newer_daemons_longer_blocks_are_read(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("AAPL", 1, extra=b"newer"), self.bus.add("AAPL", 2, extra=b"newer"))
        self.assertEqual(self.seqs(self.read(sub, 3)), [("AAPL", 1), ("AAPL", 2)])

    def test_symbols_not_asked_for_do_not_come(self):
        self.bus.add("MSFT", 1)
        self.bus.add("AAPL", 1)
        sub = self.subscribe(symbols=["AAPL"], start="oldest")
        self.bus.publish(self.bus.add("MSFT", 2), self.bus.add("AAPL", 2))
        self.assertEqual(self.seqs(self.read(sub, 4, 0.5)), [("AAPL", 1), ("AAPL", 2)])

    def test_the_live_notice_tells_whether_history_is_whole(self):
        for is_whole in (True, False):
            del self.bus.log[:]
            for i in range(1, 11):
                self.bus.add("AAPL", i)
            self.bus.sums = True
            self.bus.tamper = lambda block: block if is_whole or block[0] != 7 else b"\x06" + block[1:]
            with tickbus.history("tick", urls=self.bus.urls) as past:
                items = list(past)
            self.assertEqual((items[-1].is_whole, items[-1].count), (is_whole, 10))

    def test_from_sequences_begins_with_those(self):
        for i in range(1, 8):
            self.bus.add("AAPL", i)
            self.bus.add("MSFT", i)
        sub = self.subscribe(start="seq", at={("tick", "AAPL"): 6, ("tick", "MSFT"): 7}, symbols=["AAPL", "MSFT"])
        items = self.read(sub, 4)
        self.assertEqual(self.seqs(items), [("AAPL", 6), ("AAPL", 7), ("MSFT", 7)])
        self.assertEqual(items[-1].kind, "live")

    def test_what_waits_too_long_gives_way_and_is_fetched_again(self):
        sub = self.subscribe(is_up=False, start="oldest")
        sub.QUEUE_MAX = 4000
        self.bus.is_mute = True  # history does not come yet
        self.wait_up(sub)
        for i in range(1, 101):
            self.bus.publish(self.bus.add("AAPL", i))
        end = time.monotonic() + 5
        while sub._lanes[0].serial < 100 and time.monotonic() < end:
            self.assertIsNone(sub.next(0.01))
        self.assertLess(sub._lanes[0].bytes, 4000)
        self.bus.is_mute = False
        self.bus.cut()
        self.wait_up(sub)
        self.bus.publish(self.bus.add("AAPL", 101))
        self.assertEqual(self.seqs(self.read(sub, 102)), [("AAPL", i) for i in range(1, 102)])

    def test_random_losses_and_cuts_leave_no_hole_and_nothing_twice(self):
        rng = random.Random(SEED)
        sub, seq, got = self.subscribe(start="oldest"), collections.Counter(), []
        for _ in range(400):
            blocks = []
            for _ in range(rng.randrange(1, 5)):
                symbol = rng.choice(("A", "B", "C", "RARE") if rng.random() < 0.1 else ("A", "B", "C"))
                seq[symbol] += 1
                blocks.append(self.bus.add(symbol, seq[symbol]))
            self.bus.publish(*blocks, is_lost=rng.random() < 0.3)
            if rng.random() < 0.05:
                self.bus.cut()
            if rng.random() < 0.1:
                self.bus.beat()
            while (item := sub.next(0.002)) is not None:
                got.append(item)
        self.wait_up(sub)
        self.bus.beat(*seq.items())
        got += self.read(sub, sum(seq.values()) - len(self.seqs(got)), 20)
        want = {symbol: list(range(1, n + 1)) for symbol, n in seq.items()}
        have = collections.defaultdict(list)
        for symbol, n in self.seqs(got):
            have[symbol].append(n)
        self.assertEqual(have, want)
        self.assertEqual([e for e in got if e.kind == "gap"], [])
        self.assertGreater(sub.counts.resyncs, 10)


class Loss(WithBus):
    def test_what_is_gone_is_said_exactly(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 2)
        self.bus.publish(*[self.bus.add("AAPL", i) for i in range(2, 10)], is_lost=True)
        self.bus.first_held = 7
        self.bus.publish(self.bus.add("AAPL", 10))
        gap, *rest = self.read(sub, 5)
        self.assertEqual(gap, tickbus.Gap("tick", "AAPL", "", 2, 6, "gone", 0, 0))
        self.assertEqual(str(gap), "tick AAPL: events 2 to 6 are gone")
        self.assertEqual(self.seqs(rest), [("AAPL", i) for i in range(7, 11)])
        self.assertEqual(sub.counts.lost, 5)

    def test_what_is_gone_of_a_stream_that_stands_still_is_said_too(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("AAPL", 1), self.bus.add("MSFT", 1))
        self.read(sub, 3)
        self.bus.publish(self.bus.add("AAPL", 2), self.bus.add("AAPL", 3), self.bus.add("MSFT", 2), is_lost=True)
        self.bus.first_held = 4
        self.bus.publish(self.bus.add("MSFT", 3))
        items = self.read(sub, 4)
        self.assertIn(tickbus.Gap("tick", "AAPL", "", 2, 2, "gone", 0, 0), items)
        self.assertEqual(self.seqs(items), [("AAPL", 3), ("MSFT", 2), ("MSFT", 3)])

    def test_history_that_is_gone_is_said_by_positions(self):
        for i in range(1, 10):
            self.bus.add("AAPL", i)
        self.bus.first_held = 5
        gap, *rest = self.read(self.subscribe(start="pos", at=2), 7)
        self.assertEqual((gap.reason, gap.first_pos, gap.last_pos), ("gone", 2, 4))
        self.assertEqual(str(gap), "positions 2 to 4 are gone")
        self.assertEqual(self.seqs(rest), [("AAPL", i) for i in range(5, 10)])

    def test_sequences_that_are_gone_are_said_before_what_is_held(self):
        for i in range(1, 10):
            self.bus.add("AAPL", i)
        self.bus.first_held = 5
        gap, *rest = self.read(self.subscribe(start="seq", at={("tick", "AAPL"): 1}), 7)
        self.assertEqual((gap.first_seq, gap.last_seq, gap.reason), (1, 4, "gone"))
        self.assertEqual(self.seqs(rest), [("AAPL", i) for i in range(5, 10)])

    def test_a_hole_that_catch_up_jumps_over_is_lost(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 2)
        self.bus.publish(self.bus.add("AAPL", 4))
        gap, tick = self.read(sub, 2)
        self.assertEqual((gap.first_seq, gap.last_seq, gap.reason), (2, 3, "lost"))
        self.assertEqual(tick.seq, 4)

    def test_a_hole_waits_until_catch_up_has_come_so_far(self):
        sub = self.subscribe(patience=5)
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 2)
        self.bus.horizon = 1  # a daemon that has just begun
        self.bus.publish(self.bus.add("AAPL", 2), is_lost=True)
        self.bus.publish(self.bus.add("AAPL", 3))
        for _ in range(20):
            self.bus.beat()
            self.assertIsNone(sub.next(0.05))
        self.bus.horizon = 2
        self.assertEqual(self.seqs(self.read(sub, 1)), [("AAPL", 2)])
        self.bus.horizon = None
        self.assertEqual(self.seqs(self.read(sub, 1)), [("AAPL", 3)])

    def test_a_catch_up_that_stands_still_is_given_up_when_patience_ends(self):
        sub = self.subscribe(patience=0.4)
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 2)
        self.bus.horizon, begin = 1, time.monotonic()
        self.bus.publish(self.bus.add("AAPL", 2), is_lost=True)
        self.bus.publish(self.bus.add("AAPL", 3))
        threading.Timer(0.5, self.bus.beat).start()
        gap, tick = self.read(sub, 2)
        self.assertEqual((gap.first_seq, gap.last_seq, gap.reason, tick.seq), (2, 2, "lost", 3))
        self.assertGreater(time.monotonic() - begin, 0.4)

    def test_a_hole_waits_for_a_catch_up_that_does_not_answer(self):
        sub = self.subscribe(timeout=0.2)
        self.bus.publish(self.bus.add("AAPL", 1))
        self.read(sub, 2)
        self.bus.is_mute = True
        self.bus.publish(self.bus.add("AAPL", 2), is_lost=True)
        self.bus.publish(self.bus.add("AAPL", 3))
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            self.bus.beat()
            self.assertIsNone(sub.next(0.1))
        self.assertIn("no answer", sub.trouble)
        self.bus.is_mute = False
        self.assertEqual(self.seqs(self.read(sub, 2)), [("AAPL", 2), ("AAPL", 3)])

    def test_best_effort_fetches_nothing_and_announces_everything(self):
        sub = self.subscribe(policy="best_effort")
        self.read(sub, 1)
        self.bus.publish(self.bus.add("AAPL", 1))
        self.bus.publish(self.bus.add("AAPL", 2), is_lost=True)
        self.bus.publish(self.bus.add("AAPL", 3))
        self.bus.beat(("AAPL", 5))
        items = self.read(sub, 4)
        self.assertEqual([(e.kind, getattr(e, "first_seq", None) or e.seq) for e in items],
                         [("tick", 1), ("gap", 2), ("tick", 3), ("gap", 4)])
        self.assertEqual(self.bus.requests, [])

    def test_a_refusal_is_an_exception_with_the_daemons_sentence(self):
        self.bus.answer = lambda request: fakebus.page([], 0, 0, status=2, text=b"nothing like that is kept")
        sub = self.subscribe(start="oldest")
        with self.assertRaisesRegex(tickbus.Refused, "nothing like that is kept"):
            sub.next(5)
        self.bus.answer = None  # it may be otherwise another time
        self.bus.add("AAPL", 1)
        self.assertEqual(self.seqs(self.read(sub, 1)), [("AAPL", 1)])

    def test_a_busy_catch_up_is_asked_again(self):
        self.bus.add("AAPL", 1)
        answers = iter((3, 3))
        self.bus.answer = lambda request: (fakebus.page([], 0, 0, status=3) if next(answers, None)
                                           else self.bus.catchup(request))
        self.assertEqual(self.seqs(self.read(self.subscribe(start="oldest"), 2)), [("AAPL", 1)])
        self.assertEqual(len(self.bus.requests), 3)

    def test_a_new_epoch_is_announced_and_a_stream_may_be_numbered_anew(self):
        sub = self.subscribe()
        self.bus.publish(*[self.bus.add("AAPL", i) for i in range(1, 6)])
        self.read(sub, 6)
        del self.bus.log[3:]  # the log lost its end
        self.bus.cut()
        self.bus.epoch, self.bus.frame_seq = 2, 0
        anew = [self.bus.add("AAPL", i, recv_ns=fakebus.TIME + 90 + i) for i in range(4, 8)]
        self.wait_up(sub)
        self.bus.publish(self.bus.log[2][3], anew[3], self.bus.add("AAPL", 8, recv_ns=fakebus.TIME + 99))
        epoch, *ticks = self.read(sub, 6)
        self.assertEqual(epoch, tickbus.Epoch(2, 1))
        self.assertEqual([(t.seq, t.recv_ns - fakebus.TIME, t.epoch) for t in ticks],
                         [(4, 94, 2), (5, 95, 2), (6, 96, 2), (7, 97, 2), (8, 99, 2)])

    def test_garbage_is_counted_and_the_rest_goes_on(self):
        rng = random.Random(SEED)
        sub = self.subscribe()
        got = self.read(sub, 1)
        good = fakebus.frame([fakebus.tick(9, 9)])
        for i in range(1, 101):
            bad = bytearray(good[:rng.randrange(len(good))] if i % 2 else good)
            bad[rng.randrange(4) if len(bad) > 4 else 0:1] = b"\xff" if bad else b""
            self.bus.send((b"tick|", b"", b"tick", b"|")[i % 4] + bytes(bad))
            self.bus.publish(self.bus.add("AAPL", i))
        got = self.read(sub, 100)
        self.assertEqual(self.seqs(got), [("AAPL", i) for i in range(1, 101)])
        self.assertGreater(sub.counts.malformed + sub.counts.unknown, 90)

    def test_a_page_of_garbage_is_counted_and_asked_for_again(self):
        self.bus.add("AAPL", 1)
        answers = iter((b"", os.urandom(300), b"\0" * 200))
        self.bus.answer = lambda request: next(answers, self.bus.catchup(request))
        sub = self.subscribe(start="oldest", timeout=1)
        self.assertEqual(self.seqs(self.read(sub, 2, 10)), [("AAPL", 1)])
        self.assertEqual(sub.counts.malformed, 3)

    def test_a_stranger_on_the_port_is_dialled_again(self):
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            urls = {**self.bus.urls, "tick": f"tcp://127.0.0.1:{stranger.getsockname()[1]}"}
            with tickbus.Subscriber("tick", urls=urls, heartbeat=BEAT) as sub:
                for greeting in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0SP\0\0\x30\0\0",
                                 b"\0SP\0\0\x20\0\0" + struct.pack(">Q", 1 << 50)):
                    stranger.settimeout(0.01)
                    while True:
                        sub.next(0.01)
                        try:
                            peer, _ = stranger.accept()
                            break
                        except TimeoutError:
                            pass
                    peer.sendall(greeting)
                    while sub._lanes[0].link.state in ("greeting", "up", "dialing"):
                        sub.next(0.01)
                    peer.close()
                    self.assertRegex(sub.trouble, "another protocol|a message of")


class Policies(WithBus):
    def test_conflate_gives_the_newest_and_announces_the_rest(self):
        sub = self.subscribe(policy="conflate")
        self.bus.publish(self.bus.add("OTHER", 1))
        self.read(sub, 2)
        for i in range(1, 6):
            self.bus.publish(self.bus.add("AAPL", i), self.bus.add("MSFT", i))
        while sub._lanes[0].serial < 6:
            sub._pump(0.01)
        items = self.read(sub, 4, 1)
        said = [(e.kind, e.symbol, getattr(e, "seq", 0) or (e.first_seq, e.last_seq, e.reason)) for e in items]
        self.assertEqual(said,
                         [("gap", "AAPL", (1, 4, "conflated")), ("tick", "AAPL", 5),
                          ("gap", "MSFT", (1, 4, "conflated")), ("tick", "MSFT", 5)])

    def test_conflate_far_behind_fetches_the_newest_and_not_all(self):
        self.bus.page_events = 5
        sub = self.subscribe(policy="conflate")
        self.bus.publish(self.bus.add("AAPL", 1), self.bus.add("MSFT", 1), self.bus.add("IDLE", 1))
        self.read(sub, 4)
        with self.bus.lock:
            for i in range(2, 3002):
                self.bus.add("AAPL", i)
                self.bus.add("MSFT", i)
        self.bus.frame_seq += 50
        self.bus.publish(self.bus.add("AAPL", 3002))
        items = self.read(sub, 4)
        said = [(e.kind, e.symbol, getattr(e, "seq", 0) or (e.first_seq, e.last_seq, e.reason)) for e in items]
        self.assertEqual(sorted(said, key=lambda s: (s[1], s[0])),
                         [("gap", "AAPL", (2, 3001, "conflated")), ("tick", "AAPL", 3002),
                          ("gap", "MSFT", (2, 3000, "conflated")), ("tick", "MSFT", 3001)])
        self.assertEqual((sub.counts.lost, sub.counts.skipped), (0, 5999))
        self.assertLess(sub.counts.pages, 10)

    def test_history_comes_whole_before_anything_is_conflated(self):
        for i in range(1, 8):
            self.bus.add("AAPL", i)
        items = self.read(self.subscribe(policy="conflate", start="oldest"), 8)
        self.assertEqual(self.seqs(items), [("AAPL", i) for i in range(1, 8)])
        self.assertEqual(items[-1].kind, "live")

    def test_sample_gives_at_most_one_in_its_time(self):
        sub = self.subscribe(policy="sample", sample_ms=300)
        self.read(sub, 1)
        items, begin, i = [], time.monotonic(), 0
        while time.monotonic() < begin + 1.5:
            i += 1
            self.bus.publish(self.bus.add("AAPL", i))
            item = sub.next(0.02)
            items += [item] if item is not None else []
        ticks = [e.seq for e in items if e.kind == "tick"]
        self.assertTrue(3 <= len(ticks) <= 6, ticks)
        told = sorted(ticks + [s for g in items if g.kind == "gap" for s in range(g.first_seq, g.last_seq + 1)])
        self.assertEqual([s for s in told if s <= max(ticks)], list(range(1, max(ticks) + 1)))
        self.assertEqual({g.reason for g in items if g.kind == "gap"}, {"sampled"})

    def test_events_of_two_timeframes_do_not_replace_each_other(self):
        newest = tickbus._Newest(0, "conflated")
        Fake = collections.namedtuple("Fake", "kind symbol timeframe seq frame row is_filled")
        for seq, frame in ((1, "1m"), (2, "5m"), (3, "1m"), (4, "1m")):
            newest.add(Fake("bar", "AAPL", frame, seq, seq, 0, False))
        items = newest.pop(1.0)
        self.assertEqual([(i.first_seq, i.last_seq) if isinstance(i, tickbus.Gap) else i.frame for i in items],
                         [(1, 1), 2, (3, 3), 4])
        self.assertEqual(newest.pop(1.0), [])


class Loops(WithBus):
    def test_a_descriptor_tells_when_to_look(self):
        sub = self.subscribe(heartbeat=5)
        self.read(sub, 1)
        while sub.next(0) is not None:
            pass
        self.bus.publish(self.bus.add("AAPL", 1))
        self.assertEqual(len(select.select([sub], [], [], 5)[0]), 1)
        self.assertEqual(self.seqs(self.read(sub, 1, 1)), [("AAPL", 1)])

    def test_the_descriptor_wakes_for_what_is_due_though_nothing_comes(self):
        self.bus.cut()
        sub = tickbus.Subscriber("tick", urls={**self.bus.urls, "tick": "tcp://127.0.0.1:1"}, heartbeat=BEAT)
        self.addCleanup(sub.close)
        wakes, end = 0, time.monotonic() + 3
        while sub._lanes[0].link.tries < 4 and time.monotonic() < end:
            while sub.next(0) is not None:
                pass
            wakes += bool(select.select([sub], [], [], 5)[0])
        self.assertGreaterEqual(sub._lanes[0].link.tries, 4)
        self.assertLess(wakes, 50)

    def test_looking_never_waits(self):
        sub = self.subscribe(is_up=False)
        self.bus.is_mute = True
        begin = time.monotonic()
        for _ in range(50):
            sub.next(0)
        self.assertLess(time.monotonic() - begin, 0.5)

    def test_asyncio_drives_it(self):
        async def collect():
            loop, got = asyncio.get_running_loop(), asyncio.Queue()

            def look():
                while (item := sub.next(0)) is not None:
                    got.put_nowait(item)
            with tickbus.Subscriber("tick", urls=self.bus.urls, heartbeat=BEAT) as sub:
                loop.add_reader(sub.fileno(), look)
                self.assertEqual((await asyncio.wait_for(got.get(), 5)).kind, "live")
                while not self.bus.subscribers():
                    await asyncio.sleep(0.01)
                self.bus.publish(self.bus.add("AAPL", 1))
                tick = await asyncio.wait_for(got.get(), 5)
                loop.remove_reader(sub.fileno())
                return tick.seq
        self.assertEqual(asyncio.run(collect()), 1)

    def test_batches_and_events_may_be_mixed(self):
        sub = self.subscribe()
        self.bus.publish(self.bus.add("MSFT", 1))
        self.read(sub, 2)
        self.bus.publish(*[self.bus.add("AAPL", i) for i in range(1, 6)])
        self.assertEqual(sub.next(5).seq, 1)
        batch = sub.next_batch(5)
        self.assertEqual([e.seq for e in batch], [2, 3, 4, 5])
        self.assertEqual((len(batch), batch.kind), (4, "tick"))

    def test_history_ends_where_the_present_begins(self):
        for i in range(1, 8):
            self.bus.add("AAPL", i)
        with tickbus.history("tick", urls=self.bus.urls) as past:
            items = list(past)
        self.assertEqual(self.seqs(items), [("AAPL", i) for i in range(1, 8)])
        self.assertEqual(items[-1].kind, "live")

    def test_wrong_arguments_are_named(self):
        for options in ({"kinds": "ticks"}, {"kinds": []}, {"timeframe": "1w"}, {"start": "then"}, {"policy": "x"},
                        {"prices": "x"}, {"symbols": [""]}, {"symbols": ["A" * 33]}, {"start": "seq", "at": {}},
                        {"start": "time", "at": "noon"}, {"urls": {"tik": "tcp://a:1"}},
                        {"urls": {"tick": "udp://a:1"}}):
            with self.assertRaises(ValueError):
                tickbus.Subscriber(**{"kinds": "tick", **options})


class Chain(unittest.TestCase):
    """A chain of two bars, handed to a subscriber without sockets."""

    def bars(self):
        block, out, chain = bytearray(tickbus._BLOCKS["bar"].size), [], 0
        for seq in range(1, 5):
            struct.pack_into("<QQqq", block, 0, seq, seq, seq, 7)
            block[160:164] = b"AAPL"
            chain = tickbus.Subscriber._link_of(bytes(block), chain)
            struct.pack_into("<Q", block, len(block) - 8, chain)
            out.append(bytes(block))
        return out

    def take(self, *blocks):
        with tickbus.Subscriber("bar", urls={"bar": "tcp://127.0.0.1:1", "catchup": "tcp://127.0.0.1:1"},
                                check_chain=True) as sub:
            sub._past.jobs.clear()
            sub._is_live, sub._lanes[0].frame_seq = True, 0
            for n, block in enumerate(blocks, 1):
                sub._on_message(sub._lanes[0], b"bar|" + fakebus.frame([block], n, template=2))
            out = []
            while (item := sub.next(0)) is not None:
                out.append(item)
            return out

    def test_events_that_follow_each_other_pass(self):
        self.assertEqual([e.seq for e in self.take(*self.bars())], [1, 2, 3, 4])

    def test_an_event_that_was_changed_is_told_and_given(self):
        for at in (16, 48, 100, 200):
            blocks = self.bars()
            blocks[2] = blocks[2][:at] + bytes([blocks[2][at] ^ 1]) + blocks[2][at + 1:]
            items = self.take(*blocks)
            self.assertEqual([e.kind for e in items], ["bar", "bar", "broken", "bar", "bar"])
            self.assertEqual((items[2].stream, items[2].symbol, items[2].seq), ("bar", "AAPL", 3))
            self.assertNotEqual(items[2].chain, items[2].expected)

    def test_when_it_was_received_does_not_matter(self):
        blocks = [block[:24] + struct.pack("<q", i) + block[32:] for i, block in enumerate(self.bars())]
        self.assertEqual([e.kind for e in self.take(*blocks)], ["bar"] * 4)


def reply(n, status=0, retry_ms=0, runs=None, text=b"", counts=None):
    accepted, duplicate, rejected = counts or (n, 0, 0)
    root = struct.pack("<QQIIIIBB6x128s", 1, 100, accepted, duplicate, rejected, retry_ms, status, 0, text)
    runs = [(100, 0, n, 0, 0)] if runs is None else runs
    return (struct.pack("<HHHH", 168, 22, 7400, 1) + root + struct.pack("<HH", 24, len(runs))
            + b"".join(struct.pack("<QIIBB6x", *run) for run in runs))


class Publishing(WithBus):
    def publisher(self, **options):
        pub = tickbus.Publisher("sim", "p1", urls={"ingest": self.bus.urls["catchup"]}, **{"timeout": 3, **options})
        self.addCleanup(pub.close)
        return pub

    def test_a_batch_is_acknowledged_run_by_run(self):
        self.bus.answer = lambda request: reply(3, runs=[(100, 0, 1, 0, 0), (0, 1, 1, 1, 0), (0, 2, 1, 2, 2)],
                                                counts=(1, 1, 1))
        pub = self.publisher(first_seq=5)
        self.assertEqual([pub.add("AAPL", fakebus.TIME, price="187.25"), pub.add("AAPL", fakebus.TIME, bid=1, ask=2.5),
                          pub.add("AAPL", fakebus.TIME, price=-1)], [5, 6, 7])
        ack = pub.flush()
        self.assertEqual((ack.accepted, ack.duplicate, ack.rejected, ack.is_synced, ack.resends), (1, 1, 1, True, 0))
        self.assertEqual(ack.runs, [tickbus.Run(5, 1, "accepted", "", 100), tickbus.Run(6, 1, "duplicate", "", 0),
                                    tickbus.Run(7, 1, "rejected", "price_not_positive", 0)])
        self.assertEqual((ack.rejections, pub.next_seq), ([(7, "price_not_positive")], 8))
        request = self.bus.requests[0]
        self.assertEqual(struct.unpack_from("<HHHH32s16sQI", request),
                         (60, 21, 7400, 1, b"p1".ljust(32, b"\0"), b"sim".ljust(16, b"\0"), 5, 0))
        first = struct.unpack_from("<7q2Q8s3B5x32s", request, 72)
        self.assertEqual((first[0], first[1], first[2], first[10], first[13]),
                         (fakebus.TIME, 187250000000, tickbus.NULL, 1, b"AAPL".ljust(32, b"\0")))
        self.assertEqual(struct.unpack_from("<7q", request, 72 + 120)[3:5], (10 ** 9, 2500000000))

    def test_the_same_bytes_are_sent_again_when_no_answer_comes(self):
        self.bus.is_mute = True
        threading.Timer(1.3, lambda: setattr(self.bus, "is_mute", False)).start()
        self.bus.answer = lambda request: reply(1)
        pub = self.publisher()
        pub.add("AAPL", fakebus.TIME, price=1)
        self.assertGreaterEqual(pub.flush().resends, 1)
        self.assertEqual(len(set(self.bus.requests)), 1)
        self.assertGreaterEqual(len(self.bus.requests), 2)

    def test_it_waits_as_long_as_the_daemon_asks_and_sends_again(self):
        answers = iter((reply(1, 2, 300, []), reply(1, 4, 0, []), reply(1, 5, 50, [])))
        self.bus.answer = lambda request: next(answers, reply(1))
        pub, begin = self.publisher(), time.monotonic()
        pub.add("AAPL", fakebus.TIME, price=1)
        self.assertEqual(pub.flush().resends, 3)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.assertEqual(len(set(self.bus.requests)), 1)

    def test_a_batch_that_found_no_answer_stays(self):
        self.bus.is_mute = True
        pub = self.publisher(timeout=0.3)
        pub.add("AAPL", fakebus.TIME, price=1)
        with self.assertRaisesRegex(tickbus.TimedOut, "did not answer within"):
            pub.flush()
        self.bus.is_mute, self.bus.answer = False, lambda request: reply(1)
        self.assertEqual((pub.next_seq, pub.flush().accepted, pub.next_seq), (2, 1, 2))
        self.bus.answer = lambda request: reply(1, 3, 50, [], b"the disk is full")
        pub.add("AAPL", fakebus.TIME, price=1)
        with self.assertRaisesRegex(tickbus.TimedOut, "no_space: the disk is full"):
            pub.flush()

    def test_a_refused_batch_is_an_exception_and_is_dropped(self):
        self.bus.answer = lambda request: reply(1, 1, 0, [], b"the source is malformed")
        pub = self.publisher()
        pub.add("AAPL", fakebus.TIME, price=1)
        with self.assertRaisesRegex(tickbus.Refused, "the source is malformed"):
            pub.flush()
        self.assertEqual(pub.flush().accepted, 0)

    def test_a_reply_of_garbage_is_an_exception(self):
        for garbage in (b"", b"x" * 200, reply(2), reply(1)[:180]):
            self.bus.answer = lambda request, garbage=garbage: garbage
            pub = self.publisher()
            pub.add("AAPL", fakebus.TIME, price=1)
            with self.assertRaises(tickbus.Malformed):
                pub.flush()

    def test_many_ticks_go_in_batches(self):
        self.bus.answer = lambda request: reply(struct.unpack_from("<H", request, 70)[0])
        acks = self.publisher().publish({"symbol": "AAPL", "at": fakebus.TIME, "price": 1} for _ in range(8200))
        self.assertEqual([(a.first_seq, a.accepted) for a in acks], [(1, 8192), (8193, 8)])

    def test_what_cannot_be_sent_is_said_before_it_is_sent(self):
        pub = self.publisher()
        for tick in ({"symbol": "", "at": 1}, {"symbol": "A", "at": "noon"}, {"symbol": "A", "at": 1, "price": "x"},
                     {"symbol": "A", "at": 1, "action": "undo"}, {"symbol": "A" * 33, "at": 1}):
            with self.assertRaises(ValueError):
                pub.add(**tick)
        self.assertEqual(pub.next_seq, 1)


class Asking(unittest.TestCase):
    def answer(self, line):
        """admin() against a socket that says one line."""
        path = os.path.join(tempfile.mkdtemp(prefix="tickbus-test-"), "admin.sock")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()

            def serve():
                peer, _ = server.accept()
                self.asked = json.loads(peer.makefile().readline())
                peer.sendall(line)
                peer.close()
            thread = threading.Thread(target=serve)
            thread.start()
            try:
                return tickbus.admin("pause", path, symbol="AAPL")
            finally:
                thread.join()
                os.unlink(path)
                os.rmdir(os.path.dirname(path))

    def test_an_answer_is_its_result(self):
        self.assertEqual(self.answer(b'{"id":1,"ok":true,"result":{"a":1}}\n'), {"a": 1})
        self.assertEqual(self.asked, {"id": 1, "cmd": "pause", "symbol": "AAPL"})

    def test_a_no_is_an_exception_with_code_and_sentence(self):
        with self.assertRaisesRegex(tickbus.AdminError, "there is no symbol") as caught:
            self.answer(b'{"id":1,"ok":false,"code":"not_found","error":"there is no symbol"}\n')
        self.assertEqual(caught.exception.code, "not_found")

    def test_garbage_and_silence_are_exceptions(self):
        for line in (b"", b"{", b"[]\n", b"7\n", b'{"id":1}\n', b"\xff\xfe\n"):
            with self.assertRaises(tickbus.Malformed):
                self.answer(line)
        with self.assertRaisesRegex(tickbus.TickbusError, "is the daemon running"):
            tickbus.admin("status", "/nonexistent/admin.sock")


if __name__ == "__main__":
    print(f"client.python: seed {SEED}", flush=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
