#!/usr/bin/env python3
"""What the subscriber of tickbus.py says and does when something is lost, refused or garbage: ... [SEED]
"""
import os
import random
import socket
import struct
import sys
import threading
import time
import unittest

import fakebus
import tickbus
from fakebus import BEAT, WithBus

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10 ** 9)


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


class Held(WithBus):
    """Streams that the kill switch holds when history is read, or begins to hold later: A goes on, B is held."""

    def setUp(self):
        self.bus = fakebus.FakeBus(kind="bar")
        self.addCleanup(self.bus.close)

    BEGINNINGS = {"oldest": (None, 1), "pos": (3, 2), "time": (fakebus.TIME + 3, 2)}  # start: (at, the first of A and B that is owed)

    def make(self, last=4):
        for i in range(1, last + 1):  # A and B in turn, from position 1 on
            self.bus.add("A", i)
            self.bus.add("B", i)

    def begin(self, start):
        """A subscriber of that beginning, to which history has shown A alone."""
        at, first = self.BEGINNINGS[start]
        sub = self.subscribe("bar", start=start, at=at)
        self.assertEqual(self.seqs(self.read(sub, 6 - first)), [("A", i) for i in range(first, 5)])
        self.bus.beat()
        self.bus.publish(self.bus.add("A", 5))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("A", 5)])
        return sub, first

    def held(self, start="oldest"):
        """... while B was held with its first four events; now it is not any more."""
        self.make()
        self.bus.held_back.add("B")
        sub, first = self.begin(start)
        self.bus.held_back.clear()
        return sub, first

    def gives(self, sub, *expected, n_lost=0):
        """Just these come, each stream in its order."""
        got = self.seqs(self.read(sub, len(expected)))
        self.assertEqual(sorted(got), sorted(expected))
        for symbol in "AB":
            self.assertEqual([e for e in got if e[0] == symbol], [e for e in expected if e[0] == symbol])
        self.assertIsNone(sub.next(0.3))
        self.assertEqual(sub.counts.lost, n_lost)

    def test_a_stream_that_was_held_begins_where_the_subscription_does(self):
        for start in self.BEGINNINGS:
            with self.subTest(start):
                self.setUp()
                sub, first = self.held(start)
                self.bus.publish(self.bus.add("B", 5))
                self.gives(sub, *[("B", i) for i in range(first, 6)])

    def test_it_does_as_well_when_a_heartbeat_names_it_first(self):
        for start in self.BEGINNINGS:
            with self.subTest(start):
                self.setUp()
                sub, first = self.held(start)
                self.bus.beat(("B", 4, 8))
                self.gives(sub, *[("B", i) for i in range(first, 5)])

    def test_and_when_frames_were_lost(self):
        for start in self.BEGINNINGS:
            with self.subTest(start):
                self.setUp()
                sub, first = self.held(start)
                self.bus.publish(self.bus.add("B", 5), is_lost=True)
                self.bus.publish(self.bus.add("A", 6))
                self.gives(sub, ("A", 6), *[("B", i) for i in range(first, 6)])

    def test_a_release_between_two_pages_leaves_nothing_out(self):
        for start in self.BEGINNINGS:
            for held_for in range(1, 5):  # pages
                with self.subTest(start=start, held_for=held_for):
                    self.setUp()
                    self.bus.page_events = 2
                    self.make(6)
                    self.bus.held_back.add("B")
                    self.bus.answer = self.releasing(held_for)
                    at, first = self.BEGINNINGS[start]
                    sub = self.subscribe("bar", start=start, at=at)
                    got = []
                    while not got or got[-1].kind != "live":
                        got += self.read(sub, 1)
                    self.bus.held_back.clear()  # its history may have been shorter
                    self.bus.publish(self.bus.add("B", 7))
                    got += self.read(sub, 2 * (7 - first) + 2 - len(got))
                    for symbol, last in (("A", 6), ("B", 7)):
                        self.assertEqual([n for s, n in self.seqs(got) if s == symbol], list(range(first, last + 1)))
                    self.assertEqual([e.kind for e in got if e.kind != "bar"], ["live"])

    def releasing(self, n):
        """Catch-up, with a release behind its page n."""
        def answer(request):
            page = self.bus.catchup(request)
            if len(self.bus.requests) == n:
                self.bus.held_back.clear()
            return page
        return answer

    def test_a_stream_that_history_began_with_goes_on_where_it_was_held(self):
        for start in self.BEGINNINGS:
            with self.subTest(start):
                self.setUp()
                self.bus.page_events = 3
                self.make(6)
                self.bus.catchup, catchup = lambda request: self.from_sixth(catchup, request), self.bus.catchup
                at, first = self.BEGINNINGS[start]
                sub = self.subscribe("bar", start=start, at=at)
                got = []
                while not got or got[-1].kind != "live":
                    got += self.read(sub, 1)
                self.bus.publish(self.bus.add("B", 7))
                got = self.seqs(got + self.read(sub, 2 * (7 - first) + 2 - len(got)))
                for symbol, last in (("A", 6), ("B", 7)):
                    self.assertEqual([n for s, n in got if s == symbol], list(range(first, last + 1)))
                self.assertEqual(sub.counts.lost, 0)

    def from_sixth(self, catchup, request):
        """B is held from position 6 on, up to and with the second page; its last two events come on a later one."""
        is_held = len(self.bus.requests) <= 2
        log = self.bus.log
        self.bus.log = [e for e in log if not (is_held and e[1] == "B" and e[0] >= 6)]
        page = catchup(request)
        self.bus.log = log
        if not is_held:
            return page
        n = struct.unpack_from("<I", page, len(page) - 4)[0]
        self.assertEqual(n, 0)
        return page[:-4] + struct.pack("<I", 1) + struct.pack("<QIB3x32s", 3, 0, 1, b"B")

    def test_what_is_held_behind_the_beginning_is_named_by_a_heartbeat(self):
        for start in self.BEGINNINGS:
            with self.subTest(start):
                self.setUp()
                for i in range(1, 5):
                    self.bus.add("A", 2 * i - 1)
                    self.bus.add("A", 2 * i)
                sub = self.subscribe("bar", start=start, at=self.BEGINNINGS[start][0])
                while self.read(sub, 1)[0].kind != "live":
                    pass
                self.bus.beat()
                self.bus.held_back.add("B")
                self.bus.add("B", 7)  # what came before was before our time
                self.bus.beat(("B", 6, 1))
                self.bus.add("B", 8)
                self.bus.beat()
                self.assertIsNone(sub.next(0.3))
                self.bus.held_back.clear()
                self.bus.publish(self.bus.add("B", 9))
                self.gives(sub, ("B", 7), ("B", 8), ("B", 9))

    def test_and_when_that_heartbeat_is_lost(self):
        for start in self.BEGINNINGS:
            with self.subTest(start):
                self.setUp()
                sub, _ = self.held_later(start)
                self.bus.beat(publish_ns=2 * int(BEAT * 1e9) + 1)
                self.assertIsNone(sub.next(0.3))
                self.bus.held_back.clear()
                self.bus.publish(self.bus.add("B", 9))
                self.gives(sub, ("B", 7), ("B", 8), ("B", 9))

    def held_later(self, start):
        """B is held behind the beginning, at its seventh event; nobody was told so."""
        for i in range(1, 5):
            self.bus.add("A", i)
            self.bus.add("C", i)
        sub = self.subscribe("bar", start=start, at=self.BEGINNINGS[start][0])
        while self.read(sub, 1)[0].kind != "live":
            pass
        self.bus.beat(publish_ns=1)
        self.bus.publish(self.bus.add("A", 5))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("A", 5)])
        self.bus.held_back.add("B")
        self.bus.add("B", 7)
        self.bus.add("B", 8)
        return sub, 7

    def test_a_release_before_any_heartbeat_leaves_nothing_out(self):
        for start in self.BEGINNINGS:
            with self.subTest(start):
                self.setUp()
                sub, _ = self.held_later(start)
                self.bus.held_back.clear()
                self.bus.publish(self.bus.add("B", 9))
                self.gives(sub, ("B", 7), ("B", 8), ("B", 9))

    def test_a_missing_part_of_the_heartbeats_is_a_lost_one(self):
        sub, _ = self.held_later("pos")
        self.bus.beat(part=1, publish_ns=2)
        self.assertIsNone(sub.next(0.3))
        self.bus.held_back.clear()
        self.bus.publish(self.bus.add("B", 9))
        self.gives(sub, ("B", 7), ("B", 8), ("B", 9))

    def test_a_catch_up_that_does_not_get_so_far_is_told(self):
        sub, _ = self.begin_hasty()
        self.bus.horizon = self.bus.log[-1][0]
        self.bus.publish(self.bus.add("B", 9))
        gap, bar = self.read(sub, 2)
        self.assertEqual(str(gap), "bar positions 10 to 10 are lost")
        self.assertEqual((bar.symbol, bar.seq), ("B", 9))

    def begin_hasty(self):
        for i in range(1, 9):
            self.bus.add("A", i)
        sub = self.subscribe("bar", start="pos", at=1, patience=0.5)
        while self.read(sub, 1)[0].kind != "live":
            pass
        self.bus.beat()
        self.bus.publish(self.bus.add("A", 9))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("A", 9)])
        return sub, 9

    def test_what_was_retired_while_it_was_held_is_gone(self):
        sub, _ = self.held()
        self.bus.first_held = 5  # positions 1 to 4 are the first two events of each
        self.bus.publish(self.bus.add("B", 5))
        gap, *rest = self.read(sub, 4)
        self.assertEqual(gap, tickbus.Gap("bar", "B", "", 1, 2, "gone", 0, 0))
        self.assertEqual(self.seqs(rest), [("B", i) for i in range(3, 6)])
        self.assertEqual(sub.counts.lost, 2)

    def test_what_had_gone_before_the_oldest_is_not_missed(self):
        self.bus.first_held = 9
        sub = self.held_nothing()
        self.bus.publish(self.bus.add("B", 5))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("B", 5)])
        self.bus.publish(self.bus.add("B", 6))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("B", 6)])
        self.assertEqual(sub.counts.lost, 0)

    def held_nothing(self):
        self.make()
        sub = self.subscribe("bar", start="oldest")
        self.assertEqual([e.kind for e in self.read(sub, 1)], ["live"])
        self.bus.beat()
        self.bus.publish(self.bus.add("A", 5))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("A", 5)])
        return sub

    def test_a_snapshot_is_owed_the_newest_and_what_follows(self):
        self.make()
        self.bus.held_back.add("B")
        sub = self.subscribe("bar", start="snapshot")
        self.assertEqual(self.seqs(self.read(sub, 2)), [("A", 4)])
        self.bus.beat()
        self.bus.publish(self.bus.add("A", 5))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("A", 5)])
        self.bus.held_back.clear()
        self.bus.beat(("B", 4, 8))
        self.gives(sub, ("B", 4))
        self.bus.publish(self.bus.add("B", 5))
        self.gives(sub, ("B", 5))

    def test_ticks_are_never_held_and_none_is_asked_for(self):
        self.bus.kind = "tick"
        self.bus.add("A", 1)
        self.bus.first_held = 2
        sub = self.subscribe(start="oldest")
        self.assertEqual([e.kind for e in self.read(sub, 1)], ["live"])
        self.bus.publish(self.bus.add("B", 5))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("B", 5)])
        asked = len(self.bus.requests)
        self.bus.publish(self.bus.add("A", 5))
        self.assertEqual(self.seqs(self.read(sub, 1)), [("A", 5)])
        self.assertEqual(len(self.bus.requests), asked)


if __name__ == "__main__":
    print(f"client.python.loss: seed {SEED}", flush=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
