#!/usr/bin/env python3
"""A TCP proxy that misbehaves to order, for SP connections (docs/PROTOCOL.md).

    proxy = Proxy(target_port, plan=lambda n: Plan(cut_down=100), seed=1)
    ... connect to proxy.port instead of target_port ...
    proxy.close()

Every connection asks plan(n), n counting connections from 0, what is to happen to it;
plan may be set anew at any time and holds for the connections after that.  With
`drop` a message that the server sends is left out as a whole, now and then: what
a PUB socket does to a subscriber that is too slow.

Standard library only; two threads per connection, which end with it.

    proxy.py --self-test       TAP
"""
import random
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass


@dataclass
class Plan:
    """What happens to one connection.  down: from the server to the client; up: back."""
    cut_down: int = -1      # the connection ends when so many bytes came down; -1: never
    cut_up: int = -1
    half: bool = False      # a cut ends only the direction in which it happens
    reset: bool = False     # a cut is a reset and not an end of file
    drop: float = 0.0       # probability that a whole message coming down is left out
    delay: float = 0.0      # seconds that each piece waits, both ways


class Proxy:
    def __init__(self, target_port, plan=None, port=0, seed=1, host="127.0.0.1"):
        self.target = (host, target_port)
        self.plan = plan or (lambda n: Plan())
        self.random = random.Random(seed)
        self.connections = 0    # so many were accepted
        self.cuts = 0
        self.messages = 0       # came down, dropped ones included (only with drop)
        self.dropped = 0
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            plan = self.plan(self.connections)
            self.connections += 1
            try:
                server = socket.create_connection(self.target, 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = _Pair(self, plan, client, server)
            with self.lock:
                self.open.add(pair)
            pair.start()

    def cut_all(self):
        """End every connection that is open now."""
        with self.lock:
            pairs = list(self.open)
        for pair in pairs:
            pair.end()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.cut_all()


class _Pair:
    """One connection through the proxy."""

    def __init__(self, proxy, plan, client, server):
        self.proxy, self.plan, self.client, self.server = proxy, plan, client, server
        self.running = 2
        self.lock = threading.Lock()

    def start(self):
        for what in ((self.server, self.client, self.plan.cut_down, self.plan.drop > 0),
                     (self.client, self.server, self.plan.cut_up, False)):
            threading.Thread(target=self._carry, args=what, daemon=True).start()

    def end(self):
        for s in (self.client, self.server):
            try:
                if self.plan.reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _carry(self, source, sink, cut, picks):
        """Bytes from source to sink until one of them ends or the cut comes."""
        pieces = self._messages(source) if picks else self._bytes(source)
        left = cut
        try:
            for piece in pieces:
                if self.plan.delay:
                    time.sleep(self.plan.delay)
                if cut >= 0 and len(piece) >= left:
                    sink.sendall(piece[:left])
                    self.proxy.cuts += 1
                    if not self.plan.half:
                        self.end()
                    break
                left -= len(piece)
                sink.sendall(piece)
        except (OSError, EOFError):
            pass
        self._over(source, sink)

    def _over(self, source, sink):
        for s, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            try:
                s.shutdown(how)
            except OSError:
                pass
        with self.lock:
            self.running -= 1
            if self.running > 0:
                return
        if self.plan.reset:
            self.end()
        self.client.close()
        self.server.close()
        with self.proxy.lock:
            self.proxy.open.discard(self)

    @staticmethod
    def _bytes(source):
        while piece := source.recv(1 << 16):
            yield piece

    def _messages(self, source):
        """The greeting, then message after message, without those to be dropped."""
        read = source.makefile("rb", buffering=1 << 16)

        def exactly(n):
            data = read.read(n)
            if len(data) < n:
                raise EOFError
            return data

        yield exactly(8)
        while True:
            head = exactly(8)
            body = exactly(struct.unpack(">Q", head)[0])
            self.proxy.messages += 1
            if self.proxy.random.random() < self.plan.drop:
                self.proxy.dropped += 1
            else:
                yield head + body


# ---- does it do what it says -------------------------------------------------


class _Talker:
    """A server that greets as SP does, sends 200 messages and echoes what comes."""

    BODIES = [b"%d" % i * (1 + i % 7) for i in range(200)]
    WHOLE = b"\0SP\0\0\x20\0\0" + b"".join(struct.pack(">Q", len(b)) + b for b in BODIES)

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            s, _ = self.listener.accept()
            try:
                s.sendall(self.WHOLE)
                s.shutdown(socket.SHUT_WR)
                self.heard = b""
                while piece := s.recv(4096):
                    self.heard += piece
            except OSError:
                pass
            s.close()


def _read_all(port, say=b""):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(say)
        data = b""
        try:
            while piece := s.recv(4096):
                data += piece
        except ConnectionResetError:
            pass
    return data


def _test_whole(talker):
    proxy = Proxy(talker.port)
    assert _read_all(proxy.port, b"hello") == talker.WHOLE
    assert proxy.connections == 1 and proxy.cuts == 0
    proxy.close()


def _test_cuts(talker):
    proxy = Proxy(talker.port, plan=lambda n: Plan(cut_down=n))
    for n in range(40):
        assert _read_all(proxy.port) == talker.WHOLE[:n], n
    proxy.plan = lambda n: Plan(cut_down=20, reset=True)
    assert _read_all(proxy.port) in (b"", talker.WHOLE[:20])  # a reset may overtake
    proxy.close()


def _test_half(talker):
    proxy = Proxy(talker.port, plan=lambda n: Plan(cut_up=3, half=True))
    assert _read_all(proxy.port, b"hello") == talker.WHOLE
    end = time.monotonic() + 20
    while talker.heard != b"hel" and time.monotonic() < end:
        time.sleep(0.01)
    assert talker.heard == b"hel", talker.heard
    proxy.close()


def _test_drop(talker):
    proxy = Proxy(talker.port, plan=lambda n: Plan(drop=0.2), seed=7)
    data, at, bodies = _read_all(proxy.port), 8, []
    while at < len(data):
        n = struct.unpack_from(">Q", data, at)[0]
        bodies.append(data[at + 8:at + 8 + n])
        at += 8 + n
    assert proxy.messages == 200 and 20 <= proxy.dropped <= 60, proxy.dropped
    assert len(bodies) == 200 - proxy.dropped
    rest = iter(talker.BODIES)
    assert all(any(b == r for r in rest) for b in bodies), "changed or out of order"
    proxy.close()


def _test_delay_and_cut_all(talker):
    proxy = Proxy(talker.port, plan=lambda n: Plan(delay=0.2))
    begin = time.monotonic()
    assert _read_all(proxy.port) == talker.WHOLE
    assert time.monotonic() - begin >= 0.2
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as s:
        s.settimeout(5)
        time.sleep(0.05)
        proxy.cut_all()
        while s.recv(4096):
            pass
    proxy.close()


def main():
    tests = [_test_whole, _test_cuts, _test_half, _test_drop, _test_delay_and_cut_all]
    talker, failed = _Talker(), 0
    print("1..%d" % len(tests))
    for i, test in enumerate(tests, 1):
        try:
            test(talker)
            print("ok %d - %s" % (i, test.__name__[6:]))
        except (AssertionError, OSError) as e:
            failed += 1
            print("not ok %d - %s # %s" % (i, test.__name__[6:], e))
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:] != ["--self-test"]:
        sys.exit(__doc__)
    sys.exit(main())
