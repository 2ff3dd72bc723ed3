"""tickbus - subscribe to a tickbus daemon, publish to it, ask it.  One file, Python's own library.

    import tickbus
    with tickbus.Subscriber("bar", symbols=["AAPL"], timeframe="1m", start="oldest") as sub:
        for e in sub:
            if e.kind == "bar":
                print(e.symbol, e.time, e.close)
            elif e.kind == "gap":
                print(e)                                  # which events are lost, exactly

Subscriber(kinds, ...) gives, by next(timeout) or as an iterator, events (kind tick, bar, tier1, tier2, news, status) and
notices:

    live    catch-up has reached the present: pos (every event behind it follows), count and hash of what catch-up gave
            (is_whole: the server counted the same)
    gap     events first_seq .. last_seq of one stream do not come; reason: gone (not held any more), lost (nobody has
            them), conflated, sampled; or positions first_pos .. last_pos of history that is not held any more
    epoch   the log lost its end or was restored from a copy: what you hold from behind the loss is void
    broken  check_chain: a derived event does not follow the one before it in its stream

Every stream (kind, symbol; matrices: universe, timeframe) comes in the order of its sequence, nothing twice.  What is
lost on the way - dropped frames, a broken connection, a restarted daemon - is fetched from catch-up before anything
newer of that stream is given.  Connections are made and made again by themselves; no daemon is no error.

    start    "now", "oldest", "snapshot" (the newest event of every stream), or with at=: "pos" (log position), "time"
             (ns, datetime or RFC 3339 text), "seq" (the first ones: {("tick", "AAPL"): 6, ("tier2", "tech", "1m"): 3})
    policy   "lossless"; "conflate": of what waits only the newest per stream and timeframe; "sample": that at most
             once in sample_ms; "best_effort": nothing is fetched.  What is left out is announced by gaps; history comes
             whole
    prices   "decimal" (exact), "float", or "int" (billionths and 1e-8, None where there is none)
    live     False: only history; the iteration ends behind the live notice

A subscription belongs to one thread.  fileno() is for select, selectors and asyncio: when it is readable, call next(0)
until it says None.  next_batch() and batches() give whole frames (Batch), which is fast; to_dataframe() and dataframe()
make pandas DataFrames of them.  Events have the fields of docs/PROTOCOL.md as attributes, and time, price, size, open,
... converted; as_dict() has them all.  A tier2 event has symbols, matrix() and dataframe().  counts says what happened.

Publisher(source=...) sends ticks and waits for their acknowledgement; what was not acknowledged is sent again, which is
safe: the daemon takes every (producer, sequence) once.  history() reads the past, dictionary() the names, admin() asks
over the admin socket.  Errors are TickbusError and its children.
"""
from __future__ import annotations

import collections
import ctypes
import datetime
import decimal
import functools
import hashlib
import itertools
import json
import math
import os
import random
import re
import select
import socket
import struct
import time
from types import SimpleNamespace

__all__ = ["Ack", "AdminError", "Batch", "Broken", "Epoch", "Event", "Frame", "Gap", "Job", "Jobs", "Live", "Malformed", "Publisher",
           "Refused", "Subscriber", "TickbusError", "TimedOut", "admin", "dataframe", "decode", "dictionary", "history"]


class TickbusError(Exception):
    """Something that tickbus has to say; str() is a sentence."""


class Malformed(TickbusError):
    """Foreign bytes: not a message of tickbus, or one cut short."""


class Refused(TickbusError):
    """The daemon understood and said no."""


class TimedOut(TickbusError, TimeoutError):
    """No answer in time; for a Publisher: the batch is still there, flush again."""


class AdminError(Refused):
    """An admin request failed; code is unknown_command, bad_request, not_found, busy or failed."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code


# ---- the vocabulary: blocks of docs/PROTOCOL.md, field by field -----------------------------------------------------

NULL = -(1 << 63)
SCHEMA = 7400
KINDS = {"tick": 0, "bar": 1, "tier1": 2, "tier2": 3, "news": 4, "status": 5}
TIMEFRAMES = {"1s": 1, "5s": 5, "10s": 10, "15s": 15, "30s": 30, "1m": 60, "2m": 120, "5m": 300, "10m": 600, "15m": 900,
              "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400, "1d": 86400}
VALUES = ("rolling_return_3 rolling_return_6 rolling_return_12 momentum_score vol_6 vol_12 vol_24 atr_normalized "
          "ma_12_slope ma_24_slope ma_50_slope distance_to_ma_12 distance_to_ma_24 distance_to_ma_50 efficiency_ratio "
          "range_compression trend_regime stress_indicator spread_ratio sma_20 ema_12 ema_26 rsi_14 bb_upper bb_middle "
          "bb_lower macd macd_signal macd_hist atr_14").split()
NORMS = [name + "_norm" for name in VALUES[:18]]
REASONS = ("accepted price_not_a_number price_not_positive price_out_of_range size_negative size_out_of_range no_price "
           "time_too_old time_in_future time_invalid symbol_malformed symbol_unknown symbol_limit source_malformed "
           "source_limit reference_missing clock_backwards clock_not_allowed malformed headline_missing text_too_long "
           "url_malformed no_symbol").split()
TICK_FLAGS = {"no_last": 1, "no_range": 2, "no_volume": 4, "halt": 8, "resumed": 16}
ACTIONS = ("new", "cancel", "correct")
_PRICE_TYPES = ("last", "mid", "bid", "ask", "auto")
_CAUSES = ("first", "late_trade", "cancel", "correction", "backfill", "adjustment", "final")
_INCLUDED = ("included", "lagging", "blind", "short_history", "zero_variance", "quarantined", "killed")
_WORDS = {
    "tick": {"action": ACTIONS},
    "bar": {"state": ("TRADED", "QUIET", "BLIND"), "price_type": _PRICE_TYPES, "cause": _CAUSES,
            "spread_method": ("none", "quote", "range")},
    "tier1": {"price_type": _PRICE_TYPES},
    "tier2": {"method": ("pearson", "ewma", "ledoit_wolf", "spearman"), "status": ("final", "provisional"),
              "price_type": _PRICE_TYPES, "cause": _CAUSES},
    "news": {},
    "status": {"state": ("live", "paused", "gap", "source_lost", "source_back", "cancel_lost", "halted", "fault",
                         "source_chosen", "sources_diverge", "sources_agree", "killed", "quarantined", "released")},
}
_FLAGS = {
    "tick": TICK_FLAGS,
    "bar": {"is_missing": 1, "is_outlier": 2, "is_valid": 4, "is_final": 8, "is_partial": 16, "is_crossed": 32,
            "is_halted": 64},
    "tier1": {"is_ml_ready": 1, "is_norm_robust": 2, "is_indicators": 4},
    "news": {"is_update": 1, "is_repeat": 2, "is_cut": 4, "is_late": 8},
}
_HEAD = "seq:Q pos:Q event_ns:q recv_ns:q "
SPECS = {
    "tick": _HEAD + "price_e9:q size_e8:q bid_e9:q ask_e9:q bid_size_e8:q ask_size_e8:q source_seq:Q ref_seq:Q cond:8s "
                    "symbol_id:I source_id:H action:B flags:B symbol:32s",
    "bar": _HEAD + "bar_start_ns:q open_e9:q high_e9:q low_e9:q close_e9:q volume_lo:Q volume_hi:q log_return_1:d "
                   "spread_estimate:d vwap:d trade_count:Q first_pos:Q last_pos:Q revision:I timeframe_s:I symbol_id:I "
                   "source_id:H schema_version:H flags:B state:B price_type:B cause:B spread_method:B outlier_reason:B "
                   "late_ticks:H symbol:32s source:16s chain:Q",
    "tier1": _HEAD + "bar_seq:Q feature_version:Q warm:Q bars_seen:Q value:30d norm:18d timeframe_s:I bar_revision:I "
                     "symbol_id:I schema_version:H flags:B price_type:B symbol:32s chain:Q",
    "tier2": _HEAD + "supersedes:Q universe_hash:Q content_hash:Q eigen_min:d frobenius_shift:d lambda:d timeframe_s:I "
                     "window:I n_members:I n_included:I schema_version:H method:B status:B psd_repaired:B price_type:B "
                     "cause:B reserved:1s universe:32s chain:Q",
    "news": _HEAD + "compound:d pos_share:d neu_share:d neg_share:d average:d weighted:d positive:d negative:d articles:Q "
                    "published_ns:q article:Q edition:I window_s:I symbol_id:I source_id:H flags:B n_symbols:B "
                    "half_life_s:I schema_version:H reserved:2s symbol:32s lexicon:32s id:64s publisher:32s headline:256s "
                    "url:200s chain:Q",
    "status": _HEAD + "detail:Q symbol_id:I source_id:H state:B reserved:1s symbol:32s text:80s chain:Q",
    "hb": "last_seq:Q pos:Q symbol_id:I timeframe_s:I symbol:32s",
    "member": "bar_seq:Q bar_revision:I n_obs:I symbol_id:I reason:B reserved:3s symbol:32s",
}
_TEMPLATES = {1: "tick", 2: "bar", 3: "tier1", 4: "tier2", 5: "news", 6: "status", 8: "hb"}
_HEADER = struct.Struct("<HHHH")
_ROOT = struct.Struct("<QqQQ")
_GROUP = struct.Struct("<HH")
_GROUP32 = struct.Struct("<HI")
_1970 = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_EXACT = decimal.Context(prec=60)
_MASK = (1 << 64) - 1


class _Block:
    """A fixed block: where its fields stand, and what reads them."""

    def __init__(self, spec: str):
        self.codes = [field.split(":") for field in spec.split() if field]
        self.offset, self.where, at, n = {}, {}, 0, 0
        for name, code in self.codes:
            count = int(code[:-1] or 1) if code[-1] == "d" else 1
            self.offset[name], self.where[name] = at, n if count == 1 else slice(n, n + count)
            at, n = at + struct.calcsize("<" + code), n + count
        self.size = at
        self.struct = struct.Struct("<" + "".join(code for _, code in self.codes))

    @functools.lru_cache(maxsize=64)
    def keys(self, stride: int) -> struct.Struct:
        """Reads (seq, pos, recv_ns, timeframe_s or b"", symbol) of blocks of @stride bytes."""
        frame_at, symbol_at = self.offset.get("timeframe_s", 32), self.offset.get("symbol", self.offset.get("universe"))
        code = "I" if "timeframe_s" in self.offset else "0s"
        behind = frame_at + struct.calcsize("<" + code)
        return struct.Struct(f"<QQ8xq{frame_at - 32}x{code}{symbol_at - behind}x32s{stride - symbol_at - 32}x")

    @functools.lru_cache(maxsize=64)
    def dtype(self, stride: int):
        """The block as numpy's structured type; what a newer daemon appended is stepped over."""
        import numpy
        kinds = {"Q": "<u8", "q": "<i8", "I": "<u4", "H": "<u2", "B": "u1", "d": "<f8"}
        formats = [f"S{code[:-1]}" if code[-1] == "s" else kinds[code] if len(code) == 1 else ("<f8", int(code[:-1]))
                   for _, code in self.codes]
        return numpy.dtype({"names": list(self.offset), "formats": formats, "offsets": list(self.offset.values()),
                            "itemsize": stride})


