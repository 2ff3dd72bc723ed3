#!/usr/bin/env python3
"""What the subscriber of tickbus.py gives, against a daemon that a test has in its hand (fakebus.py).

The names are what is promised.  Random parts print their seed: tickbus_test.py [SEED]
"""
import asyncio
import collections
import random
import select
import struct
import sys
import time
import unittest

import fakebus
import tickbus
from fakebus import BEAT, WithBus

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10 ** 9)


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
        end = time.monotonic() + 40
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
        end = time.monotonic() + 20
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
        wakes, end = 0, time.monotonic() + 12
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


if __name__ == "__main__":
    print(f"client.python: seed {SEED}", flush=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
