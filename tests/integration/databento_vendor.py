"""Databento without Databento, for tests: a live gateway over TCP and the history that
belongs to it, over one market that it makes up.

Trades and quotes come in packets of one to three with the same sequence and times.  On
demand the gateway cuts connections after any number of bytes, falls silent, or refuses
the key.  Standard library only; a thread per connection.
"""
import base64
import hashlib
import http.server
import os
import random
import socket
import struct
import sys
import threading
import time
from urllib.parse import parse_qs

from feedparts import CutConnection, read_time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import dbn_python as dbn  # noqa: E402

KEY = "db-TESTTESTTESTTESTTESTTESTTESTA"
DATASET = "TEST.DATA"


class Tick:
    """One trade or quote, and the record of it."""

    def __init__(self, symbol, number, is_trade, event, recv, seq, cents):
        self.key = (symbol, is_trade, event, seq)
        self.symbol, self.is_trade, self.recv = symbol, is_trade, recv
        price = cents * 10 ** 7
        v = {"price": price, "size": 100, "action": b"T" if is_trade else b"A", "side": b"B", "ts_recv": recv,
             "sequence": seq, "bid_px": price, "ask_px": price + 10 ** 7, "bid_sz": 3, "ask_sz": 5}
        self.record = dbn.write_record(0x00 if is_trade else 0x01, 2, number, event, v, 48 if is_trade else 80)


class Databento:
    def __init__(self, symbols, seed=1, rate=200):
        self.rng = random.Random(seed)
        self.numbers = {s: 1000 + i for i, s in enumerate(symbols)}
        self.rate, self.lock = rate, threading.Lock()
        self.market, self.streams = [], []
        self.cut = None      # () -> bytes after which a connection is cut, or None
        self.silent = self.refuse = False
        self.ends_silence = False  # with the next connection
        self.history_fails = 0.0
        self.dials = self.requests = 0
        self.first_flow_ns = None
        self.heard = []      # all that clients of the gateway said
        self.running = self.making = True
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.http.daemon_threads = True
        self.http_port = self.http.server_address[1]
        for f in (self.accept, self.make, self.http.serve_forever):
            threading.Thread(target=f, daemon=True).start()

    def close(self):
        self.running = False
        self.sock.close()
        self.http.shutdown()
        self.http.server_close()

    # ---- the market ----

    def make(self):
        seq = 0
        while self.running:
            time.sleep(0.01)
            if not self.making:
                continue
            with self.lock:
                for _ in range(self.rng.randrange(max(1, self.rate // 100))):
                    seq += 1
                    symbol, recv = self.rng.choice(list(self.numbers)), time.time_ns()
                    event, is_trade = recv - self.rng.randrange(10 ** 8), self.rng.random() < 0.5
                    for _ in range(self.rng.choice((1, 1, 2, 3))):
                        t = Tick(symbol, self.numbers[symbol], is_trade, event, recv, seq,
                                 10000 + self.rng.randrange(100))
                        self.market.append(t)
                        self.streams = [s for s in self.streams if s.send(t.record)]

    def snapshot(self):
        with self.lock:
            return list(self.market)

    # ---- the gateway ----

    def accept(self):
        while self.running:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            if self.ends_silence:
                self.silent = False
            self.dials += 1
            threading.Thread(target=Session(self, conn).run, daemon=True).start()

    # ---- history ----

    def page(self, form):
        wanted = form["symbols"].split(",")
        start, end = read_time(form["start"]), read_time(form["end"])
        rows = sorted((t for t in self.snapshot() if t.symbol in wanted and start <= t.recv < end and
                       t.is_trade == (form["schema"] == "trades")), key=lambda t: t.recv)
        # The gateway's market in a history's clothes: numbers have names by date.
        body = dbn.write_metadata(3, form["schema"], [(s, 20000101, 20991231, self.numbers[s]) for s in wanted
                                                      if s in self.numbers])
        return dbn.pack(body + b"".join(t.record for t in rows[:int(form["limit"])]))

    def handler(self):
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                vendor.requests += 1
                form = {k: v[0] for k, v in parse_qs(
                    self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
                basic = base64.b64encode((KEY + ":").encode()).decode()
                if self.headers.get("Authorization") != f"Basic {basic}":
                    self.reply(401, b'{"detail":"Authorization failed: bad key."}')
                elif vendor.rng.random() < vendor.history_fails:
                    self.reply(500, b"upstream connect error")
                elif self.path != "/v0/timeseries.get_range" or form["dataset"] != DATASET:
                    self.reply(422, b'{"detail":{"case":"x","message":"no such thing","status_code":422}}')
                else:
                    body = vendor.page(form)
                    # Now and then a transfer ends early.
                    self.reply(200, body, len(body) // 2 if vendor.rng.random() < vendor.history_fails else None)

            def reply(self, status, body, sent=None):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:sent])
                self.close_connection = sent is not None

            def log_message(self, *args):
                pass

        return Handler


class Session(CutConnection):
    """One connection to the gateway."""

    def mapping(self, symbol):
        head = struct.pack("<BBHIQ", 176 // 4, 0x16, 0, self.v.numbers[symbol], time.time_ns())
        name = symbol.encode().ljust(71, b"\0")
        return head + b"\1" + name + b"\1" + name + bytes(16)

    def run(self):
        v, symbols = self.v, []
        challenge = base64.b64encode(os.urandom(18)).decode()
        self.send(f"lsg_version=0.6.0\ncram={challenge}\n".encode())
        try:
            for line in self.conn.makefile("r", encoding="ascii"):
                v.heard.append(line)
                fields = dict(f.partition("=")[::2] for f in line.strip().split("|"))
                if "auth" in fields:
                    want = hashlib.sha256(f"{challenge}|{KEY}".encode()).hexdigest() + "-" + KEY[-5:]
                    good = not v.refuse and fields["auth"] == want and fields["dataset"] == DATASET
                    self.send(b"success=1|session_id=7\n" if good else b"success=0|error=Authentication failed.\n")
                elif "schema" in fields:
                    symbols += [s for s in fields["symbols"].split(",") if s not in symbols]
                elif "start_session" in fields:
                    with v.lock:
                        self.send(dbn.write_metadata(3, "mixed", []) + b"".join(map(self.mapping, symbols)))
                        if v.first_flow_ns is None:
                            v.first_flow_ns = time.time_ns()
                        v.streams.append(self)
        except OSError:
            pass
        with self.lock:
            self.alive = False
        self.conn.close()