_BLOCKS = {kind: _Block(spec) for kind, spec in SPECS.items()}


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", "replace")


def _decimal(value: int, places: int):
    return None if value == NULL else decimal.Decimal(value).scaleb(-places, _EXACT)


def _float(value: int, places: int):
    return math.nan if value == NULL else value / 10 ** places


def _int(value: int, places: int):
    return None if value == NULL else value


_PRICES = {"decimal": _decimal, "float": _float, "int": _int}


def _when(ns: int):
    """Nanoseconds as a datetime, which has microseconds."""
    return _1970 + datetime.timedelta(seconds=ns // 10 ** 9, microseconds=ns % 10 ** 9 // 1000)


def timeframe_name(seconds: int) -> str:
    return next((name for name, s in TIMEFRAMES.items() if s == seconds), f"{seconds}s")


# ---- frames and events ----------------------------------------------------------------------------------------------


def _group(data: bytes, at: int, known: int, head: struct.Struct = _GROUP) -> tuple[int, int, int]:
    """(stride, n, where the first block begins) of the group whose header is at @at."""
    if at + head.size > len(data):
        raise Malformed("a group's header is cut short")
    stride, n = head.unpack_from(data, at)
    if n > 0 and stride < known or at + head.size + stride * n > len(data):
        raise Malformed(f"a group of {n} blocks of {stride} bytes is cut short")
    return stride, n, at + head.size


class Frame:
    """A message of one kind, every length checked: n events, read when they are asked for."""

    __slots__ = ("kind", "about", "part", "epoch", "publish_ns", "frame_seq", "last_pos", "n", "data", "at", "stride",
                 "members_at", "members_stride", "triangle_at", "triangle_stride", "cells", "convert")

    def keys(self) -> list[tuple]:
        """(seq, pos, recv_ns, timeframe_s, symbol) of each event."""
        if self.n == 0:  # no length is wrong then
            return []
        reader = _BLOCKS[self.kind].keys(self.stride)
        return list(reader.iter_unpack(memoryview(self.data)[self.at:self.at + self.n * self.stride]))

    def block(self, row: int) -> bytes:
        """An event's bytes, as long as this version of the schema knows them."""
        at = self.at + row * self.stride
        return self.data[at:at + _BLOCKS[self.kind].size]

    def event(self, row: int, is_filled: bool = False) -> Event:
        return _CLASSES[self.kind](self, row, is_filled)

    def beats(self):
        """(last_seq, pos, symbol_id, timeframe_s, symbol) of a heartbeat's streams."""
        reader = _BLOCKS["hb"].struct
        return [reader.unpack_from(self.data, self.at + i * self.stride) for i in range(self.n)]


def decode(data: bytes, start: int = 0, prices: str = "decimal") -> Frame | None:
    """The frame that begins at @start; None: of another schema or template, to be ignored.  Raises Malformed."""
    if len(data) - start < 8:
        raise Malformed("a frame's header is cut short")
    length, template, schema, _ = _HEADER.unpack_from(data, start)
    if schema != SCHEMA or template not in _TEMPLATES:
        return None
    f = Frame()
    f.kind = f.about = _TEMPLATES[template]
    f.data, f.convert = data, _PRICES[prices]
    extra = _BLOCKS["tier2"].size if f.kind == "tier2" else 8 if f.kind == "hb" else 0
    if length < 32 + extra or start + 8 + length > len(data):
        raise Malformed(f"the root of a {f.kind} frame is cut short")
    f.epoch, f.publish_ns, f.frame_seq, f.last_pos = _ROOT.unpack_from(data, start + 8)
    if f.kind == "tier2":
        _decode_matrix(f, start + 40, start + 8 + length)
        return f
    f.stride, f.n, f.at = _group(data, start + 8 + length, _BLOCKS[f.kind].size)
    if f.kind == "hb":
        number, f.part = data[start + 40], struct.unpack_from("<H", data, start + 42)[0]
        f.about = next((kind for kind, n in KINDS.items() if n == number), None)
    return f


def _decode_matrix(f: Frame, at: int, members_at: int) -> None:
    f.at, f.n, f.stride = at, 1, _BLOCKS["tier2"].size
    n_members, n_included = struct.unpack_from("<II", f.data, at + _BLOCKS["tier2"].offset["n_members"])
    f.members_stride, n, f.members_at = _group(f.data, members_at, _BLOCKS["member"].size)
    if n != n_members or n_included > n_members:
        raise Malformed("a matrix disagrees with its number of members")
    f.triangle_stride, f.cells, f.triangle_at = _group(f.data, f.members_at + n * f.members_stride, 8, _GROUP32)
    if f.cells != n_included * (n_included + 1) // 2:
        raise Malformed("a matrix' triangle has not n * (n + 1) / 2 cells")


class Event:
    """An event; its fields are attributes (see the module's text)."""

    __slots__ = ("frame", "row", "is_filled", "_v")
    kind = ""
    fields: tuple = ()

    def __init__(self, frame: Frame, row: int, is_filled: bool):
        self.frame, self.row, self.is_filled = frame, row, is_filled
        self._v = _BLOCKS[self.kind].struct.unpack_from(frame.data, frame.at + row * frame.stride)

    epoch = property(lambda self: self.frame.epoch)
    publish_ns = property(lambda self: self.frame.publish_ns)
    time = property(lambda self: _when(self._v[2]), doc="event_ns as datetime (microseconds)")

    def as_dict(self) -> dict:
        return {"kind": self.kind, **{name: getattr(self, name) for name in self.fields}}

    def __repr__(self):
        return f"<{self.kind} {self.symbol} {self.seq} at {self.pos}>"


def _reader(name: str, code: str, where, words: tuple):
    """What turns a field's raw value into the attribute."""
    if code[-1] == "s":
        return lambda self: _text(self._v[where])
    if words:
        return lambda self: words[self._v[where]] if self._v[where] < len(words) else self._v[where]
    if name.endswith(("_e9", "_e8")):
        return lambda self: None if self._v[where] == NULL else self._v[where]
    return lambda self: self._v[where]


def _event_class(kind: str) -> type:
    """A class with one property per field of the kind's block, and the converted ones."""
    block, members, fields = _BLOCKS[kind], {"kind": kind, "__slots__": ()}, []
    for name, code in block.codes:
        if name == "reserved":
            continue
        where = block.where[name]
        members[name] = property(_reader(name, code, where, _WORDS[kind].get(name, ())))
        fields.append(name)
        if name.endswith(("_e9", "_e8")):
            places = int(name[-1])
            members[name[:-3]] = property(
                lambda self, where=where, places=places: self.frame.convert(self._v[where], places))
            fields[-1] = name[:-3]
    for name, bit in _FLAGS.get(kind, {}).items():
        members[name] = property(lambda self, bit=bit, where=block.where["flags"]: bool(self._v[where] & bit))
        fields.append(name)
    if "timeframe_s" in block.offset:
        members["timeframe"] = property(lambda self: timeframe_name(self.timeframe_s))
        fields.append("timeframe")
    members["fields"] = tuple(fields)
    return type(kind.capitalize(), (Event,), members)


class _Bar(_event_class("bar")):
    __slots__ = ()
    fields = tuple(f for f in _event_class("bar").fields if f not in ("volume_lo", "volume_hi")) + ("volume",)

    @property
    def volume(self):
        """Exact: 128 bits of 1e-8."""
        return self.frame.convert((self.volume_hi << 64) + self.volume_lo, 8)


class _Tier1(_event_class("tier1")):
    __slots__ = ()

    @property
    def values(self) -> dict[str, float]:
        """The vector by name; NaN where there is no value.  Of a block of indicators: {}."""
        return {} if self.is_indicators else dict(zip(VALUES, self.value))

    @property
    def norms(self) -> dict[str, float]:
        return {} if self.is_indicators else dict(zip(NORMS, self.norm))

    @property
    def indicators(self) -> dict:
        """The configured indicators: {"rsi(14)": 51.2, "bbands(20,2)": {"upper": ..., ...}}.  Of a vector: {}."""
        if not self.is_indicators:
            return {}
        values, out = iter(self.value), {}
        names = _text(struct.pack("<24d", *self.value[24:], *self.norm))
        for spec, _, outputs in (word.partition(":") for word in names.split()):
            out[spec] = {o: next(values) for o in outputs.split(",")} if outputs else next(values)
        return out

    @property
    def warm_names(self) -> list[str]:
        """The values whose window is full."""
        return [] if self.is_indicators else [name for i, name in enumerate(VALUES) if self.warm >> i & 1]


class _Tier2(_event_class("tier2")):
    __slots__ = ()
    symbol = property(lambda self: self.universe, doc="the universe: what names the stream")

    @property
    def members(self) -> list[SimpleNamespace]:
        """Symbol, reason, bar_seq, bar_revision, n_obs of every member."""
        f, reader, out = self.frame, _BLOCKS["member"].struct, []
        for i in range(self.n_members):
            bar_seq, revision, n_obs, symbol_id, reason, _, symbol = reader.unpack_from(
                f.data, f.members_at + i * f.members_stride)
            word = _INCLUDED[reason] if reason < len(_INCLUDED) else reason
            out.append(SimpleNamespace(symbol=_text(symbol), reason=word, bar_seq=bar_seq, bar_revision=revision,
                                       n_obs=n_obs, symbol_id=symbol_id))
        return out

    @property
    def symbols(self) -> list[str]:
        """The labels of the matrix' rows."""
        return [m.symbol for m in self.members if m.reason == "included"][:self.n_included]

    @property
    def triangle(self) -> list[float]:
        """The lower triangle with the diagonal, row by row."""
        f = self.frame
        if f.triangle_stride == 8:
            return list(struct.unpack_from(f"<{f.cells}d", f.data, f.triangle_at))
        return [struct.unpack_from("<d", f.data, f.triangle_at + i * f.triangle_stride)[0] for i in range(f.cells)]

    def matrix(self) -> list[list[float]]:
        """Full and symmetric."""
        cells, n = iter(self.triangle), self.n_included
        lower = [list(itertools.islice(cells, i + 1)) for i in range(n)]
        return [[lower[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)]

    def dataframe(self):
        """The matrix as a DataFrame, labelled by symbol on both sides."""
        import numpy
        import pandas
        n, symbols = self.n_included, self.symbols
        full = numpy.empty((n, n))
        full[numpy.tril_indices(n)] = self.triangle
        full.T[numpy.tril_indices(n)] = self.triangle
        return pandas.DataFrame(full, index=symbols, columns=symbols)


_CLASSES = {"tick": _event_class("tick"), "bar": _Bar, "tier1": _Tier1, "tier2": _Tier2,
            "news": _event_class("news"), "status": _event_class("status")}


class Gap(collections.namedtuple("Gap", "stream symbol timeframe first_seq last_seq reason first_pos last_pos")):
    """Events that do not come: first_seq .. last_seq of one stream (stream is its kind), or, where no stream is known,
    everything of positions first_pos .. last_pos."""
    __slots__ = ()
    kind = "gap"

    def __str__(self):
        if not self.symbol:
            return f"{self.stream} positions {self.first_pos} to {self.last_pos} are {self.reason}".lstrip()
        return f"{self.stream} {self.symbol}: events {self.first_seq} to {self.last_seq} are {self.reason}"


class Epoch(collections.namedtuple("Epoch", "epoch before")):
    """The log lost its end, or was restored from a copy."""
    __slots__ = ()
    kind = "epoch"


class Live(collections.namedtuple("Live", "pos count hash is_whole")):
    """Catch-up gave count events, and has reached the present: every event behind pos follows."""
    __slots__ = ()
    kind = "live"


class Broken(collections.namedtuple("Broken", "stream symbol timeframe seq chain expected")):
    """The chain of a derived event is not what its block and the chain before it make."""
    __slots__ = ()
    kind = "broken"


class Batch:
    """Events of one frame, in order."""

    __slots__ = ("frame", "rows", "is_filled")

    def __init__(self, frame: Frame, rows: list[int] | None, is_filled: bool):
        self.frame, self.rows, self.is_filled = frame, rows, is_filled

    kind = property(lambda self: self.frame.kind)

    def __len__(self):
        return self.frame.n if self.rows is None else len(self.rows)

    def __iter__(self):
        for row in range(self.frame.n) if self.rows is None else self.rows:
            yield self.frame.event(row, self.is_filled)


# ---- connections ----------------------------------------------------------------------------------------------------

PORTS = ("ingest", "tick", "bar", "tier1", "tier2", "status", "catchup")
MESSAGE_MAX = 64 << 20
_READ, _READS = 1 << 18, 16


def _urls(host: str, port_base: int, urls: dict | None) -> dict[str, str]:
    """Where the sockets are: port_base and those behind it, unless @urls says otherwise."""
    out = {name: f"tcp://{host}:{port_base + i}" for i, name in enumerate(PORTS)}
    unknown = set(urls or ()) - set(PORTS)
    if unknown:
        raise ValueError(f"'{min(unknown)}' is no socket of tickbus; there are {', '.join(PORTS)}")
    return {**out, **(urls or {})}


class _Poll:
    """An epoll that knows whose descriptor is whose."""

    def __init__(self):
        self.epoll, self.links = select.epoll(), {}

    def set(self, link: _Link, mask: int) -> None:
        fd = link.sock.fileno()
        (self.epoll.modify if fd in self.links else self.epoll.register)(fd, mask)
        self.links[fd] = link

    def forget(self, sock: socket.socket) -> None:
        if self.links.pop(sock.fileno(), None) is not None:
            self.epoll.unregister(sock.fileno())

    def wait(self, seconds: float) -> list[tuple[_Link, int]]:
        return [(self.links[fd], mask) for fd, mask in self.epoll.poll(seconds) if fd in self.links]


class _Link:
    """One SP connection over TCP or ipc: dials, greets, dials again when it broke.  Never waits."""

    DELAY_MIN, DELAY_MAX = 0.05, 1.0

    def __init__(self, url: str, protocol: int, poll: _Poll, patience: float):
        self.url, self.protocol, self.poll, self.patience = url, protocol, poll, patience
        self.is_ipc = url.startswith("ipc://")
        match = re.fullmatch(r"tcp://\[?([^\]]+?)\]?:(\d+)|ipc://(.+)", url)
        if not match:
            raise ValueError(f"'{url}' is no address: tcp://HOST:PORT or ipc://PATH")
        self.address = match[3] if self.is_ipc else (match[1], int(match[2]))
        self.sock, self.state, self.due, self.delay = None, "down", 0.0, self.DELAY_MIN
        self.got, self.out, self.heard, self.ups, self.tries, self.trouble = bytearray(), bytearray(), 0.0, 0, 0, ""

    def _dial(self, now: float) -> None:
        self.state, self.due, self.tries = "dialing", now + self.patience, self.tries + 1
        try:
            family, address = socket.AF_UNIX, self.address
            if not self.is_ipc:
                found = socket.getaddrinfo(*self.address, type=socket.SOCK_STREAM)
                family, _, _, _, address = found[self.tries % len(found)]
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            self.sock.setblocking(False)
            if not self.is_ipc:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.sock.connect(address)
            except BlockingIOError:
                pass
            self.poll.set(self, select.EPOLLIN | select.EPOLLOUT)
        except OSError as e:
            self.drop(now, e.strerror or str(e))

    def drop(self, now: float, why: str) -> None:
        """Close; dial again after a while that grows, and that is another for everybody."""
        self.close()
        self.due, self.trouble = now + self.delay * random.uniform(0.5, 1), f"{self.url}: {why}"
        self.delay = min(self.delay * 2, self.DELAY_MAX)

    def close(self) -> None:
        if self.sock is not None:
            self.poll.forget(self.sock)
            self.sock.close()
        self.sock, self.state = None, "down"
        self.got.clear()
        self.out.clear()

    def tick(self, now: float) -> None:
        """Dial, or give up; to be called after what there was has been read."""
        if now < self.due:
            return
        if self.state == "down":
            self._dial(now)
        elif self.state != "up":
            self.drop(now, "nobody greets there")

    def send(self, body: bytes) -> None:
        self.out += (b"\1" if self.is_ipc else b"") + struct.pack(">Q", len(body)) + body
        self._flush()

    def _flush(self) -> None:
        try:
            while self.out:
                del self.out[:self.sock.send(self.out)]
        except BlockingIOError:
            pass
        self.poll.set(self, select.EPOLLIN | (select.EPOLLOUT if self.out else 0))

    def ready(self, mask: int, now: float) -> list[bytes]:
        """What epoll saw; the messages that are whole now."""
        messages: list[bytes] = []
        try:
            if self.state == "dialing":
                code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code))
                self.state = "greeting"
                self.out += struct.pack(">4sHH", b"\0SP\0", self.protocol, 0)
            if mask & select.EPOLLOUT:
                self._flush()
            if mask & ~select.EPOLLOUT:
                self._read(messages, now)
        except (OSError, Malformed) as e:
            self.drop(now, getattr(e, "strerror", None) or str(e))
        return messages

    def _read(self, messages: list[bytes], now: float) -> None:
        for _ in range(_READS):
            try:
                part = self.sock.recv(_READ)
            except BlockingIOError:
                return
            if not part:
                raise ConnectionError("the other side closed the connection")
            self.got += part
            self.heard = now
            self._split(messages)
            if len(part) < _READ:
                return

    def _split(self, messages: list[bytes]) -> None:
        got, at = self.got, 0
        if self.state == "greeting" and len(got) >= 8:
            if bytes(got[:8]) != struct.pack(">4sHH", b"\0SP\0", self.protocol ^ 1, 0):
                raise Malformed("there is another protocol")
            self.state, at, self.ups = "up", 8, self.ups + 1
        head = 9 if self.is_ipc else 8
        with memoryview(got) as view:
            while self.state == "up" and len(got) - at >= head:
                size = int.from_bytes(view[at + head - 8:at + head], "big")
                if size > MESSAGE_MAX:
                    raise Malformed(f"a message of {size} bytes")
                if len(got) - at - head < size:
                    break
                messages.append(bytes(view[at + head:at + head + size]))
                at += head + size
                self.delay = self.DELAY_MIN
        del got[:at]


