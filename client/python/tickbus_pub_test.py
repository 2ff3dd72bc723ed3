#!/usr/bin/env python3
"""Publisher, and the questions to the admin socket, of tickbus.py against a daemon that a test has in its hand.
"""
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest

import fakebus
import tickbus
from fakebus import WithBus



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


def news_reply(accepted, status="ok", retry_ms=0, text="", runs=()):
    return json.dumps({"status": status, "durability": "full", "epoch": 1, "accepted": accepted, "duplicate": 0, "rejected": len(runs),
                       "last_pos": 100, "retry_ms": retry_ms, "text": text,
                       "runs": [{"first_index": 0, "n": accepted, "outcome": "accepted", "first_pos": 99}, *runs]}).encode()


class News(WithBus):
    article = {"id": "1", "headline": "Apple \u201cbeats\u201d", "time": "2026-01-05T14:30:00.5Z", "symbols": ["AAPL"]}

    def publisher(self, **options):
        pub = tickbus.Publisher("wire", "p1", urls={"ingest": self.bus.urls["catchup"]}, **{"timeout": 3, **options})
        self.addCleanup(pub.close)
        return pub

    def test_articles_are_acknowledged(self):
        refused = {"first_index": 2, "n": 1, "outcome": "rejected", "reason": "time_in_future"}
        self.bus.answer = lambda request: news_reply(2, runs=[refused])
        ack = self.publisher().news([{**self.article, "updated": fakebus.TIME}, {**self.article, "id": "2", "url": "https://x.example/"},
                                     {**self.article, "id": "3"}])
        self.assertEqual((ack.accepted, ack.rejected, ack.is_synced, ack.last_pos, ack.first_seq), (2, 1, True, 100, 0))
        self.assertEqual(ack.runs, [tickbus.Run(0, 2, "accepted", "", 99), tickbus.Run(2, 1, "rejected", "time_in_future", 0)])
        said = json.loads(self.bus.requests[0])
        self.assertEqual((said["producer"], said["source"], len(said["news"])), ("p1", "wire", 3))
        self.assertEqual(said["news"][0], {**self.article, "time": "2026-01-05T14:30:00.500000000Z",
                                           "updated": "2026-01-05T14:30:00.500000000Z"})

    def test_they_are_sent_again_until_there_is_an_answer(self):
        answers = iter((news_reply(0, "busy", 50), news_reply(0, "no_space", 50)))
        self.bus.answer = lambda request: next(answers, news_reply(1))
        self.assertEqual(self.publisher().news([self.article]).resends, 2)
        self.assertEqual(len(set(self.bus.requests)), 1)

    def test_refusals_and_garbage_are_exceptions(self):
        for answer, error in ((news_reply(0, "malformed", text="no"), tickbus.Refused), (b"x", tickbus.Malformed), (b"{}", tickbus.Malformed),
                              (news_reply(2), tickbus.Malformed)):
            self.bus.answer = lambda request, answer=answer: answer
            with self.assertRaises(error):
                self.publisher().news([self.article])
        self.bus.requests.clear()
        for bad in ([{**self.article, "time": "noon"}], [self.article] * 1001):
            with self.assertRaises(ValueError):
                self.publisher().news(bad)
        self.assertEqual(self.publisher().news([]).accepted, 0)
        self.assertEqual(self.bus.requests, [])


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
    unittest.main(argv=sys.argv[:1], verbosity=1)
