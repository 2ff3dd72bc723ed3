"""Articles as they are sent, and NEWS_SENTIMENT events as they come (struct event_news of proto/event.h)."""
import datetime
import json
import struct

import tickbusd as tb

UPDATE, REPEAT, CUT, LATE = 1, 2, 4, 8
NEWS = struct.Struct("<QQqq 8d QqQ IIIHBB IH2x 32s32s64s32s256s200sQ")
FIELDS = ("seq pos event_ns recv_ns compound pos_share neu_share neg_share average weighted positive negative articles "
          "published_ns article edition window_s symbol_id source_id flags n_symbols half_life_s schema symbol lexicon id "
          "publisher headline url chain").split()


def stamp(second):
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def article(number, second, headline, *symbols, **more):
    """@second: since 1970."""
    return {"id": str(number), "time": stamp(second), "headline": headline, "symbols": list(symbols), **more}


def send(d, articles, source="wire"):
    return tb.feed_json(d, json.dumps({"producer": "t", "source": source, "news": articles}))


def unpack(block):
    e = dict(zip(FIELDS, NEWS.unpack(block[:NEWS.size])))
    for name in ("symbol", "lexicon", "id", "publisher", "headline", "url"):
        e[name] = e[name].rstrip(b"\0").decode("utf-8")
    return e


def pack(symbol, pos, seq, event_ns, **more):
    """An event of our own making: what is not said is 0."""
    e = {name: 0 for name in FIELDS} | {"seq": seq, "pos": pos, "event_ns": event_ns, "recv_ns": event_ns + 5,
                                         "published_ns": event_ns, "symbol": symbol, "edition": 1, "source_id": 1,
                                         "lexicon": "finance-1", "publisher": "", "id": str(pos), "url": "",
                                         "headline": f"Number {pos} beats \u20ac{pos}", "schema": 1} | more
    return NEWS.pack(*[v.encode() if isinstance(v, str) else v for v in e.values()])
