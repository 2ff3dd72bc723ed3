"""DBN version 3 as the mock writes it, and zstd frames that need no compressor.

Written from the vendor's layout alone; it shares nothing with tickbus's reader.
"""
import struct

NONE_PRICE, NONE_TS, NONE_SIZE = 2 ** 63 - 1, 2 ** 64 - 1, 2 ** 32 - 1
E7 = 10 ** 7  # a cent in billionths
RECV_NS = 165000  # between event and receipt
SCHEMAS = {"mbp-1": 1, "trades": 4, "ohlcv-1s": 6, "ohlcv-1m": 7, "ohlcv-1h": 8, "ohlcv-1d": 9}
BAR_RTYPE = {60: 0x21, 3600: 0x22, 86400: 0x23}
PUBLISHER = 2


def text(value, size):
    return value.encode()[:size - 1].ljust(size, b"\0")


def metadata(dataset, schema, start, end, names, not_found=(), limit=0):
    """@names: (symbol, first day YYYYMMDD, day after the last, instrument).  @schema:
    its number, or 0xFFFF for a live session."""
    is_live = schema == 0xFFFF
    body = text(dataset, 16) + struct.pack("<HQQQ", schema, start, end, limit)
    body += bytes([255 if is_live else 1, 0, 0]) + struct.pack("<H", 71) + bytes(53)
    body += struct.pack("<I", 0)
    for symbols in ([n[0] for n in names], [], not_found):
        body += struct.pack("<I", len(symbols)) + b"".join(text(s, 71) for s in symbols)
    body += struct.pack("<I", len(names))
    for symbol, first, after, instrument in names:
        body += text(symbol, 71) + struct.pack("<III", 1, first, after) + text(str(instrument), 71)
    body += bytes(-(len(body) + 8) % 8)
    return b"DBN\x03" + struct.pack("<I", len(body)) + body


def head(rtype, length, instrument, ns):
    return struct.pack("<BBHIQ", length // 4, rtype, PUBLISHER, instrument, ns)


def trade(instrument, t):
    ns, k, cents, size, _, _ = t
    return head(0, 48, instrument, ns) + struct.pack(
        "<qIccBBQiI", cents * E7, size, b"T", b"B", 128, 0, ns + RECV_NS, RECV_NS, k % 2 ** 32)


def quote(instrument, q):
    ns, k, bid, ask, bid_size, ask_size = q
    return head(1, 80, instrument, ns) + struct.pack(
        "<qIccBBQiI", bid * E7, bid_size, b"A", b"B", 128, 0, ns + RECV_NS, RECV_NS,
        k % 2 ** 32) + struct.pack("<qqIIII", bid * E7, ask * E7, bid_size, ask_size, 1, 1)


def bar(instrument, step_s, start_s, b):
    return head(BAR_RTYPE[step_s], 56, instrument, start_s * 10 ** 9) + struct.pack(
        "<qqqqQ", *(x * E7 for x in b[1:5]), b[5])


def mapping(instrument, symbol, ns):
    """raw symbol to raw symbol, as a live session says it."""
    return head(0x16, 176, instrument, ns) + bytes([1]) + text(symbol, 71) + bytes([1]) + \
        text(symbol, 71) + struct.pack("<QQ", ns, NONE_TS)


def system(code, words, ns):
    return head(0x17, 320, 0, ns) + text(words, 303) + bytes([code])


def error(code, words, ns):
    return head(0x15, 320, 0, ns) + text(words, 302) + bytes([code, 1])


def zstd(data):
    """One frame of raw blocks: magic, header (window 128 KiB, no size), blocks."""
    out, size = [b"\x28\xb5\x2f\xfd", b"\x00\x38"], 1 << 17
    for at in range(0, max(len(data), 1), size):
        block = data[at:at + size]
        is_last = at + size >= len(data)
        out += [(len(block) << 3 | is_last).to_bytes(3, "little"), block]
    return b"".join(out)
