"""A vendor with a stream and a history, for tests of live feeds.

It speaks Alpaca's WebSocket and the two routes of its history that a refill needs, over
one market that it makes up: trades with ids and quotes without, some of them repeated.
What it has said is known to the test, which compares it with the log.  On demand it cuts
connections after any number of bytes, falls silent, refuses the key, or sends rubbish.

Standard library only; a thread per connection.
"""
import base64
import hashlib
import json
import random
import socket
import struct
import threading
import time
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

from feedparts import CutConnection, read_time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY, SECRET = "TESTKEY", "TESTSECRET"


def text_time(ns):
    s, rest = divmod(ns, 10 ** 9)
    return datetime.fromtimestamp(s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def frame(text, opcode=1):
    data = text if isinstance(text, bytes) else text.encode()
    if len(data) < 126:
        return struct.pack(">BB", 0x80 | opcode, len(data)) + data
    if len(data) < 65536:
        return struct.pack(">BBH", 0x80 | opcode, 126, len(data)) + data
    return struct.pack(">BBQ", 0x80 | opcode, 127, len(data)) + data


class LiveVendor:
    def __init__(self, symbols, seed=1, rate=200, quotes=True, tls=None):
        """tls: an ssl.SSLContext of the server's side; None: unencrypted."""
        self.tls = tls
        self.rng = random.Random(seed)
        self.symbols, self.rate, self.quotes = symbols, rate, quotes
        self.lock = threading.Lock()
        self.market = []      # (symbol, is_trade, ns, id, price in cents)
        self.streams = []     # connections that are subscribed
        self.cut = None       # () -> bytes after which a connection is cut, or None
        self.silent = False   # nothing is sent, the connections stand
        self.refuse = False   # no key is good
        self.rubbish = None   # () -> bytes sent after the subscription, instead of data
        self.history_fails = 0.0
        self.dials = self.requests = self.shaken = 0
        self.first_flow_ns = None
        self.last_said_ns = 0
        self.running = True
        self.making = True
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        for f in (self.accept, self.make):
            threading.Thread(target=f, daemon=True).start()

    def close(self):
        self.running = False
        self.sock.close()

    # ---- the market ----

    def make(self):
        n = 0
        while self.running:
            time.sleep(0.01)
            if not self.making:
                continue
            with self.lock:
                batch = []
                for _ in range(self.rng.randrange(max(1, self.rate // 50))):
                    n += 1
                    old = self.market[-1] if self.market else None
                    if old and not old[1] and self.rng.random() < 0.05:
                        tick = old  # a quote that is repeated, the same in all
                    else:
                        late = self.rng.randrange(3 * 10 ** 8)
                        tick = (self.rng.choice(self.symbols), not self.quotes or self.rng.random() < .5,
                                time.time_ns() - late, n, 10000 + self.rng.randrange(100))
                    self.market.append(tick)
                    batch.append(tick)
                if batch:
                    self.say(json.dumps([stream_row(t) for t in batch]))

    def say(self, text):
        for s in list(self.streams):
            if not s.send(frame(text)):
                self.streams.remove(s)
            elif not self.silent:
                self.last_said_ns = time.time_ns()

    def snapshot(self):
        with self.lock:
            return list(self.market)

    # ---- connections ----

    def accept(self):
        while self.running:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                conn.settimeout(5)
                conn = self.tls.wrap_socket(conn, server_side=True)
                conn.settimeout(None)
                self.shaken += 1
            while self.running:
                head = b""
                while b"\r\n\r\n" not in head:
                    part = conn.recv(65536)
                    if not part:
                        return
                    head += part
                lines = head.decode("latin1").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (l.partition(":") for l in lines[1:])}
                target = lines[0].split()[1]
                if headers.get("upgrade", "").lower() == "websocket":
                    self.dials += 1
                    Stream(self, conn, headers["sec-websocket-key"]).run()
                    return
                self.answer(conn, target, headers)
        except OSError:
            pass
        finally:
            conn.close()

    # ---- history ----

    def answer(self, conn, target, headers):
        self.requests += 1
        url = urlsplit(target)
        q = {k: v[0] for k, v in parse_qs(url.query).items()}
        status, body = "200 OK", {}
        what = url.path.rsplit("/", 1)[1]
        if headers.get("apca-api-key-id") != KEY or headers.get("apca-api-secret-key") != SECRET:
            status, body = "401 Unauthorized", {"message": "forbidden."}
        elif self.rng.random() < self.history_fails:
            status, body = "500 Internal Server Error", {"message": "internal server error"}
        elif url.path in ("/v2/stocks/trades", "/v2/stocks/quotes"):
            body = self.page(what, q)
        elif (more := self.more(url.path, q)) is not None:
            body = more
        else:
            status, body = "404 Not Found", {"message": "endpoint not found."}
        data = json.dumps(body).encode()
        conn.sendall(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data)

    def more(self, path, q):
        """What another kind of vendor answers; None: nothing."""

    def page(self, what, q, size=500):
        start, end = read_time(q["start"]), read_time(q["end"])
        wanted = q["symbols"].split(",")
        rows = sorted(t for t in self.snapshot() if t[0] in wanted and t[1] == (what == "trades")
                      and start <= t[2] <= end)
        at = int(base64.b64decode(q["page_token"])) if "page_token" in q else 0
        body = {what: {}, "next_page_token": None}
        for t in rows[at:at + size]:
            body[what].setdefault(t[0], []).append(row(t))
        if at + size < len(rows):
            body["next_page_token"] = base64.b64encode(str(at + size).encode()).decode()
        return body


def row(t):
    symbol, is_trade, ns, number, cents = t
    if is_trade:
        return {"t": text_time(ns), "x": "V", "p": cents / 100, "s": 100, "c": ["@"], "i": number, "z": "C"}
    return {"t": text_time(ns), "ax": "V", "ap": (cents + 2) / 100, "as": 3, "bx": "V",
            "bp": (cents - 2) / 100, "bs": 5, "c": ["R"], "z": "C"}


def stream_row(t):
    return {"T": "t" if t[1] else "q", "S": t[0], **row(t)}


def key_of(t):
    """What tells a tick in the log: (symbol, trade id or None, event time)."""
    return (t[0], t[3] if t[1] else None, t[2])


class Stream(CutConnection):
    """One WebSocket connection."""

    def __init__(self, vendor, conn, key):
        super().__init__(vendor, conn)
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        conn.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Accept: {accept}\r\n\r\n").encode())

    def message(self):
        """The next text of the client's, b"" for others; None at the end."""
        head = self.read(2)
        if head is None:
            return None
        n = head[1] & 127
        if n == 126:
            n = struct.unpack(">H", self.read(2))[0]
        elif n == 127:
            n = struct.unpack(">Q", self.read(8))[0]
        mask, data = self.read(4), self.read(n)
        if mask is None or data is None:
            return None
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        if head[0] & 15 == 9:
            self.send(frame(data, 10))
        return data if head[0] & 15 == 1 else b""

    def read(self, n):
        data = b""
        while len(data) < n:
            try:
                part = self.conn.recv(n - len(data))
            except OSError:
                return None
            if not part:
                return None
            data += part
        return data

    def run(self):
        v = self.v
        self.send(frame('[{"T":"success","msg":"connected"}]'))
        while (text := self.message()) is not None:
            if not text:
                continue
            m = json.loads(text)
            if m["action"] == "auth":
                if v.refuse or m["key"] != KEY or m["secret"] != SECRET:
                    self.send(frame('[{"T":"error","code":402,"msg":"auth failed"}]'))
                else:
                    self.send(frame('[{"T":"success","msg":"authenticated"}]'))
            elif m["action"] == "subscribe":
                with v.lock:
                    if v.first_flow_ns is None:
                        v.first_flow_ns = time.time_ns()
                    self.send(frame(json.dumps([{"T": "subscription", **{k: m.get(k, []) for k in (
                        "trades", "quotes", "bars", "statuses", "corrections", "cancelErrors", "news")}}])))
                    if v.rubbish:
                        self.send(v.rubbish())
                    else:
                        v.streams.append(self)
        with v.lock:
            if self in v.streams:
                v.streams.remove(self)
        self.alive = False
