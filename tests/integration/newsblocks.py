"""NEWS_SENTIMENT events as docs/PROTOCOL.md has them."""
import struct
import time

NEWS = struct.Struct("<QQqq 8d QqQ IIIHBB IH2x 32s32s64s32s256s200sQ")
FIELDS = ("seq pos event_ns recv_ns compound pos_share neu_share neg_share average weighted positive negative articles "
          "published_ns article edition window_s symbol_id source_id flags n_symbols half_life_s schema symbol lexicon id "
          "publisher headline url chain").split()


def unpack(block):
    e = dict(zip(FIELDS, NEWS.unpack(block[:NEWS.size])))
    for name in ("symbol", "lexicon", "id", "publisher", "headline", "url"):
        e[name] = e[name].rstrip(b"\0").decode("utf-8")
    return e


def unpack_all(blocks):
    return [unpack(b) for b in blocks]


def settled(d, n, seconds=240):
    """The events of the daemon, once there are @n or more."""
    end = time.monotonic() + seconds
    while len(d.events("news")) < n:
        assert time.monotonic() < end, f"only {len(d.events('news'))} of {n} events"
        time.sleep(0.02)
    return unpack_all(d.events("news"))