class _Asker:
    """Asks a REP socket one thing at a time, again on a new connection when the old one broke or stays silent."""

    def __init__(self, url: str, poll: _Poll, patience: float):
        self.link, self.patience = _Link(url, 0x30, poll, patience), patience
        self.id, self.body, self.sent_on, self.sends, self.deadline = random.getrandbits(31), None, 0, 0, 0.0

    def ask(self, body: bytes) -> None:
        self.id = (self.id + 1) & 0x7FFFFFFF
        self.body, self.sent_on, self.sends = body, 0, 0

    def tick(self, now: float) -> None:
        self.link.tick(now)
        if self.body is None or self.link.state != "up":
            return
        if self.sent_on != self.link.ups:
            self.sent_on, self.sends, self.deadline = self.link.ups, self.sends + 1, now + self.patience
            try:
                self.link.send(struct.pack(">I", self.id | 0x80000000) + self.body)
            except OSError as e:
                self.link.drop(now, str(e))
        elif now >= self.deadline:
            self.link.drop(now, "no answer")

    def due(self) -> float:
        if self.link.state != "up":
            return self.link.due
        return self.deadline if self.body is not None else math.inf

    def answer(self, message: bytes) -> bytes | None:
        """The reply in @message, if it is the one that is waited for."""
        if self.body is None or message[:4] != struct.pack(">I", self.id | 0x80000000):
            return None
        self.body = None
        return message[4:]

    def wait(self, body: bytes, timeout: float) -> bytes:
        """Ask and wait.  Raises TimedOut."""
        end = time.monotonic() + timeout
        self.ask(body)
        while True:
            now = time.monotonic()
            self.tick(now)
            if now >= end:
                self.body = None
                why = self.link.trouble.removeprefix(self.link.url)  # ": and why"
                raise TimedOut(f"{self.link.url} did not answer within {timeout:g} s{why}")
            for link, mask in self.link.poll.wait(max(0.0, min(end, self.due()) - now)):
                for message in link.ready(mask, time.monotonic()):
                    reply = self.answer(message)
                    if reply is not None:
                        return reply


