"""Databento's history and its live gateway as the mock plays them."""
import base64
import binascii
import hashlib
import heapq
import select
import socket
import threading
import time

import mock_dbn
import mock_ws
from mock_market import DAY, SECOND, date_of, newyork_day
from mock_parts import FOR_EVER, Answer, Refusal, instant

STEPS = {"ohlcv-1m": 60, "ohlcv-1h": 3600, "ohlcv-1d": DAY}
STEP_S = 0.05


def refuse(status, case, message, headers=None):
    raise Refusal(Answer(status, {"detail": {
        "case": case, "message": message, "status_code": status, "docs": "", "payload": {}}},
        headers))


def border(value):
    return int(value) if value.isdigit() else instant(value)


def number_of(day):
    return int(date_of(day).strftime("%Y%m%d"))


class Databento:
    name = "databento"

    def __init__(self, market, _events):
        self.market = market

    @staticmethod
    def handles(path):
        return path.startswith("/v0/")

    @staticmethod
    def key(request):
        try:
            basic = request.headers.get("Authorization", "").removeprefix("Basic ")
            return base64.b64decode(basic, validate=True).decode().removesuffix(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""

    def answer(self, request):
        key = self.key(request)
        if not key or key.startswith("BAD"):
            raise Refusal(Answer(401, {"detail": "Authentication failed."}))
        if request.path == "/v0/symbology.resolve" and request.method == "POST":
            return self.resolve(request.form)
        if request.path != "/v0/timeseries.get_range" or request.method != "POST":
            raise Refusal(Answer(404, {"detail": "Not Found"}))
        return self.get_range(request.form)

    def names(self, form):
        asked = list(dict.fromkeys(filter(None, form.get("symbols", "").split(","))))
        if not asked or len(asked) > 2000:
            refuse(422, "symbology_invalid_request", "1 to 2000 symbols")
        known = [s for s in asked if self.market.known(s)]
        if not known:
            refuse(422, "symbology_invalid_symbol", "None of the symbols could be resolved")
        return known, [s for s in asked if s not in known]

    def get_range(self, form):
        schema, dataset = form.get("schema", "trades"), form.get("dataset", "")
        if schema not in ("trades", "mbp-1", *STEPS):
            refuse(422, "data_schema_not_supported", f"the mock has no schema {schema}")
        if not dataset or form.get("encoding", "dbn") != "dbn":
            refuse(422, "invalid_request", "dataset is required, and encoding is dbn here")
        try:
            start = border(form["start"])
            end = border(form["end"]) if "end" in form else FOR_EVER
        except (KeyError, ValueError):
            refuse(422, "invalid_request", "start is required; times are ISO or nanoseconds")
        if end <= start:
            refuse(422, "data_time_range_start_on_or_after_end", "start is not before end")
        known, not_found = self.names(form)
        rows = heapq.merge(*[self.rows(schema, s, start, end) for s in known])
        limit, parts = int(form.get("limit", 0) or 0), []
        for _, record in rows:
            parts.append(record)
            if len(parts) == limit:
                break
        last = min(end, self.market.clock_ns()) // SECOND // DAY + 2
        names = [(s, number_of(start // SECOND // DAY), number_of(last),
                  self.market.instrument(s)) for s in known]
        body = mock_dbn.metadata(dataset, mock_dbn.SCHEMAS[schema], start, min(end, 2 ** 63),
                                 names, not_found, limit) + b"".join(parts)
        if form.get("compression", "none") == "zstd":
            body = mock_dbn.zstd(body)
        headers = {"Content-Type": "application/octet-stream", "request-id": "mock"}
        return Answer(200, body, headers)

    def rows(self, schema, symbol, start, end):
        """(index time, record): chosen and ordered by receipt, bars by their start."""
        number = self.market.instrument(symbol)
        if schema in STEPS:
            step = STEPS[schema]
            if step < DAY:
                for b in self.market.bars(symbol, step, start, end):
                    yield b[0] * SECOND, mock_dbn.bar(number, step, b[0], b)
                return
            # Its days begin at midnight UTC, and have the session's date.
            for b in self.market.bars(symbol, step, start, min(end, FOR_EVER) + DAY * SECOND):
                at = newyork_day(b[0]) * DAY
                if start <= at * SECOND < end:
                    yield at * SECOND, mock_dbn.bar(number, step, at, b)
            return
        kind, make = ("trades", mock_dbn.trade) if schema == "trades" else ("quotes", mock_dbn.quote)
        shift = mock_dbn.RECV_NS
        for t in self.market.ticks(kind, symbol, start - shift, end - shift):
            yield t[0] + shift, make(number, t)

    def resolve(self, form):
        known, not_found = self.names(form)
        return Answer(200, {"result": {s: [{"d0": form.get("start_date"), "d1": form.get("end_date"),
                                            "s": str(self.market.instrument(s))}] for s in known},
                            "symbols": known, "stype_in": "raw_symbol", "not_found": not_found,
                            "stype_out": "instrument_id", "partial": [], "status": 0,
                            "message": "OK"})


class Line:
    """A TCP connection of the gateway; cut off as its fate says."""

    def __init__(self, sock, cut_after):
        self.sock, self.left, self.buffer = sock, cut_after, b""

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        if self.left is not None:
            data, self.left = data[:self.left], self.left - len(data)
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise mock_ws.Closed from e
        if self.left is not None and self.left <= 0:
            raise mock_ws.Closed

    def line(self, timeout):
        """A line, or None in time; Closed."""
        while b"\n" not in self.buffer:
            if not select.select([self.sock], [], [], timeout)[0]:
                return None
            try:
                data = self.sock.recv(65536)
            except OSError as e:
                raise mock_ws.Closed from e
            if not data or len(self.buffer) > 1 << 20:
                raise mock_ws.Closed
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return dict(p.partition("=")[::2] for p in line.decode().split("|"))


class Gateway:
    """The live gateway: greeting, challenge, subscriptions, then records for ever."""

    def __init__(self, market, fates, stopping, port=0, keys=None):
        self.market, self.fates, self.stopping, self.keys = market, fates, stopping, keys
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(sock,), daemon=True).start()

    def stop(self):
        for sock in [self.listener, *self.open]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()

    def one(self, sock):
        self.open.add(sock)
        line = Line(sock, self.fates.draw())
        try:
            if self.login(line):
                self.session(line)
        except (mock_ws.Closed, OSError, ValueError):
            if line.left is not None and line.left <= 0:
                self.fates.cuts += 1
        finally:
            self.open.discard(sock)
            sock.close()

    def is_right(self, challenge, auth):
        """With keys given, the hash must be theirs; else any well-formed one will do."""
        digest, bucket = auth[:64], auth[65:]
        if self.fates.refuse or auth[64:65] != "-" or len(bucket) != 5:
            return False
        if self.keys is None:
            return True
        return any(k.endswith(bucket) and
                   hashlib.sha256(f"{challenge}|{k}".encode()).hexdigest() == digest
                   for k in self.keys)

    def login(self, line):
        challenge = mock_ws.random_challenge()
        line.send("lsg_version=0.6.0\n")
        line.send(f"cram={challenge}\n")
        said = line.line(10)
        if said and self.is_right(challenge, said.get("auth", "")):
            line.send("success=1|session_id=1\n")
            return said.get("dataset", "")
        why = "Maximum number of live connections reached" if self.fates.refuse == "406" \
            else "User authentication failed: invalid key"
        line.send(f"success=0|error={why}\n")
        return ""

    def session(self, line):
        flow, names, began = mock_ws.Flow(self.market), {}, time.monotonic()
        while True:
            said = line.line(10)
            if said is None or "start_session" in said:
                break
            self.subscribe(flow, names, said)
        now = self.market.clock_ns()
        line.send(mock_dbn.metadata("XNAS.ITCH", 0xFFFF, now, mock_dbn.NONE_TS, []))
        self.say_names(line, names)
        spoke = time.monotonic()
        while not self.stopping.is_set():
            said = line.line(STEP_S)
            if self.fates.is_mute(began):
                continue
            if said:
                self.subscribe(flow, names, said)
                self.say_names(line, names)
            records = [(mock_dbn.trade if kind == "trades" else mock_dbn.quote)(names[s][0], t)
                       for _, kind, s, t in flow.due()]
            if not records and time.monotonic() - spoke > 10:
                records = [mock_dbn.system(0, "Heartbeat", self.market.clock_ns())]
            if records:
                line.send(b"".join(records))
                spoke = time.monotonic()

    def subscribe(self, flow, names, said):
        kind = {"trades": "trades", "mbp-1": "quotes"}.get(said.get("schema", ""))
        for symbol in filter(None, said.get("symbols", "").split(",")):
            if kind and self.market.known(symbol):
                flow.add(kind, symbol)
                names.setdefault(symbol, [self.market.instrument(symbol), False])

    def say_names(self, line, names):
        for symbol, name in names.items():
            if not name[1]:
                line.send(mock_dbn.mapping(name[0], symbol, self.market.clock_ns()))
                name[1] = True
