"""DBN read and written a second time, with struct alone and nothing of ours.

The reader knows the format as a table of struct formats; the writer makes files for
tests.  Both work from the published layout.
"""
import ctypes
import datetime
import struct

UNDEF_PRICE = 2 ** 63 - 1
UNDEF_SIZE = 2 ** 32 - 1
UNDEF_TIME = 2 ** 64 - 1
SCHEMAS = ("mbo mbp-1 mbp-10 tbbo trades ohlcv-1s ohlcv-1m ohlcv-1h ohlcv-1d definition "
           "statistics status imbalance ohlcv-eod cmbp-1 cbbo-1s cbbo-1m tcbbo bbo-1s bbo-1m").split()

# What follows the 16 bytes of the header.
TRADE = [("price", "q"), ("size", "I"), ("action", "c"), ("side", "c"), ("flags", "B"), ("depth", "B"),
         ("ts_recv", "Q"), ("ts_in_delta", "i"), ("sequence", "I")]
LEVEL = [("bid_px", "q"), ("ask_px", "q"), ("bid_sz", "I"), ("ask_sz", "I"), ("bid_ct", "I"), ("ask_ct", "I")]
OHLCV = [("open", "q"), ("high", "q"), ("low", "q"), ("close", "q"), ("volume", "Q")]
MBO = [("order_id", "Q"), ("price", "q"), ("size", "I"), ("flags", "B"), ("channel_id", "B"), ("action", "c"),
       ("side", "c"), ("ts_recv", "Q"), ("ts_in_delta", "i"), ("sequence", "I")]
STATUS = [("ts_recv", "Q"), ("action", "H"), ("reason", "H"), ("trading_event", "H"), ("is_trading", "c"),
          ("is_quoting", "c"), ("is_short_sell_restricted", "c")]
LAYOUT = {0x00: TRADE, 0x12: STATUS, 0xA0: MBO,
          **{k: OHLCV for k in (0x20, 0x21, 0x22, 0x23)},
          **{k: TRADE + LEVEL for k in (0x01, 0x0A, 0xB1, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4)}}


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]


def unpack(data):
    """All frames of a zstd stream, by the system's library."""
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_createDStream.restype = ctypes.c_void_p
    lib.ZSTD_decompressStream.restype = ctypes.c_size_t
    lib.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    lib.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
    stream, out = lib.ZSTD_createDStream(), ctypes.create_string_buffer(1 << 20)
    source = ctypes.create_string_buffer(data, len(data))
    taken, parts = Buffer(ctypes.addressof(source), len(data), 0), []
    while True:
        given = Buffer(ctypes.addressof(out), len(out), 0)
        rc = lib.ZSTD_decompressStream(stream, ctypes.byref(given), ctypes.byref(taken))
        if rc > 2 ** 63:
            raise ValueError("zstd: damaged")
        parts.append(out.raw[:given.pos])
        if taken.pos == taken.size and given.pos < given.size:
            break
    lib.ZSTD_freeDStream(stream)
    return b"".join(parts)


def pack(data):
    """One zstd frame."""
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_compress.restype = lib.ZSTD_compressBound.restype = ctypes.c_size_t
    lib.ZSTD_compress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    lib.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    out = ctypes.create_string_buffer(lib.ZSTD_compressBound(len(data)))
    n = lib.ZSTD_compress(out, len(out), data, len(data), 3)
    return out.raw[:n]


def text(field):
    return field.split(b"\0")[0].decode()


