#!/usr/bin/env python3
"""Where a stream begins that the kill switch held: held_begin_test.py TICKBUSD TICKBUSCTL

Subscribers of both libraries begin at a position, at a time and at the oldest while streams are held that have never
had an event before; what is held is released behind each of the first pages of their history (which are small: a
relay in front of catch-up asks for seven events a time), or when they are live, with a new event or without one, or
held and released while they are live.  Whatever the moment, they have just what a subscriber has who was there from
the first day, from their beginning on, in its order.  Prints TAP.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "client", "python")]
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
MORE = """
defaults: {timeframes: [1s], price_types: [last]}
universes: {k: {symbols: [A, B], timeframe: 1s, window: 5, min_obs: 3}}
publisher: {heartbeat: 200ms}
"""
KINDS = ("tick", "bar", "tier1", "tier2", "status")
PAGE_EVENTS = 7
NAMES = {"TICK_RECEIVED": "tick", "NORMALIZED_BAR_READY": "bar", "FEATURE_TIER1_READY": "tier1", "FEATURE_TIER2_READY": "tier2",
         "SYMBOL_STATUS": "status"}


class Relay(threading.Thread):
    """In front of catch-up: asks for small pages, counts them, and does something behind one of them."""

    def __init__(self, port, behind):
        super().__init__(daemon=True)
        self.server, self.behind = socket.create_server(("127.0.0.1", port)), behind
        self.pages, self.at, self.act, self.lock = 0, None, None, threading.Lock()
        self.start()

    def arm(self, at, act):
        with self.lock:
            self.pages, self.at, self.act = 0, at, act

    def run(self):
        while True:
            try:
                s, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            with s, socket.create_connection(("127.0.0.1", self.behind)) as t:
                for one in (s, t):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                s.sendall(exact(t, 8))
                t.sendall(exact(s, 8))
                while True:
                    request = bytearray(message(s))
                    if request[6:8] == struct.pack("<H", 31) and request[4 + 28] != 0:  # by sequence: as asked
                        struct.pack_into("<I", request, 4 + 8 + 12, PAGE_EVENTS)
                    t.sendall(struct.pack(">Q", len(request)) + request)
                    reply = message(t)
                    self.count()
                    s.sendall(struct.pack(">Q", len(reply)) + reply)
        except OSError:
            pass

    def count(self):
        with self.lock:
            self.pages += 1
            if self.pages == self.at:
                self.act()


def exact(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise ConnectionError("closed")
        data += part
    return data


def message(s):
    return exact(s, struct.unpack(">Q", exact(s, 8))[0])


class World:
    """A daemon behind a relay, a feed, and the subscriber who was there from the first day."""

    def __init__(self, d):
        self.d, self.second, self.seq = d, 0, {}
        self.reference = Python(self, "oldest", None, d.port)
        self.steps = 0

    def ctl(self, *args):
        r = subprocess.run([CTL, "--admin", os.path.join(self.d.dir, "admin.sock"), *args], capture_output=True, text=True, timeout=120)
        assert r.returncode == 0, (args, r.stdout, r.stderr)
        return r.stdout

    def position(self):
        return self.d.admin("top")["result"]["position"]

    def feed(self, seconds, **sources):
        """Two trades a second of each symbol, and the clock: sources={symbol: source}."""
        s = self.d.ingest()
        for at in range(self.second, self.second + seconds):
            for symbol, source in sources.items():
                first = self.seq.get(symbol, 0) + 1
                ticks = [(symbol, tb.START + at * tb.SECOND + i * tb.SECOND // 2, 10 ** 11 + (first + i) * 7919 % 997 * 10 ** 7, 10 ** 8, first + i)
                         for i in range(2)]
                assert tb.sbe_reply(s.ask(tb.sbe_ticks(f"p-{symbol}", source, first, ticks)))["accepted"] == 2
                self.seq[symbol] = first + 1
            clock = tb.sbe_ticks("clock", "clock", at + 1, [("", tb.START + (at + 1) * tb.SECOND, 0, 0, 0)])
            assert tb.sbe_reply(s.ask(clock))["accepted"] == 1
        s.close()
        self.second += seconds

    def settle(self):
        def is_still():
            top = self.d.admin("top")["result"]
            return top["dispatch_lag"] == 0 and top["derived_pending"] == 0 and all(lag >= 0 for lag in top["lag"].values())
        tb.until(is_still, "everything is derived", 60)
        time.sleep(0.1)

    def truth(self):
        """What catch-up holds of all streams, now that nothing is withheld."""
        urls = {name: f"tcp://127.0.0.1:{port}" for name, port in self.d.port.items() if name in tickbus.PORTS}
        with tickbus.history(",".join(KINDS), start="oldest", urls=urls) as past:
            return streams_of((e.kind, e.symbol, e.seq) for e in past if e.kind in KINDS)

    def expected(self, pos):
        """What is owed from @pos on: what the first subscriber has."""
        streams = {}
        for kind, symbol, seq, at, _ in list(self.reference.events):
            if at >= pos:
                streams.setdefault((kind, symbol), []).append(seq)
        return streams


class Python(threading.Thread):
    """tickbus.py; the thread is its own."""

    def __init__(self, world, start, at, ports):
        super().__init__(daemon=True)
        urls = {name: f"tcp://127.0.0.1:{ports[name]}" for name in tickbus.PORTS}
        self.sub = tickbus.Subscriber(",".join(KINDS), start=start, at=at, urls=urls, check_chain=True, heartbeat=0.5)
        self.events, self.bad, self.is_over = [], [], False
        self.is_live = threading.Event()
        self.start()

    def run(self):
        while not self.is_over:
            item = self.sub.next(0.05)
            if item is None:
                continue
            if item.kind in KINDS:
                self.events.append((item.kind, item.symbol, item.seq, item.pos, item.event_ns))
            elif item.kind == "live":
                self.is_live.set()
            else:
                self.bad.append(str(item))

    def stop(self):
        self.is_over = True
        self.join()
        self.sub.close()


class Ctl:
    """libtickbus, in tickbusctl sub."""

    def __init__(self, world, start, at, ports):
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([CTL, "--port", str(ports["ingest"]), "sub", ",".join(KINDS), "--format", "json", "--from",
                                         {"oldest": "oldest", "pos": str(at), "time": at}[start]], stdout=self.out, stderr=self.err)
        self.is_live = self  # as an Event has it

    def wait(self, timeout):
        tb.until(lambda: self.said(self.err).count("live"), "tickbusctl is live", timeout)
        return True

    @staticmethod
    def said(file):
        return os.pread(file.fileno(), 1 << 26, 0).decode()

    @property
    def events(self):
        text = self.said(self.out)
        lines = [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]
        return [(NAMES[e["event"]], e.get("universe") or e["symbol"], e.get("version") or e["seq"], e["pos"], 0) for e in lines]

    @property
    def bad(self):
        return [line for line in self.said(self.err).splitlines() if "lost" in line or "chain" in line or "positions" in line]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def streams_of(events):
    streams = {}
    for kind, symbol, seq, *_ in events:
        streams.setdefault((kind, symbol), []).append(seq)
    return streams


def begin_of(world, start):
    """(at, the position that it means) of a beginning here and now; it is fed from now on."""
    at_ns = tb.START + world.second * tb.SECOND + tb.SECOND // 4  # behind the clock record and the first trades
    pos = world.position() + 1
    if start == "oldest":
        return None, lambda: 1
    if start == "pos":
        return pos, lambda: pos
    when = time.strftime("%Y-%m-%dT%H:%M:%S.25Z", time.gmtime(at_ns // tb.SECOND))
    return when, lambda: min(p for kind, _, _, p, ns in world.reference.events if kind == "tick" and ns >= at_ns)


def scenario(world, start, order, stage, client):
    """@order: what is killed; @stage: when it is released."""
    world.steps += 1
    new = f"N{world.steps}"
    a = {"A": "one", "B": "one", new: "two"}
    kill, held_at_first = ["kill", *order, "--reason", "a test"], stage != "later"
    world.feed(1, A="one", B="one")
    world.settle()
    at, pos = begin_of(world, start)
    if held_at_first:
        world.ctl(*kill)
        world.feed(4, **a)
        world.settle()
    else:
        world.feed(2, A="one", B="one")
        world.settle()
    if isinstance(stage, int):
        world.d.relay.arm(stage, lambda: world.ctl("resume", *order))
    sub = client(world, start, at, {**world.d.port, "catchup": world.d.relay_port})
    try:
        assert sub.is_live.wait(60), "not live"
        if isinstance(stage, int) and world.d.relay.pages < stage:  # its history was shorter
            world.d.relay.arm(None, None)
            world.ctl("resume", *order)
        time.sleep(0.5)  # heartbeats
        if not held_at_first:
            world.ctl(*kill)
            world.feed(2, **a)
            world.settle()
            time.sleep(0.5)
        if not isinstance(stage, int):
            world.ctl("resume", *order)
        if stage != "beat":
            world.feed(1, **a)
        world.settle()
        truth = world.truth()
        tb.until(lambda: world.expected(1) == truth, "who was there from the first day has all", 60)
        end = time.monotonic() + 60
        while streams_of(sub.events) != world.expected(pos()) and time.monotonic() < end:
            time.sleep(0.1)
        got, want = streams_of(sub.events), world.expected(pos())
        for stream in sorted(set(got) | set(want)):
            assert got.get(stream) == want.get(stream), (start, order, stage, client.__name__, stream, got.get(stream), want.get(stream))
        assert any(s[1] == new and s[0] == "bar" for s in want), want.keys()
        assert not sub.bad and not world.reference.bad, (start, order, stage, sub.bad, world.reference.bad)
    finally:
        sub.stop()


TESTS = []
STAGES = (1, 2, 4, "live", "beat", "later")


def add(start, client):
    def f(d):
        world = World(d)
        orders = (["--all"], ["--source", "two"], ["--tier", "1"])
        for i, stage in enumerate(STAGES):
            scenario(world, start, orders[(i + len(start)) % 3] if i else ["--all"], stage, client)
        world.reference.stop()
    f.__name__ = f"from_{start}_with_{client.__name__.lower()}"
    TESTS.append(f)


for begin in ("oldest", "pos", "time"):
    for each in (Python, Ctl):
        add(begin, each)


def make():
    """The daemon's catch-up is elsewhere, the relay where clients look for it."""
    d = tb.Tickbusd(BINARY, more=MORE)
    relay_port, behind = d.port["catchup"], tb.free_ports(1)
    with open(d.config, encoding="ascii") as f:
        text = f.read()
    assert text.count(f":{relay_port}\n") == 1
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace(f":{relay_port}\n", f":{behind}\n"))
    d.port["catchup"], d.relay_port = behind, relay_port
    d.relay = Relay(relay_port, behind)
    return d


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
