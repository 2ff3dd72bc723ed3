"""A tickbus daemon of some 150 lines for the tests of tickbus.py: a PUB socket and catch-up over a list of ticks.

It does what a test tells it: keep frames back, cut connections, forget its beginning, answer garbage.
"""
import selectors
import socket
import struct
import threading
import time
import unittest

import tickbus

BEAT = 0.2
NULL = -(2 ** 63)
M = 2 ** 64 - 1
TIME = 1767623400500000000


def tick(seq, pos, symbol="AAPL", recv_ns=None, price_e9=10 ** 11, extra=b""):
    """The block of a tick."""
    return struct.pack("<QQqq6qQQ8sIHBB32s", seq, pos, TIME + pos, TIME + pos if recv_ns is None else recv_ns, price_e9,
                       10 ** 8, NULL, NULL, NULL, NULL, 0, 0, b"", 1, 1, 0, 0, symbol.encode()) + extra


def bar(seq, pos, symbol="AAPL"):
    """The block of a bar that says nothing but whose it is."""
    block = bytearray(tickbus._BLOCKS["bar"].size)
    struct.pack_into("<QQqq", block, 0, seq, pos, TIME + pos, TIME + pos)
    struct.pack_into("<32s", block, tickbus._BLOCKS["bar"].offset["symbol"], symbol.encode())
    return bytes(block)


def frame(blocks, frame_seq=0, epoch=1, template=1, publish_ns=0, root_extra=b""):
    """A frame of equally long blocks."""
    last_pos = max((struct.unpack_from("<Q", b, 8)[0] for b in blocks), default=0)
    root = struct.pack("<QqQQ", epoch, publish_ns, frame_seq, last_pos) + root_extra
    return (struct.pack("<HHHH", len(root), template, 7400, 1) + root
            + struct.pack("<HH", len(blocks[0]) if blocks else 144, len(blocks)) + b"".join(blocks))


def heartbeat(streams, frame_seq, last_pos, epoch=1, kind=0, part=0, publish_ns=0):
    """streams: (symbol, last_seq[, pos])."""
    root = struct.pack("<QqQQBxH4x", epoch, publish_ns, frame_seq, last_pos, kind, part)
    blocks = [struct.pack("<QQII32s", seq, pos[0] if pos else last_pos, 1, 0, symbol.encode()) for symbol, seq, *pos in streams]
    return (struct.pack("<HHHH", len(root), 8, 7400, 1) + root + struct.pack("<HH", 56, len(blocks)) + b"".join(blocks))


def page(frames, live_pos, next_pos, done=1, status=0, gone=(), first_held=1, epoch=1, text=b"", sums=None, kind=0, held=()):
    """A page of catch-up; without sums (count, hash) as the first version had it."""
    root = struct.pack("<QQQQIBBBx64s", epoch, live_pos, first_held, next_pos, 0, status, done, 1, text)
    root += struct.pack("<QQ", *sums) if sums else b""
    return (struct.pack("<HHHH", len(root), 32, 7400, 1) + root + struct.pack("<HH", 48, len(gone))
            + b"".join(struct.pack("<QIB3x32s", first, 0, kind, symbol.encode()) for symbol, first in gone)
            + struct.pack("<HH", 0, len(frames)) + b"".join(struct.pack("<I", len(f)) + f for f in frames)
            + struct.pack("<HI", 48, len(held))
            + b"".join(struct.pack("<QIB3x32s", first, 0, kind, symbol.encode()) for symbol, first in held))