def metadata(data):
    """(what it says, where the records begin)."""
    if data[:3] != b"DBN":
        raise ValueError("no DBN")
    version, length = data[3], struct.unpack_from("<I", data, 4)[0]
    m, at = {"version": version, "names": {}}, 8
    m["dataset"] = text(data[at:at + 16])
    schema, _start, _end, _limit = struct.unpack_from("<HQQQ", data, at + 16)
    m["schema"] = SCHEMAS[schema] if schema < len(SCHEMAS) else "mixed"
    at += 42 + (8 if version == 1 else 0)
    m["stype_in"], _out, m["ts_out"] = data[at:at + 3]
    at += 3
    width = 22
    if version > 1:
        width, at = struct.unpack_from("<H", data, at)[0], at + 2
    at += 47 if version == 1 else 53
    at += 4 + struct.unpack_from("<I", data, at)[0]
    for name in ("symbols", "partial", "not_found"):
        n, at = struct.unpack_from("<I", data, at)[0], at + 4
        m[name] = [text(data[at + i * width:at + (i + 1) * width]) for i in range(n)]
        at += n * width
    n, at = struct.unpack_from("<I", data, at)[0], at + 4
    for _ in range(n):
        raw, at = text(data[at:at + width]), at + width
        intervals, at = struct.unpack_from("<I", data, at)[0], at + 4
        for _ in range(intervals):
            first, after = struct.unpack_from("<II", data, at)
            symbol, at = text(data[at + 8:at + 8 + width]), at + 8 + width
            number, name = (raw, symbol) if m["stype_in"] == 0 else (symbol, raw)
            if number:
                m["names"].setdefault(int(number), []).append((first, after, name))
    return m, 8 + length


def records(data, at):
    """Dictionaries, one a record; of unknown kinds the header alone."""
    while at < len(data):
        length, rtype, publisher, instrument, ts_event = struct.unpack_from("<BBHIQ", data, at)
        r = {"rtype": rtype, "publisher_id": publisher, "instrument_id": instrument, "ts_event": ts_event}
        layout = LAYOUT.get(rtype)
        if layout:
            r.update(zip((n for n, _ in layout),
                         struct.unpack_from("<" + "".join(f for _, f in layout), data, at + 16)))
        elif rtype == 0x16:
            wide = length * 4 >= 176
            r["in"] = text(data[at + 17:at + 88] if wide else data[at + 16:at + 38])
            r["out"] = text(data[at + 89:at + 160] if wide else data[at + 38:at + 60])
        elif rtype in (0x15, 0x17):
            r["text"] = text(data[at + 16:at + 16 + (302 if length * 4 >= 320 else 64)])
        if length == 0 or at + length * 4 > len(data):
            raise ValueError("damaged")
        yield r
        at += length * 4


def read(path):
    """(metadata or None for a fragment, records)."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        data = unpack(data)
    if ".frag" in path:
        return None, list(records(data, 0))
    m, at = metadata(data)
    return m, list(records(data, at))


def day_of(ns):
    d = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10 ** 9)
    return d.year * 10000 + d.month * 100 + d.day


# ---- writing ----

def write_metadata(version, schema, names, ts_out=False):
    """names: [(symbol, first, after, number)]."""
    width = 22 if version == 1 else 71
    pad = lambda s, n: s.encode().ljust(n, b"\0")  # noqa: E731
    body = pad("TEST.DATA", 16)
    body += struct.pack("<HQQQ", SCHEMAS.index(schema) if schema in SCHEMAS else 0xFFFF, 0, UNDEF_TIME, 0)
    body += struct.pack("<Q", UNDEF_TIME) if version == 1 else b""
    body += bytes([1, 0, ts_out]) + (struct.pack("<H", width) if version > 1 else b"")
    body += bytes(47 if version == 1 else 53) + struct.pack("<I", 0)
    body += struct.pack("<I", len(names)) + b"".join(pad(n[0], width) for n in names)
    body += struct.pack("<III", 0, 0, len(names))
    for symbol, first, after, number in names:
        body += pad(symbol, width) + struct.pack("<III", 1, first, after) + pad(str(number), width)
    if version == 3:
        body += bytes(-(len(body) + 8) % 8)
    return b"DBN" + bytes([version]) + struct.pack("<I", len(body)) + body


def write_record(rtype, publisher, instrument, ts_event, values, length, ts_out=None):
    """values: as records() gives them; what is missing is 0."""
    layout = LAYOUT[rtype]
    body = struct.pack("<" + "".join(f for _, f in layout),
                       *(values.get(n, b"\0" if f == "c" else 0) for n, f in layout))
    body = body.ljust(length - 16, b"\0")
    if ts_out is not None:
        body, length = body + struct.pack("<Q", ts_out), length + 8
    return struct.pack("<BBHIQ", length // 4, rtype, publisher, instrument, ts_event) + body
