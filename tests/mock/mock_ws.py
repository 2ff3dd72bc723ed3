"""WebSocket by hand (RFC 6455), and the streams of Alpaca and Polygon over it."""
import base64
import hashlib
import json
import os
import select
import socket
import struct
import threading
import time

import mock_alpaca

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
TICK_S = 0.05


class Closed(Exception):
    pass


class WebSocket:
    """The server's end.  send() may be cut off by the fate it was given."""

    def __init__(self, sock, request, cut_after=None):
        self.sock, self.buffer, self.left = sock, b"", cut_after
        accept = hashlib.sha1((request.headers["Sec-WebSocket-Key"] + GUID).encode()).digest()
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
                     + base64.b64encode(accept) + b"\r\n\r\n")

    def raw(self, data):
        if self.left is not None:
            data, self.left = data[:self.left], self.left - len(data)
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Closed from e
        if self.left is not None and self.left <= 0:
            self.sock.shutdown(socket.SHUT_RDWR)
            raise Closed

    def send(self, data, opcode=TEXT):
        data = data.encode() if isinstance(data, str) else data
        n = len(data)
        length = struct.pack(">B", n) if n < 126 else struct.pack(">BH", 126, n) \
            if n < 65536 else struct.pack(">BQ", 127, n)
        self.raw(bytes([0x80 | opcode]) + length + data)

    def fill(self, n, timeout):
        """True when n bytes are there; False: nothing came in time."""
        end = time.monotonic() + timeout
        while len(self.buffer) < n:
            pending = getattr(self.sock, "pending", lambda: 0)()
            wait = max(0.0, end - time.monotonic())
            if not pending and not select.select([self.sock], [], [], wait)[0]:
                return False
            try:
                data = self.sock.recv(65536)
            except OSError as e:
                raise Closed from e
            if not data:
                raise Closed
            self.buffer += data
        return True

    def frame(self, timeout):
        """(opcode, payload, is last) or None."""
        if not self.fill(2, timeout):
            return None
        first, second = self.buffer[0], self.buffer[1]
        n, at = second & 127, 2
        if n > 125:
            at = 4 if n == 126 else 10
            self.fill(at, 5)
            n = int.from_bytes(self.buffer[2:at], "big")
        if not second & 128 or n > 1 << 24:
            raise Closed  # a client masks, and has no more to say
        if not self.fill(at + 4 + n, 5):
            raise Closed
        mask, data = self.buffer[at:at + 4], self.buffer[at + 4:at + 4 + n]
        self.buffer = self.buffer[at + 4 + n:]
        pad = (mask * (n // 4 + 1))[:n]
        data = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(n, "big")
        return first & 15, data, bool(first & 128)

    def receive(self, timeout):
        """A whole text, or None when none came in time; pings are answered."""
        text = b""
        while True:
            frame = self.frame(5 if text else timeout)
            if frame is None:
                return None
            opcode, data, is_last = frame
            if opcode == CLOSE:
                try:
                    self.send(data[:2], CLOSE)
                finally:
                    raise Closed
            if opcode == PING:
                self.send(data, PONG)
            elif opcode in (0, TEXT, 2):
                text += data
                if is_last:
                    return text.decode()


class Flow:
    """Which ticks are due: each slot of the market once, from now on."""

    def __init__(self, market):
        self.market, self.next = market, {}

    def add(self, kind, symbol):
        if self.market.known(symbol):
            self.next.setdefault((kind, symbol),
                                 self.market.clock_ns() // self.market.slot_ns + 1)

    def remove(self, kind, symbol):
        self.next.pop((kind, symbol), None)

    def due(self):
        """(ns, kind, symbol, tick), ascending."""
        now, out = self.market.clock_ns(), []
        for (kind, symbol), k in self.next.items():
            make = self.market.trade if kind == "trades" else self.market.quote
            while True:
                tick = make(symbol, k)
                if tick[0] > now:
                    break
                out.append((tick[0], kind, symbol, tick))
                k += 1
            self.next[(kind, symbol)] = k
        return sorted(out)


class Fates:
    """What befalls connections: cuts after a random number of bytes, muteness."""

    def __init__(self, rng, cut=None, mute_after=None, refuse=""):
        self.rng, self.lock = rng, threading.Lock()
        self.cut, self.mute_after, self.refuse = cut, mute_after, refuse
        self.opened = self.cuts = 0

    def draw(self):
        """Bytes until the cut, or None."""
        with self.lock:
            self.opened += 1
            return self.rng.randrange(*self.cut) if self.cut else None

    def is_mute(self, began):
        return self.mute_after is not None and time.monotonic() - began > self.mute_after


def random_challenge():
    return base64.b64encode(os.urandom(18)).decode()


class AlpacaStream:
    """/v2/iex and the like."""

    LISTS = ("trades", "quotes", "statuses", "bars", "updatedBars", "dailyBars", "news")

    def __init__(self, market, refuse=""):
        self.flow, self.refuse = Flow(market), refuse
        self.lists = {name: [] for name in self.LISTS}
        self.is_in = False

    def hello(self):
        return ['[{"T":"success","msg":"connected"}]']

    @staticmethod
    def error(code, text):
        return [json.dumps([{"T": "error", "code": code, "msg": text}])]

    def on(self, text):
        """What is said to a message of the client; a list of texts."""
        try:
            m = json.loads(text)
            action = m["action"]
        except (ValueError, KeyError, TypeError):
            return self.error(400, "invalid syntax")
        if action == "auth":
            key, secret = m.get("key", ""), m.get("secret", "")
            if self.refuse == "406":
                return self.error(406, "connection limit exceeded") + [None]
            if self.refuse or not key or not secret or "BAD" in (key[:3], secret[:3]):
                return self.error(402, "auth failed") + [None]
            self.is_in = True
            return ['[{"T":"success","msg":"authenticated"}]']
        if not self.is_in:
            return self.error(401, "not authenticated")
        if action not in ("subscribe", "unsubscribe"):
            return self.error(400, "invalid syntax")
        for name in self.LISTS:
            for symbol in m.get(name, []):
                self.change(action, name, symbol)
        return [json.dumps([{"T": "subscription", **self.lists}])]

    def change(self, action, name, symbol):
        if action == "subscribe" and symbol not in self.lists[name]:
            self.lists[name].append(symbol)
            if name in ("trades", "quotes"):
                self.flow.add(name, symbol)
        elif action == "unsubscribe" and symbol in self.lists[name]:
            self.lists[name].remove(symbol)
            self.flow.remove(name, symbol)

    def data(self):
        rows = []
        for _, kind, symbol, tick in self.flow.due():
            if kind == "trades":
                rows.append(mock_alpaca.trade_text(tick, f'"T":"t","S":"{symbol}",'))
            else:
                rows.append(mock_alpaca.quote_text(tick, f'"T":"q","S":"{symbol}",'))
        return [f"[{','.join(rows)}]"] if rows else []


def play(session, ws, fates, stopping):
    """Until one of us goes."""
    began = time.monotonic()
    try:
        for text in session.hello():
            ws.send(text)
        while not stopping.is_set():
            text = ws.receive(TICK_S)
            if fates.is_mute(began):
                continue  # open, and silent: it is the data that tell
            for answer in session.on(text) if text is not None else []:
                if answer is None:
                    raise Closed
                ws.send(answer)
            for answer in session.data():
                ws.send(answer)
    except Closed:
        if ws.left is not None and ws.left <= 0:
            fates.cuts += 1