class _Timer:
    """A descriptor that is readable at a moment: timerfd, which this Python does not have."""

    def __init__(self, poll: _Poll):
        self.libc = ctypes.CDLL(None, use_errno=True)
        fd = self.libc.timerfd_create(1, os.O_NONBLOCK | os.O_CLOEXEC)  # CLOCK_MONOTONIC
        if fd < 0:
            raise OSError(ctypes.get_errno(), "no timer")
        self.file = open(fd, "rb", 0)
        poll.epoll.register(fd, select.EPOLLIN)

    def set(self, seconds: float) -> None:
        ns = max(1, int(seconds * 1e9))
        self.libc.timerfd_settime(self.file.fileno(), 0, struct.pack("qqqq", 0, 0, ns // 10 ** 9, ns % 10 ** 9), None)


# ---- catch-up -------------------------------------------------------------------------------------------------------

_FROM = {"seq": 0, "pos": 1, "time": 2, "oldest": 3, "now": 4, "snapshot": 5}
_STATUS = ("ok", "gone", "refused", "busy")
STREAMS_MAX = 1024
BEATS_MAX = 1024  # streams of a heartbeat; behind a full one another part follows
RETRY = 0.05


def _stream(kind: int, symbol: bytes, timeframe_s: int = 0, first: int = 0, last: int = 0) -> bytes:
    return struct.pack("<QQIB3x32s", first, last, timeframe_s, kind, symbol)


def _mix(h: int, seq: int, pos: int, kind: int) -> int:
    """The rolling hash of catch-up's pages."""
    return ((h << 25 | h >> 39) & _MASK ^ seq ^ pos << 20 & _MASK ^ kind) * 0x9E3779B97F4A7C15 & _MASK


class _Source:
    """A frame being read: row is the next event."""

    __slots__ = ("frame", "keys", "row")

    def __init__(self, frame: Frame):
        self.frame, self.row = frame, 0
        self.keys = frame.beats() if frame.kind == "hb" else frame.keys()


def _page(data: bytes, prices: str) -> SimpleNamespace:
    """A page of catch-up.  Raises Malformed."""
    if len(data) < 8:
        raise Malformed("a page's header is cut short")
    length, template, schema, _ = _HEADER.unpack_from(data)
    if schema != SCHEMA or template != 32 or length < 104 or 8 + length > len(data):
        raise Malformed("catch-up answered with something that is no page")
    p = SimpleNamespace(hash=None, count=0, frames=collections.deque(), gone=[], held=[], is_first=False, is_snapshot=False)
    (p.epoch, p.live_pos, p.first_held_pos, p.next_pos, p.next_skip, p.status, p.done, p.next_from,
     text) = struct.unpack_from("<QQQQIBBBx64s", data, 8)
    if length >= 120:
        p.count, p.hash = struct.unpack_from("<QQ", data, 8 + 104)
    p.status, p.text = _STATUS[min(p.status, 3)], _text(text)
    p.next_from = p.next_from if p.next_from in (1, 5) else 1
    stride, n, at = _group(data, 8 + length, 48)
    for i in range(n):
        first, frame_s, kind, symbol = struct.unpack_from("<QIB3x32s", data, at + i * stride)
        p.gone.append((kind, symbol, frame_s, first))
    _, n, at = _group(data, at + n * stride, 0)
    for _ in range(n):
        if at + 4 > len(data):
            raise Malformed("a page is cut short")
        size = struct.unpack_from("<I", data, at)[0]
        if at + 4 + size > len(data):
            raise Malformed("a page's frame is cut short")
        frame = decode(data[at + 4:at + 4 + size], 0, prices)
        if frame is not None and frame.kind != "hb":
            p.frames.append(_Source(frame))
        at += 4 + size
    if at < len(data):  # an older daemon's page ends here
        stride, n, at = _group(data, at, 48, _GROUP32)
        for i in range(n):
            first, frame_s, kind, symbol = struct.unpack_from("<QIB3x32s", data, at + i * stride)
            p.held.append((kind, symbol, frame_s, first))
    return p


class _Job:
    """What is asked of catch-up, page after page.

    history  where a subscription begins        resync   one kind, from where it is known to be whole
    hole     one stream, up to a sequence       check    streams whose history may be gone
    """

    def __init__(self, what: str, start: str, kinds: int, value: int = 0, streams: tuple = ()):
        self.what, self.start, self.kinds, self.value, self.streams = what, _FROM[start], kinds, value, streams
        self.first_pos, self.begins_here = value if start == "pos" else 0, start in ("now", "snapshot")
        self.skip = self.count = self.hash = self.server_count = 0
        self.server_hash = None
        self.pages, self.page, self.source = collections.deque(), None, None
        self.is_asked = self.is_complete = self.is_gone = self.has_page = False
        self.retry_at, self.give_up_at, self.target, self.serial = 0.0, math.inf, None, None
        self.stream, self.key, self.last = None, None, 0  # of a hole
        self.met = None  # of a resync that a new stream asked for: (its _Stream, what came before it at the most, position)

    def request(self) -> bytes:
        return (_HEADER.pack(40, 31, SCHEMA, 1)
                + struct.pack("<QIIIB3xQQ", self.value, self.skip, 0, self.kinds, self.start, self.server_count,
                              self.server_hash or 0)
                + _GROUP.pack(56, len(self.streams)) + b"".join(self.streams))

    def take(self, page: SimpleNamespace) -> None:
        """A page that has come; where the next one begins."""
        page.is_snapshot = self.start == _FROM["snapshot"]
        page.is_first, self.has_page = not self.has_page, True
        if self.target is None:
            self.target = page.live_pos
        for source in page.frames if self.what == "history" else ():
            kind, h = KINDS[source.frame.kind], self.hash
            for key in source.keys:
                h = _mix(h, key[0], key[1], kind)
            self.hash, self.count = h, self.count + len(source.keys)
        self.server_count, self.server_hash = page.count, page.hash
        self.start, self.value, self.skip = page.next_from, page.next_pos, page.next_skip
        self.pages.append(page)


# ---- subscribing ----------------------------------------------------------------------------------------------------

COUNTS = {
    "events": "given", "filled": "of these from catch-up", "lost": "told in gaps",
    "skipped": "told in gaps, left out by the policy", "gaps": "holes seen, filled or not",
    "duplicates": "left out: they had been given", "filtered": "not asked for",
    "malformed": "messages and pages that were none", "unknown": "messages of other templates, to be ignored",
    "stale": "events of an epoch that has ended", "heartbeats": "had", "pages": "of catch-up",
    "reconnects": "of PUB sockets", "resyncs": "fetches behind a lost frame or connection"}
_LEFT = ("conflated", "sampled")
_HELD = ("bar", "tier1", "tier2", "news")  # by the kill switch; ticks and status events never are
_MORE = object()  # go on: something was done, and nothing is to be given


class _Stream:
    """How far one stream has come."""

    __slots__ = ("last", "epoch", "recv", "chain")

    def __init__(self):
        self.last, self.epoch, self.recv, self.chain = -1, 0, 0, None  # -1: nothing is known of it


def _stream_name(key) -> tuple[str, str]:
    """(symbol or universe, timeframe) of a stream's key, for people."""
    return (_text(key[0]), timeframe_name(key[1])) if isinstance(key, tuple) else (_text(key), "")


class _Lane:
    """What comes over one PUB socket, in its order, behind what catch-up has to fill in first.

    Whoever sees a message of which the one before is missing notes it in loss: the serial number of the newest message
    then.  A page asked for later than that covers the loss; clean is the newest number so covered.
    """

    def __init__(self, kind: str | None, link: _Link | None):
        self.kind, self.link, self.jobs = kind, link, []
        self.queue, self.bytes = collections.deque(), 0  # of [loss, serial, frame]
        self.serial = self.clean = self.ups = 0
        self.reached = self.floor = 0  # everything at or below was given, and every stream in it is known; what was before
        self.frame_seq, self.source = None, None
        self.part = self.beat_ns = 0  # the part that the next heartbeat has to be; when the newest was sent


class _Newest:
    """Keeps the newest event per stream and timeframe until it is due; what it replaces is announced."""

    def __init__(self, every: float, reason: str):
        self.every, self.reason = every, reason
        self.slots: dict = {}  # by stream: [due, {timeframe: Event}, [[first, last, reason]]]
        self.waiting: collections.OrderedDict = collections.OrderedDict()

    def _slot(self, key: tuple) -> list:
        slot = self.slots.setdefault(key, [0.0, {}, []])
        self.waiting.setdefault(key)
        return slot

    def add(self, event: Event) -> None:
        frame = getattr(event, "timeframe", "")
        slot = self._slot((event.kind, event.symbol, frame if event.kind == "tier2" else ""))
        old = slot[1].pop(frame, None)
        if old is not None and slot[2] and slot[2][-1][1:] == [old.seq - 1, self.reason]:
            slot[2][-1][1] = old.seq
        elif old is not None:
            slot[2].append([old.seq, old.seq, self.reason])
        slot[1][frame] = event

    def add_gap(self, gap: Gap) -> None:
        self._slot((gap.stream, gap.symbol, gap.timeframe))[2].append([gap.first_seq, gap.last_seq, gap.reason])

    def due(self) -> float:
        return min((self.slots[key][0] for key in self.waiting), default=math.inf) if self.every else \
            0.0 if self.waiting else math.inf

    def pop(self, now: float) -> list:
        """What is due: gaps and events of a stream in the order of their sequences."""
        if not self.every:  # one stream at a time: the others' newest may still be replaced
            return self._pop(next(iter(self.waiting)), now) if self.waiting else []
        return [item for key in [k for k in self.waiting if self.slots[k][0] <= now] for item in self._pop(key, now)]

    def _pop(self, key: tuple, now: float) -> list:
        del self.waiting[key]
        _, events, ranges = self.slots[key]
        self.slots[key] = [now + self.every, {}, []]
        merged: list = []
        for first, last, reason in sorted(ranges):
            if merged and merged[-1][1] + 1 == first and merged[-1][2] == reason:
                merged[-1][1] = last
            else:
                merged.append([first, last, reason])
        out = [(g[0], Gap(*key, *g, 0, 0)) for g in merged]
        out += [(e.seq, Batch(e.frame, [e.row], e.is_filled)) for e in events.values()]
        return [item for _, item in sorted(out, key=lambda pair: pair[0])]


class Subscriber:
    """A subscription; see the module's text.

    kinds      "bar", "tick,bar" or a list          symbols    exact names, universes for matrices; None: all
    timeframe  "1m"; None: all                      host, port_base, urls    where the daemon is
    timeout    seconds that one answer of catch-up may take; it is asked again for ever
    heartbeat  what the daemon is configured to send, seconds
    patience   so long catch-up may stand still before what it does not give is called lost, seconds
    """

    QUEUE_MAX = 64 << 20  # bytes per kind that wait while catch-up is read; the oldest give way, and are fetched again
    READ_AHEAD = 1 << 20

    def __init__(self, kinds="tick,bar,tier1,tier2,news,status", symbols=None, timeframe: str | None = None,
                 start: str = "now", at=None, policy: str = "lossless", sample_ms: int = 1000, prices: str = "decimal",
                 check_chain: bool = False, live: bool = True, host: str = "127.0.0.1", port_base: int = 7400,
                 urls: dict | None = None, timeout: float = 5.0, heartbeat: float = 1.0,
                 patience: float = 30.0):
        self._kinds = list(dict.fromkeys(kinds.replace(",", " ").split() if isinstance(kinds, str) else kinds))
        for name, value, known in [("kind", k, KINDS) for k in self._kinds] + [
                ("timeframe", timeframe, [None, *TIMEFRAMES]), ("start", start, _FROM), ("prices", prices, _PRICES),
                ("policy", policy, ("lossless", "conflate", "sample", "best_effort"))]:
            if value not in known:
                raise ValueError(f"'{value}' is no {name}; there are {', '.join(k for k in known if k)}")
        if not self._kinds:
            raise ValueError("no kind is asked for")
        names = [symbols] if isinstance(symbols, str) else symbols
        self._wanted = None if names is None else {_name(n) for n in names}
        self._timeframe_s = TIMEFRAMES.get(timeframe, 0)
        self._prices, self._beat, self._patience = prices, heartbeat, patience
        self._check, self._fills = check_chain, policy != "best_effort"
        self._is_exact = start != "now" and policy == "lossless"  # also of what the kill switch held
        self._newest = {"conflate": _Newest(0, "conflated"),
                        "sample": _Newest(sample_ms / 1000, "sampled")}.get(policy)
        self.counts = SimpleNamespace(**dict.fromkeys(COUNTS, 0))
        self._streams: dict[str, dict] = {kind: {} for kind in KINDS}
        self._out, self._given, self._events = collections.deque(), collections.deque(), None
        self._epoch = self._turn = self._given_since = 0
        self._past, self._is_live, self._has_begun, self._is_ended = _Lane(None, None), False, False, False
        if self._fills or start != "now":
            self._past.jobs.append(self._history(start, at))
        where, self._poll = _urls(host, port_base, urls), _Poll()
        self._asker = _Asker(where["catchup"], self._poll, timeout)
        self._asking, self._to_ask = None, collections.deque()
        self._lanes = [_Lane(k, _Link(where["status" if k == "news" else k], 0x21, self._poll, 3.5 * heartbeat)) for k in self._kinds if live]
        self._by_link = {lane.link: lane for lane in self._lanes}
        self._timer = _Timer(self._poll)
        self._timer.set(0)  # readable from the beginning: history has to be asked for
        self._pump(0)

    def _history(self, start: str, at) -> _Job:
        bits = sum(1 << KINDS[kind] for kind in self._kinds)
        if start != "seq":
            value = {"pos": int, "time": _ns}.get(start, lambda _: 0)(at)
            return _Job("history", start, bits, value, self._wanted_streams())
        streams = []
        for (kind, symbol, *frame), first in at.items():
            frame_s, name = TIMEFRAMES[frame[0]] if frame else 0, _name(symbol)
            stream = self._streams[kind][(name, frame_s) if kind == "tier2" else name] = _Stream()
            stream.last = first - 1
            streams.append(_stream(KINDS[kind], name, frame_s, first))
        if not 0 < len(streams) <= STREAMS_MAX:
            raise ValueError(f"start='seq' needs at={{(kind, symbol): sequence, ...}}, at most {STREAMS_MAX}")
        return _Job("history", "seq", bits, 0, tuple(streams))

    def _wanted_streams(self) -> tuple:
        """The filter for catch-up; where it would be too long, everything comes and is filtered here."""
        if self._wanted is None or len(self._wanted) > STREAMS_MAX:
            return ()
        return tuple(_stream(255, name) for name in sorted(self._wanted))

    # -- what comes in

    def _pump(self, wait: float) -> None:
        """Dial, ask, read; waits at most so long."""
        now = time.monotonic()
        for lane in self._lanes:
            if lane.link.state == "down":
                lane.link.tick(now)
        self._ask_on(now)
        for link, mask in self._poll.wait(wait):
            now, lane = time.monotonic(), self._by_link.get(link)
            if lane is not None and lane.bytes > self.READ_AHEAD and not (lane.jobs or self._past.jobs):
                link.heard = now  # the reader is slow; what waits in the kernel is a sign of life
                continue
            for message in link.ready(mask, now):
                self._on_page(message) if lane is None else self._on_message(lane, message)
        now = time.monotonic()
        for lane in self._lanes:  # only now: silence is judged behind what there was to read
            if lane.link.state == "up" and now - lane.link.heard > 3.5 * self._beat:
                lane.link.drop(now, f"silent for {now - lane.link.heard:.1f} s")
            lane.link.tick(now)
        self._ask_on(now)

    def _ask_on(self, now: float) -> None:
        """The next job's question; what its kind received before it is sent is covered by the answer."""
        if self._asking is None and self._to_ask:
            job = self._asking = self._to_ask.popleft()
            if job.serial is None:
                job.serial = next((lane.serial for lane in self._lanes if job in lane.jobs), 0)
            self._asker.ask(job.request())
        if self._asking is not None:
            self._asker.tick(now)

    def _on_message(self, lane: _Lane, message: bytes) -> None:
        if lane.ups != lane.link.ups:
            self.counts.reconnects += lane.ups > 0
            lane.ups, lane.frame_seq = lane.link.ups, None
        try:
            frame = decode(message, message.find(b"|", 0, 16) + 1, self._prices)
        except Malformed:
            self.counts.malformed += 1
            lane.frame_seq = None  # it may have been events
            return
        if frame is not None and {frame.about, lane.kind} == {"news", "status"}:
            return  # they share a port
        if frame is None or frame.about != lane.kind:
            self.counts.unknown += 1
            return
        lane.serial += 1
        is_beat = frame.kind == "hb"
        self.counts.heartbeats += is_beat
        is_next = lane.frame_seq is not None and frame.frame_seq == lane.frame_seq + (not is_beat)
        if is_beat and not self._follows_beat(lane, frame):
            is_next = False
        lane.frame_seq = frame.frame_seq
        lane.queue.append([0 if is_next else lane.serial, lane.serial, frame])
        lane.bytes += len(message)
        while lane.bytes > self.QUEUE_MAX and len(lane.queue) > 1:
            _, serial, old = lane.queue.popleft()
            lane.bytes -= len(old.data)
            lane.queue[0][0] = max(lane.queue[0][0], serial)

    def _follows_beat(self, lane: _Lane, frame: Frame) -> bool:
        """Is no heartbeat missing between the newest and this one?  Those of kinds that the kill switch may hold name what it
        begins to hold, so none may be missed."""
        is_late = lane.beat_ns and frame.publish_ns - lane.beat_ns > 1.5e9 * self._beat
        is_next = not is_late and frame.part == lane.part
        lane.beat_ns, lane.part = frame.publish_ns, frame.part + 1 if frame.n == BEATS_MAX else 0
        return is_next or not self._is_exact or lane.kind not in _HELD

    def _on_page(self, message: bytes) -> None:
        data = self._asker.answer(message)
        if data is None:
            return
        job, self._asking = self._asking, None
        job.is_asked = False
        try:
            page = _page(data, self._prices)
        except Malformed as e:
            self.counts.malformed += 1
            self._asker.link.drop(time.monotonic(), str(e))
            return
        self.counts.pages += 1
        if page.status == "busy":
            job.retry_at = time.monotonic() + RETRY
        elif page.status == "refused":
            self._refuse(job, page)
        else:
            before = job.start, job.value, job.skip
            job.take(page)
            self._go_on(job, page, before != (job.start, job.value, job.skip))

    def _refuse(self, job: _Job, page: SimpleNamespace) -> None:
        """Without history there is nothing to give: say so, and ask again.  What else it was stays a gap."""
        job.is_complete, job.retry_at = job.what != "history", time.monotonic() + 1
        if job.what == "history":
            self._out.append(Refused(f"catch-up refused: {page.text}"))

    def _go_on(self, job: _Job, page: SimpleNamespace, has_moved: bool) -> None:
        """Is it complete, is the next page asked for at once, or a little later?"""
        now = time.monotonic()
        job.is_gone |= page.status == "gone"
        # Pages leave nothing out: beyond the target, what they did not bring is not there.
        if job.what == "check":
            job.is_complete = bool(page.done)
        elif job.what != "hole" or page.done:
            job.is_complete = page.next_pos > job.target and page.next_from == 1
        if has_moved or page.frames or job.give_up_at == math.inf:
            job.give_up_at = now + self._patience
        elif now > job.give_up_at:
            job.is_complete = True
        if page.done:
            job.retry_at = now + RETRY
        elif len(job.pages) < 3:
            self._ask(job)

    def _ask(self, job: _Job) -> None:
        if not (job.is_asked or job.is_complete):
            job.is_asked = True
            self._to_ask.append(job)

    # -- what comes next

    def _step(self):
        """The next Batch or notice; None: nothing to give at present."""
        while not self._out:
            lanes, item = [self._past] if self._past.jobs else self._lanes, None
            for _ in range(len(lanes)):
                lane = lanes[self._turn % len(lanes)]
                item = _MORE
                while item is _MORE:
                    item = self._step_job(lane, lane.jobs[-1]) if lane.jobs else self._step_lane(lane)
                    if self._out or lane is self._past and not lane.jobs:
                        break
                self._turn += 1  # a flood of ticks must not hold back the bars
                if item is not None:
                    break
            if item is None:
                self._go_live()
                break
            if item is not _MORE:
                self._out.append(item)
        return self._out.popleft() if self._out else None

    def _go_live(self) -> None:
        """Without history, being connected everywhere is being live."""
        if not (self._is_live or self._past.jobs) and all(lane.link.state == "up" for lane in self._lanes):
            self._is_live = True
            self._out.append(Live(0, 0, 0, None))

    def _step_lane(self, lane: _Lane):
        if lane.source is None:
            if not lane.queue:
                return None
            loss, _, frame = lane.queue[0]
            if loss > lane.clean:
                lane.clean = loss
                if self._fills:
                    return self._resync(lane)
            lane.queue.popleft()
            lane.bytes -= len(frame.data)
            lane.source = _Source(frame)
        item = self._take(lane, lane.source, None)
        if lane.source.row >= lane.source.frame.n:
            if lane.source.frame.kind == "hb":
                lane.reached = max(lane.reached, lane.source.frame.last_pos)
            lane.source = None
        return item

    def _resync(self, lane: _Lane):
        """Something was lost: fetch the kind from where it is known to be whole; who wants only the newest anyhow gets
        that instead when it is less."""
        behind = lane.queue[-1][2].last_pos - lane.reached if lane.queue else 0
        is_short = self._newest is None or behind <= 4 * max(STREAMS_MAX, len(self._streams[lane.kind]))
        start, value = ("pos", lane.reached + 1) if is_short else ("snapshot", 0)
        job = _Job("resync", start, 1 << KINDS[lane.kind], value, self._wanted_streams())
        lane.jobs.append(job)
        self.counts.resyncs += 1
        self._ask(job)
        return _MORE

    def _step_job(self, lane: _Lane, job: _Job):
        if job.source is not None:
            item = self._take(lane, job.source, job)
            if job.source.row >= job.source.frame.n:
                job.source = None
            return item
        if job.page is not None:
            if job.page.frames:
                job.source = job.page.frames.popleft()
            else:
                self._note_held(job.page)
                job.page = None
                if job.what == "hole":
                    job.is_complete |= self._streams[job.stream][job.key].last >= job.last
            return _MORE
        if job.pages:
            return self._open_page(lane, job)
        if job.is_complete:
            lane.jobs.pop()
            return self._finish(lane, job)
        if time.monotonic() >= job.retry_at:
            self._ask(job)
        return None

    def _open_page(self, lane: _Lane, job: _Job):
        page = job.page = job.pages.popleft()
        if not job.is_complete and not page.done and job.what != "hole":
            self._ask(job)
        if page.is_first and page.status == "gone" and not page.gone and job.what == "history":
            self._out.append(Gap("", "", "", 0, 0, "gone", job.first_pos, page.first_held_pos - 1))
        for kind, symbol, frame_s, first_held in page.gone:
            self._on_gone(job, kind, symbol, frame_s, first_held)
        return _MORE

    def _stream_of(self, number: int, symbol: bytes, frame_s: int):
        """(kind, key, stream) of what a page names; the stream is None when nothing is known of it, the kind when it is not ours."""
        kind = next((k for k, n in KINDS.items() if n == number and k in self._kinds), None)
        key = (symbol, frame_s) if kind == "tier2" else symbol
        return kind, key, self._streams.get(kind, {}).get(key)

    def _on_gone(self, job: _Job, number: int, symbol: bytes, frame_s: int, first_held: int) -> None:
        kind, key, stream = self._stream_of(number, symbol, frame_s)
        last = first_held - 1
        if job.what == "hole" and (first_held == 0 or last > job.last):
            last = job.last
        if stream is not None and stream.last >= 0 and last > stream.last:
            self._out.append(self._gap(kind, key, stream, last, "gone"))

    def _note_held(self, page: SimpleNamespace) -> None:
        """A page has been read of which the kill switch withheld something: where these streams go on, once they may."""
        for number, symbol, frame_s, first in page.held:
            kind, key, stream = self._stream_of(number, symbol, frame_s)
            if kind is None or first == 0 or self._wanted is not None and symbol not in self._wanted:
                continue
            if stream is None:
                stream = self._streams[kind][key] = _Stream()
            if stream.last < 0:
                stream.last, stream.epoch = first - 1, page.epoch

    def _finish(self, lane: _Lane, job: _Job):
        if job.what == "hole":
            stream = self._streams[job.stream][job.key]
            if stream.last < job.last:
                return self._gap(job.stream, job.key, stream, job.last, "gone" if job.is_gone else "lost")
        elif job.what == "resync":
            lane.clean = max(lane.clean, job.serial or 0)
            lane.reached = job.target if job.target is not None and job.target < lane.reached else max(
                lane.reached, job.value - 1)
            if job.is_gone:
                self._check_streams(lane)
            if job.met is not None and lane.reached < job.met[2]:
                return self._met_in_vain(lane, job)
        elif job.what == "history":
            return self._finish_history(job)
        return _MORE

    def _finish_history(self, job: _Job):
        reached = max(0, job.value - 1)
        for each in self._lanes:
            each.reached, each.floor = reached, reached if job.begins_here else max(0, job.first_pos - 1)
        self._is_live, self._has_begun, self._is_ended = True, True, not self._lanes
        is_whole = None if job.server_hash is None else (job.count, job.hash) == (job.server_count, job.server_hash)
        return Live(reached, job.count, job.hash, is_whole)

    def _check_streams(self, lane: _Lane) -> None:
        """Part of what was lost is not held any more: ask for every stream by its number, which tells what exactly."""
        streams = [_stream(KINDS[lane.kind], *(key if lane.kind == "tier2" else (key, 0)), s.last + 1)
                   for key, s in self._streams[lane.kind].items() if s.last >= 0]
        for i in range(0, len(streams), STREAMS_MAX):
            lane.jobs.append(_Job("check", "seq", 1 << KINDS[lane.kind], 0, tuple(streams[i:i + STREAMS_MAX])))

    # -- what an event means

    def _take(self, lane: _Lane, source: _Source, job: _Job | None):
        """The events of a frame up to the next hole, as a Batch; or what stands in front of them."""
        frame = source.frame
        if frame.epoch != self._epoch:
            before, self._epoch = self._epoch, max(self._epoch, frame.epoch)
            if frame.epoch < before:
                self.counts.stale += frame.n - source.row
                source.row = frame.n
                return _MORE
            if before:
                return self._on_epoch(frame.epoch, before)
        if frame.kind == "hb":
            return self._take_beats(lane, source)
        rows: list[int] = []
        hole = self._accept(source, job, lane, rows)
        if rows:
            self.counts.events += len(rows)
            self.counts.filled += len(rows) if job else 0
            return Batch(frame, None if len(rows) == frame.n else rows, job is not None)
        if hole is None:
            return _MORE
        key, stream, what = hole
        if what is None:
            return self._ask_about(lane, stream, *source.keys[source.row][:2])
        if isinstance(what, Broken):
            stream.chain = -1  # told; the next look at this event lets it pass
            return what
        return self._on_hole(lane, job, frame.kind, key, stream, what, source.keys[source.row][1])

    def _on_epoch(self, epoch: int, before: int) -> Epoch:
        """What was behind the loss may be numbered anew, and where it was nobody says: go through all that is held."""
        for lane in self._lanes:
            lane.reached = 0
            if self._fills:
                self._resync(lane)
        return Epoch(epoch, before)

    def _accept(self, source: _Source, job: _Job | None, lane: _Lane, rows: list[int]):
        """Appends the rows that may be given now; if one may not, (key, stream, last missing sequence, Broken, or None: nothing is
        known of the stream)."""
        frame, keys, counts, kind = source.frame, source.keys, self.counts, source.frame.kind
        streams, wanted, epoch, frame_s_wanted = self._streams[kind], self._wanted, frame.epoch, self._timeframe_s
        floor, begin = lane.floor if job else 0, lane.reached if job is None and self._is_exact and kind in _HELD else math.inf
        is_matrix, check = kind == "tier2", self._check and kind != "tick"
        may_jump = job is not None and job.page.is_snapshot and job.what == "history"
        for row in range(source.row, frame.n):
            seq, pos, recv, frame_s, symbol = keys[row]
            if wanted is not None and symbol not in wanted:
                counts.filtered += 1
                continue
            key = (symbol, frame_s) if is_matrix else symbol
            stream = streams.get(key)
            if stream is None:
                stream = streams[key] = _Stream()
                if pos <= floor:  # before the beginning, seen only for its number
                    stream.last, stream.recv, stream.epoch = seq, recv, epoch
                    continue
            last = stream.last
            if last < 0 and seq > 1 and pos > begin:  # was something of it held, or lost?
                source.row = row
                return key, stream, None
            if seq != last + 1 and last >= 0:
                if seq <= last and (epoch == stream.epoch or recv <= stream.recv):
                    counts.duplicates += 1
                    continue
                if seq > last and not may_jump:
                    source.row = row
                    return key, stream, seq - 1
                stream.chain = None  # of a snapshot, or numbered anew since the log lost its end
            if check and not self._follows(frame, row, stream, seq):
                source.row = row
                return key, stream, self._broken(frame, row, key, seq)
            stream.last, stream.recv, stream.epoch = seq, recv, epoch
            if frame_s_wanted and frame_s and frame_s != frame_s_wanted:
                counts.filtered += 1
                continue
            rows.append(row)
        source.row = frame.n
        return None

    @staticmethod
    def _link_of(block: bytes, before: int) -> int:
        linked = block[:24] + bytes(8) + block[32:-8] + struct.pack("<Q", before)
        return int.from_bytes(hashlib.blake2b(linked, digest_size=8).digest(), "little")

    def _follows(self, frame: Frame, row: int, stream: _Stream, seq: int) -> bool:
        """Does the event's chain follow that of the one before, as far as we hold it?"""
        block, before = frame.block(row), 0 if seq == 1 and stream.chain is None else stream.chain
        chain = int.from_bytes(block[-8:], "little")
        if before is not None and before >= 0 and self._link_of(block, before) != chain:
            return False
        stream.chain = chain
        return True

    def _broken(self, frame: Frame, row: int, key, seq: int) -> Broken:
        before = self._streams[frame.kind][key].chain or 0
        expected = self._link_of(frame.block(row), before)
        return Broken(frame.kind, *_stream_name(key), seq, frame.event(row).chain, expected)

    def _take_beats(self, lane: _Lane, source: _Source):
        """Every stream that we follow must have come as far as the heartbeat says."""
        kind, streams = source.frame.about, self._streams[source.frame.about]
        for row in range(source.row, source.frame.n):
            last_seq, pos, _, frame_s, symbol = source.keys[row]
            if self._wanted is not None and symbol not in self._wanted:
                continue
            key = (symbol, frame_s) if kind == "tier2" else symbol
            stream = streams.get(key) or streams.setdefault(key, _Stream())
            if stream.last < 0 and self._has_begun and self._fills:
                if last_seq > 0 and pos > lane.reached:
                    source.row = row
                    return self._ask_about(lane, stream, last_seq + 1, pos)
                if source.frame.last_pos <= lane.reached:
                    continue  # of a time whose streams are known: this one was before ours
            if stream.last < 0:
                stream.last, stream.epoch = last_seq, source.frame.epoch  # from here on nothing is missed
            elif last_seq > stream.last:
                source.row = row
                return self._on_hole(lane, None, kind, key, stream, last_seq, pos)
        source.row = source.frame.n
        return _MORE

    def _ask_about(self, lane: _Lane, stream: _Stream, seq: int, pos: int):
        """The first that is heard of a stream is number @seq at @pos, and not its first: the little behind what is known to be
        whole is fetched first.  What the kill switch holds of it is named there; what it held and released is in it."""
        job = _Job("resync", "pos", 1 << KINDS[lane.kind], lane.reached + 1, self._wanted_streams())
        job.met = stream, seq - 1, pos
        lane.jobs.append(job)
        self.counts.resyncs += 1
        self._ask(job)
        return _MORE

    def _met_in_vain(self, lane: _Lane, job: _Job):
        """Catch-up did not get so far: whether something is missing nobody says."""
        stream, last, pos = job.met
        if stream.last < 0:
            stream.last, stream.epoch = last, self._epoch
        if self._newest is not None:
            return _MORE
        return Gap(lane.kind, "", "", 0, 0, "lost", lane.reached + 1, pos)

    def _on_hole(self, lane: _Lane, job: _Job | None, kind: str, key, stream: _Stream, last: int, pos: int):
        """Events up to number last are missing; what showed it is at position pos."""
        self.counts.gaps += 1
        if not self._fills:
            return self._gap(kind, key, stream, last, "lost")
        if job is not None and job.what == "hole":  # catch-up was asked for just these
            return self._gap(kind, key, stream, last, "gone")
        if job is not None and job.page.is_snapshot:
            return self._gap(kind, key, stream, last, self._newest.reason)
        symbol, frame_s = key if kind == "tier2" else (key, 0)
        hole = _Job("hole", "seq", 1 << KINDS[kind], 0, (_stream(KINDS[kind], symbol, frame_s, stream.last + 1, last),))
        hole.stream, hole.key, hole.last, hole.target = kind, key, last, pos
        lane.jobs.append(hole)
        self._ask(hole)
        return _MORE

    def _gap(self, kind: str, key, stream: _Stream, last: int, reason: str) -> Gap:
        gap = Gap(kind, *_stream_name(key), stream.last + 1, last, reason, 0, 0)
        self.counts.lost += last - stream.last if reason not in _LEFT else 0
        stream.last, stream.chain = last, None
        return gap

    # -- giving

    def _pull(self):
        """The next item as the policy has it."""
        if self._newest is None or self._past.jobs:  # history comes whole
            return self._step()
        if not self._given:
            self._pump(0)
            while (item := self._step()) is not None:
                if isinstance(item, Batch):
                    for event in item:
                        self._newest.add(event)
                elif isinstance(item, Gap) and item.stream:
                    self._newest.add_gap(item)
                else:
                    self._given.append(item)
            due = self._newest.pop(time.monotonic())
            self.counts.skipped += sum(g.last_seq - g.first_seq + 1 for g in due if getattr(g, "reason", "") in _LEFT)
            self._given.extend(due)
        return self._given.popleft() if self._given else None

    def _due(self) -> float:
        """When something is to be done though nothing comes in."""
        due = [self._newest.due() if self._newest else math.inf]
        due += [link.heard + 3.5 * self._beat if link.state == "up" else link.due for link in self._by_link]
        jobs = [lane.jobs[-1] for lane in ([self._past] if self._past.jobs else self._lanes) if lane.jobs]
        due += [job.retry_at for job in jobs if not job.is_asked]
        return min(due + [self._asker.due()] if self._asking is not None else due)

    def next_batch(self, timeout: float | None = None):
        """The next Batch or notice; None: nothing came in @timeout seconds (None: for ever; 0 only looks), or, without
        live, that is all.  Raises Refused."""
        if self._events is not None:
            rest, self._events = list(self._events), None
            if rest:
                return Batch(rest[0].frame, [e.row for e in rest], rest[0].is_filled)
        end = None if timeout is None else time.monotonic() + timeout
        has_looked = False
        self._given_since += 1
        if self._given_since % 64 == 0:
            self._pump(0)
        while True:
            item = self._pull()
            if isinstance(item, TickbusError):
                raise item
            if item is not None or self._is_ended:
                return item
            now = time.monotonic()
            if has_looked and end is not None and now >= end:
                self._timer.set(min(self._due() - now, 1.0))
                return None
            until = self._due() if end is None else min(end, self._due())
            self._pump(max(0.0, min(until - now, 1.0)))
            has_looked = True

    def next(self, timeout: float | None = None):
        """The next event or notice; otherwise as next_batch()."""
        if self._events is not None:
            event = next(self._events, None)
            if event is not None:
                return event
            self._events = None
        item = self.next_batch(timeout)
        if isinstance(item, Batch):
            self._events = iter(item)
            return next(self._events)
        return item

    def batches(self):
        """Every Batch and notice."""
        while (item := self.next_batch()) is not None:
            yield item

    def to_dataframe(self, max_events: int = 100_000, timeout: float | None = None, until_live: bool = False,
                     prices: str = "float"):
        """A DataFrame of what comes next (several kinds: a dict of them, by kind), until there are so many events, the
        time is over, or (until_live) the live notice comes.  attrs["notices"] has the gaps and other notices."""
        parts: dict[str, list] = {kind: [] for kind in self._kinds}
        notices, n = [], 0
        end = None if timeout is None else time.monotonic() + timeout
        while n < max_events:
            item = self.next_batch(None if end is None else max(0.0, end - time.monotonic()))
            if item is None:
                break
            if isinstance(item, Batch):
                parts[item.kind].append(item)
                n += len(item)
                continue
            notices.append(item)
            if until_live and item.kind == "live":
                break
        frames = {kind: dataframe(part, prices, kind) for kind, part in parts.items()}
        for frame in frames.values():
            frame.attrs["notices"] = notices
        return frames if len(frames) > 1 else frames[self._kinds[0]]

    def fileno(self) -> int:
        """Readable when next(0) should be called until it says None."""
        return self._poll.epoll.fileno()

    @property
    def trouble(self) -> str:
        """Why what is broken is broken; "" when all is well."""
        troubles = [lane.link.trouble for lane in self._lanes if lane.link.state != "up"]
        if self._asking is not None and (self._asker.sends > 1 or self._asker.link.state != "up"):
            troubles.append(self._asker.link.trouble)
        return next((text for text in troubles if text), "")

    def close(self) -> None:
        for link in [lane.link for lane in self._lanes] + [self._asker.link]:
            link.close()
        self._timer.file.close()
        self._poll.epoll.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self):
        return self

    def __next__(self):
        item = self.next()
        if item is None:
            raise StopIteration
        return item


def history(kinds, symbols=None, start: str = "oldest", at=None, **options) -> Subscriber:
    """Everything that is held, from @start on, up to now; then the iteration ends."""
    return Subscriber(kinds, symbols, start=start, at=at, live=False, **options)


def dataframe(batches, prices: str = "float", kind: str | None = None):
    """A DataFrame of batches of one kind: prices as floats, exact decimals or ints, times as datetime64[ns, UTC]."""
    import numpy
    import pandas
    batches = list(batches)
    kind = kind or (batches[0].kind if batches else "tick")
    block, parts = _BLOCKS[kind], []
    for stride, group in itertools.groupby(batches, key=lambda b: b.frame.stride):
        part = numpy.frombuffer(b"".join(map(_raw, group)), block.dtype(stride))
        parts.append(part if stride == block.size else part.astype(block.dtype(block.size)))
    data = numpy.concatenate(parts or [numpy.empty(0, block.dtype(block.size))])
    if kind == "tier1":  # vectors: blocks of indicators have other columns
        data = data[data["flags"] & _FLAGS[kind]["is_indicators"] == 0]
    columns: dict = {}
    for name, code in block.codes:
        _add_columns(columns, kind, name, code, data, prices)
    return pandas.DataFrame(columns, copy=False)


def _raw(batch: Batch) -> bytes:
    f = batch.frame
    if batch.rows is None:
        return f.data[f.at:f.at + f.n * f.stride]
    return b"".join(f.data[f.at + row * f.stride:f.at + (row + 1) * f.stride] for row in batch.rows)


def _add_columns(columns: dict, kind: str, name: str, code: str, data, prices: str) -> None:
    """What field @name of the blocks makes in a DataFrame."""
    import numpy
    import pandas
    raw = data[name]
    if name in ("reserved", "volume_hi"):
        return
    if name.endswith("_ns"):
        name = {"event_ns": "time", "recv_ns": "recv_time"}.get(name, name[:-3])
        columns[name] = pandas.DatetimeIndex(numpy.ascontiguousarray(raw).view("M8[ns]"), tz="UTC")
    elif name.endswith(("_e9", "_e8")):
        columns[name[:-3]] = _money(raw, int(name[-1]), prices)
    elif name == "volume_lo":
        columns["volume"] = _volumes(raw, data["volume_hi"], prices)
    elif name in ("symbol", "source"):
        columns[name] = _labels(data[name + "_id"], raw)
    elif code[-1] == "s":
        columns[name] = _texts(raw)
    elif name in ("value", "norm"):
        columns.update(zip(VALUES if name == "value" else NORMS, numpy.ascontiguousarray(raw.T)))
    elif name == "flags":
        columns.update({flag: raw & bit != 0 for flag, bit in _FLAGS[kind].items()})
    elif name == "timeframe_s":
        columns["timeframe"] = _named(raw, timeframe_name)
    elif name in _WORDS[kind]:
        words = _WORDS[kind][name]
        columns[name] = _named(raw, lambda v: words[v] if v < len(words) else v)
    else:
        columns[name] = raw


def _money(raw, places: int, prices: str):
    import numpy
    import pandas
    if prices == "float":
        return numpy.where(raw == NULL, numpy.nan, raw / 10.0 ** places)
    if prices == "int":
        return pandas.arrays.IntegerArray(raw.copy(), raw == NULL)
    return numpy.array([_decimal(v, places) for v in raw.tolist()] + [None], object)[:-1]


def _volumes(low, high, prices: str):
    import numpy
    if prices == "float":
        return (high * 2.0 ** 64 + low) / 1e8
    convert = _PRICES[prices]
    return numpy.array([convert((h << 64) + v, 8) for v, h in zip(low.tolist(), high.tolist())] + [None], object)[:-1]


def _named(raw, name):
    """Each distinct number's name."""
    import numpy
    import pandas
    codes, distinct = pandas.factorize(raw)
    return numpy.array([name(v) for v in distinct.tolist()] + [None], object).take(codes)


def _texts(raw):
    import numpy
    if raw.itemsize == 8:
        return _named(numpy.ascontiguousarray(raw).view("<u8"), lambda v: _text(v.to_bytes(8, "little")))
    return _named(numpy.array(raw.tolist(), object), _text)


def _labels(ids, texts):
    """The texts, decoded once per id."""
    import numpy
    import pandas
    codes, distinct = pandas.factorize(ids)
    first = numpy.zeros(len(distinct), int)
    first[codes[::-1]] = numpy.arange(len(codes))[::-1]
    if not (texts[first][codes] == texts).all():  # ids of two epochs, or a foreign sender
        return _texts(texts)
    return numpy.array([_text(t) for t in texts[first].tolist()] + [None], object).take(codes)


# ---- publishing -----------------------------------------------------------------------------------------------------

BATCH_MAX = 8192
_TICK = struct.Struct("<7q2Q8s3B5x32s")
_INGEST_STATUS = ("ok", "malformed", "busy", "no_space", "stopping", "failed")
Run = collections.namedtuple("Run", "first_seq n outcome reason first_pos")
Run.__doc__ = "Ticks first_seq .. first_seq + n - 1: accepted (from first_pos on), duplicate or rejected (reason)."


class Ack(collections.namedtuple("Ack", "first_seq accepted duplicate rejected is_synced last_pos epoch resends runs "
                                        "text")):
    """What became of a batch; runs covers every tick of it.  is_synced: it is on the disk."""
    __slots__ = ()

    @property
    def rejections(self) -> list[tuple[int, str]]:
        """(sequence, reason) of every tick that was refused."""
        return [(run.first_seq + i, run.reason) for run in self.runs if run.outcome == "rejected" for i in range(run.n)]


def _name(name: str, size: int = 32) -> bytes:
    raw = name.encode()
    if not 0 < len(raw) <= size:
        raise ValueError(f"'{name[:40]}' is no name of 1 to {size} bytes")
    return raw.ljust(size, b"\0")


def _exact(value, places: int) -> int:
    """A str, Decimal, int or float (by its shortest digits) in units of 10 ** -places, exactly."""
    if value is None:
        return NULL
    try:
        number = decimal.Decimal(repr(value) if isinstance(value, float) else value)
        scaled = number.scaleb(places, _EXACT)
        if scaled != scaled.to_integral_value(context=_EXACT):
            raise ValueError(f"{value!r} is finer than 1e-{places}; round it")
    except (decimal.InvalidOperation, TypeError) as e:
        raise ValueError(f"{value!r} is no number") from e
    if abs(scaled) >= 1 << 63:
        raise ValueError(f"{value!r} is out of range")
    return int(scaled)


_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")

def _ns(value) -> int:
    """Nanoseconds since 1970 UTC from an int, a datetime (or pandas.Timestamp) with a zone, or RFC 3339 text."""
    if isinstance(value, int):
        return value
    fraction = 0
    if isinstance(value, str):
        match = _RFC3339.fullmatch(value)
        if not match:
            raise ValueError(f"'{value[:40]}' is no time like 2026-01-05T14:30:00.5Z")
        fraction = int((match[3] or "").ljust(9, "0"))
        value = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}{match[4].upper().replace('Z', '+00:00')}")
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        raise ValueError(f"{value!r} is no time with a zone")
    since = value - _1970
    seconds, micros = since.days * 86400 + since.seconds, since.microseconds
    return (seconds * 10 ** 6 + micros) * 1000 + fraction + getattr(value, "nanosecond", 0)