class FakeBus:
    """Of one kind, ticks or bars.  log holds (pos, symbol, seq, block); what a test wants is said by the methods."""

    def __init__(self, page_events=3, kind="tick"):
        self.lock, self.kind = threading.RLock(), kind
        self.page_events, self.epoch, self.frame_seq, self.first_held, self.log = page_events, 1, 0, 1, []
        self.sums, self.tamper = False, lambda block: block
        self.requests, self.answer, self.is_mute, self.horizon = [], None, False, None
        self.held_back = set()  # symbols that the kill switch holds
        self.selector, self.peers = selectors.DefaultSelector(), {}
        self.ports = {}
        for name in ("tick", "catchup"):
            s = socket.create_server(("127.0.0.1", 0))
            self.ports[name] = s.getsockname()[1]
            self.selector.register(s, selectors.EVENT_READ, name)
        self.stopper, end = socket.socketpair()
        self.selector.register(end, selectors.EVENT_READ, "end")
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def urls(self):
        url = {name: f"tcp://127.0.0.1:{port}" for name, port in self.ports.items()}
        return {**url, "bar": url["tick"]}

    def close(self):
        self.stopper.close()
        self.thread.join(10)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    # ---- what a test says

    def add(self, symbol, seq, extra=b"", **more):
        """One tick into the log; returns its block."""
        with self.lock:
            pos = self.log[-1][0] + 1 if self.log else 1
            block = tick(seq, pos, symbol, extra=extra, **more) if self.kind == "tick" else bar(seq, pos, symbol)
            self.log.append((pos, symbol, seq, block))
            return block

    def publish(self, *blocks, is_lost=False):
        """A frame to everybody, or to nobody."""
        with self.lock:
            self.frame_seq += 1
            if not is_lost:
                self.send(self.kind.encode() + b"|" + frame(list(blocks), self.frame_seq, self.epoch, 1 + tickbus.KINDS[self.kind]))

    def beat(self, *streams, **more):
        with self.lock:
            self.send(b"hb|" + heartbeat(streams, self.frame_seq, self.log[-1][0] if self.log else 0, self.epoch,
                                         tickbus.KINDS[self.kind], **more))

    def send(self, message, protocol="tick"):
        with self.lock:
            for s, peer in list(self.peers.items()):
                if peer["name"] == protocol and peer["greeted"]:
                    s.sendall(struct.pack(">Q", len(message)) + message)

    def cut(self):
        """Close every connection."""
        with self.lock:
            for s in list(self.peers):
                self._drop(s)

    def subscribers(self):
        with self.lock:
            return sum(p["name"] == "tick" and p["greeted"] for p in self.peers.values())

    # ---- the other side

    def _drop(self, s):
        self.selector.unregister(s)
        del self.peers[s]
        s.close()

    def _run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data == "end":
                    return
                with self.lock:
                    if key.data in ("tick", "catchup"):
                        s, _ = key.fileobj.accept()
                        self.peers[s] = {"name": key.data, "got": b"", "greeted": False}
                        self.selector.register(s, selectors.EVENT_READ, "peer")
                        s.sendall(struct.pack(">4sHH", b"\0SP\0", 0x20 if key.data == "tick" else 0x31, 0))
                    elif key.fileobj in self.peers:
                        self._read(key.fileobj)

    def _read(self, s):
        peer = self.peers[s]
        try:
            part = s.recv(65536)
        except OSError:
            part = b""
        if not part:
            return self._drop(s)
        peer["got"] += part
        if not peer["greeted"] and len(peer["got"]) >= 8:
            peer["greeted"], peer["got"] = True, peer["got"][8:]
        while len(peer["got"]) >= 8:
            size = struct.unpack_from(">Q", peer["got"])[0]
            if len(peer["got"]) < 8 + size:
                return None
            body, peer["got"] = peer["got"][8:8 + size], peer["got"][8 + size:]
            self.requests.append(body[4:])
            if self.is_mute:
                continue
            reply = body[:4] + (self.answer(body[4:]) if self.answer else self.catchup(body[4:]))
            s.sendall(struct.pack(">Q", len(reply)) + reply)
        return None

    def catchup(self, request):
        """What the real one answers, for ticks."""
        value, skip, _, _, start = struct.unpack_from("<QIIIB", request, 8)
        at = 8 + struct.unpack_from("<H", request)[0]
        stride, n = struct.unpack_from("<HH", request, at)
        wanted, gone = {}, []
        for i in range(n):
            first, last, _, _, symbol = struct.unpack_from("<QQIB3x32s", request, at + 4 + i * stride)
            wanted[symbol.rstrip(b"\0").decode()] = first, last or 2 ** 64
        newest = self.log[-1][0] if self.log else 0
        horizon = newest if self.horizon is None else self.horizon
        held = [e for e in self.log if self.first_held <= e[0] <= horizon and e[1] not in self.held_back]
        begin = {0: self.first_held, 1: max(value, 1), 2: value - TIME, 3: self.first_held, 4: newest + 1, 5: self.first_held}[start]
        if start == 5:  # the newest of every symbol, all on one page
            held = [next(e for e in reversed(held) if e[1] == symbol) for symbol in {e[1] for e in held}]
        is_gone = start == 1 and begin < self.first_held and not any(first for first, _ in wanted.values())
        if start == 0:
            for symbol, (first, _) in wanted.items():
                seqs = [e[2] for e in held if e[1] == symbol]
                if seqs and seqs[0] > first or not seqs and self.first_held > 1:
                    gone.append((symbol, seqs[0] if seqs else 0))
        give = [e for e in sorted(held) if e[0] >= begin and (
            not wanted or e[1] in wanted and wanted[e[1]][0] <= e[2] <= wanted[e[1]][1])]
        rest, give = give[self.page_events:], give[:self.page_events]
        next_pos = rest[0][0] if rest else max(horizon + 1, begin)
        back = {}  # of each symbol that is held the first event between the page's beginning and its end
        for pos, symbol, seq, _ in reversed(self.log):
            if symbol in self.held_back and max(begin, self.first_held) <= pos <= horizon and pos < next_pos and (
                    not wanted or symbol in wanted) and (start != 5 or symbol not in back):
                back[symbol] = seq
        frames = [frame([self.tamper(e[3])], 0, self.epoch, 1 + tickbus.KINDS[self.kind]) for e in give]
        count, h = struct.unpack_from("<QQ", request, 8 + 24)
        for pos, _, seq, _ in give:
            h = ((h << 25 | h >> 39) & M ^ seq ^ pos << 20 & M ^ 0) * 0x9E3779B97F4A7C15 & M
        return page(frames, newest, next_pos, not rest, 1 if is_gone or gone else 0, gone, self.first_held, self.epoch,
                    sums=(count + len(give), h) if self.sums else None, kind=tickbus.KINDS[self.kind], held=back.items())


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
        end = time.monotonic() + 40
        while self.bus.subscribers() < n and time.monotonic() < end:
            sub._pump(0.01)
        self.assertEqual(self.bus.subscribers(), n)

    def read(self, sub, n, timeout=20.0):
        """The next n items; fewer when they do not come."""
        end, out = time.monotonic() + timeout, []
        while len(out) < n:
            item = sub.next(max(0.0, end - time.monotonic()))
            if item is None:
                break
            out.append(item)
        return out

    def seqs(self, items):
        return [(e.symbol, e.seq) for e in items if e.kind == self.bus.kind]