def _rfc3339(ns: int) -> str:
    """RFC 3339 with every nanosecond."""
    seconds, rest = divmod(ns, 10 ** 9)
    return f"{_1970 + datetime.timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


class Job(collections.namedtuple("Job", "id what state total done failed cancelled text created_ns finished_ns")):
    """How far a job of the daemon is; finished_ns is None while it runs."""

    __slots__ = ()
    WHATS = ("bars", "news", "actions", "features", "report")
    STATES = ("running", "done", "cancelled", "failed")


_JOB = struct.Struct("<QqqIIIIBB6x64s")


def decode_jobs(data: bytes, start: int = 0) -> list[Job]:
    """The jobs of the frame (template 7) that begins at @start; none of another template.  Raises Malformed."""
    if len(data) - start < 8:
        raise Malformed("a frame's header is cut short")
    length, template, schema, _ = _HEADER.unpack_from(data, start)
    if schema != SCHEMA or template != 7:
        return []
    if length < 32 or start + 8 + length > len(data):
        raise Malformed("the root of a frame of jobs is cut short")
    stride, n, at = _group(data, start + 8 + length, _JOB.size)
    out = []
    for i in range(n):
        id_, created, finished, total, done, failed, cancelled, what, state, text = _JOB.unpack_from(data, at + i * stride)
        word = lambda words, k: words[k] if k < len(words) else "?"  # noqa: E731
        out.append(Job(id_, word(Job.WHATS, what), word(Job.STATES, state), total, done, failed, cancelled, _text(text), created,
                       None if finished == NULL else finished))
    return out


class Jobs:
    """What the daemon says of its jobs: the newest word about a job says all.

    It comes at most four times a second per job, and once when the job ends; what was before, or is lost on the way, is
    asked for: Admin().ask("job", id=7).
    """

    def __init__(self, host: str = "127.0.0.1", port_base: int = 7400, urls: dict | None = None, heartbeat: float = 1.0):
        self._poll, self._beat, self._given = _Poll(), heartbeat, collections.deque()
        self._link = _Link(_urls(host, port_base, urls)["status"], 0x21, self._poll, 3.5 * heartbeat)

    def next(self, timeout: float | None = None) -> Job | None:
        """The next word; None: nothing came in time."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self._given:
            now = time.monotonic()
            if until is not None and now >= until:
                return None
            self._link.tick(now)
            for link, mask in self._poll.wait(min(self._beat / 4, self._beat if until is None else until - now)):
                for message in link.ready(mask, time.monotonic()):
                    if message.startswith(b"job|"):
                        self._given.extend(decode_jobs(message, 4))
            now = time.monotonic()
            if self._link.state == "up" and now - self._link.heard > 3.5 * self._beat:
                self._link.drop(now, "silent")
        return self._given.popleft()

    def __iter__(self):
        while True:
            yield self.next()

    def close(self) -> None:
        self._link.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Publisher:
    """Sends ticks and waits for their acknowledgement.

    producer names the sender (kept: with first_seq, a program that starts anew may send again what it is not sure of);
    None makes one up.  source says where the ticks come from.  timeout: seconds of one flush, with all its resends.
    """

    def __init__(self, source: str, producer: str | None = None, first_seq: int = 1, timeout: float = 5.0,
                 host: str = "127.0.0.1", port_base: int = 7400, urls: dict | None = None):
        self.producer = producer or f"py{os.getpid()}-{time.time_ns():x}"
        self._source, self._names = source, _name(self.producer) + _name(source, 16)
        if first_seq < 1:
            raise ValueError("the first sequence is 1 or more")
        self._first_seq, self._ticks, self._timeout, self._poll = first_seq, [], timeout, _Poll()
        # Several tries fit the time: a reply may be lost, or a connection dead.
        self._asker = _Asker(_urls(host, port_base, urls)["ingest"], self._poll, timeout / 3)

    @property
    def next_seq(self) -> int:
        """The sequence that the next added tick will have."""
        return self._first_seq + len(self._ticks)

    def add(self, symbol: str, at, price=None, size=None, bid=None, ask=None, bid_size=None, ask_size=None,
            source_seq: int = 0, ref_seq: int = 0, cond: str = "", action: str = "new", flags=()) -> int:
        """Into the batch; returns the tick's sequence.  Prices and sizes are str, Decimal, int or float; @at is ns, a
        datetime or text; cancel and correct name the trade's source_seq in ref_seq; flags are of TICK_FLAGS."""
        return self._add(_TICK.pack(
            _ns(at), _exact(price, 9), _exact(size, 8), _exact(bid, 9), _exact(ask, 9), _exact(bid_size, 8),
            _exact(ask_size, 8), source_seq, ref_seq, cond.encode("ascii"), 1, ACTIONS.index(action),
            sum(TICK_FLAGS[flag] for flag in flags), _name(symbol)))

    def add_clock(self, at) -> int:
        """A clock record: time has reached @at (where the configuration says clock: feed)."""
        return self._add(_TICK.pack(_ns(at), NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, b"", 2, 0, 0, b""))

    def _add(self, tick: bytes) -> int:
        if len(self._ticks) == BATCH_MAX:
            raise TickbusError(f"the batch holds {BATCH_MAX} ticks: flush it first")
        self._ticks.append(tick)
        return self.next_seq - 1

    def flush(self) -> Ack:
        """Send the batch and wait.  Raises Refused (it was malformed as a whole, and is dropped) or TimedOut (nothing
        came, or only busy, no_space, stopping, failed: the batch stays, flush again)."""
        n = len(self._ticks)
        if n == 0:
            return Ack(self._first_seq, 0, 0, 0, True, 0, 0, 0, [], "")
        body = (_HEADER.pack(60, 21, SCHEMA, 1) + self._names + struct.pack("<QI", self._first_seq, 0)
                + _GROUP.pack(_TICK.size, n) + b"".join(self._ticks))
        return self._send(body, self._reply, self._drop)

    def _drop(self):
        self._first_seq, self._ticks = self.next_seq, []

    def _send(self, body: bytes, read, over=lambda: None) -> Ack:
        """The answer that ends it, after as many resends as the time allows; over() is called when there is one."""
        end, resends, text = time.monotonic() + self._timeout, -1, ""
        while True:
            try:
                reply = self._asker.wait(body, max(0.001, end - time.monotonic()))
            except TimedOut as e:
                raise TimedOut(f"{e}; {text}" if text else str(e)) from None
            resends += self._asker.sends
            status, retry_ms, ack = read(reply, resends)
            if status == "ok" or status == "malformed":
                break
            text = f"the daemon says {status}: {ack.text}"
            if time.monotonic() + retry_ms / 1000 + self._timeout / 10 >= end:  # a try without time for its answer tells less
                raise TimedOut(f"{self._asker.link.url}: {text}")
            time.sleep((retry_ms or 100) / 1000)
        over()
        if status == "malformed":
            raise Refused(f"the batch was refused: {ack.text}")
        return ack

    def _reply(self, data: bytes, resends: int) -> tuple[str, int, Ack]:
        length, template, schema, _ = _HEADER.unpack_from(data) if len(data) >= 8 else (0, 0, 0, 0)
        if template != 22 or schema != SCHEMA or length < 168 or len(data) < 8 + length:
            raise Malformed("the daemon's reply is no acknowledgement")
        (epoch, last_pos, accepted, duplicate, rejected, retry_ms, status, durability,
         text) = struct.unpack_from("<QQIIIIBB6x128s", data, 8)
        stride, n, at = _group(data, 8 + length, 24)
        runs = []
        for i in range(n):
            first_pos, index, count, outcome, reason = struct.unpack_from("<QIIBB", data, at + i * stride)
            runs.append(Run(self._first_seq + index, count, ("accepted", "duplicate", "rejected")[min(outcome, 2)],
                            REASONS[reason] if 0 < reason < len(REASONS) else "", first_pos))
        status = _INGEST_STATUS[min(status, 5)]
        if status == "ok" and accepted + duplicate + rejected != len(self._ticks):
            raise Malformed("the acknowledgement does not cover the batch")
        return status, retry_ms, Ack(self._first_seq, accepted, duplicate, rejected, durability == 0, last_pos, epoch,
                                     resends, runs, _text(text))

    def news(self, articles) -> Ack:
        """Send up to 1,000 articles and wait.  Dicts: id, headline, time (ns, a datetime or text), symbols (a list), and
        maybe updated, url, publisher.  An article is known by source and id, so sending again doubles nothing; the same id
        with another text is its next edition.  first_seq of the Ack is 0, its runs count articles.  Raises as flush()."""
        rows = [{**a, **{k: _rfc3339(_ns(a[k])) for k in ("time", "updated") if a.get(k) is not None}} for a in articles]
        if not rows:
            return Ack(0, 0, 0, 0, True, 0, 0, 0, [], "")
        body = json.dumps({"producer": self.producer, "source": self._source, "news": rows}).encode()
        if len(rows) > 1000 or len(body) > 1 << 20:
            raise ValueError("at most 1,000 articles and 1 MiB at once")
        return self._send(body, lambda data, resends: self._news_reply(data, resends, len(rows)))

    @staticmethod
    def _news_reply(data: bytes, resends: int, n: int) -> tuple[str, int, Ack]:
        try:
            r = json.loads(data)
            runs = [Run(x["first_index"], x["n"], x["outcome"], x.get("reason", ""), x.get("first_pos", 0)) for x in r["runs"]]
            ack = Ack(0, r["accepted"], r["duplicate"], r["rejected"], r["durability"] == "full", r["last_pos"], r["epoch"],
                      resends, runs, r["text"])
            status, retry_ms = r["status"], r["retry_ms"]
        except (ValueError, KeyError, TypeError):
            raise Malformed("the daemon's reply is no acknowledgement") from None
        if status == "ok" and ack.accepted + ack.duplicate + ack.rejected != n:
            raise Malformed("the acknowledgement does not cover the articles")
        return status, retry_ms, ack

    def publish(self, ticks) -> list[Ack]:
        """Send any number of ticks (dicts of add()'s arguments), in as many batches as they need."""
        acks = []
        for tick in ticks:
            if len(self._ticks) == BATCH_MAX:
                acks.append(self.flush())
            self.add(**tick)
        return acks + [self.flush()] if self._ticks else acks

    def close(self) -> None:
        """What was not flushed is dropped."""
        self._asker.link.close()
        self._poll.epoll.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- asking ---------------------------------------------------------------------------------------------------------


def dictionary(which: str = "symbols", host: str = "127.0.0.1", port_base: int = 7400, urls: dict | None = None,
               timeout: float = 5.0) -> dict[int, str]:
    """Ids and names of "symbols" (symbol_id) or "sources" (source_id)."""
    out: dict[int, str] = {}
    number, poll, next_id, done = ("sources", "symbols").index(which), _Poll(), 0, False
    asker = _Asker(_urls(host, port_base, urls)["catchup"], poll, timeout / 3)
    try:
        while not done:
            data = asker.wait(_HEADER.pack(16, 33, SCHEMA, 1) + struct.pack("<IIB7x", next_id, 0, number), timeout)
            if len(data) < 24 or _HEADER.unpack_from(data)[1:3] != (34, SCHEMA):
                raise Malformed("catch-up answered with something that is no dictionary")
            _, next_id, _, done = struct.unpack_from("<QIBB", data, 8)
            stride, n, at = _group(data, 8 + _HEADER.unpack_from(data)[0], 36)
            for i in range(n):
                key, name = struct.unpack_from("<I32s", data, at + i * stride)
                out[key] = _text(name)
            done = done or n == 0
        return out
    finally:
        asker.link.close()
        poll.epoll.close()


def admin(cmd: str, path: str = "/run/tickbus/admin.sock", timeout: float = 10.0, **arguments):
    """The result of one admin request (docs/PROTOCOL.md section 5), e.g. admin("pause", symbol="AAPL").
    Raises AdminError."""
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(path)
            s.sendall(json.dumps({"id": 1, "cmd": cmd, **arguments}).encode() + b"\n")
            with s.makefile("rb") as lines:
                line = lines.readline()
    except TimeoutError as e:
        raise TimedOut(f"{path} did not answer within {timeout:g} s") from e
    except OSError as e:
        raise TickbusError(f"{path}: {e.strerror or e}; is the daemon running, and is it yours?") from e
    try:
        answer = json.loads(line)
        is_ok = answer["ok"]
    except (ValueError, KeyError, TypeError) as e:
        raise Malformed(f"{path} answered with something that is no answer: {line[:60]!r}") from e
    if not is_ok:
        raise AdminError(answer.get("code", "failed"), answer.get("error", "the daemon gave no reason"))
    return answer.get("result")
